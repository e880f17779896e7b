/* SPDX-License-Identifier: Apache-2.0 */
/* A user, from Redis or from files; see person.h. */
#include "tools/person.h"

#include <stdlib.h>
#include <string.h>

#include "state/store.h"
#include "stream/pipeline.h"
#include "stream/reader.h"
#include "stream/store_options.h"

enum { ARENA_BYTES = 1 << 14 };

void shoal_person_finish(struct shoal_person *person)
{
    free(person->hc);
    *person = (struct shoal_person){0};
}

void shoal_person_rates(const struct shoal_person *person, int64_t now_ms, float *rates)
{
    const struct shoal_record *record = &person->record;
    float counters[SHOAL_COUNTERS];
    memcpy(counters, record->counters, sizeof counters);
    shoal_counters_decay(counters, now_ms - record->last_ms);
    shoal_counters_rates(counters, now_ms - record->first_ms, rates);
}

/* h and c under the model, from the ring (stream/pipeline_run.c does it for many at once). */
static enum shoal_status rebuild(const struct shoal_model *model, enum shoal_precision precision,
                                 struct shoal_record *record)
{
    struct shoal_step *step;
    enum shoal_status status = shoal_step_create(model, 1, precision, &step);
    if (status != SHOAL_OK)
        return status;
    memset(record->h, 0, record->hidden * sizeof *record->h);
    memset(record->c, 0, record->hidden * sizeof *record->c);
    for (uint8_t r = 0; r < record->ring_count; r++) {
        const struct shoal_touch *touch = &record->ring[r];
        int64_t gap_ms = r == 0 ? 0 : touch->time_ms - record->ring[r - 1].time_ms;
        struct shoal_step_row row = {.h = record->h, .c = record->c};
        shoal_features_of(&model->params.dims, record->ring, r, touch, gap_ms, &row.features);
        shoal_step_run(step, &row, 1);
    }
    record->model = model->id;
    shoal_step_destroy(step);
    return SHOAL_OK;
}

/* The record's bytes, or an empty record for a user whom the store does not know. */
static enum shoal_status take(struct shoal_store *store, const struct shoal_model *model, const char *user,
                              struct shoal_person *person, struct shoal_message *message)
{
    int32_t partition;
    uint32_t hidden = (uint32_t)model->params.dims.hidden, stored;
    enum shoal_precision precision = SHOAL_FP16;
    struct shoal_slice value = {0};
    enum shoal_status status =
        store->ops->find(store, (struct shoal_slice){user, strlen(user)}, &partition, &value, message);
    person->known = status == SHOAL_OK;
    if (status != SHOAL_OK && status != SHOAL_NOT_FOUND)
        return status;
    person->hc = calloc(2 * (size_t)hidden, sizeof *person->hc);
    if (!person->hc)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    shoal_record_init(&person->record, hidden, person->hc);
    if (!person->known)
        return SHOAL_OK;
    status = shoal_record_shape(value.bytes, value.size, &stored, &precision);
    if (status == SHOAL_OK)
        status = shoal_record_decode(&person->record, value.bytes, value.size);
    if (status == SHOAL_OK && person->record.model != model->id)
        status = rebuild(model, precision, &person->record);
    return status == SHOAL_OK ? SHOAL_OK
                              : shoal_fail(message, status, "record of user '%s': %s", user,
                                           shoal_status_text(status));
}

enum shoal_status shoal_person_find(const struct shoal_config *config, const struct shoal_model *model,
                                    const char *user, struct shoal_person *person,
                                    struct shoal_message *message)
{
    struct shoal_redis_options redis = shoal_store_options(config);
    struct shoal_store *store = NULL;
    *person = (struct shoal_person){0};
    enum shoal_status status = shoal_redis_store_create(&redis, &store, message);
    if (status == SHOAL_OK)
        status = take(store, model, user, person, message);
    if (store)
        store->ops->destroy(store);
    return status;
}

/* ---- from events --------------------------------------------------------------------------- */

static enum shoal_status ignore(struct shoal_sink *sink, const struct shoal_output *output)
{
    return SHOAL_OK;
}

