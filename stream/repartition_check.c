/* SPDX-License-Identifier: Apache-2.0 */
/* What is looked at before states are moved; see repartition.h. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "stream/partition_state.h"
#include "stream/repartition.h"

static enum shoal_status count_user(void *opaque, int32_t partition, struct shoal_slice user,
                                    struct shoal_slice value)
{
    struct shoal_survey *survey = opaque;
    (void)value;
    survey->users++;
    if (partition < survey->to)
        survey->users_before[partition]++;
    for (int p = 0; p < SHOAL_PARTITIONERS; p++) {
        int32_t was = shoal_partitioner_of(p, user.bytes, user.size, survey->from);
        int32_t is = shoal_partitioner_of(p, user.bytes, user.size, survey->to);
        survey->fitting[p] += partition == was;
        survey->arrived[p] += partition == is && partition != was;
        survey->moving[p] += partition != is;
        survey->users_after[p][is]++;
    }
    return SHOAL_OK;
}

/* A failover may have lost the layout's word that states are being moved. What is kept of the partitions as a whole was
 * spread before the first user was copied. */
static enum shoal_status see_shares(struct shoal_store *store, struct shoal_survey *survey,
                                    struct shoal_message *message)
{
    enum shoal_status status = SHOAL_OK;
    struct shoal_partition_state *state = calloc(1, sizeof *state);
    if (!state)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    for (int32_t p = 0; p < survey->to && status == SHOAL_OK; p++) {
        status = shoal_partition_state_read(store, p, state, message);
        survey->is_moving = survey->is_moving || state->spread == (uint32_t)survey->to;
    }
    free(state);
    return status;
}

enum shoal_status shoal_survey_make(struct shoal_store *store, int32_t from, int32_t to,
                                    bool is_moving, struct shoal_survey *survey,
                                    struct shoal_message *message)
{
    bool room = true;
    *survey = (struct shoal_survey){.from = from, .to = to, .is_moving = is_moving};
    survey->users_before = calloc((size_t)to, sizeof *survey->users_before);
    for (int p = 0; p < SHOAL_PARTITIONERS; p++) {
        survey->users_after[p] = calloc((size_t)to, sizeof *survey->users_after[p]);
        room = room && survey->users_after[p];
    }
    if (!room || !survey->users_before)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    enum shoal_status status = store->ops->scan(store, count_user, survey, message);
    if (status == SHOAL_OK)
        status = see_shares(store, survey, message);
    for (int p = 0; p < SHOAL_PARTITIONERS && survey->is_moving; p++)
        survey->fitting[p] += survey->arrived[p];
    return status;
}

void shoal_survey_finish(struct shoal_survey *survey)
{
    free(survey->users_before);
    for (int p = 0; p < SHOAL_PARTITIONERS; p++)
        free(survey->users_after[p]);
    *survey = (struct shoal_survey){0};
}

enum shoal_status shoal_survey_check(const struct shoal_survey *survey,
                                     enum shoal_partitioner partitioner,
                                     struct shoal_message *message)
{
    uint64_t elsewhere = survey->users - survey->fitting[partitioner];
    if (elsewhere == 0)
        return SHOAL_OK;
    return shoal_fail(message, SHOAL_CONFIG,
                      "%" PRIu64 " of %" PRIu64 " users are in another of %" PRId32
                      " partitions than the partitioner %s would have put them: events must be keyed by "
                      "user id, by one partitioner; and if the new number is no multiple of the old one, "
                      "nobody may process between the growth and shoal run --drain",
                      elsewhere, survey->users, survey->from, shoal_partitioner_name(partitioner));
}

enum shoal_status shoal_survey_partitioner(const struct shoal_survey *survey,
                                           enum shoal_partitioner *partitioner,
                                           struct shoal_message *message)
{
    int fits = 0;
    for (int p = 0; p < SHOAL_PARTITIONERS; p++) {
        if (survey->fitting[p] == survey->users) {
            *partitioner = p;
            fits++;
        }
    }
    if (fits == 1)
        return SHOAL_OK;
    if (fits > 1)
        return shoal_fail(message, SHOAL_CONFIG,
                          "%" PRIu64 " users in %" PRId32 " partitions do not tell which partitioner the "
                          "producers use: give --partitioner",
                          survey->users, survey->from);
    *partitioner = SHOAL_MURMUR2;
    for (int p = 1; p < SHOAL_PARTITIONERS; p++) {
        if (survey->fitting[p] > survey->fitting[*partitioner])
            *partitioner = p;
    }
    return shoal_survey_check(survey, *partitioner, message);
}

enum shoal_status shoal_partitioner_named(const char *name, enum shoal_partitioner *partitioner,
                                          struct shoal_message *message)
{
    for (int p = 0; p < SHOAL_PARTITIONERS; p++) {
        if (strcmp(name, shoal_partitioner_name(p)) == 0) {
            *partitioner = p;
            return SHOAL_OK;
        }
    }
    return shoal_fail(message, SHOAL_CONFIG,
                      "--partitioner '%s': must be murmur2 or consistent", name);
}

enum shoal_status shoal_boundary_find(const struct shoal_boundary_input *in, int64_t *boundary,
                                      struct shoal_message *message)
{
    if (in->partition >= in->from) { /* a new one */
        *boundary = in->recorded >= 0 ? in->recorded : in->low;
        return SHOAL_OK;
    }
    int64_t least = in->recorded >= 0 ? in->recorded : in->committed;
    *boundary = in->saved >= 0 ? in->saved : in->low;
    if (in->saved < least && (in->saved >= 0 || least > in->low))
        return shoal_fail(message, SHOAL_PARTITIONS_CHANGED,
                          "partition %" PRId32 ": the states hold the events up to offset %" PRId64
                          " of %" PRId64 " that were processed: run shoal run --drain first",
                          in->partition, in->saved < 0 ? 0 : in->saved, least);
    bool nothing_moved = in->committed < 0 && in->saved <= in->low;
    if ((in->recorded >= 0 && in->saved > in->recorded) ||
        (in->recorded < 0 && in->exactly_once && in->saved > in->committed && !nothing_moved))
        return shoal_fail(message, SHOAL_OFFSETS_MOVED,
                          "partition %" PRId32 ": the states hold all events up to offset %" PRId64
                          ", but the group's offsets say %" PRId64 ": somebody has moved them",
                          in->partition, in->saved, least);
    return SHOAL_OK;
}
