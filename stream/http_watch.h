/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at what all instances have done (overview.h) every ten seconds for the history, and when somebody asks, at most
 * once a second however many ask. A thread of its own with a store and a Kafka client of its own; what it last saw is
 * shared by reference, as JSON that is sent as it is. */
#ifndef SHOAL_HTTP_WATCH_H
#define SHOAL_HTTP_WATCH_H

#include "stream/http.h"

/* Documents of one look; immutable, counted. */
struct shoal_seen {
    char *segments, *promotions, *overview; /* bodies of the calls of these names */
    size_t segments_size, promotions_size, overview_size;
    int64_t made_ms; /* monotonic */
    int references;  /* guarded by the watch */
};

struct shoal_watch;

/* What a document needs and the store does not have. Called from the watch's thread. */
struct shoal_watch_hooks {
    size_t (*stream_clients)(void *opaque);
    void *opaque;
};

/* `options` is borrowed until the destroy. */
enum shoal_status shoal_watch_create(const struct shoal_http_options *options,
                                     const struct shoal_watch_hooks *hooks, struct shoal_watch **watch,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
/* Whoever waits goes on without an answer, and nobody will get one. */
void shoal_watch_end(struct shoal_watch *watch);
/* Ends it and waits for its thread; all that was seen must have been given back. NULL is allowed. */
void shoal_watch_destroy(struct shoal_watch *watch);
/* The events topic has so many partitions: it can begin. */
void shoal_watch_partitions(struct shoal_watch *watch, int32_t partitions);

/* What was seen at most a second ago; waits for it. UNAVAILABLE where Redis cannot be asked or the partitions are not
 * known yet. To be given back. */
enum shoal_status shoal_watch_see(struct shoal_watch *watch, struct shoal_seen **seen,
                                  struct shoal_message *message) SHOAL_MUST_CHECK;
/* What was seen last, and has something newer made; NULL: nothing yet. Waits for nothing. To be given back. */
struct shoal_seen *shoal_watch_glance(struct shoal_watch *watch);
void shoal_watch_release(struct shoal_watch *watch, struct shoal_seen *seen);

/* The body of /v1/segments/history. */
void shoal_watch_history(struct shoal_watch *watch, struct shoal_put *put, unsigned minutes);

#endif
