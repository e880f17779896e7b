/* SPDX-License-Identifier: Apache-2.0 */
/* One session of a worker: life, assignment of partitions, processing; see worker.h. */
#include "stream/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"
#include "model/base/crash.h"
#include "stream/recovery.h"
#include "stream/session_internal.h"
#include "stream/store_options.h"

enum { BEGIN_TIMEOUT_MS = 5000 };

/* ---- assignment ---------------------------------------------------------------------------- */

struct reset {
    struct session *session;
    int32_t partition;
    struct shoal_buffer users; /* ids, each behind one byte of length */
    size_t count;
};

static enum shoal_status collect(void *opaque, struct shoal_slice user, int64_t timer_ms)
{
    struct reset *reset = opaque;
    uint8_t size = (uint8_t)user.size;
    shoal_buffer_append(&reset->users, &size, 1);
    shoal_buffer_append(&reset->users, user.bytes, user.size);
    reset->count++;
    return reset->users.failed ? SHOAL_NOMEM : SHOAL_OK;
}

static enum shoal_status collect_user(void *opaque, int32_t partition, struct shoal_slice user,
                                      struct shoal_slice value)
{
    struct reset *reset = opaque;
    session_turn(reset->session->options);
    return partition == reset->partition ? collect(reset, user, 0) : SHOAL_OK;
}

/* Deletes all records of a partition and sets its checkpoint to `start`. Of users who were lost the timers may be left,
 * which would hide those that they get anew. */
static enum shoal_status reset_states(struct session *s, int32_t partition, int64_t start,
                                      struct shoal_message *message)
{
    struct reset reset = {.session = s, .partition = partition};
    struct shoal_save_item *items = NULL;
    enum shoal_status status = s->store->ops->scan(s->store, collect_user, &reset, message);
    size_t users = reset.count;
    for (int64_t after_ms = -1, until_ms; status == SHOAL_OK && after_ms != INT64_MAX; after_ms = until_ms)
        status = s->store->ops->timers(s->store, partition, after_ms, 10000, collect, &reset, &until_ms,
                                       message);
    if (status == SHOAL_OK) {
        items = calloc(reset.count + 1, sizeof *items);
        if (!items)
            status = shoal_fail(message, SHOAL_NOMEM, "out of memory");
    }
    if (status == SHOAL_OK) {
        const uint8_t *at = reset.users.bytes;
        for (size_t i = 0; i < reset.count; i++) {
            items[i].user = (struct shoal_slice){at + 1, *at};
            at += 1 + *at;
        }
        items[reset.count].user = (struct shoal_slice){"", 0}; /* what partition_state.h keeps there */
        status = s->store->ops->save(s->store, partition, items, reset.count + 1, start, 0, message);
    }
    if (status == SHOAL_OK)
        shoal_log_fields(s->log, SHOAL_WARNING,
                         (struct shoal_log_field[]){SHOAL_FIELD("partition", partition),
                                                    SHOAL_FIELD("users", users)},
                         2, "partition %" PRId32 ": %zu states reset", partition, users);
    free(items);
    shoal_buffer_finish(&reset.users);
    return status;
}

static enum shoal_when_moved when_moved(const struct shoal_config *config)
{
    if (strcmp(config->recovery_offsets_moved, "follow_states") == 0)
        return SHOAL_MOVED_FOLLOW_STATES;
    if (strcmp(config->recovery_offsets_moved, "reset_states") == 0)
        return SHOAL_MOVED_RESET_STATES;
    return SHOAL_MOVED_REFUSE;
}

/* Takes the states of a partition over, before Kafka is asked how far the group is: states are
 * saved after the commit, so an offset that is read later than the checkpoint is never behind it,
 * however long this process may sleep in between. */
