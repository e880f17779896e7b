/* SPDX-License-Identifier: Apache-2.0 */
/* Decayed counters; see counters.h. 2^−x by our own exp2, since counters are part of states that
 * must come out the same on every machine.
 *
 * A counter below 2^−20 becomes zero: it says nothing any more, takes no room in a record then, and
 * subnormal numbers, which a one-hour half-life reaches after five quiet days, cost a hundred times a
 * normal operation. */
#include "model/counters.h"

#include "model/vmath.h"

#define HOUR_MS INT64_C(3600000)

const int64_t shoal_half_lives_ms[SHOAL_HALF_LIVES] = {HOUR_MS, 24 * HOUR_MS, 7 * 24 * HOUR_MS};

void shoal_counters_decay(float counters[SHOAL_COUNTERS], int64_t gap_ms)
{
    if (gap_ms <= 0)
        return;
    float factors[SHOAL_HALF_LIVES];
    for (size_t k = 0; k < SHOAL_HALF_LIVES; k++)
        factors[k] = (float)-((double)gap_ms / (double)shoal_half_lives_ms[k]);
    shoal_vexp2(factors, factors, SHOAL_HALF_LIVES);
    for (size_t i = 0; i < SHOAL_COUNTERS; i++) {
        float decayed = counters[i] * factors[i % SHOAL_HALF_LIVES];
        counters[i] = decayed < 0x1p-20f ? 0.0f : decayed;
    }
}

void shoal_counters_advance(float counters[SHOAL_COUNTERS], int64_t gap_ms,
                            enum shoal_behavior behavior)
{
    shoal_counters_decay(counters, gap_ms);
    for (size_t k = 0; k < SHOAL_HALF_LIVES; k++)
        counters[(size_t)behavior * SHOAL_HALF_LIVES + k] += 1.0f;
}

void shoal_counters_rates(const float counters[SHOAL_COUNTERS], int64_t age_ms,
                          float rates[SHOAL_COUNTERS])
{
    float seen[SHOAL_HALF_LIVES];
    for (size_t k = 0; k < SHOAL_HALF_LIVES; k++)
        seen[k] = (float)-((double)(age_ms + SHOAL_AGE_PRIOR_MS) / (double)shoal_half_lives_ms[k]);
    shoal_vexp2(seen, seen, SHOAL_HALF_LIVES);
    for (size_t i = 0; i < SHOAL_COUNTERS; i++)
        rates[i] = counters[i] / (1.0f - seen[i % SHOAL_HALF_LIVES]);
}
