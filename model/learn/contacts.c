/* SPDX-License-Identifier: Apache-2.0 */
/* Moments of a log; see contacts.h. */
#include "model/learn/contacts.h"

#include <stdlib.h>
#include <string.h>

#include "model/learn/uplift_learners.h"

enum { SHOWN = 1 /* SHOAL_EXPOSURE_SHOWN of stream/event.h */ };
static const int64_t VISIT_MS = INT64_C(1800000), DAY_MS = INT64_C(86400000),
                     HORIZON_MS = 3 * INT64_C(86400000);

void shoal_moments_finish(struct shoal_moments *moments)
{
    free(moments->events);
    free(moments->stages);
    free(moments->treated);
    free(moments->outcome);
    *moments = (struct shoal_moments){0};
}

/* No user has more moments than events, so that the data set's size is room enough. */
static enum shoal_status make_room(size_t capacity, struct shoal_moments *moments)
{
    *moments = (struct shoal_moments){
        .events = malloc((capacity + 1) * sizeof *moments->events),
        .stages = calloc(capacity + 1, 1),
        .treated = calloc(capacity + 1, 1),
        .outcome = calloc(capacity + 1, 1),
        .capacity = capacity,
    };
    if (moments->events && moments->stages && moments->treated && moments->outcome)
        return SHOAL_OK;
    shoal_moments_finish(moments);
    return SHOAL_NOMEM;
}

/* ---- engagement ------------------------------------------------------------------------------ */

/* What the user of the events before `until` does in (from_ms, to_ms], looking from event i on. */
static uint8_t stage_of(const struct shoal_dataset *dataset, size_t i, size_t until, int64_t from_ms,
                        int64_t to_ms)
{
    uint8_t stage = SHOAL_STAGE_INACTIVE;
    for (; i < until && dataset->touches[i].time_ms <= to_ms; i++)
        if (dataset->touches[i].time_ms > from_ms) {
            if (dataset->touches[i].behavior != SHOAL_PV)
                return SHOAL_STAGE_ENGAGED;
            stage = SHOAL_STAGE_UNENGAGED;
        }
    return stage;
}

/* Keeps every n-th, so that no more than `most` are left. */
static void thin(struct shoal_moments *moments, size_t most)
{
    size_t step = (moments->count + most - 1) / most, kept = 0;
    for (size_t i = 0; step > 1 && i < moments->count; i += step, kept++) {
        moments->events[kept] = moments->events[i];
        moments->stages[kept] = moments->stages[i];
    }
    if (step > 1)
        moments->count = kept;
}

enum shoal_status shoal_moments_of_visits(const struct shoal_dataset *dataset, int64_t end_ms, size_t most,
                                          struct shoal_moments *moments)
{
    enum shoal_status status = make_room(dataset->events_count, moments);
    for (size_t user = 0; status == SHOAL_OK && user < dataset->users_count; user++) {
        int64_t next_ms = INT64_MIN;
        size_t until = dataset->first[user + 1];
        for (size_t i = dataset->first[user]; i < until; i++) {
            int64_t now_ms = dataset->touches[i].time_ms, from_ms = now_ms + VISIT_MS;
            if (now_ms < next_ms || from_ms + HORIZON_MS > end_ms)
                continue;
            moments->events[moments->count] = i;
            moments->stages[moments->count++] = stage_of(dataset, i, until, from_ms, from_ms + HORIZON_MS);
            next_ms = now_ms + DAY_MS;
        }
    }
    if (status == SHOAL_OK)
        thin(moments, most);
    return status;
}

/* ---- contacts -------------------------------------------------------------------------------- */

static bool bought_within(const struct shoal_dataset *dataset, size_t i, size_t until, int64_t from_ms)
{
    for (; i < until && dataset->touches[i].time_ms <= from_ms + DAY_MS; i++)
        if (dataset->touches[i].behavior == SHOAL_BUY && dataset->touches[i].time_ms >= from_ms)
            return true;
    return false;
}