static enum shoal_status on_claim(void *opaque, int32_t index, struct shoal_message *message)
{
    struct session *s = opaque;
    session_turn(s->options);
    if (index >= s->options->partitions && s->options->until)
        return SHOAL_OK;
    if (index >= s->options->partitions)
        return shoal_fail(message, SHOAL_PARTITIONS_CHANGED,
                          "topic %s has grown to at least %" PRId32 " partitions, the states were "
                          "kept for %" PRId32 " partitions: process what the old ones still hold "
                          "with shoal run --drain, then move the states with shoal repartition",
                          s->config->topic_events, index + 1, s->options->partitions);
    struct shoal_checkpoint checkpoint;
    enum shoal_status status = s->store->ops->acquire(s->store, index, &checkpoint, message);
    if (status != SHOAL_OK)
        return status;
    shoal_crash_point("recovery.acquired");
    shoal_served_end(&s->serving, &s->partitions[index].served);
    s->partitions[index] = (struct partition){.saved = checkpoint.next_offset,
                                              .saved_model = checkpoint.model};
    return SHOAL_OK;
}

static void log_assigned(const struct session *s, int32_t index, const struct shoal_recovery *plan)
{
    const struct shoal_log_field fields[] = {
        SHOAL_FIELD("partition", index),
        SHOAL_FIELD("offset", plan->start),
        SHOAL_FIELD("until", plan->suppress_until),
    };
    const struct shoal_log_field gone[] = {
        SHOAL_FIELD("partition", index),
        SHOAL_FIELD("gone", plan->gone),
    };
    if (plan->gone > 0)
        shoal_log_fields(s->log, SHOAL_WARNING, gone, 2,
                         "partition %" PRId32 ": %" PRId64 " events are past retention and missing "
                         "from the states",
                         index, plan->gone);
    if (plan->suppress_until > plan->start)
        shoal_log_fields(s->log, SHOAL_INFO, fields, 3,
                         "partition %" PRId32 ": recovering %" PRId64 " offsets into the states "
                         "(%" PRId64 " to %" PRId64 "), outputs suppressed",
                         index, plan->suppress_until - plan->start, plan->start,
                         plan->suppress_until);
    else
        shoal_log_fields(s->log, SHOAL_INFO, fields, 2,
                         "partition %" PRId32 ": reading from offset %" PRId64, index, plan->start);
}

/* The offset at which the topic had grown to as many partitions as there are states of; −1: never. NOMEM. */
static enum shoal_status find_growth(const struct session *s,
                                     const struct shoal_assignment *assignment, int64_t *grown_at)
{
    struct shoal_swaps history = {0};
    enum shoal_status status = SHOAL_OK;
    if (assignment->metadata_size > 0)
        status = shoal_swaps_parse(assignment->metadata, assignment->metadata_size, &history);
    *grown_at = shoal_swaps_grown_to(&history, s->options->partitions);
    shoal_swaps_finish(&history);
    return status == SHOAL_NOMEM ? status : SHOAL_OK; /* metadata of others is no history */
}

/* Reads what is kept of the partition as a whole. *damaged: the store has the checkpoint, and not all that was saved
 * with it, or the other way round. */
static enum shoal_status begin_states(struct session *s, int32_t index, int64_t saved,
                                      uint64_t saved_model, bool *damaged,
                                      struct shoal_message *message)
{
    const struct shoal_checkpoint checkpoint = {.next_offset = saved, .model = saved_model};
    enum shoal_status status = shoal_pipeline_begin(s->pipeline, index, &checkpoint, message);
    *damaged = status == SHOAL_NOT_FOUND;
    if (!*damaged)
        return status;
    const struct shoal_log_field field = SHOAL_FIELD("partition", index);
    shoal_log_fields(s->log, SHOAL_WARNING, &field, 1,
                     "partition %" PRId32 ": Redis has lost a part of its states: %s", index,
                     message->text);
    return SHOAL_OK;
}

/* Where to begin; what is there is deleted if it is of no use. */
static enum shoal_status recover(struct session *s, const struct shoal_assignment *assignment,
                                 int64_t grown_at, struct shoal_recovery *plan,
                                 struct shoal_message *message)
{
    int32_t index = assignment->partition;
    struct shoal_recovery_input input = {
        .partition = index,
        .saved = s->partitions[index].saved,
        .committed = assignment->committed,
        .low = assignment->low,
        .grown_at = grown_at,
        .exactly_once = s->exactly_once,
        .when_moved = when_moved(s->config),
        .continue_when_gone = strcmp(s->config->recovery_events_gone, "continue") == 0,
    };
    enum shoal_status status = begin_states(
        s, index, input.saved, s->partitions[index].saved_model, &input.damaged, message);
    if (status == SHOAL_OK)
        status = shoal_recovery_plan(&input, plan, message);
    if (status != SHOAL_OK || !plan->reset)
        return status;
    status = reset_states(s, index, plan->start, message);
    shoal_pipeline_drop(s->pipeline, index);
    return status == SHOAL_OK ? begin_states(s, index, plan->start, 0, &input.damaged, message)
                              : status;
}

