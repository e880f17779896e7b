/* SPDX-License-Identifier: Apache-2.0 */
/* Embedded mode; see replay.h. */
#include "stream/replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/file_sink.h"
#include "stream/reader.h"
#include "stream/served.h"

enum { PROGRESS_MESSAGES = 4096, PIPELINES_MAX = 64 };

/* What a swap swaps to. */
struct pair {
    const struct shoal_model *model;
    const struct shoal_policy *policy;
};

struct replay {
    const struct shoal_replay_options *options;
    struct shoal_store *store;
    struct shoal_sink *sink;
    struct shoal_pipeline **pipelines;
    unsigned pipelines_count;
    int64_t *next_offset; /* per partition: offset of its next message */
    int64_t *base_offset; /* per partition: messages of the files before the current one */
    struct pair **served; /* [partition][swap]: all held, from start to end */
    uint64_t messages;
};

static void finish(struct replay *replay)
{
    for (unsigned i = 0; replay->pipelines && i < replay->pipelines_count; i++)
        shoal_pipeline_destroy(replay->pipelines[i]);
    free(replay->pipelines);
    free(replay->next_offset);
    free(replay->base_offset);
    for (int32_t i = 0; replay->served && i < replay->options->partitions; i++) {
        for (size_t j = 0; replay->served[i] && j < replay->options->swaps[i].count; j++) {
            shoal_models_release(replay->options->models, replay->served[i][j].model);
            shoal_policies_release(replay->options->policies, replay->served[i][j].policy);
        }
        free(replay->served[i]);
    }
    free((void *)replay->served);
    if (replay->sink && !replay->options->sink)
        replay->sink->ops->destroy(replay->sink);
    if (replay->store && !replay->options->store)
        replay->store->ops->destroy(replay->store);
}

/* Finds the models and policies of all swaps, before anything is done. */
static enum shoal_status find_pairs(struct replay *replay, struct shoal_message *message)
{
    const struct shoal_replay_options *o = replay->options;
    for (int32_t i = 0; o->swaps && i < o->partitions; i++) {
        const struct shoal_swaps *swaps = &o->swaps[i];
        if (swaps->count == 0)
            continue;
        replay->served[i] = calloc(swaps->count, sizeof *replay->served[i]);
        if (!replay->served[i])
            return shoal_fail(message, SHOAL_NOMEM, "out of memory");
        for (size_t j = 0; j < swaps->count; j++) {
            struct pair *pair = &replay->served[i][j];
            enum shoal_status status =
                shoal_models_find(o->models, swaps->list[j].model, &pair->model, message);
            if (status == SHOAL_OK)
                status =
                    shoal_policies_find(o->policies, swaps->list[j].policy, &pair->policy, message);
            if (status != SHOAL_OK)
                return status;
        }
    }
    return SHOAL_OK;
}

/* Partitions are swapped at places of their own, and in a file their messages take turns: a pipeline of
 * several would go to and fro between two models, which is dear where H differs. The result is the same
 * with a pipeline for each. */
static unsigned count_pipelines(const struct replay *replay)
{
    const struct shoal_replay_options *o = replay->options;
    for (int32_t i = 0; o->swaps && i < o->partitions && o->partitions <= PIPELINES_MAX; i++) {
        for (size_t j = 0; j < o->swaps[i].count; j++) {
            if (replay->served[i][j].model->params.dims.hidden != o->pipeline.model->params.dims.hidden)
                return (unsigned)o->partitions;
        }
    }
    return o->workers;
}

/* Writes the swaps, as a run tells them: where a partition begins, and each one after. */
static enum shoal_status tell_swaps(struct replay *replay, struct shoal_message *message)
{
    const struct shoal_replay_options *o = replay->options;
    struct shoal_serving serving = {.models = o->models,
                                    .only = o->pipeline.model,
                                    .topic = o->pipeline.topic,
                                    .format = o->pipeline.format};
    struct shoal_swap only = {0, o->pipeline.model->id,
                              o->pipeline.policy ? o->pipeline.policy->id : 0};
    enum shoal_status status = SHOAL_OK;
    for (int32_t i = 0; i < o->partitions && status == SHOAL_OK; i++) {
        struct shoal_served served = {.swaps = {&only, 1, 1}};
        if (o->swaps && o->swaps[i].count > 0)
            served.swaps = o->swaps[i];
        served.fresh = served.swaps.count;
        status = shoal_served_tell(&serving, &served, i, replay->sink, message);
    }
    return status;
}

