/* SPDX-License-Identifier: Apache-2.0 */
/* Scores after earlier events; see retrace.h. */
#include "model/retrace.h"

#include <stdlib.h>
#include <string.h>

#include "model/vmath.h"

/* Of a counter, the share that rounding may have moved: single precision over a ring, and times cut to seconds
 * (ln 2 · 1 s). What is left of older events must be this many times as much to say anything. */
#define ROUNDING 0x1p-19f
#define CUT_MS 693.0f
#define TIMES_ROUNDING 8.0f
/* Nothing is left of any counter after so many half-lives, and 2 to this is finite. */
#define HALVINGS_MAX 100.0f

/* What older events had left in the counters at the time of the first touch. */
static void reckon_back(const struct shoal_touch *touches, size_t count, const float *counters,
                        uint64_t older, float before[SHOAL_COUNTERS])
{
    float decay[SHOAL_HALF_LIVES];
    float of_ring[SHOAL_COUNTERS] = {0};
    int64_t span_ms = touches[count - 1].time_ms - touches[0].time_ms;
    for (size_t t = 0; t < count; t++)
        shoal_counters_advance(of_ring, t ? touches[t].time_ms - touches[t - 1].time_ms : 0,
                               (enum shoal_behavior)touches[t].behavior);
    for (size_t k = 0; k < SHOAL_HALF_LIVES; k++) {
        decay[k] = (float)-((double)span_ms / (double)shoal_half_lives_ms[k]);
        if (decay[k] < -HALVINGS_MAX)
            decay[k] = -HALVINGS_MAX;
    }
    shoal_vexp2(decay, decay, SHOAL_HALF_LIVES);
    for (size_t i = 0; i < SHOAL_COUNTERS; i++) {
        size_t k = i % SHOAL_HALF_LIVES;
        float rest = counters[i] - of_ring[i];
        float noise = (ROUNDING + CUT_MS / (float)shoal_half_lives_ms[k]) * counters[i];
        before[i] = older > 0 && rest > TIMES_ROUNDING * noise ? rest / decay[k] : 0;
        if (before[i] > (float)older) /* each counts 1 at most */
            before[i] = (float)older;
    }
}

void shoal_retrace_rates(const struct shoal_touch *touches, size_t count,
                         const float counters[SHOAL_COUNTERS], int64_t first_ms, uint64_t older,
                         float *rates)
{
    float at[SHOAL_COUNTERS];
    if (count == 0)
        return;
    reckon_back(touches, count, counters, older, at);
    for (size_t t = 0; t < count; t++) {
        shoal_counters_advance(at, t ? touches[t].time_ms - touches[t - 1].time_ms : 0,
                               (enum shoal_behavior)touches[t].behavior);
        int64_t age_ms = touches[t].time_ms > first_ms ? touches[t].time_ms - first_ms : 0;
        shoal_counters_rates(at, age_ms, rates + t * SHOAL_COUNTERS);
    }
}

enum shoal_status shoal_retrace_scores(const struct shoal_model *model,
                                       enum shoal_precision precision,
                                       const struct shoal_features *features, const float *rates,
                                       size_t count, float correction, float *scores)
{
    size_t hidden = model->params.dims.hidden;
    struct shoal_step *step = NULL;
    float *hc = calloc(2 * hidden, sizeof *hc);
    enum shoal_status status = hc ? shoal_step_create(model, 1, precision, &step) : SHOAL_NOMEM;
    for (size_t t = 0; status == SHOAL_OK && t < count; t++) {
        struct shoal_step_row row = {
            .features = features[t],
            .h = hc,
            .c = hc + hidden,
            .counters = rates + t * SHOAL_COUNTERS,
            .correction = correction,
        };
        shoal_step_run(step, &row, 1);
        scores[t] = row.score;
    }
    shoal_step_destroy(step);
    free(hc);
    return status;
}
