/* SPDX-License-Identifier: Apache-2.0 */
/* From touches to the inputs of a step; see features.h. Integer arithmetic, tables, and at the end
 * one division or none: no function of libm takes part, so every machine gets the same bits. */
#include "model/features.h"

#include <stdbool.h>
#include <string.h>

enum {
    LOG_SCALE_BITS = 20, /* fixed point of the logarithm */
    MS_PER_HOUR = 3600 * 1000,
};

/* round(2^20·log2(1 + i/64)) */
static const uint32_t log2_table[65] = {
    0,      23454,  46551,  69300,  91711,  113796,  135563,  157021,  178179,  199045,  219628,
    239934, 259971, 279746, 299266, 318537, 337566,  356359,  374920,  393257,  411375,  429278,
    446971, 464460, 481749, 498843, 515745, 532461,  548995,  565349,  581529,  597537,  613378,
    629054, 644570, 659928, 675132, 690185, 705089,  719848,  734464,  748941,  763280,  777484,
    791557, 805500, 819315, 833005, 846573, 860020,  873348,  886561,  899658,  912644,  925518,
    938284, 950944, 963498, 975949, 988298, 1000547, 1012698, 1024752, 1036711, 1048576,
};

/* sin, cos of 2π·i/24 */
static const float hour_table[24][2] = {
    {0.0f, 1.0f},           {0.258819045f, 0.965925826f},
    {0.5f, 0.866025404f},   {0.707106781f, 0.707106781f},
    {0.866025404f, 0.5f},   {0.965925826f, 0.258819045f},
    {1.0f, 0.0f},           {0.965925826f, -0.258819045f},
    {0.866025404f, -0.5f},  {0.707106781f, -0.707106781f},
    {0.5f, -0.866025404f},  {0.258819045f, -0.965925826f},
    {0.0f, -1.0f},          {-0.258819045f, -0.965925826f},
    {-0.5f, -0.866025404f}, {-0.707106781f, -0.707106781f},
    {-0.866025404f, -0.5f}, {-0.965925826f, -0.258819045f},
    {-1.0f, 0.0f},          {-0.965925826f, 0.258819045f},
    {-0.866025404f, 0.5f},  {-0.707106781f, 0.707106781f},
    {-0.5f, 0.866025404f},  {-0.258819045f, 0.965925826f},
};

/* sin, cos of 2π·i/7 */
static const float weekday_table[7][2] = {
    {0.0f, 1.0f},
    {0.781831482f, 0.623489802f},
    {0.974927912f, -0.222520934f},
    {0.433883739f, -0.900968868f},
    {-0.433883739f, -0.900968868f},
    {-0.974927912f, -0.222520934f},
    {-0.781831482f, 0.623489802f},
};

/* log2(1 + whole seconds)/20, between the table's points by a straight line (error below 5e-6):
 * with the leading one of v = 1 + seconds shifted to bit 63, the next six bits are the table's
 * index and the sixteen after them the way to the next entry. */
static float log_gap(int64_t gap_ms)
{
    uint64_t v = 1 + (uint64_t)(gap_ms > 0 ? gap_ms : 0) / 1000;
    int shift = __builtin_clzll(v);
    uint64_t mantissa = v << shift;
    size_t index = (mantissa >> 57) & 63;
    uint32_t way = (uint32_t)(mantissa >> 41) & 0xffff;
    uint32_t step = log2_table[index + 1] - log2_table[index];
    uint32_t log2_fraction = log2_table[index] + (uint32_t)(((uint64_t)step * way) >> 16);
    uint32_t log2_fixed = ((uint32_t)(63 - shift) << LOG_SCALE_BITS) + log2_fraction;
    return (float)log2_fixed / (20.0f * (1 << LOG_SCALE_BITS));
}

/* Hours since 1970, rounded down, also before it. */
static int64_t hours_since_epoch(int64_t time_ms)
{
    int64_t hours = time_ms / MS_PER_HOUR;
    return hours * MS_PER_HOUR > time_ms ? hours - 1 : hours;
}

static size_t modulo(int64_t value, int64_t modulus)
{
    int64_t rest = value % modulus;
    return (size_t)(rest < 0 ? rest + modulus : rest);
}

static void set_clock(float *numeric, int64_t time_ms)
{
    int64_t hours = hours_since_epoch(time_ms);
    size_t hour = modulo(hours, 24);
    int64_t days = (hours - (int64_t)hour) / 24;
    size_t weekday = modulo(days + 4, 7); /* 1970-01-01 was a Thursday; Sunday = 0 */
    numeric[1] = hour_table[hour][0];
    numeric[2] = hour_table[hour][1];
    numeric[3] = weekday_table[weekday][0];
    numeric[4] = weekday_table[weekday][1];
}

static void set_repeats(float *numeric, const struct shoal_touch *recent, size_t recent_count,
                        const struct shoal_touch *now)
{
    bool same_item = false, same_category = false;
    for (size_t i = 0; i < recent_count; i++) {
        same_item |= recent[i].item == now->item;
        same_category |= recent[i].category == now->category;
    }
    numeric[6] = same_item ? 1.0f : 0.0f;
    numeric[7] = same_category && now->category ? 1.0f : 0.0f;
}

void shoal_features_of(const struct shoal_dims *dims, const struct shoal_touch *recent,
                       size_t recent_count, const struct shoal_touch *now, int64_t gap_ms,
                       struct shoal_features *features)
{
    size_t most = dims->ring < SHOAL_REPEAT_WINDOW ? dims->ring : SHOAL_REPEAT_WINDOW;
    if (recent_count > most) {
        recent += recent_count - most;
        recent_count = most;
    }
    features->item_row = now->item % dims->item_buckets;
    features->category_row = now->category ? 1 + now->category % (dims->category_buckets - 1) : 0;
    features->behavior = now->behavior;
    features->numeric[0] = log_gap(gap_ms);
    set_clock(features->numeric, now->time_ms);
    features->numeric[5] = (float)now->price_level / (float)SHOAL_PRICE_LEVELS;
    set_repeats(features->numeric, recent, recent_count, now);
}

static float *put(float *to, const float *table, size_t row, size_t width)
{
    memcpy(to, table + row * width, width * sizeof *to);
    return to + width;
}

void shoal_features_gather(const struct shoal_params *params, const struct shoal_features *features,
                           float *x)
{
    const struct shoal_dims *d = &params->dims;
    x = put(x, params->item_embedding, features->item_row, d->item_width);
    x = put(x, params->category_embedding, features->category_row, d->category_width);
    x = put(x, params->behavior_embedding, features->behavior, d->behavior_width);
    memcpy(x, features->numeric, sizeof features->numeric);
}
