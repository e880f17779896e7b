/* SPDX-License-Identifier: Apache-2.0 */
/* Made-up records; see random_record.h. */
#include "tests/state/random_record.h"

#include <math.h>
#include <string.h>

#include "model/half.h"

uint64_t test_random(uint64_t *seed)
{
    uint64_t z = *seed += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static uint64_t below(uint64_t *seed, uint64_t bound)
{
    return test_random(seed) % bound;
}

static float unit(uint64_t *seed)
{
    return (float)(test_random(seed) >> 40) * 0x1p-24f;
}

/* Near or far, to meet every width of every encoding. */
static int64_t random_time(uint64_t *seed)
{
    return (int64_t)below(seed, 1 + ((uint64_t)SHOAL_TIME_MAX_MS >> below(seed, 40)));
}

static void random_state(struct shoal_record *record, uint64_t *seed,
                         enum shoal_precision precision)
{
    for (size_t i = 0; i < record->hidden; i++) {
        record->h[i] = 2 * unit(seed) - 1;
        record->c[i] = ldexpf(2 * unit(seed) - 1, (int)below(seed, 12) - 6);
    }
    if (precision == SHOAL_FP16) {
        shoal_half_round(record->h, record->hidden);
        shoal_half_round(record->c, record->hidden);
    }
}

static void random_ring(struct shoal_record *record, uint64_t *seed)
{
    int64_t time_ms = random_time(seed);
    size_t count = below(seed, SHOAL_RING_MAX + 1);
    for (size_t i = 0; i < count; i++) {
        struct shoal_touch touch = {
            .time_ms = time_ms,
            .item = (uint32_t)test_random(seed),
            .category = (uint16_t)test_random(seed),
            .behavior = (uint8_t)below(seed, SHOAL_BEHAVIOR_COUNT),
            .price_level = (uint8_t)below(seed, SHOAL_PRICE_LEVELS),
        };
        shoal_record_remember(record, &touch, SHOAL_RING_MAX);
        time_ms += random_time(seed) >> below(seed, 30);
        if (time_ms > SHOAL_TIME_MAX_MS)
            time_ms = SHOAL_TIME_MAX_MS;
    }
}

/* A time in whole seconds that is not 0. */
static int64_t random_seconds(uint64_t *seed)
{
    int64_t time_ms = random_time(seed);
    return time_ms < 1000 ? 1000 : time_ms - time_ms % 1000;
}

void test_random_record(struct shoal_record *record, uint64_t *seed, enum shoal_precision precision)
{
    shoal_record_init(record, record->hidden, record->h);
    record->model = test_random(seed) >> below(seed, 64);
    record->offset = (int64_t)(test_random(seed) >> (1 + below(seed, 63))) - 1;
    record->last_ms = random_time(seed);
    record->first_ms = (int64_t)below(seed, (uint64_t)record->last_ms + 1);
    record->events_count = test_random(seed) >> below(seed, 64);
    record->score = unit(seed);
    record->consent = (uint8_t)test_random(seed);
    for (size_t i = 0; i < SHOAL_COUNTERS; i++)
        record->counters[i] = below(seed, 3) ? ldexpf(unit(seed), (int)below(seed, 60) - 40) : 0;
    for (size_t i = 0, used = below(seed, SHOAL_PENDING_BYTES + 1); i < used; i++)
        record->pending.nibbles[i] = (uint8_t)test_random(seed);
    record->pending.nibbles[SHOAL_PENDING_BYTES - 1] &= 15;
    random_state(record, seed, precision);
    random_ring(record, seed);
    record->ids_count = (uint8_t)(below(seed, 2) ? below(seed, SHOAL_RING_MAX + 1) : 0);
    for (size_t i = 0; i < record->ids_count; i++)
        record->ids[i] = test_random(seed);
    for (size_t i = 0; i < below(seed, SHOAL_DIMENSIONS_MAX + 1); i++) {
        record->standings[i].level = (uint8_t)test_random(seed);
        if (record->standings[i].level)
            record->standings[i].since_ms = random_seconds(seed);
    }
    record->timer_ms = below(seed, 2) ? random_seconds(seed) : 0;
    record->cart_ms = below(seed, 2) ? random_seconds(seed) : 0;
    if (below(seed, 2)) {
        struct shoal_purchases *p = &record->purchases;
        p->occasions = 1 + (uint32_t)(test_random(seed) >> (33 + below(seed, 30)));
        p->last_ms = random_seconds(seed);
        p->first_ms = p->last_ms - (int64_t)below(seed, (uint64_t)p->last_ms / 1000) * 1000;
        p->spent = p->occasions > 1 ? unit(seed) * 1000 : 0;
    }
    record->grants_count = (uint8_t)below(seed, SHOAL_GRANTS_MAX + 1);
    for (size_t i = 0; i < record->grants_count; i++) {
        struct shoal_grant *grant = &record->grants[i];
        grant->promotion = (uint32_t)test_random(seed);
        grant->eligible = below(seed, 2) != 0;
        grant->open = below(seed, 2) != 0;
        grant->count = (uint16_t)(test_random(seed) >> below(seed, 64));
        grant->last_ms = below(seed, 2) ? random_time(seed) : 0;
        grant->expires_ms =
            below(seed, 2) ? (int64_t)(test_random(seed) >> (1 + below(seed, 60))) : 0;
    }
}

void test_usual_record(struct shoal_record *record, uint64_t *seed)
{
    static const float shares[SHOAL_BEHAVIOR_COUNT] = {0.899f, 0.054f, 0.026f, 0.021f};
    shoal_record_init(record, record->hidden, record->h);
    record->model = test_random(seed);
    record->offset = (int64_t)below(seed, 1000000000);
    record->events_count = 20 + below(seed, 200);
    record->score = unit(seed) * 0.3f;
    int64_t time_ms = INT64_C(1512000000000) + (int64_t)below(seed, 86400000);
    record->first_ms = time_ms - (int64_t)below(seed, 8 * INT64_C(86400000));
    for (size_t i = 0; i < 40; i++) {
        float draw = unit(seed);
        uint8_t behavior = 0;
        while (behavior + 1 < SHOAL_BEHAVIOR_COUNT && draw >= shares[behavior])
            draw -= shares[behavior++];
        int64_t gap_ms = (int64_t)(below(seed, 6) ? below(seed, 200000) : below(seed, 80000000));
        time_ms += gap_ms;
        shoal_counters_advance(record->counters, gap_ms, (enum shoal_behavior)behavior);
        struct shoal_touch touch = {
            .time_ms = time_ms,
            .item = (uint32_t)test_random(seed),
            .category = (uint16_t)test_random(seed),
            .behavior = behavior,
        };
        shoal_record_remember(record, &touch, SHOAL_RING_DEFAULT);
    }
    record->last_ms = time_ms;
    random_state(record, seed, SHOAL_FP16);
    for (size_t i = 0; i < 5; i++) {
        record->standings[i].level = (uint8_t)(1 + below(seed, 3));
        record->standings[i].since_ms = time_ms - (int64_t)below(seed, 100000000);
        record->standings[i].since_ms -= record->standings[i].since_ms % 1000;
    }
    record->timer_ms = time_ms - time_ms % 1000 + 259200000;
}

bool test_same_record(const struct shoal_record *a, const struct shoal_record *b)
{
    bool same = a->model == b->model && a->offset == b->offset && a->first_ms == b->first_ms &&
                a->last_ms == b->last_ms && a->events_count == b->events_count &&
                memcmp(&a->score, &b->score, sizeof a->score) == 0 && a->consent == b->consent &&
                a->ring_count == b->ring_count && a->ids_count == b->ids_count &&
                a->grants_count == b->grants_count && a->hidden == b->hidden;
    size_t state_bytes = a->hidden * sizeof *a->h;
    same = same && memcmp(a->counters, b->counters, sizeof a->counters) == 0 &&
           memcmp(a->ids, b->ids, a->ids_count * sizeof a->ids[0]) == 0 &&
           memcmp(a->h, b->h, state_bytes) == 0 && memcmp(a->c, b->c, state_bytes) == 0;
    for (size_t i = 0; same && i < a->ring_count; i++)
        same = a->ring[i].time_ms == b->ring[i].time_ms && a->ring[i].item == b->ring[i].item &&
               a->ring[i].category == b->ring[i].category &&
               a->ring[i].behavior == b->ring[i].behavior &&
               a->ring[i].price_level == b->ring[i].price_level;
    for (size_t i = 0; same && i < SHOAL_DIMENSIONS_MAX; i++)
        same = a->standings[i].level == b->standings[i].level &&
               a->standings[i].since_ms == b->standings[i].since_ms;
    same = same && a->timer_ms == b->timer_ms && a->cart_ms == b->cart_ms &&
           a->purchases.occasions == b->purchases.occasions &&
           a->purchases.first_ms == b->purchases.first_ms &&
           a->purchases.last_ms == b->purchases.last_ms &&
           a->purchases.spent == b->purchases.spent;
    for (size_t i = 0; same && i < a->grants_count; i++)
        same = a->grants[i].promotion == b->grants[i].promotion &&
               a->grants[i].eligible == b->grants[i].eligible &&
               a->grants[i].open == b->grants[i].open &&
               a->grants[i].count == b->grants[i].count &&
               a->grants[i].last_ms == b->grants[i].last_ms &&
               a->grants[i].expires_ms == b->grants[i].expires_ms;
    return same;
}
