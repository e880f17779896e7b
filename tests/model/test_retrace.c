/* SPDX-License-Identifier: Apache-2.0 */
/* Scores after earlier events, computed again: what was served, where nothing of it was forgotten; and counters
 * reckoned back through a ring. */
#include "model/retrace.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "model/explain.h"
#include "tests/model/tiny_model.h"
#include "tests/state/leaks.h"

enum { EVENTS = 24, RING = 8, HIDDEN_MAX = 64 };

/* A user as a pipeline sees them, event by event. */
struct life {
    struct shoal_touch touches[EVENTS];
    float counters[EVENTS][SHOAL_COUNTERS];
    float rates[EVENTS * SHOAL_COUNTERS];
    float scores[EVENTS];
};

static struct shoal_dims dims_of(void)
{
    struct shoal_dims dims = tiny_dims();
    dims.item_buckets = 64;
    return dims;
}

static struct life live(const struct shoal_model *model, uint64_t seed, int64_t gap_most_s, float correction)
{
    struct life life;
    struct shoal_step *step;
    uint64_t state = seed * 0x9e3779b97f4a7c15u + 1;
    int64_t time_ms = 1511539200000;
    float now[SHOAL_COUNTERS] = {0}, h[HIDDEN_MAX] = {0}, c[HIDDEN_MAX] = {0};
    cr_assert_eq(shoal_step_create(model, 1, SHOAL_FP16, &step), SHOAL_OK);
    for (size_t t = 0; t < EVENTS; t++) {
        (void)tiny_random(&state);
        int64_t gap_ms = t ? (int64_t)((state >> 20) % (uint64_t)gap_most_s) * 1000 : 0;
        time_ms += gap_ms;
        life.touches[t] = (struct shoal_touch){.time_ms = time_ms,
                                               .item = (uint32_t)(state >> 40) % 20,
                                               .category = (uint16_t)(1 + (state >> 10) % 5),
                                               .behavior = (uint8_t)((state >> 7) % 4)};
        shoal_counters_advance(now, gap_ms, (enum shoal_behavior)life.touches[t].behavior);
        memcpy(life.counters[t], now, sizeof now);
        shoal_counters_rates(now, time_ms - life.touches[0].time_ms, life.rates + t * SHOAL_COUNTERS);
        struct shoal_step_row row = {
            .h = h, .c = c, .counters = life.rates + t * SHOAL_COUNTERS, .correction = correction};
        shoal_features_of(&model->params.dims, life.touches, t, &life.touches[t], gap_ms, &row.features);
        shoal_step_run(step, &row, 1);
        life.scores[t] = row.score;
    }
    shoal_step_destroy(step);
    return life;
}

/* Into scores and rates, from the last `count` touches and the counters alone. */
static void retrace(const struct shoal_model *model, const struct life *life, size_t count, float correction,
                    float *rates, float *scores)
{
    struct shoal_features features[EVENTS];
    const struct shoal_touch *ring = life->touches + EVENTS - count;
    shoal_explain_ring(&model->params.dims, ring, count, features);
    shoal_retrace_rates(ring, count, life->counters[EVENTS - 1], life->touches[0].time_ms, EVENTS - count, rates);
    cr_assert_eq(shoal_retrace_scores(model, SHOAL_FP16, features, rates, count, correction, scores), SHOAL_OK);
}

Test(retrace, a_whole_history_gets_the_very_scores_that_were_served)
{
    float rates[EVENTS * SHOAL_COUNTERS], scores[EVENTS];
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct shoal_dims dims = dims_of();
        struct shoal_model *model = tiny_model(&dims, seed);
        float correction = seed % 2 ? 0.25f : 0;
        struct life life = live(model, seed, 40000, correction);
        retrace(model, &life, EVENTS, correction, rates, scores);
        for (size_t t = 0; t < EVENTS; t++)
            cr_expect_eq(scores[t], life.scores[t], "event %zu: %.9g is not %.9g", t, (double)scores[t],
                         (double)life.scores[t]);
        cr_expect_eq(memcmp(rates, life.rates, sizeof rates), 0);
        shoal_model_destroy(model);
    }
    test_no_leaks();
}

/* The scale on which the model sees them. */
static float farthest(const struct life *life, const float *rates)
{
    float most = 0;
    for (size_t i = 0; i < RING * SHOAL_COUNTERS; i++)
        most = fmaxf(most, fabsf(log1pf(rates[i]) - log1pf(life->rates[(EVENTS - RING) * SHOAL_COUNTERS + i])));
    return most;
}

Test(retrace, what_older_events_left_in_the_counters_is_reckoned_back)
{
    float rates[RING * SHOAL_COUNTERS], scores[RING];
    struct shoal_dims dims = dims_of();
    struct shoal_model *model = tiny_model(&dims, 3);
    for (uint64_t seed = 1; seed <= 16; seed++) {
        struct life life = live(model, seed, 3000, 0); /* a ring of hours */
        retrace(model, &life, RING, 0, rates, scores);
        cr_expect_lt(farthest(&life, rates), 0.02f, "seed %d: %g", (int)seed, (double)farthest(&life, rates));
    }
    shoal_model_destroy(model);
}

Test(retrace, what_has_faded_from_the_counters_is_not_made_up)
{
    float rates[RING * SHOAL_COUNTERS], scores[RING];
    struct shoal_dims dims = dims_of();
    struct shoal_model *model = tiny_model(&dims, 3);
    for (uint64_t seed = 1; seed <= 16; seed++) {
        struct life life = live(model, seed, 900000, 0); /* a ring of weeks */
        retrace(model, &life, RING, 0, rates, scores);
        /* Events of an hour before the ring began, at most, are lacking. */
        const float *lived = life.rates + (EVENTS - RING) * SHOAL_COUNTERS;
        for (size_t i = 0; i < RING * SHOAL_COUNTERS; i++)
            cr_expect_leq(rates[i], lived[i] * 1.02f + 1e-3f, "seed %d, counter %zu: %g, %g", (int)seed,
                          i % SHOAL_COUNTERS, (double)rates[i], (double)lived[i]);
    }
    shoal_model_destroy(model);
}

Test(retrace, counters_that_no_events_can_have_left_stay_within_bounds)
{
    float rates[2 * SHOAL_COUNTERS];
    const float wrong[] = {1e30f, -5, INFINITY, NAN};
    const struct shoal_touch ring[2] = {{.time_ms = 1000}, {.time_ms = 1000 + INT64_C(86400000) * 20000}};
    for (size_t w = 0; w < sizeof wrong / sizeof *wrong; w++) {
        float counters[SHOAL_COUNTERS];
        for (size_t i = 0; i < SHOAL_COUNTERS; i++)
            counters[i] = wrong[w];
        shoal_retrace_rates(ring, 2, counters, 500, 7, rates);
        for (size_t i = 0; i < 2 * SHOAL_COUNTERS; i++) /* nine events, of a user known for a day: 1/(1 − 2^(−1/7)) each */
            cr_expect(rates[i] >= 0 && rates[i] <= 9 * 11, "%g: %g", (double)wrong[w], (double)rates[i]);
    }
}
