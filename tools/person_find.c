/* SPDX-License-Identifier: Apache-2.0 */
/* A user, from Redis or from files; see person_find.h. */
#include "tools/person_find.h"

#include <stdlib.h>
#include <string.h>

#include "stream/forget.h"
#include "stream/pipeline.h"
#include "stream/pseudonym.h"
#include "stream/reader.h"
#include "stream/store_options.h"

enum { ARENA_BYTES = 1 << 14 };

enum shoal_status shoal_person_find(const struct shoal_config *config, const struct shoal_model *model,
                                    const char *user, struct shoal_person *person,
                                    struct shoal_message *message)
{
    struct shoal_redis_options redis = shoal_store_options(config);
    struct shoal_store *store = NULL;
    char room[SHOAL_PSEUDONYM_SIZE + 1];
    user = shoal_pseudonym_stored(config->pseudonyms, user, room);
    *person = (struct shoal_person){0};
    enum shoal_status status = shoal_redis_store_create(&redis, &store, message);
    if (status == SHOAL_OK)
        status = shoal_person_take(store, model, user, person, message);
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
    const char *user;     /* as stored */
    const char *original; /* as the events have it */
    int64_t at_ms;
    struct shoal_store *store;
    struct shoal_pipeline *pipeline;
    struct shoal_decoder *decoder;
    struct shoal_arena arena;
    struct shoal_event events[SHOAL_EVENTS_PER_MESSAGE_MAX];
    int64_t next_offset;
};

/* A message that cannot be read changes no record, and is left out like those of other users. So is what is dated
 * later, unless it ends what is kept of the user: what is gone is gone for every look back. */
static enum shoal_status feed(struct replay *replay, const struct shoal_input *input,
                              struct shoal_message *message)
{
    char forgotten[SHOAL_USER_MAX + 1];
    size_t count, size = strlen(replay->original);
    size_t forgotten_size;
    bool forgets = shoal_forget_parse(input->value, input->value_size, forgotten, &forgotten_size) &&
                   strcmp(forgotten, replay->user) == 0;
    if (!forgets && input->key &&
        (input->key_size != size || memcmp(input->key, replay->original, size) != 0))
        return SHOAL_OK;
    shoal_arena_reset(&replay->arena);
    if (!forgets &&
        (shoal_decode(replay->decoder, input, &replay->arena, replay->events, &count, NULL) != SHOAL_OK ||
         count == 0 || strcmp(replay->events[0].user, replay->user) != 0 ||
         (replay->events[0].touch.time_ms > replay->at_ms &&
          !(replay->events[0].consent_withdrawn & SHOAL_CONSENT_PROCESSING))))
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
    char *list = strdup(files), room[SHOAL_PSEUDONYM_SIZE + 1];
    const char *original = user;
    *person = (struct shoal_person){0};
    enum shoal_status status = SHOAL_NOMEM;
    if (replay && list) {
        replay->user = user = shoal_pseudonym_stored(config->pseudonyms, user, room);
        replay->original = original;
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
        status = shoal_person_take(replay->store, model, user, person, message);
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
