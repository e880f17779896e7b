/* SPDX-License-Identifier: Apache-2.0 */
/* Drawing the states, and what they are like; see cluster_points.h. */
#include "model/learn/cluster_points.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/hash.h"
#include "model/learn/labels.h"
#include "model/learn/random.h"

static const int64_t DAY_MS = INT64_C(86400000), HOUR_MS = INT64_C(3600000);

uint64_t shoal_cluster_user_hash(const struct shoal_dataset *dataset, size_t user)
{
    const char *id = shoal_dataset_user_id(dataset, user);
    return shoal_hash(id, strlen(id));
}

struct drawing {
    const struct shoal_dataset *dataset;
    const int8_t *labels;
    int64_t from_ms, until_ms;
    uint64_t hash_max; /* users with a greater hash are left out */
    uint32_t *items, *categories; /* of a week, to be sorted */
};

static bool is_eligible(const struct drawing *drawing, size_t event)
{
    int64_t time_ms = drawing->dataset->touches[event].time_ms;
    return time_ms >= drawing->from_ms && time_ms < drawing->until_ms &&
           drawing->labels[event] != SHOAL_UNLABELLED;
}

/* The drawn events of one user, in order, into `events` (NULL: only counted); their number. */
static size_t draw(const struct drawing *drawing, size_t user, size_t *events)
{
    const struct shoal_dataset *dataset = drawing->dataset;
    uint64_t hash = shoal_cluster_user_hash(dataset, user);
    size_t drawn = 0, end = dataset->first[user + 1];
    if (hash > drawing->hash_max)
        return 0;
    for (size_t i = dataset->first[user]; i < end;) {
        int64_t day = dataset->touches[i].time_ms / DAY_MS;
        size_t next = i, count = 0;
        for (; next < end && dataset->touches[next].time_ms / DAY_MS == day; next++)
            count += is_eligible(drawing, next);
        uint32_t left = count ? shoal_random_below(hash, (uint64_t)day, (uint32_t)count) + 1 : 0;
        for (; left && i < next; i++)
            if (is_eligible(drawing, i) && --left == 0) {
                if (events)
                    events[drawn] = i;
                drawn++;
            }
        i = next;
    }
    return drawn;
}

/* ---- what a state is like ------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

static size_t count_distinct(uint32_t *values, size_t count)
{
    size_t distinct = count > 0;
    qsort(values, count, sizeof *values, compare);
    for (size_t i = 1; i < count; i++)
        distinct += values[i] != values[i - 1];
    return distinct;
}

static void describe(const struct drawing *drawing, size_t event, float *traits, float *mix)
{
    const struct shoal_dataset *dataset = drawing->dataset;
    const struct shoal_touch *touches = dataset->touches;
    size_t first = dataset->first[dataset->owners[event]], count = 0, categories = 0;
    int64_t now_ms = touches[event].time_ms, day = -1;
    float counts[SHOAL_BEHAVIOR_COUNT] = {0}, days = 0, hour = 0, views = 0;
    for (size_t i = event + 1; i-- > first && now_ms - touches[i].time_ms < 7 * DAY_MS;) {
        counts[touches[i].behavior]++;
        hour += now_ms - touches[i].time_ms < HOUR_MS;
        views += touches[i].behavior == SHOAL_PV && now_ms - touches[i].time_ms < DAY_MS;
        days += touches[i].time_ms / DAY_MS != day;
        day = touches[i].time_ms / DAY_MS;
        drawing->items[count++] = touches[i].item;
        if (touches[i].category)
            drawing->categories[categories++] = touches[i].category;
    }
    size_t items = count_distinct(drawing->items, count);
    traits[SHOAL_TRAIT_events_1h] = hour;
    traits[SHOAL_TRAIT_views_1d] = views;
    traits[SHOAL_TRAIT_carts_7d] = counts[SHOAL_CART];
    traits[SHOAL_TRAIT_favs_7d] = counts[SHOAL_FAV];
    traits[SHOAL_TRAIT_buys_7d] = counts[SHOAL_BUY];
    traits[SHOAL_TRAIT_days_7d] = days;
    traits[SHOAL_TRAIT_categories_7d] =
        (float)count_distinct(drawing->categories, categories);
    traits[SHOAL_TRAIT_repeats_7d] = 1 - (float)items / (float)count;
    traits[SHOAL_TRAIT_known_days] = (float)(now_ms - touches[first].time_ms) / (float)DAY_MS;
    for (size_t b = 0; b < SHOAL_BEHAVIOR_COUNT; b++)
        mix[b] = counts[b] / (float)count;
}

/* ---- all of them ---------------------------------------------------------------------------- */

