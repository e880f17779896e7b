/* SPDX-License-Identifier: Apache-2.0 */
/* What Shoal itself computes, for tests/tools/test_onnx.py to compare an exported model with.
 *
 *   onnx_reference --make FILE             a model whose four gates and five calibrations all
 * differ onnx_reference MODEL fp16|fp32 USERS STEPS
 *
 * The second prints a line of JSON for every step of the users side by side: the inputs of the
 * exported graph, and what it is to give: h and c by shoal_step_run, predictions by
 * shoal_score_tasks, logits before and after the calibration. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/examples.h"
#include "model/learn/score.h"
#include "model/user_vector.h"
#include "model/vmath.h"
#include "tests/model/tiny_model.h"

struct work {
    struct shoal_model *model;
    enum shoal_precision precision;
    size_t users, steps;
    struct shoal_dataset dataset;
    struct shoal_examples examples;
    struct shoal_step *step;
    struct shoal_step_row *rows;
    float *states, *scores, *predictions;
};

/* Curves of two, three and many knots and lines; each gate a weight and bias of another size, so
 * that no two can be taken for each other. */
static int make(const char *path)
{
    struct shoal_dims dims = tiny_dims();
    struct shoal_message message = {.text = ""};
    dims.item_buckets = 50;
    dims.category_buckets = 9;
    struct shoal_model *model = tiny_model(&dims, 5);
    if (!model)
        return 1;
    size_t hidden = dims.hidden, rows = shoal_dims_inputs(&dims) + hidden;
    for (size_t gate = 0; gate < 4; gate++)
        for (size_t j = 0; j < hidden; j++) {
            model->params.gates_bias[gate * hidden + j] += (float)gate - 1.5f;
            for (size_t row = 0; row < rows; row++)
                model->params.gates_weight[row * 4 * hidden + gate * hidden + j] *=
                    0.5f + 0.5f * (float)gate;
        }
    const uint32_t knots[SHOAL_TASKS] = {SHOAL_KNOTS_MAX, 0, 2, 3, 5};
    for (size_t n = 0; n < SHOAL_TASKS; n++) {
        struct shoal_calibration_map *map = &model->calibration[n];
        map->slope = 1 + 0.25f * (float)n;
        map->knots = knots[n];
        for (uint32_t k = 0; k < knots[n]; k++) {
            float share = (float)k / (float)(knots[n] - 1);
            map->x[k] = -0.1f + 0.9f * share * share; /* within what the logits reach */
            map->y[k] = -3 + 4 * share + (k % 3 == 1 ? 0.02f : 0);
        }
    }
    enum shoal_status status = shoal_model_save(model, path, &message);
    shoal_model_destroy(model);
    if (status != SHOAL_OK)
        fprintf(stderr, "%s\n", message.text);
    return status != SHOAL_OK;
}

/* Made-up users: gaps from seconds to days, few items, so that some come back, sometimes no
 * category. */
static enum shoal_status make_events(struct work *work)
{
    uint64_t state = 1234567;
    shoal_dataset_init(&work->dataset, work->model->params.dims.ring);
    for (size_t u = 0; u < work->users; u++) {
        char user[32];
        int size = snprintf(user, sizeof user, "u%04zu", u);
        int64_t time_ms = INT64_C(1511539200000);
        for (size_t t = 0; t < work->steps; t++) {
            float drawn[5];
            for (size_t i = 0; i < 5; i++)
                drawn[i] = 0.5f + 0.5f * tiny_random(&state);
            time_ms += (int64_t)(drawn[0] < 0.8f ? 120e3f * drawn[1] : 3 * 86400e3f * drawn[1]);
            struct shoal_touch touch = {
                .time_ms = time_ms,
                .item = (uint32_t)(30 * drawn[2]) * 2654435761u,
                .category = drawn[3] < 0.1f ? 0 : (uint16_t)(1 + 65534 * drawn[3]),
                .behavior = (uint8_t)(4 * drawn[4] * drawn[4]) % SHOAL_BEHAVIOR_COUNT,
                .price_level = (uint8_t)(63 * drawn[1]),
            };
            enum shoal_status status =
                shoal_dataset_append(&work->dataset, user, (size_t)size, &touch, 0);
            if (status != SHOAL_OK)
                return status;
        }
    }
    return shoal_dataset_group(&work->dataset);
}

static void print_floats(const char *key, const float *values, size_t count, const char *after)
{
    printf("%s%s[", key, *key ? ":" : "");
    for (size_t i = 0; i < count; i++)
        printf("%s%.9g", i ? "," : "", (double)values[i]);
    printf("]%s", after);
}

/* "name":[row of user 0, row of user 1, …] */
static void print_rows(const char *name, const float *first, size_t columns, size_t stride,
                       size_t count, const char *after)
{
    printf("\"%s\":[", name);
    for (size_t i = 0; i < count; i++)
        print_floats("", first + i * stride, columns, i + 1 < count ? "," : "");
    printf("]%s", after);
}

