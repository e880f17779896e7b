/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events; see http_stream.h.
 *
 * The thread works in ticks of a fifth of a second, so that many clients cost a wake each and not one a message. Without a
 * filter among the clients it reads as much as the fastest of them takes and no more: what comes beyond that stays
 * unread, and is skipped. */
#include "stream/http_stream.h"

#include <microhttpd.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/clock.h"
#include "stream/encode.h"
#include "stream/feed.h"
#include "stream/http_internal.h"
#include "stream/http_watch.h"
#include "stream/kafka_follow.h"
#include "stream/pack_json.h"
#include "stream/pseudonym.h"

enum {
    TICK_MS = 200,
    OVERVIEW_MS = 2000,
    FILTERED_MESSAGES = 4000, /* most that are read in a tick while somebody looks for something */
    LATE_TICKS = 5,           /* of messages that may wait before the rest is skipped: a second */
    BLOCK_BYTES = 8 << 10,
};

struct shoal_stream {
    const struct shoal_http_options *options;
    struct shoal_watch *watch;
    struct shoal_feed *feed;
    pthread_t thread;
    bool threaded;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool ending; /* guarded by the lock */
    /* of the thread */
    struct shoal_kafka_follow *follow;
    unsigned followed; /* types that `follow` reads for */
    struct shoal_buffer json;
    int64_t overview_ms, complained_ms;
};

/* ---- what was read ------------------------------------------------------------------------- */

/* What an output is about: behind "topic/partition/offset/" of its id. */
static void subject_of(const struct shoal_followed *message, const char **subject, size_t *size)
{
    const char *at = message->id, *end = at + message->id_size;
    *size = 0;
    *subject = "";
    for (int slashes = 0; at && at < end && slashes < 3; at++)
        slashes += *at == '/';
    if (at && at < end) {
        *subject = at;
        *size = (size_t)(end - at);
    }
}

/* On one line, as an event's data has to be. */
static bool is_line(const char *text, size_t size)
{
    return !memchr(text, '\n', size) && !memchr(text, '\r', size) && !memchr(text, '\0', size);
}

static void publish_forgotten(struct shoal_stream *stream, const struct shoal_followed *message)
{
    struct shoal_encoder encoder;
    shoal_buffer_clear(&stream->json);
    shoal_encode_init(&encoder, SHOAL_ENCODE_JSON, &stream->json);
    shoal_encode_map(&encoder, 1);
    SHOAL_ENCODE_KEY(&encoder, "user_id");
    shoal_encode_str(&encoder, message->key, message->key_size);
    shoal_encode_map_end(&encoder);
    if (!stream->json.failed)
        shoal_feed_publish(stream->feed, SHOAL_FEED_FORGOTTEN, NULL, 0, message->key, message->key_size,
                           "", 0, (const char *)stream->json.bytes, stream->json.size);
}

static void publish(struct shoal_stream *stream, const struct shoal_followed *message)
{
    const char *data = message->value, *subject;
    size_t size = message->value_size, subject_size;
    bool change = message->topic == SHOAL_TOPIC_SEGMENTS;
    if (!data || size == 0) { /* a user's tombstones are in both topics: one is enough */
        if (change)
            publish_forgotten(stream, message);
        return;
    }
    if (*data != '{') {
        shoal_buffer_clear(&stream->json);
        if (shoal_pack_json(data, size, &stream->json) != SHOAL_OK)
            return;
        data = (const char *)stream->json.bytes;
        size = stream->json.size;
    }
    subject_of(message, &subject, &subject_size);
    bool named = message->id && is_line(message->id, message->id_size);
    if (is_line(data, size))
        shoal_feed_publish(stream->feed, change ? SHOAL_FEED_CHANGE : SHOAL_FEED_DECISION,
                           named ? message->id : NULL, message->id_size, message->key,
                           message->key_size, subject, subject_size, data, size);
}

/* ---- reading ------------------------------------------------------------------------------- */

enum {
    OF_SEGMENTS = 1 << SHOAL_FEED_CHANGE | 1 << SHOAL_FEED_FORGOTTEN,
    OF_DECISIONS = 1 << SHOAL_FEED_DECISION,
};

