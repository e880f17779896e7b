/* SPDX-License-Identifier: Apache-2.0 */
/* Names of segment dimensions and levels, and the default rules; see policy.h. */
#include "stream/policy.h"

enum { LEVELS_MAX = 3 };

static const struct {
    const char *name;
    unsigned level_count;
    const char *levels[LEVELS_MAX];
} dimensions[SHOAL_DIMENSION_COUNT] = {
    [SHOAL_INTENT] = {"intent", 3, {"cold", "warm", "hot"}},
    [SHOAL_LIFECYCLE] = {"lifecycle", 3, {"new", "active", "returning"}},
};

const char *shoal_dimension_name(enum shoal_dimension dimension)
{
    return (unsigned)dimension < SHOAL_DIMENSION_COUNT ? dimensions[dimension].name : NULL;
}

const char *shoal_level_name(enum shoal_dimension dimension, uint8_t level)
{
    if ((unsigned)dimension >= SHOAL_DIMENSION_COUNT || level == 0 ||
        level > dimensions[dimension].level_count)
        return NULL;
    return dimensions[dimension].levels[level - 1];
}

unsigned shoal_level_count(enum shoal_dimension dimension)
{
    return (unsigned)dimension < SHOAL_DIMENSION_COUNT ? dimensions[dimension].level_count : 0;
}

struct shoal_segment_rules shoal_segment_rules_default(void)
{
    return (struct shoal_segment_rules){
        .hysteresis = 0.02f,
        .intent_dwell_ms = INT64_C(10) * 60 * 1000,
        .new_ms = INT64_C(24) * 3600 * 1000,
        .returning_gap_ms = INT64_C(7) * 24 * 3600 * 1000,
        .returning_ms = INT64_C(24) * 3600 * 1000,
    };
}