static enum shoal_status on_assigned(void *opaque, const struct shoal_assignment *assignment,
                                     int64_t *start, struct shoal_message *message)
{
    struct session *s = opaque;
    int32_t index = assignment->partition;
    int64_t grown_at;
    *start = -1;
    session_turn(s->options);
    if (index >= s->options->partitions)
        return SHOAL_OK;
    enum shoal_status status = find_growth(s, assignment, &grown_at);
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "out of memory");
    struct shoal_recovery plan = {0};
    status = recover(s, assignment, grown_at, &plan, message);
    struct shoal_served_start served_start = {
        .partition = index,
        .metadata = assignment->metadata,
        .metadata_size = assignment->metadata_size,
        .committed = assignment->committed,
        .low = assignment->low,
        .start = plan.start,
        .saved_model = s->partitions[index].saved_model,
        .repeat = !s->exactly_once,
    };
    struct shoal_served served = {0};
    if (status == SHOAL_OK)
        status = shoal_served_begin(&s->serving, &served, &served_start, message);
    if (status != SHOAL_OK) {
        shoal_served_end(&s->serving, &served);
        return status;
    }
    s->unsettled = true;
    s->partitions[index] = (struct partition){
        .assigned = true,
        .served = served,
        .position = plan.start,
        /* As it stands, so that offsets that lag behind the states are put right even if no event
         * comes. */
        .committed = assignment->committed,
        .saved = plan.start,
        .suppress_until = plan.suppress_until,
        .end = assignment->high,
        .timestamp_ms = -1,
        .quiet_since_ms = shoal_clock_ms(),
    };
    log_assigned(s, index, &plan);
    *start = plan.start;
    s->meter.moves[SHOAL_MOVE_assigned]++;
    return SHOAL_OK;
}

/* All partitions go. While they are still ours, what was done with them is committed; otherwise the
 * new owner does it again from the last commit. */
static enum shoal_status on_revoked(void *opaque, bool lost, struct shoal_message *message)
{
    struct session *s = opaque;
    enum shoal_status status = SHOAL_OK;
    if (lost) {
        shoal_log_write(s->log, SHOAL_WARNING, "lost the assignment; uncommitted work is dropped");
        if (s->exactly_once)
            shoal_kafka_sink_abort(s->sink);
    } else {
        status = session_commit(s, true, message);
    }
    for (int32_t i = 0; i < s->options->partitions; i++) {
        if (s->partitions[i].assigned) {
            s->store->ops->release(s->store, i);
            s->meter.moves[lost ? SHOAL_MOVE_lost : SHOAL_MOVE_revoked]++;
        }
        s->partitions[i].assigned = false;
        shoal_served_end(&s->serving, &s->partitions[i].served);
    }
    shoal_pipeline_drop(s->pipeline, -1);
    shoal_delays_drop(&s->delays);
    s->taken = 0;
    return status;
}

/* ---- processing ---------------------------------------------------------------------------- */

/* Events from here on are not this worker's. */
static int64_t limit(const struct session *s, int32_t partition)
{
    return s->options->until ? s->options->until[partition] : INT64_MAX;
}

static bool is_drained(const struct session *s)
{
    for (int32_t i = 0; i < s->options->partitions; i++) {
        if (!s->partitions[i].assigned || s->partitions[i].position < limit(s, i))
            return false;
    }
    return s->options->until != NULL;
}

