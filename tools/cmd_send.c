/* SPDX-License-Identifier: Apache-2.0 */
/* shoal send: events files to the events topic, as a producer keyed by user id. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"
#include "stream/kafka_client.h"
#include "stream/kafka_sink.h"
#include "stream/reader.h"
#include "tools/commands.h"
#include "tools/setup.h"

struct window {
    bool from_given, until_given;
    long long from_ms, until_ms;
    struct shoal_decoder *decoder; /* NULL: no window, nothing is decoded */
    struct shoal_arena arena;
    struct shoal_event *events;
};

/* Messages that cannot be decoded have no time: they are sent whatever the window. */
static bool wanted(struct window *window, const struct shoal_input *input)
{
    if (!window->decoder)
        return true;
    size_t count = 0;
    shoal_arena_reset(&window->arena);
    if (shoal_decode(window->decoder, input, &window->arena, window->events, &count, NULL) !=
            SHOAL_OK || count == 0)
        return true;
    int64_t time_ms = window->events[0].touch.time_ms;
    return (!window->from_given || time_ms >= window->from_ms) &&
           (!window->until_given || time_ms < window->until_ms);
}

struct sender {
    const struct shoal_cli_args *args;
    struct shoal_setup *setup;
    struct shoal_sink *sink;
    struct window window;
    long long rate; /* messages a second; 0 = as fast as possible */
    uint64_t sent;
    int64_t since_ns;
    struct shoal_progress progress;
};

static void keep_rate(const struct sender *sender)
{
    if (sender->rate == 0)
        return;
    int64_t due_ns = sender->since_ns +
                     (int64_t)((double)sender->sent / (double)sender->rate * 1e9);
    int64_t left_ns = due_ns - shoal_clock_ns();
    if (left_ns > 200000) {
        struct timespec pause = {left_ns / 1000000000, left_ns % 1000000000};
        nanosleep(&pause, NULL);
    }
}

static enum shoal_status send_file(struct sender *sender, const char *path, int32_t partitions,
                                   struct shoal_message *message)
{
    struct shoal_reader *reader;
    struct shoal_input input;
    enum shoal_status status = shoal_reader_open(path, partitions, &reader, message);
    if (status != SHOAL_OK)
        return status;
    if (sender->setup->config->pseudonyms)
        shoal_reader_tell_all(reader);
    while ((status = shoal_reader_next(reader, &input, message)) == SHOAL_OK) {
        if (!wanted(&sender->window, &input))
            continue;
        keep_rate(sender);
        status = shoal_kafka_sink_send(sender->sink, &input, message);
        if (status != SHOAL_OK)
            break;
        if (++sender->sent % 1024 == 0) {
            uint64_t bytes, size, lines;
            shoal_reader_position(reader, &bytes, &size, &lines);
            shoal_progress_update(&sender->progress,
                                  size ? (double)bytes / (double)size : -1, sender->sent);
        }
    }
    shoal_reader_close(reader);
    return status == SHOAL_END ? SHOAL_OK : status;
}

static enum shoal_status open_window(struct sender *sender, struct shoal_message *message)
{
    struct window *w = &sender->window;
    if (!w->from_given && !w->until_given)
        return SHOAL_OK;
    struct shoal_decode_options options = shoal_decode_options_default();
    shoal_arena_init(&w->arena, 1 << 16);
    w->events = calloc(SHOAL_EVENTS_PER_MESSAGE_MAX, sizeof *w->events);
    enum shoal_status status =
        w->events ? shoal_decoder_create(&options, &w->decoder) : SHOAL_NOMEM;
    return status == SHOAL_OK ? status : shoal_fail(message, status, "out of memory");
}

static enum shoal_status send_all(struct sender *sender, char *events,
                                  struct shoal_message *message)
{
    struct shoal_log log = {.level = SHOAL_WARNING, .worker = -1};
    struct shoal_kafka_monitor *monitor = NULL;
    int32_t partitions = 0;
    enum shoal_status status =
        shoal_kafka_monitor_create(sender->setup->config, &log, &monitor, message);
    if (status == SHOAL_OK)
        status = shoal_kafka_topics(monitor, &partitions, message);
    if (status == SHOAL_OK)
        status = shoal_kafka_sink_create(sender->setup->config, &log, NULL, false, &sender->sink, message);
    if (status == SHOAL_OK)
        status = open_window(sender, message);
    shoal_progress_start(&sender->progress, "send", "messages");
    sender->since_ns = shoal_clock_ns();
    for (char *rest = events, *file; status == SHOAL_OK && (file = strsep(&rest, ","));) {
        if (*file)
            status = send_file(sender, file, partitions, message);
    }
    if (status == SHOAL_OK)
        status = shoal_kafka_sink_flush(sender->sink, message);
    shoal_progress_end(&sender->progress);
    if (sender->sink)
        sender->sink->ops->destroy(sender->sink);
    shoal_kafka_monitor_destroy(monitor);
    shoal_decoder_destroy(sender->window.decoder);
    shoal_arena_finish(&sender->window.arena);
    free(sender->window.events);
    return status;
}

static int run(const struct shoal_cli_args *args)
{
    struct shoal_setup setup;
    struct shoal_message message = {.text = ""};
    struct sender sender = {.args = args, .setup = &setup};
    int code = shoal_setup_config(args, &setup);
    char *events = strdup(shoal_cli_get(args, "events"));
    if (code == SHOAL_EXIT_OK &&
        (!events || !shoal_cli_int(args, "rate", 0, 100000000, &sender.rate) ||
         !shoal_cli_time(args, "from", &sender.window.from_given, &sender.window.from_ms) ||
         !shoal_cli_time(args, "until", &sender.window.until_given, &sender.window.until_ms)))
        code = SHOAL_EXIT_USAGE;
    if (code == SHOAL_EXIT_OK) {
        enum shoal_status status = send_all(&sender, events, &message);
        if (status != SHOAL_OK) {
            code = shoal_cli_fail(args, shoal_setup_exit(status), "%s", message.text);
        } else {
            double seconds = (double)(shoal_clock_ns() - sender.since_ns) / 1e9;
            fprintf(stderr, "%" PRIu64 " messages to %s in %.2f s (%.0f messages/s)\n", sender.sent,
                    setup.config->topic_events, seconds, (double)sender.sent / seconds);
        }
    }
    free(events);
    shoal_setup_finish(&setup);
    return code;
}

static const struct shoal_cli_option options[] = {
    {"events", "FILE[,FILE…]", NULL, "events: JSON lines or CSV, plain, gzip or zstd; - for standard input",
     true, false},
    {"from", "TIME", NULL, "only events at or after this event time", false, false},
    {"until", "TIME", NULL, "only events before this event time", false, false},
    {"rate", "N", "0", "messages a second; 0: as fast as possible", false, false},
    SHOAL_SETUP_OPTIONS,
    {0},
};

const struct shoal_cli_command shoal_cmd_send = {
    .name = "send",
    .summary = "produce an events file to the events topic",
    .description = "CSV rows become JSON events; each message is keyed by its user id. Rows that "
                   "cannot be read are sent as they are and end in the dead-letter topic.",
    .example = "shoal send --config deploy/shoal.yaml --events events.csv.gz --rate 20000",
    .options = options,
    .run = run,
};
