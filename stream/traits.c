/* SPDX-License-Identifier: Apache-2.0 */
/* Traits; see traits.h. Integers where it can be, and single roundings elsewhere, so that a trait is the
 * same wherever it is computed. */
#include "stream/traits.h"

#include <math.h>

enum {
    HOUR_MS = 3600000,
    NIGHT_FROM = 22, /* hours, local */
    NIGHT_UNTIL = 6,
    NIGHT_LEAST = 8, /* recent events */
    TAKEN_LEAST = 2, /* carts, favourites, purchases with a price */
    VIEWED_LEAST = 4,
    FREQUENT_LEAST = 3, /* days with a purchase */
};

static const float CARTS_LEAST = 2;

/* How far beyond its bound a measure must be for the user to leave. */
static float bound(float entering, const struct shoal_segment_rules *rules, bool inside)
{
    return inside ? entering * (1 - rules->traits_hysteresis) : entering;
}

static bool night_active(const struct shoal_segment_rules *rules, const struct shoal_record *record,
                         bool inside)
{
    unsigned night = 0;
    for (size_t i = 0; i < record->ring_count; i++) {
        int64_t local_ms = record->ring[i].time_ms + rules->utc_offset_ms;
        int64_t hour = (local_ms / HOUR_MS % 24 + 24) % 24;
        night += hour >= NIGHT_FROM || hour < NIGHT_UNTIL;
    }
    return record->ring_count >= NIGHT_LEAST &&
           (float)night >= bound(rules->night_share, rules, inside) * (float)record->ring_count;
}

/* Price levels are logarithms: a step is a factor of √2 (touch.h). So the difference of the mean levels is
 * twice the binary logarithm of the ratio of the geometric means. */
static bool price_sensitive(const struct shoal_segment_rules *rules,
                            const struct shoal_record *record, bool inside)
{
    unsigned taken = 0, viewed = 0, taken_sum = 0, viewed_sum = 0;
    for (size_t i = 0; i < record->ring_count; i++) {
        const struct shoal_touch *touch = &record->ring[i];
        if (touch->price_level == 0)
            continue;
        if (touch->behavior == SHOAL_PV) {
            viewed++;
            viewed_sum += touch->price_level;
        } else {
            taken++;
            taken_sum += touch->price_level;
        }
    }
    if (taken < TAKEN_LEAST || viewed < VIEWED_LEAST)
        return false;
    float factor = rules->price_factor;
    if (inside)
        factor *= 1 + rules->traits_hysteresis;
    float levels = 2 * log2f(factor);
    return (float)taken_sum / (float)taken - (float)viewed_sum / (float)viewed <= levels;
}

static bool cart_abandoner(const struct shoal_segment_rules *rules,
                           const struct shoal_record *record, bool inside)
{
    enum { WEEK = SHOAL_HALF_LIVES - 1 };
    float carts = record->counters[SHOAL_CART * SHOAL_HALF_LIVES + WEEK];
    float buys = record->counters[SHOAL_BUY * SHOAL_HALF_LIVES + WEEK];
    float least = inside ? CARTS_LEAST / 2 : CARTS_LEAST;
    return carts >= least && carts - buys >= bound(rules->cart_share, rules, inside) * carts;
}

/* Twice the greatest mean interval after the last purchase, the habit is taken to have ended. */
static bool frequent_buyer(const struct shoal_segment_rules *rules,
                           const struct shoal_record *record, bool inside, int64_t now_ms,
                           bool *expired)
{
    const struct shoal_purchases *p = &record->purchases;
    if (p->occasions < FREQUENT_LEAST)
        return false;
    *expired = now_ms >= p->last_ms + 2 * rules->frequent_interval_ms;
    double most = (double)rules->frequent_interval_ms;
    if (inside)
        most *= 1 + (double)rules->traits_hysteresis;
    return !*expired && (double)(p->last_ms - p->first_ms) <= most * (p->occasions - 1);
}

static bool first_time_buyer(const struct shoal_segment_rules *rules,
                             const struct shoal_record *record, int64_t now_ms, bool *expired)
{
    const struct shoal_purchases *p = &record->purchases;
    *expired = p->occasions > 1 || now_ms >= p->first_ms + rules->first_time_ms;
    return p->occasions == 1 && !*expired;
}

bool shoal_trait_holds(const struct shoal_segment_rules *rules, const struct shoal_record *record,
                       enum shoal_dimension trait, bool inside, int64_t now_ms, bool *expired)
{
    *expired = false;
    switch (trait) {
    case SHOAL_NIGHT_ACTIVE:
        return night_active(rules, record, inside);
    case SHOAL_PRICE_SENSITIVE:
        return price_sensitive(rules, record, inside);
    case SHOAL_CART_ABANDONER:
        return cart_abandoner(rules, record, inside);
    case SHOAL_FREQUENT_BUYER:
        return frequent_buyer(rules, record, inside, now_ms, expired);
    case SHOAL_FIRST_TIME_BUYER:
        return first_time_buyer(rules, record, now_ms, expired);
    default:
        return false;
    }
}

int64_t shoal_trait_expires(const struct shoal_segment_rules *rules,
                            const struct shoal_record *record, enum shoal_dimension trait)
{
    if (trait == SHOAL_FREQUENT_BUYER)
        return record->purchases.last_ms + 2 * rules->frequent_interval_ms;
    if (trait == SHOAL_FIRST_TIME_BUYER)
        return record->purchases.first_ms + rules->first_time_ms;
    return 0;
}
