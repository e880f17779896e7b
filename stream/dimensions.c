/* SPDX-License-Identifier: Apache-2.0 */
/* Names of dimensions and levels; see dimensions.h. */
#include "stream/dimensions.h"

#include "model/clusters.h"

enum { NAMED_MAX = 5 }; /* levels of a dimension that have names of their own */

static const struct shoal_dimension_info infos[] = {
#define X(NAME, name, levels, unit, definition, options)                                           \
    {name, levels, unit, definition, options, "\"" name "\":"},
    SHOAL_DIMENSION_LIST(X)
#undef X
};

static const char *const names[SHOAL_DIMENSION_COUNT][NAMED_MAX + 1] = {
    [SHOAL_INTENT] = {"cold", "warm", "hot"},
    [SHOAL_LIFECYCLE] = {"new", "active", "returning", "lapsing", "inactive"},
    [SHOAL_VALUE] = {"low", "middle", "high"},
    [SHOAL_ENGAGEMENT] = {"inactive", "unengaged", "engaged"},
    [SHOAL_NIGHT_ACTIVE] = {"yes"},
    [SHOAL_PRICE_SENSITIVE] = {"yes"},
    [SHOAL_CART_ABANDONER] = {"yes"},
    [SHOAL_FREQUENT_BUYER] = {"yes"},
    [SHOAL_FIRST_TIME_BUYER] = {"yes"},
};

/* "c0" … "c255" */
#define C1(n) "c" #n
#define C10(t)                                                                                     \
    C1(t##0), C1(t##1), C1(t##2), C1(t##3), C1(t##4), C1(t##5), C1(t##6), C1(t##7), C1(t##8), C1(t##9)
static const char *const clusters[] = {
    "c0",    "c1",    "c2",    "c3",    "c4",    "c5",    "c6",    "c7",   "c8",   "c9",
    C10(1),  C10(2),  C10(3),  C10(4),  C10(5),  C10(6),  C10(7),  C10(8), C10(9), C10(10),
    C10(11), C10(12), C10(13), C10(14), C10(15), C10(16), C10(17), C10(18), C10(19), C10(20),
    C10(21), C10(22), C10(23), C10(24), "c250",  "c251",  "c252",  "c253", "c254", "c255",
};

const struct shoal_dimension_info *shoal_dimension_info(enum shoal_dimension dimension)
{
    return &infos[dimension];
}

const char *shoal_dimension_name(enum shoal_dimension dimension)
{
    return infos[dimension].name;
}

unsigned shoal_level_count(enum shoal_dimension dimension)
{
    unsigned count = 0;
    if (dimension == SHOAL_CLUSTER)
        return SHOAL_CLUSTER_IDS;
    while (names[dimension][count])
        count++;
    return count;
}

const char *shoal_level_name(enum shoal_dimension dimension, uint8_t level)
{
    _Static_assert(sizeof clusters / sizeof *clusters == SHOAL_CLUSTER_IDS + 1, "a name each");
    if (level == 0)
        return NULL;
    if (dimension == SHOAL_CLUSTER)
        return clusters[level];
    return level <= NAMED_MAX ? names[dimension][level - 1] : NULL;
}

bool shoal_dimension_is_trait(enum shoal_dimension dimension)
{
    return dimension >= SHOAL_NIGHT_ACTIVE;
}