/* A replay of one user. */
struct replay {
    const char *user;
    int64_t at_ms;
    struct shoal_store *store;
    struct shoal_pipeline *pipeline;
    struct shoal_decoder *decoder;
    struct shoal_arena arena;
    struct shoal_event events[SHOAL_EVENTS_PER_MESSAGE_MAX];
    int64_t next_offset;
};

/* A message that cannot be read changes no record, and is left out like those of other users. */
static enum shoal_status feed(struct replay *replay, const struct shoal_input *input,
                              struct shoal_message *message)
{
    size_t count, size = strlen(replay->user);
    if (input->key && (input->key_size != size || memcmp(input->key, replay->user, size) != 0))
        return SHOAL_OK;
    shoal_arena_reset(&replay->arena);
    if (shoal_decode(replay->decoder, input, &replay->arena, replay->events, &count, NULL) != SHOAL_OK ||
        count == 0 || strcmp(replay->events[0].user, replay->user) != 0 ||
        replay->events[0].touch.time_ms > replay->at_ms)
        return SHOAL_OK;
    enum shoal_status status = shoal_pipeline_add(replay->pipeline, input, true);
    replay->next_offset = input->offset + 1;
    return status == SHOAL_OK ? shoal_pipeline_run(replay->pipeline, message) : status;
}

static enum shoal_status feed_file(struct replay *replay, const char *path, struct shoal_message *message)
{
    struct shoal_reader *reader = NULL;
    enum shoal_status status = shoal_reader_open(path, 1, &reader, message);
    while (status == SHOAL_OK) {
        struct shoal_input input;
        status = shoal_reader_next(reader, &input, message);
        if (status == SHOAL_OK)
            status = feed(replay, &input, message);
    }
    shoal_reader_close(reader);
    return status == SHOAL_END ? SHOAL_OK : status;
}

static enum shoal_status begin(struct replay *replay, const struct shoal_config *config,
                               const struct shoal_model *model, struct shoal_sink *sink,
                               struct shoal_message *message)
{
    struct shoal_pipeline_options options = shoal_pipeline_options_of(config, model, NULL);
    struct shoal_checkpoint before;
    options.batch_events = 1;
    shoal_arena_init(&replay->arena, ARENA_BYTES);
    enum shoal_status status = shoal_memory_store_create(&replay->store);
    if (status == SHOAL_OK)
        status = replay->store->ops->open(replay->store, 1, message);
    if (status == SHOAL_OK)
        status = replay->store->ops->acquire(replay->store, 0, &before, message);
    if (status == SHOAL_OK)
        status = shoal_pipeline_create(&options, replay->store, sink, &replay->pipeline);
    return status == SHOAL_OK ? shoal_decoder_create(&options.decode, &replay->decoder) : status;
}

enum shoal_status shoal_person_replay(const struct shoal_config *config, const struct shoal_model *model,
                                      const char *files, const char *user, int64_t at_ms,
                                      struct shoal_person *person, struct shoal_message *message)
{
    static const struct shoal_sink_ops ops = {.emit = ignore};
    struct shoal_sink sink = {.ops = &ops};
    struct replay *replay = calloc(1, sizeof *replay);
    char *list = strdup(files);
    *person = (struct shoal_person){0};
    enum shoal_status status = SHOAL_NOMEM;
    if (replay && list) {
        replay->user = user;
        replay->at_ms = at_ms;
        status = begin(replay, config, model, &sink, message);
    }
    for (char *rest = list, *path; status == SHOAL_OK && (path = strsep(&rest, ","));) {
        if (*path)
            status = feed_file(replay, path, message);
    }
    if (status == SHOAL_OK)
        status = shoal_pipeline_save(replay->pipeline, 0, replay->next_offset, message);
    if (status == SHOAL_OK)
        status = take(replay->store, model, user, person, message);
    if (status == SHOAL_NOMEM)
        shoal_fail(message, status, "out of memory");
    if (replay) {
        shoal_pipeline_destroy(replay->pipeline);
        shoal_decoder_destroy(replay->decoder);
        if (replay->store)
            replay->store->ops->destroy(replay->store);
        shoal_arena_finish(&replay->arena);
    }
    free(replay);
    free(list);
    return status;
}
