/* SPDX-License-Identifier: Apache-2.0 */
/* What an explanation costs, and how its completeness error falls with the points of the integral: random models of
 * some sizes (or the one given) and made-up histories. One core.
 *
 *   bench_explain [MODEL]
 *
 * A table in text: H, events, points, microseconds of processor an explanation, mean |error| by either rule. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "model/explain.h"
#include "tests/model/tiny_model.h"

enum { EVENTS_MAX = 256, HISTORIES = 8, TIMES = 3 };

static struct shoal_features features[HISTORIES][EVENTS_MAX];
static float rates[HISTORIES][SHOAL_COUNTERS];

static void make_histories(const struct shoal_dims *dims)
{
    for (uint64_t u = 0; u < HISTORIES; u++) {
        struct shoal_touch touches[EVENTS_MAX];
        uint64_t state = (u + 1) * 0x9e3779b97f4a7c15u;
        int64_t time_ms = 1511539200000;
        for (size_t t = 0; t < EVENTS_MAX; t++) {
            (void)tiny_random(&state);
            time_ms += (int64_t)((state >> 20) % 20000) * 1000;
            touches[t] = (struct shoal_touch){.time_ms = time_ms,
                                              .item = (uint32_t)(state >> 40),
                                              .category = (uint16_t)(1 + (state >> 10) % 100),
                                              .behavior = (uint8_t)((state >> 7) % 4),
                                              .price_level = (uint8_t)((state >> 50) % 64)};
        }
        for (int k = 0; k < SHOAL_COUNTERS; k++)
            rates[u][k] = fabsf(10 * tiny_random(&state));
        shoal_explain_ring(dims, touches, EVENTS_MAX, features[u]);
    }
}

static double cpu_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Mean |error| over the histories, and the least microseconds an explanation of TIMES rounds. */
static double measure(const struct shoal_model *model, size_t events, size_t steps,
                      enum shoal_quadrature rule, double *us)
{
    static struct shoal_explained_event contributions[EVENTS_MAX];
    struct shoal_explain_options options = {events, steps, rule};
    struct shoal_explain *explain;
    double error = 0;
    *us = INFINITY;
    if (shoal_explain_create(model, &options, &explain) != SHOAL_OK)
        exit(1);
    for (int round = 0; round < TIMES; round++) {
        double since = cpu_us();
        error = 0;
        for (size_t u = 0; u < HISTORIES; u++) {
            struct shoal_explanation e;
            shoal_explain_run(explain, features[u], events, rates[u], contributions, &e);
            error += fabs(e.error) / HISTORIES;
        }
        *us = fmin(*us, (cpu_us() - since) / HISTORIES);
    }
    shoal_explain_destroy(explain);
    return error;
}

static void line(const struct shoal_model *model, size_t events, size_t steps)
{
    double us, other;
    double gauss = measure(model, events, steps, SHOAL_GAUSS_LEGENDRE, &us);
    double middle = measure(model, events, steps, SHOAL_MIDPOINT, &other);
    printf("%4u %7zu %7zu %11.0f %15.1e %9.1e\n", model->params.dims.hidden, events, steps,
           us < other ? us : other, gauss, middle);
}

static void table(const struct shoal_model *model)
{
    make_histories(&model->params.dims);
    for (size_t steps = 2; steps <= 2 * SHOAL_EXPLAIN_STEPS; steps *= 2)
        line(model, SHOAL_RING_DEFAULT, steps);
    line(model, SHOAL_RING_MAX, SHOAL_EXPLAIN_STEPS);
    line(model, EVENTS_MAX, SHOAL_EXPLAIN_STEPS);
}

int main(int argc, char **argv)
{
    struct shoal_message message = {""};
    struct shoal_model *model;
    printf("   H  events  points  us each one  Gauss-Legendre  midpoint\n");
    if (argc > 1) {
        if (shoal_model_load(argv[1], &model, &message) != SHOAL_OK) {
            fprintf(stderr, "bench_explain: %s\n", message.text);
            return 1;
        }
        table(model);
        shoal_model_destroy(model);
        return 0;
    }
    for (uint32_t hidden = 16; hidden <= 64; hidden *= 2) {
        struct shoal_dims dims = shoal_dims_default();
        dims.hidden = hidden;
        model = tiny_model(&dims, hidden);
        if (!model)
            return 1;
        table(model);
        shoal_model_destroy(model);
    }
    return 0;
}