static enum shoal_status start(struct replay *replay, struct shoal_message *message)
{
    const struct shoal_replay_options *o = replay->options;
    replay->served = calloc((size_t)o->partitions, sizeof *replay->served);
    if (!replay->served)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    enum shoal_status status = find_pairs(replay, message);
    if (status != SHOAL_OK)
        return status;
    replay->pipelines_count = count_pipelines(replay);
    replay->pipelines = calloc(replay->pipelines_count, sizeof *replay->pipelines);
    replay->next_offset = calloc((size_t)o->partitions, sizeof *replay->next_offset);
    replay->base_offset = calloc((size_t)o->partitions, sizeof *replay->base_offset);
    if (!replay->pipelines || !replay->next_offset || !replay->base_offset)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    replay->store = o->store;
    if (!replay->store)
        status = shoal_memory_store_create(&replay->store);
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "out of memory");
    replay->sink = o->sink;
    if (!replay->sink)
        status = shoal_file_sink_create(o->out, o->pipeline.topic, &replay->sink, message);
    if (status == SHOAL_OK)
        status = replay->store->ops->open(replay->store, o->partitions, message);
    struct shoal_checkpoint before;
    for (int32_t i = 0; i < o->partitions && status == SHOAL_OK; i++) {
        status = replay->store->ops->acquire(replay->store, i, &before, message);
        if (status == SHOAL_OK && before.next_offset >= 0)
            status = shoal_fail(message, SHOAL_CONFIG,
                                "the store holds states of topic %s already: a replay begins with "
                                "none (use another database, or --set topics.events=NAME)",
                                o->pipeline.topic);
    }
    if (status == SHOAL_OK)
        status = tell_swaps(replay, message);
    for (unsigned i = 0; i < replay->pipelines_count && status == SHOAL_OK; i++) {
        struct shoal_pipeline_options pipeline = o->pipeline;
        pipeline.partitions = o->partitions;
        status = shoal_pipeline_create(&pipeline, replay->store, replay->sink,
                                       &replay->pipelines[i]);
        if (status != SHOAL_OK)
            shoal_fail(message, status, "out of memory");
    }
    return status;
}

static struct shoal_pipeline *pipeline_of(const struct replay *replay, int32_t partition)
{
    return replay->pipelines[(unsigned)partition % replay->pipelines_count];
}

/* Runs what waits everywhere and saves every partition. */
static enum shoal_status save_all(struct replay *replay, struct shoal_message *message)
{
    enum shoal_status status = SHOAL_OK;
    for (unsigned i = 0; i < replay->pipelines_count && status == SHOAL_OK; i++)
        status = shoal_pipeline_run(replay->pipelines[i], message);
    for (int32_t i = 0; i < replay->options->partitions && status == SHOAL_OK; i++)
        status = shoal_pipeline_save(pipeline_of(replay, i), i, replay->next_offset[i], message);
    return status;
}

/* The pipeline goes on under the model and policy of the message. A micro-batch is applied under one. */
static enum shoal_status follow_swaps(struct replay *replay, struct shoal_pipeline *pipeline,
                                      const struct shoal_input *input,
                                      struct shoal_message *message)
{
    const struct shoal_replay_options *o = replay->options;
    struct pair pair = {o->pipeline.model, o->pipeline.policy};
    struct pair now = {shoal_pipeline_model(pipeline), shoal_pipeline_policy(pipeline)};
    if (replay->served[input->partition])
        pair = replay->served[input->partition]
                             [shoal_swaps_find(&o->swaps[input->partition], input->offset)];
    if (pair.model == now.model && pair.policy == now.policy)
        return SHOAL_OK;
    enum shoal_status status = shoal_pipeline_run(pipeline, message);
    if (status == SHOAL_OK && pair.model->params.dims.hidden != now.model->params.dims.hidden)
        status = save_all(replay, message);
    if (status != SHOAL_OK)
        return status;
    shoal_pipeline_use_policy(pipeline, pair.policy);
    if (pair.model == now.model)
        return SHOAL_OK;
    status = shoal_pipeline_use(pipeline, pair.model);
    return status == SHOAL_OK ? SHOAL_OK : shoal_fail(message, status, "out of memory");
}

