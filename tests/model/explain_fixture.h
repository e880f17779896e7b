/* SPDX-License-Identifier: Apache-2.0 */
/* Made-up histories, and one explanation of one. */
#ifndef TEST_EXPLAIN_FIXTURE_H
#define TEST_EXPLAIN_FIXTURE_H

#include "model/explain.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/explain_paths.h"
#include "model/learn/permute.h"
#include "model/step.h"
#include "tests/model/tiny_model.h"
#include "tests/state/leaks.h"

enum { EVENTS_MAX = 40, HIDDEN_MAX = 64 };

/* A user's events with what the model sees of them. */
struct history {
    struct shoal_touch touches[EVENTS_MAX];
    struct shoal_features features[EVENTS_MAX];
    float rates[SHOAL_COUNTERS];
    size_t count;
};

static inline struct shoal_dims dims_of(uint32_t hidden)
{
    struct shoal_dims dims = hidden == 16 ? tiny_dims() : shoal_dims_default();
    dims.item_buckets = 64;
    dims.ring = 32;
    return dims;
}

static inline struct history history_of(const struct shoal_dims *dims, size_t count, uint64_t seed)
{
    struct history history = {.count = count};
    uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
    int64_t time_ms = 1511539200000;
    for (size_t t = 0; t < count; t++) {
        (void)tiny_random(&state);
        time_ms += (int64_t)((state >> 20) % 20000) * 1000;
        history.touches[t] = (struct shoal_touch){.time_ms = time_ms,
                                                  .item = (uint32_t)(state >> 40) % 20,
                                                  .category = (uint16_t)(1 + (state >> 10) % 5),
                                                  .behavior = (uint8_t)((state >> 7) % 4),
                                                  .price_level = (uint8_t)((state >> 50) % 64)};
    }
    for (int k = 0; k < SHOAL_COUNTERS; k++)
        history.rates[k] = fabsf(10 * tiny_random(&state));
    shoal_explain_ring(dims, history.touches, count, history.features);
    return history;
}

static inline struct shoal_explain *room(const struct shoal_model *model, size_t events_max, size_t steps,
                                  enum shoal_quadrature rule)
{
    struct shoal_explain *explain;
    struct shoal_explain_options options = {events_max, steps, rule};
    cr_assert_eq(shoal_explain_create(model, &options, &explain), SHOAL_OK);
    return explain;
}

static inline struct shoal_explanation explain_once(const struct shoal_model *model,
                                             const struct history *history, size_t steps,
                                             enum shoal_quadrature rule,
                                             struct shoal_explained_event *events)
{
    struct shoal_explanation explanation;
    struct shoal_explain *explain = room(model, EVENTS_MAX, steps, rule);
    shoal_explain_run(explain, history->features, history->count, history->rates, events,
                      &explanation);
    shoal_explain_destroy(explain);
    return explanation;
}

#endif
