/* SPDX-License-Identifier: Apache-2.0 */
/* Sums of what workers measure; see meter.h. */
#include "stream/meter.h"

const char *shoal_move_name(enum shoal_move move)
{
    static const char *const names[] = {
#define X(name) #name,
        SHOAL_MOVE_LIST(X)
#undef X
    };
    return names[move];
}

void shoal_meter_add(struct shoal_meter *sum, const struct shoal_meter *one)
{
    shoal_pipeline_counts_add(&sum->counts, &one->counts);
    shoal_histogram_add(&sum->store.load, &one->store.load);
    shoal_histogram_add(&sum->store.save, &one->store.save);
    sum->store.failures += one->store.failures;
    shoal_histogram_add(&sum->delay, &one->delay);
    shoal_histogram_add(&sum->commit, &one->commit);
    shoal_kafka_figures_add(&sum->consumer, &one->consumer);
    shoal_kafka_figures_add(&sum->producer, &one->producer);
    for (int i = 0; i < SHOAL_MOVE_COUNT; i++)
        sum->moves[i] += one->moves[i];
    sum->cached_users += one->cached_users;
    sum->unsaved_users += one->unsaved_users;
}

static void end_client(struct shoal_kafka_figures *figures)
{
    figures->waiting_requests = figures->queued_messages = 0;
    figures->rtt_s = figures->rtt_p99_s = 0;
}

void shoal_meter_end(struct shoal_meter *meter)
{
    end_client(&meter->consumer);
    end_client(&meter->producer);
    meter->cached_users = meter->unsaved_users = 0;
}
