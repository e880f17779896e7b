/* SPDX-License-Identifier: Apache-2.0 */
/* Segment changes, line by line; see report_changes.h. */
#include "tools/report_changes.h"

#include <stdlib.h>
#include <string.h>

void shoal_changes_finish(struct shoal_changes *changes)
{
    free(changes->changes);
    free(changes->first);
    *changes = (struct shoal_changes){0};
}

/* ---- one line ------------------------------------------------------------------------------- */

struct taking {
    const struct shoal_dataset *dataset;
    struct shoal_report_names *names;
    struct shoal_changes *changes;
    uint32_t *gone; /* of each user: how many changes there were at the last tombstone */
};

static enum shoal_status append(struct shoal_changes *changes,
                                const struct shoal_segment_change *change,
                                struct shoal_message *message)
{
    if (changes->count == changes->capacity) {
        size_t capacity = changes->capacity ? 2 * changes->capacity : 1024;
        struct shoal_segment_change *grown =
            reallocarray(changes->changes, capacity, sizeof *grown);
        if (!grown || capacity > UINT32_MAX)
            return shoal_fail(message, SHOAL_NOMEM, "out of memory");
        changes->changes = grown;
        changes->capacity = capacity;
    }
    changes->changes[changes->count] = *change;
    changes->changes[changes->count].order = (uint32_t)changes->count;
    changes->count++;
    return SHOAL_OK;
}

static enum shoal_status take_level(const struct taking *taking, struct shoal_json_tree *tree,
                                    const char *key, uint16_t *level, struct shoal_message *message)
{
    struct shoal_json_slice text;
    int value = shoal_json_tree_find(tree, 0, key);
    *level = SHOAL_NAME_NONE;
    if (shoal_json_tree_is_null(tree, value))
        return SHOAL_OK;
    if (!shoal_json_tree_text(tree, value, &text))
        return shoal_fail(message, SHOAL_MISSING_FIELD, "\"%s\" is not there, or no text", key);
    return shoal_names_add(&taking->names->levels, text.text, text.size, SHOAL_REPORT_LEVELS,
                           "level", level, message);
}

static enum shoal_status take(void *context, struct shoal_json_tree *tree,
                              struct shoal_message *message)
{
    const struct taking *taking = context;
    struct shoal_segment_change change = {0};
    struct shoal_json_slice id, dimension;
    bool known = false;
    enum shoal_status status =
        shoal_report_user(tree, taking->dataset, &change.user, &known, &id, message);
    if (status == SHOAL_OK)
        status = shoal_report_time(tree, &change.time_ms, message);
    if (status != SHOAL_OK)
        return status;
    if (!shoal_json_tree_text(tree, shoal_json_tree_find(tree, 0, "dimension"), &dimension))
        return shoal_fail(message, SHOAL_MISSING_FIELD, "\"dimension\" is not there, or no text");
    status = shoal_names_add(&taking->names->dimensions, dimension.text, dimension.size,
                             SHOAL_REPORT_DIMENSIONS, "dimension", &change.dimension, message);
    if (status == SHOAL_OK)
        status = take_level(taking, tree, "from", &change.from, message);
    if (status == SHOAL_OK)
        status = take_level(taking, tree, "to", &change.to, message);
    if (status != SHOAL_OK)
        return status;
    taking->changes->strangers += !known;
    return known ? append(taking->changes, &change, message) : SHOAL_OK;
}

static enum shoal_status forget(void *context, struct shoal_json_tree *tree,
                                struct shoal_message *message)
{
    const struct taking *taking = context;
    struct shoal_json_slice id;
    uint32_t user;
    bool known;
    enum shoal_status status =
        shoal_report_user(tree, taking->dataset, &user, &known, &id, message);
    if (status == SHOAL_OK && known)
        taking->gone[user] = (uint32_t)taking->changes->count;
    return status;
}

static void leave_out_gone(struct shoal_changes *changes, const uint32_t *gone)
{
    size_t kept = 0;
    for (size_t i = 0; i < changes->count; i++)
        if (changes->changes[i].order >= gone[changes->changes[i].user])
            changes->changes[kept++] = changes->changes[i];
    changes->count = kept;
}

/* ---- in order ------------------------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    const struct shoal_segment_change *left = a, *right = b;
    if (left->user != right->user)
        return left->user < right->user ? -1 : 1;
    if (left->time_ms != right->time_ms)
        return left->time_ms < right->time_ms ? -1 : 1;
    return (left->order > right->order) - (left->order < right->order);
}

/* Leaves out changes to where the user stands already, and counts those that do not go on from there. */
static void settle(struct shoal_changes *changes)
{
    uint16_t levels[SHOAL_REPORT_DIMENSIONS];
    size_t kept = 0;
    uint32_t user = UINT32_MAX; /* is nobody's number */
    for (size_t i = 0; i < changes->count; i++) {
        const struct shoal_segment_change change = changes->changes[i];
        if (change.user != user)
            memset(levels, 0xff, sizeof levels); /* SHOAL_NAME_NONE in each */
        user = change.user;
        uint16_t *level = &levels[change.dimension];
        if (*level == change.to) {
            changes->repeated++;
            continue;
        }
        changes->broken += *level != change.from;
        *level = change.to;
        changes->changes[kept++] = change;
    }
    changes->count = kept;
}

static enum shoal_status index_users(struct shoal_changes *changes, size_t users)
{
    changes->first = calloc(users + 1, sizeof *changes->first);
    if (!changes->first)
        return SHOAL_NOMEM;
    for (size_t i = 0; i < changes->count; i++)
        changes->first[changes->changes[i].user + 1]++;
    for (size_t user = 0; user < users; user++)
        changes->first[user + 1] += changes->first[user];
    return SHOAL_OK;
}

enum shoal_status shoal_changes_read(const char *files, const struct shoal_dataset *dataset,
                                     struct shoal_report_names *names,
                                     struct shoal_changes *changes, struct shoal_message *message)
{
    struct taking taking = {dataset, names, changes, calloc(dataset->users_count + 1, sizeof(uint32_t))};
    if (!taking.gone)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    enum shoal_status status =
        shoal_lines_each(files, take, forget, &taking, &changes->lines, message);
    if (status == SHOAL_OK)
        leave_out_gone(changes, taking.gone);
    free(taking.gone);
    if (status != SHOAL_OK)
        return status;
    if (changes->count)
        qsort(changes->changes, changes->count, sizeof *changes->changes, compare);
    settle(changes);
    return index_users(changes, dataset->users_count) == SHOAL_OK
               ? SHOAL_OK
               : shoal_fail(message, SHOAL_NOMEM, "out of memory");
}

void shoal_standings_begin(const struct shoal_changes *changes, uint32_t user,
                           struct shoal_standings *standings)
{
    *standings = (struct shoal_standings){.changes = changes};
    memset(standings->levels, 0xff, sizeof standings->levels); /* SHOAL_NAME_NONE in each */
    if (!changes->first)
        return;
    standings->next = changes->first[user];
    standings->end = changes->first[user + 1];
}

void shoal_standings_advance(struct shoal_standings *standings, int64_t time_ms)
{
    const struct shoal_segment_change *changes = standings->changes->changes;
    while (standings->next < standings->end && changes[standings->next].time_ms <= time_ms) {
        standings->levels[changes[standings->next].dimension] = changes[standings->next].to;
        standings->next++;
    }
}