static enum shoal_status take(struct session *s, const struct shoal_input *input,
                              struct shoal_message *message)
{
    struct partition *p = &s->partitions[input->partition];
    if (!p->assigned || input->offset < p->position)
        return SHOAL_OK; /* of an assignment that has ended */
    if (input->offset >= limit(s, input->partition)) {
        p->position = limit(s, input->partition);
        return SHOAL_OK;
    }
    bool suppressed = input->offset < p->suppress_until;
    if (suppressed)
        shoal_crash_point("recovery.inside");
    const struct shoal_model *model;
    const struct shoal_policy *policy;
    enum shoal_status status =
        shoal_served_model(&s->serving, &p->served, input->partition, input->offset, p->position,
                           p->suppress_until, &model, &policy, message);
    if (status == SHOAL_OK && (model != s->model || policy != s->policy))
        status = session_use(s, model, policy, message);
    if (status != SHOAL_OK)
        return status;
    status = shoal_pipeline_add(s->pipeline, input, suppressed);
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "out of memory while decoding");
    p->position = input->offset + 1;
    p->timestamp_ms = input->timestamp_ms;
    if (!suppressed)
        shoal_delays_add(&s->delays, input->timestamp_ms);
    p->quiet_since_ms = s->now_ms;
    s->taken++;
    return SHOAL_OK;
}

/* Fills a micro-batch: what is there, and a little waiting for more. EMPTY when nothing came. */
static enum shoal_status fill(struct session *s, struct shoal_message *message)
{
    int64_t due_ms = s->committed_ms + s->config->commit_interval;
    int64_t wait_until_ns = 0;
    size_t most = (size_t)s->config->batch_events;
    s->now_ms = shoal_clock_ms();
    while (shoal_pipeline_waiting(s->pipeline) < most) {
        int timeout_ms = 0;
        if (shoal_pipeline_waiting(s->pipeline) == 0) {
            int64_t left_ms = due_ms - shoal_clock_ms();
            timeout_ms = left_ms < 1 ? 1 : left_ms > 100 ? 100 : (int)left_ms;
        } else if (wait_until_ns != 0) {
            int64_t left_ms = (wait_until_ns - shoal_clock_ns()) / 1000000;
            if (left_ms <= 0)
                return SHOAL_OK;
            timeout_ms = (int)left_ms;
        }
        struct shoal_input input;
        enum shoal_status status = shoal_kafka_source_poll(s->source, timeout_ms, &input, message);
        if (status == SHOAL_OK) {
            status = take(s, &input, message);
            if (status != SHOAL_OK || input.offset >= limit(s, input.partition))
                return status;
        } else if (status == SHOAL_EMPTY) {
            s->kept_up = true;
            if (shoal_pipeline_waiting(s->pipeline) == 0 || wait_until_ns != 0)
                return SHOAL_OK;
            wait_until_ns = shoal_clock_ns() + s->config->batch_wait * 1000000;
        } else if (status == SHOAL_END) {
            struct partition *p = &s->partitions[input.partition];
            int64_t end = input.offset < limit(s, input.partition) ? input.offset
                                                                   : limit(s, input.partition);
            if (p->assigned && end > p->position)
                p->position = end; /* behind a transaction's marker */
        } else {
            return status;
        }
    }
    return SHOAL_OK;
}

static enum shoal_status process(struct session *s, struct shoal_message *message)
{
    while (!atomic_load(s->options->stop) && !is_drained(s)) {
        session_turn(s->options);
        enum shoal_status status = fill(s, message);
        if (status == SHOAL_OK)
            status = shoal_pipeline_run(s->pipeline, message);
        if (status == SHOAL_OK && !s->options->until) /* a tick would lie behind the end */
            status = session_tell_time(s, message);
        if (status != SHOAL_OK)
            return status;
        bool due = shoal_clock_ms() - s->committed_ms >= s->config->commit_interval ||
                   s->taken >= (uint64_t)s->config->commit_events || session_swap_due(s) ||
                   shoal_pipeline_dirty(s->pipeline) >= shoal_pipeline_dirty_max(s->pipeline);
        if (due)
            status = session_commit_following(s, message);
        if (status != SHOAL_OK)
            return status;
    }
    return session_commit(s, true, message);
}

/* ---- life ---------------------------------------------------------------------------------- */

