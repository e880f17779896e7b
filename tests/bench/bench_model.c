/* SPDX-License-Identifier: Apache-2.0 */
/* How long the model's parts take on one core: GEMM, cell and whole step at several batch sizes,
 * and the vector functions. Not a test: prints, never fails. Every figure is the best of several
 * repetitions, which on a shared machine is the least disturbed one.
 *
 *   bench_model [--json]      --json: batch 256 only, beside the core's peak
 *   bench_model --step H ITEM_BUCKETS CATEGORY_BUCKETS fp16|fp32 [BATCH]
 *                             the step alone for such a model: batches of 256 (or BATCH) of many users in
 *                             turn, so that states and tables come from where they would in service */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"
#include "model/blas.h"
#include "model/few_rows.h"
#include "model/lstm.h"
#include "model/step.h"
#include "model/vmath.h"
#include "tests/bench/peak.h"
#include "tests/model/tiny_model.h"

enum { MAX_BATCH = 1024, REPETITIONS = 400 };

struct work {
    size_t batch, hidden, inputs;
    float *x, *weight, *gates, *bias, *c, *h, *tanh_c;
    struct shoal_step *step;
    struct shoal_step_row *rows;
    void (*function)(const float *, float *, size_t);
};

static float *floats(size_t count)
{
    uint64_t state = 7;
    float *block = aligned_alloc(64, (count * sizeof(float) + 63) / 64 * 64);
    if (!block)
        abort();
    for (size_t i = 0; i < count; i++)
        block[i] = tiny_random(&state);
    return block;
}

static void run_gemm(struct work *w)
{
    size_t k = w->inputs + w->hidden, n = 4 * w->hidden;
    shoal_gemm(false, false, w->batch, n, k, 1.0f, w->x, k, w->weight, n, 0.0f, w->gates, n);
}

static void run_few_rows(struct work *w)
{
    size_t k = w->inputs + w->hidden, n = 4 * w->hidden;
    shoal_few_rows_gemm(w->batch, n, k, w->x, k, w->weight, n, w->gates, n);
}

static void run_cell(struct work *w)
{
    shoal_lstm_cell(w->batch, w->hidden, w->gates, w->bias, w->c, w->hidden, w->tanh_c, w->h,
                    w->hidden);
}

static void run_step(struct work *w)
{
    shoal_step_run(w->step, w->rows, w->batch);
}

static void run_function(struct work *w)
{
    w->function(w->x, w->gates, 4096);
}

/* Nanoseconds of one run. Each is timed by itself: on a busy machine few stretches longer than a
 * millisecond stay undisturbed. */
static double best_ns(struct work *w, void (*run)(struct work *))
{
    double best = 1e30;
    for (int repetition = 0; repetition < REPETITIONS; repetition++) {
        int64_t start = shoal_clock_ns();
        run(w);
        double ns = (double)(shoal_clock_ns() - start);
        best = ns < best ? ns : best;
    }
    return best;
}

static void make_rows(struct work *w)
{
    w->rows = calloc(MAX_BATCH, sizeof *w->rows);
    float *state = floats(MAX_BATCH * (2 * w->hidden + SHOAL_COUNTERS));
    if (!w->rows)
        abort();
    for (size_t b = 0; b < MAX_BATCH; b++) {
        struct shoal_step_row *row = &w->rows[b];
        row->h = state + b * (2 * w->hidden + SHOAL_COUNTERS);
        row->c = row->h + w->hidden;
        float *counters = row->c + w->hidden;
        for (int k = 0; k < SHOAL_COUNTERS; k++)
            counters[k] = (float)k;
        row->counters = counters;
        row->features.item_row = (uint32_t)(b * 2654435761u >> 8) % 4096;
        row->features.category_row = (uint32_t)(b * 40503u) % 1024;
    }
}

static void bench_batch(struct work *w)
{
    double events = (double)w->batch;
    double operations = 2.0 * events * (double)((w->inputs + w->hidden) * 4 * w->hidden);
    double gemm = best_ns(w, run_gemm), cell = best_ns(w, run_cell), step = best_ns(w, run_step);
    double few = best_ns(w, run_few_rows);
    printf("B %4zu  gemm %.3f us/event (%.0f GFLOP/s)  own %.3f (%.0f)  cell %.3f  step %.3f\n",
           w->batch, gemm / events / 1e3, operations / gemm, few / events / 1e3, operations / few,
           cell / events / 1e3, step / events / 1e3);
}

static void print_json(struct work *w)
{
    w->batch = 256;
    double events = (double)w->batch;
    double operations = 2.0 * events * (double)((w->inputs + w->hidden) * 4 * w->hidden);
    double gemm = best_ns(w, run_gemm), cell = best_ns(w, run_cell), step = best_ns(w, run_step);
    printf("{\"m\":%zu,\"k\":%zu,\"n\":%zu,\"gflops\":%.1f,\"gemm_us\":%.3f,\"cell_us\":%.3f,"
           "\"step_us\":%.3f,",
           w->batch, w->inputs + w->hidden, 4 * w->hidden, operations / gemm, gemm / events / 1e3,
           cell / events / 1e3, step / events / 1e3);
    printf("\"peak_128_gflops\":%.1f,\"peak_256_gflops\":%.1f,\"peak_512_gflops\":%.1f}\n",
           bench_peak_gflops(16), bench_peak_gflops(32), bench_peak_gflops(64));
}

