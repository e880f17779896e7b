/* SPDX-License-Identifier: Apache-2.0 */
/* Messages for many clients; see feed.h. */
#include "stream/feed.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SKIPPED_EVERY_MS = 1000 };

/* A message as it is sent; counted. */
struct event {
    unsigned references;
    size_t size;
    char text[];
};

struct shoal_feed_client {
    struct shoal_feed *feed;
    struct shoal_feed_client *next, **back;
    struct shoal_feed_filter filter;
    void *reader;
    bool asleep;
    struct event *queue[SHOAL_FEED_QUEUE];
    size_t first, count; /* in the queue */
    size_t sent;         /* bytes of the first that were read */
    double tokens;       /* messages that the rate still allows */
    int64_t refilled_ms, read_ms, told_ms;
    uint64_t skipped;
    bool beat;           /* a heartbeat is due */
    char note[96];       /* bytes of the client's own: the greeting, heartbeats, what was skipped */
    size_t note_size, note_sent;
};

struct shoal_feed {
    struct shoal_feed_hooks hooks;
    pthread_mutex_t lock;
    struct shoal_feed_client *clients;
    size_t clients_count;
    bool ended;
};

const char *shoal_feed_type_name(enum shoal_feed_type type)
{
    static const char *const names[] = {
#define X(NAME, name) name,
        SHOAL_FEED_LIST(X)
#undef X
    };
    return names[type];
}

struct shoal_feed *shoal_feed_create(const struct shoal_feed_hooks *hooks)
{
    struct shoal_feed *feed = calloc(1, sizeof *feed);
    if (!feed)
        return NULL;
    feed->hooks = *hooks;
    pthread_mutex_init(&feed->lock, NULL);
    return feed;
}

void shoal_feed_destroy(struct shoal_feed *feed)
{
    if (!feed)
        return;
    pthread_mutex_destroy(&feed->lock);
    free(feed);
}

/* ---- clients ------------------------------------------------------------------------------- */

static void note(struct shoal_feed_client *client, const char *format, uint64_t number)
{
    client->note_size = (size_t)snprintf(client->note, sizeof client->note, format, number);
    client->note_sent = 0;
}

struct shoal_feed_client *shoal_feed_join(struct shoal_feed *feed, const struct shoal_feed_filter *filter,
                                          void *reader, int64_t now_ms)
{
    struct shoal_feed_client *client = calloc(1, sizeof *client);
    if (!client)
        return NULL;
    client->feed = feed;
    client->filter = *filter;
    client->reader = reader;
    client->tokens = filter->rate;
    client->refilled_ms = client->read_ms = now_ms;
    client->told_ms = now_ms - SKIPPED_EVERY_MS;
    /* Something has to come at once, so that the client sees that the answer begins. */
    note(client, "retry: %" PRIu64 "\n\n", 2000);
    pthread_mutex_lock(&feed->lock);
    client->next = feed->clients;
    client->back = &feed->clients;
    if (client->next)
        client->next->back = &client->next;
    feed->clients = client;
    feed->clients_count++;
    pthread_mutex_unlock(&feed->lock);
    return client;
}

static void release(struct event *event)
{
    if (event && --event->references == 0)
        free(event);
}

static void pop(struct shoal_feed_client *client)
{
    release(client->queue[client->first]);
    client->first = (client->first + 1) % SHOAL_FEED_QUEUE;
    client->count--;
    client->sent = 0;
}

void shoal_feed_leave(struct shoal_feed_client *client)
{
    struct shoal_feed *feed = client->feed;
    pthread_mutex_lock(&feed->lock);
    *client->back = client->next;
    if (client->next)
        client->next->back = client->back;
    feed->clients_count--;
    while (client->count)
        pop(client);
    pthread_mutex_unlock(&feed->lock);
    free(client);
}

static void wake(struct shoal_feed_client *client)
{
    const struct shoal_feed_hooks *hooks = &client->feed->hooks;
    if (client->asleep && hooks->wake)
        hooks->wake(client->reader);
    client->asleep = false;
}

void shoal_feed_end(struct shoal_feed *feed)
{
    pthread_mutex_lock(&feed->lock);
    feed->ended = true;
    for (struct shoal_feed_client *client = feed->clients; client; client = client->next)
        wake(client);
    pthread_mutex_unlock(&feed->lock);
}

/* ---- reading ------------------------------------------------------------------------------- */

static bool may_tell(const struct shoal_feed_client *client, int64_t now_ms)
{
    return client->skipped > 0 && now_ms - client->told_ms >= SKIPPED_EVERY_MS;
}

/* The next piece of bytes for the client, which are its own between messages. */
static size_t take(struct shoal_feed_client *client, char *bytes, size_t size, int64_t now_ms)
{
    const char *from = client->note + client->note_sent;
    size_t left = client->note_size - client->note_sent;
    if (left == 0 && client->sent == 0 && may_tell(client, now_ms)) {
        note(client, "event: skipped\ndata: {\"messages\":%" PRIu64 "}\n\n", client->skipped);
        client->skipped = 0;
        client->told_ms = now_ms;
        from = client->note;
        left = client->note_size;
    }
    if (left == 0 && client->count == 0 && client->beat) {
        note(client, ":\n\n", 0);
        from = client->note;
        left = client->note_size;
    }
    client->beat = client->beat && left == 0 && client->count == 0;
    if (left > 0) {
        size_t part = left < size ? left : size;
        memcpy(bytes, from, part);
        client->note_sent += part;
        return part;
    }
    if (client->count == 0)
        return 0;
    const struct event *event = client->queue[client->first];
    left = event->size - client->sent;
    size_t part = left < size ? left : size;
    memcpy(bytes, event->text + client->sent, part);
    client->sent += part;
    if (client->sent == event->size)
        pop(client);
    return part;
}

