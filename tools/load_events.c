/* SPDX-License-Identifier: Apache-2.0 */
/* Reader, decoder, data set: one file after another; see load_events.h. */
#include "tools/load_events.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "model/purchases.h"
#include "state/record.h"
#include "stream/forget.h"
#include "stream/reader.h"
#include "tools/setup.h"

enum { ARENA_BYTES = 1 << 16, SHOW_EVERY = 1 << 12 };

struct loader {
    struct shoal_load *load;
    struct shoal_dataset *dataset;
    struct shoal_decoder *decoder;
    struct shoal_arena arena;
    struct shoal_event events[SHOAL_EVENTS_PER_MESSAGE_MAX];
    struct shoal_progress progress;
};

static enum shoal_status note_name(struct shoal_item_names *names, const struct shoal_event *event)
{
    char digits[24];
    size_t size;
    const char *id = names ? shoal_event_item(event, digits, &size) : NULL;
    return id ? shoal_item_names_add(names, event->touch.item, id, size) : SHOAL_OK;
}

/* As the pipeline does it (stream/pipeline_forget.c): who withdraws the consent to be processed is forgotten and
 * left out until it is given again. */
static enum shoal_status note_consent(struct shoal_dataset *dataset, const struct shoal_event *event)
{
    if (event->consent_withdrawn & SHOAL_CONSENT_PROCESSING)
        return shoal_dataset_bar(dataset, event->user, event->user_size, true);
    if (event->consent_given & SHOAL_CONSENT_PROCESSING)
        return shoal_dataset_bar(dataset, event->user, event->user_size, false);
    return SHOAL_OK;
}

/* One message's events, those before `until`. */
static enum shoal_status append(struct loader *loader, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct shoal_event *event = &loader->events[i];
        enum shoal_status status = note_consent(loader->dataset, event);
        if (status != SHOAL_OK)
            return status;
        if (event->touch.time_ms >= loader->load->until_ms) {
            loader->load->reached = true;
            continue;
        }
        const struct shoal_extra extra = {
            .event_id = event->event_id,
            .promotion = event->promotion,
            .exposure = event->exposure,
            .amount = (float)shoal_purchase_amount(event->price, event->quantity),
        };
        status = shoal_dataset_append_event(
            loader->dataset, event->user, event->user_size, &event->touch, &extra);
        if (status == SHOAL_OK)
            status = note_name(loader->load->names, event);
        if (status != SHOAL_OK)
            return status;
        loader->load->events++;
    }
    return SHOAL_OK;
}

static enum shoal_status take(struct loader *loader, const struct shoal_input *input)
{
    char user[SHOAL_USER_MAX + 1];
    size_t count, user_size;
    if (shoal_forget_parse(input->value, input->value_size, user, &user_size)) {
        loader->load->messages++;
        return shoal_dataset_forget(loader->dataset, user, user_size);
    }
    struct shoal_message why = {.text = ""};
    shoal_arena_reset(&loader->arena);
    enum shoal_status status =
        shoal_decode(loader->decoder, input, &loader->arena, loader->events, &count, &why);
    loader->load->messages++;
    if (status == SHOAL_OK)
        return append(loader, count);
    if (shoal_status_class(status) != SHOAL_CLASS_SKIP)
        return status;
    loader->load->refused_for[status]++;
    if (loader->load->refused++ == 0)
        loader->load->why = why;
    return SHOAL_OK;
}

static void show(struct loader *loader, const struct shoal_reader *reader)
{
    uint64_t bytes, size, lines;
    shoal_reader_position(reader, &bytes, &size, &lines);
    shoal_progress_update(&loader->progress, size ? (double)bytes / (double)size : -1,
                          loader->load->messages);
}

static enum shoal_status load_file(struct loader *loader, const char *path,
                                   struct shoal_message *message)
{
    struct shoal_reader *reader = NULL;
    enum shoal_status status = shoal_reader_open(path, 1, &reader, message);
    while (status == SHOAL_OK) {
        struct shoal_input input;
        status = shoal_reader_next(reader, &input, message);
        if (status == SHOAL_OK)
            status = take(loader, &input);
        if (loader->load->messages % SHOW_EVERY == 0)
            show(loader, reader);
    }
    shoal_reader_close(reader);
    return status == SHOAL_END ? SHOAL_OK : status;
}

/* Each file of the list; `list` is cut in place. */
static enum shoal_status load_files(struct loader *loader, char *list,
                                    struct shoal_message *message)
{
    enum shoal_status status = SHOAL_OK;
    for (char *rest = list, *path; status == SHOAL_OK && (path = strsep(&rest, ","));)
        if (*path)
            status = load_file(loader, path, message);
    return status;
}

enum shoal_status shoal_load_events(const char *files, struct shoal_load *load,
                                    struct shoal_dataset *dataset, struct shoal_message *message)
{
    struct loader *loader = calloc(1, sizeof *loader);
    char *list = strdup(files);
    enum shoal_status status = loader && list ? SHOAL_OK : SHOAL_NOMEM;
    if (status == SHOAL_OK) {
        loader->load = load;
        loader->dataset = dataset;
        shoal_arena_init(&loader->arena, ARENA_BYTES);
        status = shoal_decoder_create(NULL, &loader->decoder);
    }
    if (status == SHOAL_OK) {
        shoal_progress_start(&loader->progress, "read", "messages");
        status = load_files(loader, list, message);
        shoal_progress_end(&loader->progress);
    }
    if (status == SHOAL_OK)
        status = shoal_dataset_group(dataset);
    if (status == SHOAL_NOMEM)
        shoal_fail(message, status, "out of memory after %llu events",
                   (unsigned long long)load->events);
    if (loader) {
        shoal_decoder_destroy(loader->decoder);
        shoal_arena_finish(&loader->arena);
    }
    free(loader);
    free(list);
    return status;
}

int shoal_load_for(const struct shoal_cli_args *args, struct shoal_load *load,
                   struct shoal_dataset *dataset)
{
    struct shoal_message message = {.text = ""};
    enum shoal_status status =
        shoal_load_events(shoal_cli_get(args, "events"), load, dataset, &message);
    if (status != SHOAL_OK)
        return shoal_cli_fail(args, shoal_setup_exit(status), "%s", message.text);
    if (load->refused)
        fprintf(stderr,
                "%" PRIu64 " of %" PRIu64 " messages cannot be read and are left out, the first "
                "because: %s\n",
                load->refused, load->messages, load->why.text);
    return SHOAL_EXIT_OK;
}