static void print_inputs(const struct work *work, const size_t *events)
{
    const char *const names[] = {"behavior", "item", "category"};
    for (size_t column = 0; column < 3; column++) {
        printf("\"%s\":[", names[column]);
        for (size_t u = 0; u < work->users; u++) {
            const struct shoal_touch *touch = &work->dataset.touches[events[u]];
            printf("%s%" PRIu32, u ? "," : "",
                   column == 0   ? touch->behavior
                   : column == 1 ? touch->item
                                 : touch->category);
        }
        printf("],");
    }
    printf("\"numeric\":[");
    for (size_t u = 0; u < work->users; u++)
        print_floats("", work->examples.features[events[u]].numeric, SHOAL_NUMERIC,
                     u + 1 < work->users ? "," : "");
    printf("],\"rates\":[");
    for (size_t u = 0; u < work->users; u++)
        print_floats("", work->examples.counters + events[u] * SHOAL_COUNTERS, SHOAL_COUNTERS,
                     u + 1 < work->users ? "," : "");
    printf("],");
}

static void print_logits(const struct work *work, const size_t *events)
{
    const struct shoal_params *params = &work->model->params;
    size_t hidden = params->dims.hidden;
    float vector[SHOAL_VECTOR_MAX];
    for (int calibrated = 0; calibrated < 2; calibrated++) {
        printf("\"%s\":[", calibrated ? "calibrated" : "logits");
        for (size_t u = 0; u < work->users; u++) {
            float logits[SHOAL_TASKS];
            shoal_user_vector(work->model, work->rows[u].h,
                              work->examples.counters + events[u] * SHOAL_COUNTERS, vector);
            for (size_t n = 0; n < SHOAL_TASKS; n++) {
                logits[n] = shoal_dot(params->head_hidden + n * hidden, vector, hidden) +
                            shoal_dot(params->head_counters + n * SHOAL_COUNTERS, vector + hidden,
                                      SHOAL_COUNTERS) +
                            params->head_bias[n];
                if (calibrated)
                    logits[n] = shoal_calibration_apply(&work->model->calibration[n], logits[n]);
            }
            print_floats("", logits, SHOAL_TASKS, u + 1 < work->users ? "," : "");
        }
        printf("],");
    }
}

static void print_step(struct work *work, size_t t, size_t *events)
{
    size_t hidden = work->model->params.dims.hidden;
    for (size_t u = 0; u < work->users; u++) {
        events[u] = work->dataset.first[u] + t;
        work->rows[u].features = work->examples.features[events[u]];
        work->rows[u].counters = work->examples.counters + events[u] * SHOAL_COUNTERS;
    }
    shoal_step_run(work->step, work->rows, work->users);
    putchar('{');
    print_inputs(work, events);
    print_logits(work, events);
    printf("\"predictions\":[");
    for (size_t u = 0; u < work->users; u++)
        print_floats("", work->predictions + events[u] * SHOAL_TASKS, SHOAL_TASKS,
                     u + 1 < work->users ? "," : "");
    printf("],");
    print_rows("h_next", work->states, hidden, 2 * hidden, work->users, ",");
    print_rows("c_next", work->states + hidden, hidden, 2 * hidden, work->users, "}\n");
}

static enum shoal_status prepare(struct work *work)
{
    size_t hidden = work->model->params.dims.hidden, events = work->users * work->steps;
    work->rows = calloc(work->users, sizeof *work->rows);
    work->states = calloc(work->users * 2 * hidden, sizeof(float));
    work->scores = calloc(events, sizeof(float));
    work->predictions = calloc(events * SHOAL_TASKS, sizeof(float));
    if (!work->rows || !work->states || !work->scores || !work->predictions)
        return SHOAL_NOMEM;
    for (size_t u = 0; u < work->users; u++) {
        work->rows[u].h = work->states + u * 2 * hidden;
        work->rows[u].c = work->rows[u].h + hidden;
    }
    enum shoal_status status = make_events(work);
    if (status == SHOAL_OK)
        status = shoal_examples_make(&work->dataset, &work->model->params.dims, &work->examples);
    if (status == SHOAL_OK)
        status = shoal_score_tasks(work->model, &work->dataset, &work->examples, work->precision,
                                   INT64_MAX, work->scores, work->predictions, NULL, NULL);
    if (status == SHOAL_OK)
        status = shoal_step_create(work->model, work->users, work->precision, &work->step);
    return status;
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--make") == 0)
        return make(argv[2]);
    if (argc != 5)
        return 2;
    struct work work = {.precision = strcmp(argv[2], "fp32") == 0 ? SHOAL_FP32 : SHOAL_FP16,
                        .users = strtoul(argv[3], NULL, 10),
                        .steps = strtoul(argv[4], NULL, 10)};
    struct shoal_message message = {.text = ""};
    size_t *events = calloc(work.users + 1, sizeof *events);
    enum shoal_status status = shoal_model_load(argv[1], &work.model, &message);
    if (status == SHOAL_OK)
        status = events ? prepare(&work) : SHOAL_NOMEM;
    for (size_t t = 0; t < work.steps && status == SHOAL_OK; t++)
        print_step(&work, t, events);
    if (status != SHOAL_OK)
        fprintf(stderr, "onnx_reference: %s %s\n", shoal_status_text(status), message.text);
    shoal_step_destroy(work.step);
    shoal_examples_finish(&work.examples);
    shoal_dataset_finish(&work.dataset);
    shoal_model_destroy(work.model);
    free(work.rows);
    free(work.states);
    free(work.scores);
    free(work.predictions);
    free(events);
    return status != SHOAL_OK;
}