static size_t longest_history(const struct shoal_dataset *dataset)
{
    size_t most = 0;
    for (size_t user = 0; user < dataset->users_count; user++) {
        size_t count = dataset->first[user + 1] - dataset->first[user];
        most = count > most ? count : most;
    }
    return most;
}

static enum shoal_status fill(const struct drawing *drawing, size_t total,
                              struct shoal_cluster_points *points)
{
    const struct shoal_dataset *dataset = drawing->dataset;
    points->events = malloc((total + 1) * sizeof *points->events);
    points->owners = malloc((total + 1) * sizeof *points->owners);
    points->outcomes = malloc(total + 1);
    points->traits = malloc((total + 1) * SHOAL_CLUSTER_TRAITS * sizeof *points->traits);
    points->mix = malloc((total + 1) * SHOAL_BEHAVIOR_COUNT * sizeof *points->mix);
    if (!points->events || !points->owners || !points->outcomes || !points->traits || !points->mix)
        return SHOAL_NOMEM;
    for (size_t user = 0; user < dataset->users_count; user++) {
        size_t drawn = draw(drawing, user, points->events + points->count);
        points->users += drawn > 0;
        for (size_t end = points->count + drawn; points->count < end; points->count++) {
            size_t i = points->count, event = points->events[i];
            points->owners[i] = (uint32_t)user;
            points->outcomes[i] = drawing->labels[event] == 1;
            describe(drawing, event, points->traits + i * SHOAL_CLUSTER_TRAITS,
                     points->mix + i * SHOAL_BEHAVIOR_COUNT);
        }
    }
    return SHOAL_OK;
}

enum shoal_status shoal_cluster_points_make(const struct shoal_dataset *dataset, int64_t from_ms,
                                            int64_t until_ms, int64_t end_ms, size_t most,
                                            struct shoal_cluster_points *points)
{
    int64_t week_ms = (until_ms / DAY_MS - SHOAL_CLUSTER_DAYS) * DAY_MS;
    size_t longest = longest_history(dataset), total = 0;
    int8_t *labels = malloc(dataset->events_count + 1);
    struct drawing drawing = {
        .dataset = dataset,
        .labels = labels,
        .from_ms = from_ms > week_ms ? from_ms : week_ms,
        .until_ms = until_ms,
        .hash_max = UINT64_MAX,
        .items = malloc((longest + 1) * sizeof *drawing.items),
        .categories = malloc((longest + 1) * sizeof *drawing.categories),
    };
    *points = (struct shoal_cluster_points){0};
    enum shoal_status status =
        labels && drawing.items && drawing.categories ? SHOAL_OK : SHOAL_NOMEM;
    if (status == SHOAL_OK) {
        shoal_labels_make(dataset, end_ms, labels);
        for (size_t user = 0; user < dataset->users_count; user++)
            total += draw(&drawing, user, NULL);
        if (total > most)
            drawing.hash_max = (uint64_t)((double)most / (double)total * 0x1p64);
        status = fill(&drawing, total, points);
    }
    free(labels);
    free(drawing.items);
    free(drawing.categories);
    if (status != SHOAL_OK)
        shoal_cluster_points_finish(points);
    return status;
}

void shoal_cluster_points_finish(struct shoal_cluster_points *points)
{
    free(points->events);
    free(points->owners);
    free(points->outcomes);
    free(points->traits);
    free(points->mix);
    *points = (struct shoal_cluster_points){0};
}
