/* SPDX-License-Identifier: Apache-2.0 */
/* What partitions begin with after their number has changed. Users go to and fro between partitions, so
 * what each kept as a whole is put together and given to all alike:
 *
 *   time         the latest of all, so that it goes back for no user; timers that the jump passes fall due with
 *                the partition's next message
 *   budgets      what was offered on the latest day is shared evenly, rounded up: what is left in all
 *                partitions together is at most what was left, short of it by less than one offer a partition
 *   correction   the counts of the hours are shared evenly, rounded down; the correction in force is the mean
 *
 * Each is a function of the states before, so that a move that is begun again comes to the same. */
#include <string.h>

#include "stream/partition_state.h"

static void spread_time(const struct shoal_partition_state *states, size_t count,
                        struct shoal_watermark *watermark)
{
    shoal_watermark_init(watermark);
    for (size_t p = 0; p < count; p++) {
        if (states[p].watermark.time_ms > watermark->time_ms)
            watermark->time_ms = states[p].watermark.time_ms;
    }
    watermark->draining = watermark->time_ms >= 0;
}

/* Where `promotion` is in the sorted list, or is to be put. */
static uint32_t place_of(const struct shoal_budgets *budgets, uint32_t promotion)
{
    uint32_t at = 0;
    while (at < budgets->count && budgets->list[at].promotion < promotion)
        at++;
    return at;
}

/* Adds to the list. There are more promotions than fit only if the policy was exchanged on that very day;
 * the last by hash is forgotten then, as shoal_budgets_spend forgets those of an old policy. */
static void add_spent(struct shoal_budgets *sum, const struct shoal_spent *spent)
{
    uint32_t at = place_of(sum, spent->promotion);
    if (at < sum->count && sum->list[at].promotion == spent->promotion) {
        uint32_t room = UINT32_MAX - sum->list[at].offers;
        sum->list[at].offers += spent->offers < room ? spent->offers : room;
        return;
    }
    if (at == SHOAL_GRANTS_MAX)
        return;
    if (sum->count < SHOAL_GRANTS_MAX)
        sum->count++;
    memmove(&sum->list[at + 1], &sum->list[at], (sum->count - 1 - at) * sizeof *sum->list);
    sum->list[at] = *spent;
}

static void spread_budgets(const struct shoal_partition_state *states, size_t count, uint32_t to,
                           struct shoal_budgets *budgets)
{
    shoal_budgets_init(budgets);
    for (size_t p = 0; p < count; p++) {
        if (states[p].budgets.day > budgets->day)
            budgets->day = states[p].budgets.day;
    }
    for (size_t p = 0; p < count; p++) {
        for (uint32_t i = 0; i < states[p].budgets.count; i++) {
            if (states[p].budgets.day == budgets->day)
                add_spent(budgets, &states[p].budgets.list[i]);
        }
    }
    for (uint32_t i = 0; i < budgets->count; i++) {
        uint32_t offers = budgets->list[i].offers;
        budgets->list[i].offers = offers / to + (offers % to != 0);
    }
}

/* The state whose correction has seen the latest hour: its model is the one that counts. */
static const struct shoal_correction *newest(const struct shoal_partition_state *states,
                                             size_t count)
{
    const struct shoal_correction *found = &states[0].correction;
    for (size_t p = 1; p < count; p++) {
        const struct shoal_correction *c = &states[p].correction;
        if (c->model != 0 && (found->model == 0 || c->hour > found->hour))
            found = c;
    }
    return found;
}

static void spread_hour(const struct shoal_partition_state *states, size_t count, uint32_t to,
                        int64_t hour, struct shoal_correction *each)
{
    uint64_t samples = 0, positives_twice = 0, predicted = 0;
    for (size_t p = 0; p < count; p++) {
        const struct shoal_correction *c = &states[p].correction;
        /* an hour that the partition has not come to has an older one in its place */
        if (c->model != each->model || hour > c->hour || hour <= c->hour - SHOAL_CORRECTION_HOURS)
            continue;
        const struct shoal_correction_hour *one = &c->hours[hour % SHOAL_CORRECTION_HOURS];
        samples += one->samples;
        positives_twice += one->positives_twice;
        predicted += one->predicted;
    }
    each->hours[hour % SHOAL_CORRECTION_HOURS] = (struct shoal_correction_hour){
        .samples = (uint32_t)(samples / to),
        .positives_twice = (uint32_t)(positives_twice / to),
        .predicted = predicted / to,
    };
}

static void spread_correction(const struct shoal_partition_state *states, size_t count, uint32_t to,
                              struct shoal_correction *each)
{
    const struct shoal_correction *from = newest(states, count);
    float delta = 0;
    uint32_t known = 0;
    *each = (struct shoal_correction){.model = from->model, .from = from->from, .hour = from->hour};
    for (size_t p = 0; p < count; p++) {
        if (states[p].correction.model == from->model && states[p].correction.hour >= 0) {
            delta += states[p].correction.delta;
            known++;
        }
    }
    each->delta = known ? delta / (float)known : 0;
    for (int64_t back = 0; back < SHOAL_CORRECTION_HOURS && back <= each->hour; back++)
        spread_hour(states, count, to, each->hour - back, each);
}

void shoal_partition_state_spread(const struct shoal_partition_state *states, size_t count,
                                  int32_t to, struct shoal_partition_state *each)
{
    spread_time(states, count, &each->watermark);
    spread_budgets(states, count, (uint32_t)to, &each->budgets);
    spread_correction(states, count, (uint32_t)to, &each->correction);
}
