/* SPDX-License-Identifier: Apache-2.0 */
/* Sums over partitions; see overview.h. */
#include "stream/overview.h"

#include <stdlib.h>

#include "model/base/clock.h"
#include "stream/partition_state.h"
#include "stream/tally_clusters.h"

/* What the partition's budgets, which know the day of their last event, leave for that day. */
static void add_left(struct shoal_overview *overview, const struct shoal_policy *policy,
                     const struct shoal_partition_state *state, int32_t partition, int32_t partitions)
{
    for (size_t i = 0; policy && i < policy->count; i++) {
        if (policy->promotions[i].budget)
            overview->left[i] += shoal_budgets_left(&state->budgets, &policy->promotions[i],
                                                    partition, partitions);
    }
}

static enum shoal_status read_partition(struct shoal_store *store, int32_t index,
                                        const struct shoal_policy *policy,
                                        struct shoal_partition_state *state,
                                        struct shoal_overview *overview,
                                        struct shoal_message *message)
{
    const struct shoal_slice nobody = {"", 0};
    struct shoal_overview_partition *partition = &overview->partitions[index];
    struct shoal_checkpoint checkpoint;
    struct shoal_slice value;
    *partition = (struct shoal_overview_partition){-1, -1, -1};
    enum shoal_status status = store->ops->peek(store, index, &checkpoint, message);
    if (status == SHOAL_OK)
        status = store->ops->load(store, index, &nobody, 1, &value, message);
    if (status != SHOAL_OK)
        return status;
    partition->next_offset = checkpoint.next_offset;
    shoal_partition_state_init(state);
    if (value.bytes)
        status = shoal_partition_state_decode(value.bytes, value.size, state);
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "partition %d: what is kept of it as a whole: %s", (int)index,
                          shoal_status_text(status));
    partition->event_ms = state->watermark.time_ms;
    shoal_tally_add(&overview->tally, &state->tally);
    add_left(overview, policy, state, index, overview->partitions_count);
    return SHOAL_OK;
}

enum shoal_status shoal_overview_read(struct shoal_store *store, int32_t partitions,
                                      const struct shoal_clusters *clusters,
                                      const struct shoal_policy *policy,
                                      struct shoal_overview *overview, struct shoal_message *message)
{
    struct shoal_partition_state *state = calloc(1, sizeof *state);
    *overview = (struct shoal_overview){.as_of_ms = shoal_clock_wall_ms()};
    overview->partitions = calloc((size_t)partitions + 1, sizeof *overview->partitions);
    shoal_tally_follow(&overview->tally.clusters, clusters);
    enum shoal_status status = SHOAL_OK;
    if (!state || !overview->partitions)
        status = shoal_fail(message, SHOAL_NOMEM, "out of memory");
    else
        overview->partitions_count = partitions;
    for (int32_t i = 0; i < partitions && status == SHOAL_OK; i++)
        status = read_partition(store, i, policy, state, overview, message);
    free(state);
    return status;
}

void shoal_overview_finish(struct shoal_overview *overview)
{
    free(overview->partitions);
    overview->partitions = NULL;
    overview->partitions_count = 0;
}

int64_t shoal_overview_lag_of(const struct shoal_overview_partition *partition)
{
    int64_t next = partition->next_offset < 0 ? 0 : partition->next_offset;
    if (partition->end_offset < 0)
        return -1;
    return partition->end_offset > next ? partition->end_offset - next : 0;
}

int64_t shoal_overview_lag(const struct shoal_overview *overview)
{
    int64_t sum = 0;
    for (int32_t i = 0; i < overview->partitions_count; i++) {
        int64_t lag = shoal_overview_lag_of(&overview->partitions[i]);
        if (lag < 0)
            return -1;
        sum += lag;
    }
    return sum;
}