ptrdiff_t shoal_feed_read(struct shoal_feed_client *client, char *bytes, size_t size, int64_t now_ms)
{
    struct shoal_feed *feed = client->feed;
    size_t taken = 0, part;
    pthread_mutex_lock(&feed->lock);
    if (feed->ended) {
        pthread_mutex_unlock(&feed->lock);
        return -1;
    }
    while (taken < size && (part = take(client, bytes + taken, size - taken, now_ms)) > 0)
        taken += part;
    if (taken > 0)
        client->read_ms = now_ms;
    client->asleep = taken == 0;
    if (client->asleep && feed->hooks.sleep)
        feed->hooks.sleep(client->reader);
    pthread_mutex_unlock(&feed->lock);
    return (ptrdiff_t)taken;
}

/* ---- publishing ---------------------------------------------------------------------------- */

static bool is_filtered(const struct shoal_feed_filter *filter)
{
    return filter->user[0] || filter->dimension[0] || filter->promotion[0];
}

struct shoal_feed_wish shoal_feed_wish(struct shoal_feed *feed)
{
    struct shoal_feed_wish wish = {0};
    pthread_mutex_lock(&feed->lock);
    wish.clients = feed->clients_count;
    for (const struct shoal_feed_client *client = feed->clients; client; client = client->next) {
        wish.types |= client->filter.types;
        wish.filtered = wish.filtered || is_filtered(&client->filter);
        if (client->filter.rate > wish.rate)
            wish.rate = client->filter.rate;
    }
    pthread_mutex_unlock(&feed->lock);
    return wish;
}

static bool is_same(const char *wanted, const char *text, size_t size)
{
    return !wanted[0] || (strlen(wanted) == size && memcmp(wanted, text, size) == 0);
}

static bool wants(const struct shoal_feed_filter *filter, enum shoal_feed_type type, const char *user,
                  size_t user_size, const char *subject, size_t subject_size)
{
    if (!(filter->types >> type & 1))
        return false;
    if (type == SHOAL_FEED_OVERVIEW)
        return true;
    if (type == SHOAL_FEED_CHANGE && !is_same(filter->dimension, subject, subject_size))
        return false;
    if (type == SHOAL_FEED_DECISION && !is_same(filter->promotion, subject, subject_size))
        return false;
    return is_same(filter->user, user, user_size);
}

static void append(char **at, const char *text, size_t size)
{
    memcpy(*at, text, size);
    *at += size;
}

/* NULL when out of memory. */
static struct event *make_event(enum shoal_feed_type type, const char *id, size_t id_size,
                                const char *data, size_t data_size)
{
    const char *name = shoal_feed_type_name(type);
    size_t room = sizeof "event: \nid: \ndata: \n\n" + strlen(name) + id_size + data_size;
    struct event *event = malloc(sizeof *event + room);
    if (!event)
        return NULL;
    char *at = event->text;
    append(&at, "event: ", 7);
    append(&at, name, strlen(name));
    if (id) {
        append(&at, "\nid: ", 5);
        append(&at, id, id_size);
    }
    append(&at, "\ndata: ", 7);
    append(&at, data, data_size);
    append(&at, "\n\n", 2);
    event->references = 1;
    event->size = (size_t)(at - event->text);
    return event;
}

static void push(struct shoal_feed_client *client, enum shoal_feed_type type, struct event *event)
{
    bool limited = type == SHOAL_FEED_CHANGE || type == SHOAL_FEED_DECISION;
    if (client->count == SHOAL_FEED_QUEUE || (limited && client->tokens < 1)) {
        client->skipped += limited;
        return;
    }
    client->tokens -= limited;
    client->queue[(client->first + client->count++) % SHOAL_FEED_QUEUE] = event;
    event->references++;
}

void shoal_feed_publish(struct shoal_feed *feed, enum shoal_feed_type type, const char *id, size_t id_size,
                        const char *user, size_t user_size, const char *subject, size_t subject_size,
                        const char *data, size_t data_size)
{
    struct event *event = NULL;
    pthread_mutex_lock(&feed->lock);
    for (struct shoal_feed_client *client = feed->clients; client; client = client->next) {
        if (!wants(&client->filter, type, user, user_size, subject, subject_size))
            continue;
        if (!event)
            event = make_event(type, id, id_size, data, data_size);
        if (event)
            push(client, type, event);
        else
            client->skipped++;
    }
    release(event);
    pthread_mutex_unlock(&feed->lock);
}

void shoal_feed_skip(struct shoal_feed *feed, uint64_t messages)
{
    const unsigned limited = 1u << SHOAL_FEED_CHANGE | 1u << SHOAL_FEED_DECISION;
    pthread_mutex_lock(&feed->lock);
    for (struct shoal_feed_client *client = feed->clients; client; client = client->next)
        client->skipped += client->filter.types & limited ? messages : 0;
    pthread_mutex_unlock(&feed->lock);
}

void shoal_feed_tick(struct shoal_feed *feed, int64_t now_ms)
{
    pthread_mutex_lock(&feed->lock);
    for (struct shoal_feed_client *client = feed->clients; client; client = client->next) {
        double rate = client->filter.rate;
        client->tokens += rate * (double)(now_ms - client->refilled_ms) / 1000;
        client->tokens = client->tokens < rate ? client->tokens : rate; /* a second's worth at once */
        client->refilled_ms = now_ms;
        client->beat = client->beat || now_ms - client->read_ms >= SHOAL_FEED_HEARTBEAT_MS;
        if (client->count > 0 || client->beat || may_tell(client, now_ms))
            wake(client);
    }
    pthread_mutex_unlock(&feed->lock);
}
