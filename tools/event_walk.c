/* SPDX-License-Identifier: Apache-2.0 */
/* Reader, decoder, and who is left out; see event_walk.h. */
#include "tools/event_walk.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state/memory_table.h"
#include "state/record.h"
#include "stream/forget.h"
#include "stream/pseudonym.h"
#include "stream/reader.h"
#include "stream/tick.h"
#include "tools/cli.h"

enum { ARENA_BYTES = 1 << 16, SHOW_EVERY = 1 << 12 };

struct walker {
    struct shoal_walk *walk;
    struct shoal_walked *walked;
    struct shoal_pseudonyms *pseudonyms;
    struct shoal_decoder *decoder;
    struct shoal_arena arena;
    struct shoal_event events[SHOAL_EVENTS_PER_MESSAGE_MAX];
    struct shoal_table declined; /* users who decline to be processed; no values */
    struct shoal_progress progress;
};

/* ---- who is left out ----------------------------------------------------------------------- */

static enum shoal_status decline(struct walker *walker, const struct shoal_event *event)
{
    if (!shoal_table_reserve(&walker->declined, 1))
        return SHOAL_NOMEM;
    struct shoal_table_item *item = shoal_table_item(event->user, event->user_size, "", 0);
    if (!item)
        return SHOAL_NOMEM;
    shoal_table_put(&walker->declined, item);
    return walker->walk->forget(walker->walk->context, event->user, event->user_size);
}

static enum shoal_status take_event(struct walker *walker, const struct shoal_event *event)
{
    if (event->consent_given & SHOAL_CONSENT_PROCESSING)
        shoal_table_remove(&walker->declined, event->user, event->user_size);
    bool declines = event->consent_withdrawn & SHOAL_CONSENT_PROCESSING;
    bool declined = walker->declined.count > 0 &&
                    shoal_table_find(&walker->declined, event->user, event->user_size);
    walker->walked->declined += declines || declined;
    if (declines && !declined)
        return decline(walker, event);
    return declines || declined ? SHOAL_OK : walker->walk->take(walker->walk->context, event);
}

static enum shoal_status take_forget(struct walker *walker, const char *user, size_t user_size)
{
    walker->walked->forgotten++;
    walker->walked->unmatched += !walker->pseudonyms && shoal_pseudonym_is(user, user_size);
    return walker->walk->forget(walker->walk->context, user, user_size);
}

/* ---- messages ------------------------------------------------------------------------------ */

static enum shoal_status take_message(struct walker *walker, const struct shoal_input *input)
{
    char user[SHOAL_USER_MAX + 1];
    size_t count, user_size;
    int64_t told_ms;
    struct shoal_message why = {.text = ""};
    walker->walked->messages++;
    if (shoal_tick_parse(input->value, input->value_size, &told_ms))
        return SHOAL_OK;
    if (shoal_forget_parse(input->value, input->value_size, user, &user_size))
        return take_forget(walker, user, user_size);
    shoal_arena_reset(&walker->arena);
    enum shoal_status status =
        shoal_decode(walker->decoder, input, &walker->arena, walker->events, &count, &why);
    for (size_t i = 0; status == SHOAL_OK && i < count; i++) {
        status = take_event(walker, &walker->events[i]);
        if (status != SHOAL_OK)
            return status;
    }
    if (shoal_status_class(status) != SHOAL_CLASS_SKIP)
        return status;
    walker->walked->refused_for[status]++;
    if (walker->walked->refused++ == 0)
        walker->walked->why = why;
    return SHOAL_OK;
}

static void show(struct walker *walker, const struct shoal_reader *reader)
{
    uint64_t bytes, size, lines;
    shoal_reader_position(reader, &bytes, &size, &lines);
    shoal_progress_update(&walker->progress, size ? (double)bytes / (double)size : -1,
                          walker->walked->messages);
}

static enum shoal_status walk_file(struct walker *walker, const char *path,
                                   struct shoal_message *message)
{
    struct shoal_reader *reader = NULL;
    enum shoal_status status = shoal_reader_open(path, 1, &reader, message);
    while (status == SHOAL_OK) {
        struct shoal_input input;
        status = shoal_reader_next(reader, &input, message);
        if (status == SHOAL_OK)
            status = take_message(walker, &input);
        if (walker->walked->messages % SHOW_EVERY == 0)
            show(walker, reader);
    }
    shoal_reader_close(reader);
    return status == SHOAL_END ? SHOAL_OK : status;
}

/* ---- files --------------------------------------------------------------------------------- */

static enum shoal_status begin(struct walker *walker, struct shoal_walk *walk,
                               struct shoal_message *message)
{
    struct shoal_decode_options options = shoal_decode_options_default();
    enum shoal_status status = SHOAL_OK;
    walk->walked = (struct shoal_walked){0};
    walker->walk = walk;
    walker->walked = &walk->walked;
    shoal_arena_init(&walker->arena, ARENA_BYTES);
    if (walk->pseudonym_key)
        status = shoal_pseudonyms_load(walk->pseudonym_key, &walker->pseudonyms, message);
    options.pseudonyms = walker->pseudonyms;
    return status == SHOAL_OK ? shoal_decoder_create(&options, &walker->decoder) : status;
}

enum shoal_status shoal_walk_events(const char *files, struct shoal_walk *walk,
                                    struct shoal_message *message)
{
    struct walker *walker = calloc(1, sizeof *walker);
    char *list = strdup(files);
    enum shoal_status status = walker && list ? begin(walker, walk, message) : SHOAL_NOMEM;
    if (status == SHOAL_OK) {
        shoal_progress_start(&walker->progress, "read", "messages");
        for (char *rest = list, *path; status == SHOAL_OK && (path = strsep(&rest, ","));)
            if (*path)
                status = walk_file(walker, path, message);
        shoal_progress_end(&walker->progress);
    }
    if (status == SHOAL_NOMEM)
        shoal_fail(message, status, "out of memory after %" PRIu64 " messages",
                   walker ? walk->walked.messages : 0);
    if (walker) {
        shoal_table_finish(&walker->declined);
        shoal_decoder_destroy(walker->decoder);
        shoal_pseudonyms_destroy(walker->pseudonyms);
        shoal_arena_finish(&walker->arena);
    }
    free(walker);
    free(list);
    return status;
}

void shoal_walked_tell(const struct shoal_walked *walked)
{
    if (walked->refused)
        fprintf(stderr,
                "%" PRIu64 " of %" PRIu64 " messages cannot be read and are left out, the first "
                "because: %s\n",
                walked->refused, walked->messages, walked->why.text);
    if (walked->unmatched)
        fprintf(stderr,
                "%" PRIu64 " of %" PRIu64 " messages that have users forgotten name pseudonyms: without "
                "--pseudonym-key these users are not recognised and still count\n",
                walked->unmatched, walked->forgotten);
}
