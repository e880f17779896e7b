/* SPDX-License-Identifier: Apache-2.0 */
/* Tells clients what happens, as server-sent events (WHATWG HTML, 9.2): each message is written once and shared by
 * all clients that want it; each client has a filter, a rate and a queue with a bound, so that a slow or greedy one
 * costs the others nothing. Knows neither Kafka nor HTTP (http_stream.c does).
 *
 *   publish ──► filter ──► rate ──► queue of references ──► read
 *                            └── too many: counted, told by an event `skipped`
 *
 * Any thread may call anything. */
#ifndef SHOAL_FEED_H
#define SHOAL_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"
#include "state/record.h"

/*  X(NAME, "name of the event") */
#define SHOAL_FEED_LIST(X)                                                                         \
    X(CHANGE, "change")                                                                            \
    X(DECISION, "decision")                                                                        \
    X(OVERVIEW, "overview")                                                                        \
    X(FORGOTTEN, "forgotten")

enum shoal_feed_type {
#define X(NAME, name) SHOAL_FEED_##NAME,
    SHOAL_FEED_LIST(X)
#undef X
        SHOAL_FEED_COUNT
};

enum {
    SHOAL_FEED_RATE = 50,       /* messages a second, unless a client says otherwise */
    SHOAL_FEED_RATE_MAX = 1000,
    SHOAL_FEED_QUEUE = 256,     /* messages that wait for a client */
    SHOAL_FEED_HEARTBEAT_MS = 15000,
};

struct shoal_feed_filter {
    unsigned types;                 /* bits of enum shoal_feed_type */
    char user[SHOAL_USER_MAX + 1];  /* "": any */
    char dimension[65], promotion[65]; /* of changes, of decisions; "": any */
    unsigned rate;                  /* changes and decisions a second, 1 … SHOAL_FEED_RATE_MAX */
};

/* Static. */
const char *shoal_feed_type_name(enum shoal_feed_type type);

struct shoal_feed;
struct shoal_feed_client;

/* A client's reader goes to sleep, or is to be woken; called under the feed's lock, for a client in turn. NULL: nobody is
 * told. */
struct shoal_feed_hooks {
    void (*sleep)(void *reader);
    void (*wake)(void *reader);
};

/* NULL when out of memory. */
struct shoal_feed *shoal_feed_create(const struct shoal_feed_hooks *hooks);
/* All clients must have left. NULL is allowed. */
void shoal_feed_destroy(struct shoal_feed *feed);
/* Every reader reads its end; wakes those that sleep. */
void shoal_feed_end(struct shoal_feed *feed);

/* NULL when out of memory. `reader` is what the hooks get. */
struct shoal_feed_client *shoal_feed_join(struct shoal_feed *feed, const struct shoal_feed_filter *filter,
                                          void *reader, int64_t now_ms);
void shoal_feed_leave(struct shoal_feed_client *client);
/* Bytes for the client, at most `size`; 0: none, and it sleeps until it is woken; −1: the end. */
ptrdiff_t shoal_feed_read(struct shoal_feed_client *client, char *bytes, size_t size, int64_t now_ms);

/* What there is to read for, of all clients together. */
struct shoal_feed_wish {
    size_t clients;
    unsigned types;  /* that somebody wants */
    bool filtered;   /* somebody looks for something, so that much has to be read */
    unsigned rate;   /* the highest */
};
struct shoal_feed_wish shoal_feed_wish(struct shoal_feed *feed);

/* A message: `id` may be NULL; `subject` is the dimension or the promotion. Nothing is kept of the arguments. Those
 * who want it get it with the next tick. */
void shoal_feed_publish(struct shoal_feed *feed, enum shoal_feed_type type, const char *id, size_t id_size,
                        const char *user, size_t user_size, const char *subject, size_t subject_size,
                        const char *data, size_t data_size);
/* So many messages were not read at all. */
void shoal_feed_skip(struct shoal_feed *feed, uint64_t messages);
/* Wakes whoever has something to read, or has read nothing for so long that a heartbeat is due; lets the rates go on. To
 * be called some times a second. */
void shoal_feed_tick(struct shoal_feed *feed, int64_t now_ms);

#endif