static void add(struct shoal_moments *moments, size_t event, bool treated, bool outcome)
{
    if (moments->count && moments->events[moments->count - 1] == event)
        return; /* nothing happened between the two */
    moments->events[moments->count] = event;
    moments->treated[moments->count] = treated;
    moments->outcome[moments->count] = outcome;
    moments->stages[moments->count++] = outcome ? SHOAL_STAGE_ENGAGED : SHOAL_STAGE_INACTIVE;
}

static bool is_contact(const struct shoal_dataset *dataset, size_t event)
{
    return dataset->promotions && dataset->exposures && dataset->promotions[event] != 0 &&
           dataset->exposures[event] != 0;
}

/* Of an event that begins a visit: true if there is no contact within a day before or after it. */
static bool is_alone(const struct shoal_dataset *dataset, size_t event, size_t first, size_t until)
{
    int64_t now_ms = dataset->touches[event].time_ms;
    for (size_t i = event; i-- > first && dataset->touches[i].time_ms >= now_ms - DAY_MS;)
        if (is_contact(dataset, i))
            return false;
    for (size_t i = event; i < until && dataset->touches[i].time_ms <= now_ms + DAY_MS; i++)
        if (is_contact(dataset, i))
            return false;
    return true;
}

static void add_visits(const struct shoal_dataset *dataset, size_t user, int64_t end_ms,
                       struct shoal_moments *moments)
{
    size_t first = dataset->first[user], until = dataset->first[user + 1];
    for (size_t i = first + 1; i < until; i++) {
        int64_t now_ms = dataset->touches[i].time_ms;
        if (now_ms + DAY_MS > end_ms || now_ms - dataset->touches[i - 1].time_ms < VISIT_MS)
            continue;
        bool treated = is_contact(dataset, i) && dataset->exposures[i] == SHOWN;
        if (treated || is_alone(dataset, i, first, until))
            add(moments, i - 1, treated, bought_within(dataset, i, until, now_ms));
    }
}

static int by_user_and_time(const void *a, const void *b)
{
    const struct shoal_uplift_arm *left = a, *right = b;
    if (left->user != right->user)
        return left->user < right->user ? -1 : 1;
    return (left->time_ms > right->time_ms) - (left->time_ms < right->time_ms);
}

static enum shoal_status add_arms(const struct shoal_dataset *dataset, int64_t end_ms,
                                  const struct shoal_train_uplift_options *options,
                                  struct shoal_moments *moments)
{
    size_t count = options->arms_count, at = 0;
    struct shoal_uplift_arm *arms = malloc((count + 1) * sizeof *arms);
    if (!arms)
        return SHOAL_NOMEM;
    memcpy(arms, options->arms, count * sizeof *arms);
    qsort(arms, count, sizeof *arms, by_user_and_time);
    for (size_t k = 0; k < count; k++) {
        size_t first = dataset->first[arms[k].user], until = dataset->first[arms[k].user + 1];
        at = at < first ? first : at;
        while (at + 1 < until && dataset->touches[at + 1].time_ms <= arms[k].time_ms)
            at++;
        if (at < until && dataset->touches[at].time_ms <= arms[k].time_ms &&
            arms[k].time_ms + DAY_MS <= end_ms)
            add(moments, at, arms[k].treated, bought_within(dataset, at + 1, until, arms[k].time_ms));
    }
    free(arms);
    return SHOAL_OK;
}

enum shoal_status shoal_moments_of_contacts(const struct shoal_dataset *dataset, int64_t end_ms,
                                            const struct shoal_train_uplift_options *options,
                                            struct shoal_moments *moments)
{
    enum shoal_status status = make_room(dataset->events_count + options->arms_count, moments);
    if (status != SHOAL_OK)
        return status;
    if (options->arms)
        status = add_arms(dataset, end_ms, options, moments);
    for (size_t user = 0; !options->arms && dataset->promotions && user < dataset->users_count; user++)
        add_visits(dataset, user, end_ms, moments);
    if (status != SHOAL_OK)
        shoal_moments_finish(moments);
    return status;
}