/* The follower that is needed, or none. */
static void follow(struct shoal_stream *stream, const struct shoal_feed_wish *wish)
{
    struct shoal_message message = {.text = ""};
    unsigned wanted = wish->clients ? wish->types & (OF_SEGMENTS | OF_DECISIONS) : 0;
    if (stream->follow && (wanted & ~stream->followed || !wanted)) {
        shoal_kafka_follow_destroy(stream->follow);
        stream->follow = NULL;
    }
    if (stream->follow || !wanted)
        return;
    stream->followed = wanted;
    enum shoal_status status = shoal_kafka_follow_create(
        stream->options->config, stream->options->log, wanted & OF_SEGMENTS, wanted & OF_DECISIONS,
        &stream->follow, &message);
    int64_t now_ms = shoal_clock_ms();
    if (status != SHOAL_OK && now_ms - stream->complained_ms > 60000) {
        shoal_log_write(stream->options->log, SHOAL_WARNING, "http: the stream cannot be read: %s", message.text);
        stream->complained_ms = now_ms;
    }
}

static void read_some(struct shoal_stream *stream, const struct shoal_feed_wish *wish)
{
    size_t budget = wish->filtered ? FILTERED_MESSAGES : wish->rate * TICK_MS / 1000 + 2;
    struct shoal_followed message;
    for (size_t i = 0; stream->follow && i < budget; i++) {
        if (shoal_kafka_follow_poll(stream->follow, 0, &message) != SHOAL_OK)
            return;
        publish(stream, &message);
    }
    uint64_t skipped = stream->follow
                           ? shoal_kafka_follow_catch_up(stream->follow, LATE_TICKS * (uint64_t)budget)
                           : 0;
    if (skipped > 0)
        shoal_feed_skip(stream->feed, skipped);
}

static void tell_overview(struct shoal_stream *stream, int64_t now_ms)
{
    if (now_ms - stream->overview_ms < OVERVIEW_MS)
        return;
    struct shoal_seen *seen = shoal_watch_glance(stream->watch);
    stream->overview_ms = now_ms;
    if (!seen)
        return;
    shoal_feed_publish(stream->feed, SHOAL_FEED_OVERVIEW, NULL, 0, "", 0, "", 0, seen->overview,
                       seen->overview_size);
    shoal_watch_release(stream->watch, seen);
}

/* False when it is to end. */
static bool wait(struct shoal_stream *stream, int64_t until_ms)
{
    struct timespec until = {until_ms / 1000, until_ms % 1000 * 1000000};
    pthread_mutex_lock(&stream->lock);
    int waited = 0;
    while (!stream->ending && waited == 0)
        waited = pthread_cond_timedwait(&stream->changed, &stream->lock, &until);
    bool ending = stream->ending;
    pthread_mutex_unlock(&stream->lock);
    return !ending;
}

static void *run(void *opaque)
{
    struct shoal_stream *stream = opaque;
    while (wait(stream, shoal_clock_ms() + TICK_MS)) {
        struct shoal_feed_wish wish = shoal_feed_wish(stream->feed);
        follow(stream, &wish);
        if (wish.clients == 0)
            continue;
        read_some(stream, &wish);
        if (wish.types >> SHOAL_FEED_OVERVIEW & 1)
            tell_overview(stream, shoal_clock_ms());
        shoal_feed_tick(stream->feed, shoal_clock_ms());
    }
    shoal_kafka_follow_destroy(stream->follow);
    return NULL;
}

/* ---- clients ------------------------------------------------------------------------------- */

static void sleep_connection(void *reader)
{
    MHD_suspend_connection(reader);
}

static void wake_connection(void *reader)
{
    MHD_resume_connection(reader);
}

static ssize_t read_client(void *client, uint64_t position, char *bytes, size_t size)
{
    (void)position;
    ptrdiff_t taken = shoal_feed_read(client, bytes, size, shoal_clock_ms());
    return taken < 0 ? MHD_CONTENT_READER_END_OF_STREAM : taken;
}

static void end_client(void *client)
{
    shoal_feed_leave(client);
}

static unsigned type_of(const char *name, size_t size)
{
    for (unsigned type = 0; type < SHOAL_FEED_COUNT; type++) {
        const char *known = shoal_feed_type_name((enum shoal_feed_type)type);
        if (strlen(known) == size && memcmp(known, name, size) == 0)
            return 1u << type;
    }
    return 0;
}

/* "change,decision". 0: one of them is unknown. */
static unsigned types_of(const char *text)
{
    unsigned types = 0;
    for (;;) {
        size_t size = strcspn(text, ",");
        unsigned type = type_of(text, size);
        if (!type)
            return 0;
        types |= type;
        if (!text[size])
            return types;
        text += size + 1;
    }
}

static bool take_text(struct http_request *r, const char *name, char *room, size_t size)
{
    if (!http_query(r, name, room, size) || *room)
        return true;
    http_problem(r, 400, "bad-parameter", "A parameter cannot be read", "%s: 1 to %zu bytes", name, size - 1);
    return false;
}