static enum shoal_status add(struct replay *replay, struct shoal_input *input,
                             struct shoal_message *message)
{
    const struct shoal_replay_options *o = replay->options;
    struct shoal_pipeline *pipeline = pipeline_of(replay, input->partition);
    input->offset += replay->base_offset[input->partition];
    input->timestamp_ms = o->record_time_ms;
    enum shoal_status status = follow_swaps(replay, pipeline, input, message);
    if (status != SHOAL_OK)
        return status;
    status = shoal_pipeline_add(pipeline, input, false);
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "message %llu: %s",
                          (unsigned long long)replay->messages, shoal_status_text(status));
    replay->next_offset[input->partition] = input->offset + 1;
    replay->messages++;
    if (shoal_pipeline_waiting(pipeline) >= o->pipeline.batch_events)
        status = shoal_pipeline_run(pipeline, message);
    bool due = o->save_messages > 0 && replay->messages % o->save_messages == 0;
    if (status == SHOAL_OK &&
        (due || shoal_pipeline_dirty(pipeline) >= shoal_pipeline_dirty_max(pipeline)))
        status = save_all(replay, message);
    if (status == SHOAL_OK && due) {
        for (unsigned i = 0; i < replay->pipelines_count; i++)
            shoal_pipeline_drop(replay->pipelines[i], -1);
    }
    return status;
}

static enum shoal_status read_file(struct replay *replay, size_t index,
                                   struct shoal_message *message)
{
    const struct shoal_replay_options *o = replay->options;
    struct shoal_reader *reader;
    enum shoal_status status = shoal_reader_open(o->events[index], o->partitions, &reader, message);
    if (status != SHOAL_OK)
        return status;
    if (o->pipeline.decode.pseudonyms)
        shoal_reader_tell_all(reader);
    memcpy(replay->base_offset, replay->next_offset,
           (size_t)o->partitions * sizeof *replay->base_offset);
    struct shoal_input input;
    while ((status = shoal_reader_next(reader, &input, message)) == SHOAL_OK) {
        status = add(replay, &input, message);
        if (status != SHOAL_OK)
            break;
        if (o->progress && replay->messages % PROGRESS_MESSAGES == 0) {
            uint64_t bytes, size, lines;
            shoal_reader_position(reader, &bytes, &size, &lines);
            double within = size ? (double)bytes / (double)size : 0;
            o->progress(o->opaque, ((double)index + within) / (double)o->events_count,
                        replay->messages);
        }
    }
    shoal_reader_close(reader);
    return status == SHOAL_END ? SHOAL_OK : status;
}

static void sum_counts(struct replay *replay, struct shoal_pipeline_counts *counts)
{
    *counts = (struct shoal_pipeline_counts){0};
    for (unsigned i = 0; i < replay->pipelines_count; i++) {
        const struct shoal_pipeline_counts *one = shoal_pipeline_counts(replay->pipelines[i]);
        shoal_pipeline_counts_add(counts, one);
    }
}

enum shoal_status shoal_replay(const struct shoal_replay_options *options,
                               struct shoal_pipeline_counts *counts, struct shoal_message *message)
{
    struct replay replay = {.options = options};
    enum shoal_status status = start(&replay, message);
    for (size_t i = 0; i < options->events_count && status == SHOAL_OK; i++)
        status = read_file(&replay, i, message);
    if (status == SHOAL_OK)
        status = save_all(&replay, message);
    if (status == SHOAL_OK && !options->sink)
        status = shoal_file_sink_flush(replay.sink, message);
    if (status == SHOAL_OK && !options->sink) {
        char path[4096];
        snprintf(path, sizeof path, "%s/states.jsonl", options->out);
        status = shoal_states_write(replay.store, path, message);
        snprintf(path, sizeof path, "%s/partitions.jsonl", options->out);
        if (status == SHOAL_OK)
            status = shoal_partitions_write(replay.store, path, message);
    }
    if (status == SHOAL_OK)
        sum_counts(&replay, counts);
    finish(&replay);
    return status;
}
