/* SPDX-License-Identifier: Apache-2.0 */
/* Running a model's self-test; see self_test.h. */
#include "model/self_test.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

void shoal_self_test_default(struct shoal_self_test *test)
{
    static const struct shoal_touch events[] = {
        {1511539200000, 0x9e3779b9, 0x1234, SHOAL_PV, 0},
        {1511539200000, 0x9e3779b9, 0x1234, SHOAL_CART, 20},
        {1511539207000, 0x00000001, 0x0000, SHOAL_PV, 1},
        {1511539430000, 0x85ebca6b, 0xffff, SHOAL_FAV, 63},
        {1511543030000, 0xc2b2ae35, 0x1234, SHOAL_PV, 17},
        {1511629430000, 0x9e3779b9, 0x1234, SHOAL_BUY, 20},
        {1512234230000, 0xffffffff, 0x0001, SHOAL_PV, 30},
        {1513443830000, 0x27d4eb2f, 0x0001, SHOAL_CART, 31},
    };
    *test = (struct shoal_self_test){.count = sizeof events / sizeof events[0]};
    memcpy(test->events, events, sizeof events);
}

enum shoal_status shoal_self_test_run(const struct shoal_model *model,
                                      const struct shoal_self_test *test,
                                      enum shoal_precision precision,
                                      struct shoal_self_test_result *result)
{
    struct shoal_step *step;
    float counters[SHOAL_COUNTERS] = {0};
    struct shoal_step_row row = {.h = result->h, .c = result->c, .counters = counters};
    *result = (struct shoal_self_test_result){0};
    enum shoal_status status = shoal_step_create(model, 1, precision, &step);
    if (status != SHOAL_OK)
        return status;
    for (uint32_t i = 0; i < test->count; i++) {
        const struct shoal_touch *event = &test->events[i];
        int64_t gap_ms = i ? event->time_ms - event[-1].time_ms : 0;
        shoal_features_of(&model->params.dims, test->events, i, event, gap_ms, &row.features);
        shoal_counters_advance(counters, gap_ms, (enum shoal_behavior)event->behavior);
        shoal_step_run(step, &row, 1);
    }
    result->score = row.score;
    shoal_step_destroy(step);
    return SHOAL_OK;
}

/* False also for NaN. */
static bool near(float expected, float got, double tolerance)
{
    return fabs((double)expected - (double)got) <= tolerance;
}

enum shoal_status shoal_self_test_compare(const struct shoal_model *model,
                                          enum shoal_precision precision,
                                          const struct shoal_self_test_result *expected,
                                          const struct shoal_self_test_result *got,
                                          struct shoal_message *message)
{
    double tolerance = precision == SHOAL_FP16 ? 5e-3 : 1e-4;
    const char *name = precision == SHOAL_FP16 ? "fp16" : "fp32";
    for (uint32_t j = 0; j < model->params.dims.hidden; j++) {
        double scale = fmax(1.0, fabs((double)expected->c[j]));
        if (!near(expected->h[j], got->h[j], tolerance))
            return shoal_fail(message, SHOAL_SELF_TEST,
                              "fails its self-test: h[%u] in %s is %.7g, expected %.7g", j, name,
                              (double)got->h[j], (double)expected->h[j]);
        if (!near(expected->c[j], got->c[j], tolerance * scale))
            return shoal_fail(message, SHOAL_SELF_TEST,
                              "fails its self-test: c[%u] in %s is %.7g, expected %.7g", j, name,
                              (double)got->c[j], (double)expected->c[j]);
    }
    if (!near(expected->score, got->score, tolerance))
        return shoal_fail(message, SHOAL_SELF_TEST,
                          "fails its self-test: the score in %s is %.7g, expected %.7g", name,
                          (double)got->score, (double)expected->score);
    return SHOAL_OK;
}