/* From the id that events have to what the topics' keys are; ?pseudonym=true: it is that already. */
static bool store_user(struct http_request *r, struct shoal_feed_filter *filter)
{
    char room[SHOAL_PSEUDONYM_SIZE + 1];
    bool stored = false;
    if (!http_query_flag(r, "pseudonym", &stored))
        return false;
    if (stored || !filter->user[0])
        return true;
    const char *key = shoal_pseudonym_stored(r->http->options.config->pseudonyms, filter->user, room);
    if (key != filter->user)
        snprintf(filter->user, sizeof filter->user, "%s", key);
    return true;
}

static bool parse(struct http_request *r, struct shoal_feed_filter *filter)
{
    char types[128];
    long long rate = SHOAL_FEED_RATE;
    *filter = (struct shoal_feed_filter){.types = (1u << SHOAL_FEED_COUNT) - 1};
    if (http_query(r, "types", types, sizeof types))
        filter->types = types_of(types);
    if (!filter->types) {
        http_problem(r, 400, "bad-parameter", "A parameter cannot be read",
                     "types: change, decision, overview, forgotten, with commas between them");
        return false;
    }
    if (!take_text(r, "user", filter->user, sizeof filter->user) ||
        !take_text(r, "dimension", filter->dimension, sizeof filter->dimension) ||
        !take_text(r, "promotion", filter->promotion, sizeof filter->promotion) ||
        !http_query_int(r, "rate", 1, SHOAL_FEED_RATE_MAX, &rate))
        return false;
    filter->rate = (unsigned)rate;
    return store_user(r, filter);
}

void http_stream(struct http_request *r)
{
    struct shoal_stream *stream = r->http->stream;
    struct shoal_feed_filter filter;
    if (!parse(r, &filter))
        return;
    if (shoal_stream_clients(stream) >= r->http->connections / 2) {
        http_problem(r, 503, "busy", "Too many clients follow the stream", "come back later");
        r->retry_after = "10";
        return;
    }
    struct shoal_feed_client *client =
        shoal_feed_join(stream->feed, &filter, r->connection, shoal_clock_ms());
    if (!client) {
        http_failed(r, SHOAL_NOMEM, NULL);
        return;
    }
    r->status = 200;
    r->response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, read_client, client, end_client);
    if (!r->response) {
        shoal_feed_leave(client);
        http_failed(r, SHOAL_NOMEM, NULL);
        return;
    }
    (void)MHD_add_response_header(r->response, "Content-Type", "text/event-stream; charset=utf-8");
    (void)MHD_add_response_header(r->response, "Cache-Control", "no-store");
    (void)MHD_add_response_header(r->response, "X-Accel-Buffering", "no"); /* proxies hold nothing back */
}

/* ---- life ---------------------------------------------------------------------------------- */

enum shoal_status shoal_stream_create(const struct shoal_http_options *options,
                                      struct shoal_stream **result, struct shoal_message *message)
{
    static const struct shoal_feed_hooks hooks = {sleep_connection, wake_connection};
    pthread_condattr_t monotonic;
    *result = NULL;
    struct shoal_stream *stream = calloc(1, sizeof *stream);
    if (!stream)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&stream->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    pthread_mutex_init(&stream->lock, NULL);
    stream->options = options;
    stream->complained_ms = -60000;
    stream->feed = shoal_feed_create(&hooks);
    if (!stream->feed) {
        shoal_stream_destroy(stream);
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    }
    *result = stream;
    return SHOAL_OK;
}

enum shoal_status shoal_stream_start(struct shoal_stream *stream, struct shoal_watch *watch,
                                     struct shoal_message *message)
{
    stream->watch = watch;
    stream->threaded = pthread_create(&stream->thread, NULL, run, stream) == 0;
    return stream->threaded ? SHOAL_OK : shoal_fail(message, SHOAL_NOMEM, "cannot start a thread");
}

void shoal_stream_end(struct shoal_stream *stream)
{
    if (!stream)
        return;
    pthread_mutex_lock(&stream->lock);
    stream->ending = true;
    pthread_cond_broadcast(&stream->changed);
    pthread_mutex_unlock(&stream->lock);
    if (stream->threaded)
        pthread_join(stream->thread, NULL);
    stream->threaded = false;
    shoal_feed_end(stream->feed);
}

void shoal_stream_destroy(struct shoal_stream *stream)
{
    if (!stream)
        return;
    shoal_feed_destroy(stream->feed);
    shoal_buffer_finish(&stream->json);
    pthread_cond_destroy(&stream->changed);
    pthread_mutex_destroy(&stream->lock);
    free(stream);
}

size_t shoal_stream_clients(void *opaque)
{
    const struct shoal_stream *stream = opaque;
    return shoal_feed_wish(stream->feed).clients;
}