static enum shoal_status join(struct session *s, struct shoal_message *message)
{
    const struct shoal_worker_options *o = s->options;
    char member[200], transactional_id[400];
    struct shoal_redis_options redis = shoal_store_options(s->config);
    s->model = shoal_models_latest(o->models);
    s->policy = shoal_policies_latest(o->policies);
    struct shoal_pipeline_options pipeline =
        shoal_pipeline_options_of(s->config, s->model, s->policy);
    pipeline.partitions = o->partitions;
    s->serving.format = pipeline.format;
    struct shoal_source_listener listener = {s, on_claim, on_assigned, on_revoked};
    snprintf(member, sizeof member, "%s-%d", o->instance ? o->instance : "dynamic", o->index);
    if (o->instance)
        snprintf(transactional_id, sizeof transactional_id, "%s-%s", s->config->group_id, member);
    else
        snprintf(transactional_id, sizeof transactional_id, "%s-%s-%" PRIx64, s->config->group_id,
                 member, (uint64_t)shoal_clock_ns());
    enum shoal_status status = shoal_redis_store_create(&redis, &s->store, message);
    if (status == SHOAL_OK) {
        struct shoal_store *store = s->store;
        s->store = NULL;
        status = shoal_metered_store_create(store, &s->meter.store, &s->store);
        if (status != SHOAL_OK)
            shoal_fail(message, status, "out of memory");
    }
    if (status == SHOAL_OK)
        status = s->store->ops->open(s->store, o->partitions, message);
    if (status == SHOAL_OK)
        status = shoal_kafka_sink_create(
            s->config, s->log, s->exactly_once ? transactional_id : NULL, true, &s->sink, message);
    session_turn(s->options);
    if (status == SHOAL_OK)
        status = shoal_kafka_sink_begin(s->sink, BEGIN_TIMEOUT_MS, message);
    if (status == SHOAL_OK) {
        status = shoal_pipeline_create(&pipeline, s->store, s->sink, &s->pipeline);
        if (status != SHOAL_OK)
            shoal_fail(message, status, "out of memory");
    }
    if (status == SHOAL_OK)
        status = shoal_kafka_source_create(s->config, s->log, o->instance ? member : NULL,
                                           &listener, &s->source, message);
    return status;
}

enum shoal_status shoal_session_run(const struct shoal_worker_options *options,
                                    bool *worked, struct shoal_message *message)
{
    struct session s = {
        .options = options,
        .config = options->config,
        .log = &options->log,
        .exactly_once = strcmp(options->config->delivery, "exactly_once") == 0,
        .committed_ms = shoal_clock_ms(),
        .saved_ms = shoal_clock_ms(),
        .serving =
            {
                .models = options->models,
                .policies = options->policies,
                .log = &options->log,
                .topic = options->config->topic_events,
                .refuse = strcmp(options->config->recovery_model_missing, "refuse") == 0,
            },
    };
    s.partitions = calloc((size_t)options->partitions, sizeof *s.partitions);
    s.positions = calloc((size_t)options->partitions, sizeof *s.positions);
    s.standings = calloc((size_t)options->partitions, sizeof *s.standings);
    enum shoal_status status = s.partitions && s.positions && s.standings
                                   ? join(&s, message)
                                   : shoal_fail(message, SHOAL_NOMEM, "out of memory");
    if (status == SHOAL_OK)
        status = process(&s, message);
    /* A store that lost writes is no rival: the next session replays what is missing. */
    if (status == SHOAL_FENCED && s.store && s.store->lost_writes)
        status = SHOAL_UNAVAILABLE;
    *worked = s.worked;
    session_publish_end(&s, status);
    session_turn(options);
    shoal_kafka_source_destroy(s.source, true);
    session_turn(options);
    if (s.sink) {
        if (status != SHOAL_OK && s.exactly_once)
            shoal_kafka_sink_abort(s.sink);
        s.sink->ops->destroy(s.sink);
    }
    shoal_pipeline_destroy(s.pipeline);
    if (s.store)
        s.store->ops->destroy(s.store);
    for (int32_t i = 0; s.partitions && i < options->partitions; i++)
        shoal_served_end(&s.serving, &s.partitions[i].served);
    shoal_models_release(options->models, s.model);
    shoal_policies_release(options->policies, s.policy);
    free(s.partitions);
    free(s.positions);
    free(s.standings);
    shoal_delays_finish(&s.delays);
    return status;
}