static int compare(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static int bench_step(char **argv, size_t batch)
{
    enum { POOL = 1 << 14, STEP_BATCH = 256, ROUNDS = 64 };
    struct shoal_dims dims = shoal_dims_default();
    dims.hidden = (uint32_t)strtoul(argv[0], NULL, 10);
    dims.item_buckets = (uint32_t)strtoul(argv[1], NULL, 10);
    dims.category_buckets = (uint32_t)strtoul(argv[2], NULL, 10);
    enum shoal_precision precision = strcmp(argv[3], "fp32") == 0 ? SHOAL_FP32 : SHOAL_FP16;
    struct shoal_model *model = tiny_model(&dims, 1);
    struct shoal_step *step;
    if (!model || shoal_step_create(model, STEP_BATCH, precision, &step) != SHOAL_OK) {
        fputs("bench_model: no such model\n", stderr);
        return 2;
    }
    struct shoal_step_row *rows = calloc(POOL, sizeof *rows);
    float *states = floats(POOL * (size_t)(2 * dims.hidden + SHOAL_COUNTERS));
    if (!rows)
        abort();
    for (size_t b = 0; b < POOL; b++) {
        float *state = states + b * (2 * dims.hidden + SHOAL_COUNTERS);
        rows[b] = (struct shoal_step_row){.h = state, .c = state + dims.hidden,
                                          .counters = state + 2 * dims.hidden};
        for (size_t k = 0; k < SHOAL_COUNTERS; k++)
            state[2 * dims.hidden + k] = (float)k;
        rows[b].features.item_row = (uint32_t)(b * 2654435761u) % dims.item_buckets;
        rows[b].features.category_row = (uint32_t)(b * 40503u) % dims.category_buckets;
    }
    double us[REPETITIONS];
    size_t rounds = batch < STEP_BATCH ? ROUNDS : 1, at = 0; /* looking at the clock takes time, too */
    for (size_t i = 0; i < REPETITIONS; i++) {
        int64_t since = shoal_clock_ns();
        for (size_t r = 0; r < rounds; r++) {
            shoal_step_run(step, rows + at, batch);
            at = at + 2 * batch <= POOL ? at + batch : 0;
        }
        us[i] = (double)(shoal_clock_ns() - since) / 1e3 / (double)(batch * rounds);
    }
    qsort(us, REPETITIONS, sizeof us[0], compare);
    printf("{\"step_us\":%.4f,\"step_us_best\":%.4f}\n", us[REPETITIONS / 2], us[REPETITIONS / 20]);
    return 0;
}

int main(int argc, char **argv)
{
    if ((argc == 6 || argc == 7) && strcmp(argv[1], "--step") == 0) {
        size_t batch = argc == 7 ? strtoul(argv[6], NULL, 10) : 256;
        return batch >= 1 && batch <= 1 << 14 ? bench_step(argv + 2, batch) : 2;
    }
    struct shoal_dims dims = shoal_dims_default();
    struct shoal_model *model = tiny_model(&dims, 1);
    struct work w = {.hidden = dims.hidden, .inputs = shoal_dims_inputs(&dims)};
    if (!model || shoal_step_create(model, MAX_BATCH, SHOAL_FP16, &w.step) != SHOAL_OK)
        return 1;
    w.x = floats(MAX_BATCH * (w.inputs + w.hidden));
    w.weight = model->params.gates_weight;
    w.gates = floats(MAX_BATCH * 4 * w.hidden);
    w.bias = model->params.gates_bias;
    w.c = floats(MAX_BATCH * w.hidden);
    w.h = floats(MAX_BATCH * w.hidden);
    w.tanh_c = floats(MAX_BATCH * w.hidden);
    make_rows(&w);
    if (argc > 1 && strcmp(argv[1], "--json") == 0) {
        print_json(&w);
        return 0;
    }
    const size_t batches[] = {1, 2, 4, 8, 16, 32, 64, 128, 256, 1024};
    for (size_t i = 0; i < sizeof batches / sizeof batches[0]; i++) {
        w.batch = batches[i];
        bench_batch(&w);
    }
    const struct {
        const char *name;
        void (*function)(const float *, float *, size_t);
    } functions[] = {{"exp", shoal_vexp},
                     {"sigmoid", shoal_vsigmoid},
                     {"tanh", shoal_vtanh},
                     {"exp2", shoal_vexp2}};
    for (size_t i = 0; i < sizeof functions / sizeof functions[0]; i++) {
        w.function = functions[i].function;
        printf("%-8s %.3f ns/element\n", functions[i].name, best_ns(&w, run_function) / 4096);
    }
    return 0;
}
