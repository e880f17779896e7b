/* SPDX-License-Identifier: Apache-2.0 */
/* GET /v1/stream: changes, decisions and the overview as they come. One thread reads the output topics while there is a
 * client, and gives what it reads to the feed (feed.h); a client's connection sleeps while nothing is there for it. */
#ifndef SHOAL_HTTP_STREAM_H
#define SHOAL_HTTP_STREAM_H

#include "stream/http.h"

struct shoal_watch;
struct shoal_stream;

/* What it is given is borrowed; the watch may be set later, before the first client. */
enum shoal_status shoal_stream_create(const struct shoal_http_options *options,
                                      struct shoal_stream **stream,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;
/* The thread begins. */
enum shoal_status shoal_stream_start(struct shoal_stream *stream, struct shoal_watch *watch,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
/* Ends every client's answer and the thread; to be called before the server ends. NULL is allowed. */
void shoal_stream_end(struct shoal_stream *stream);
/* After the server has ended. NULL is allowed. */
void shoal_stream_destroy(struct shoal_stream *stream);
/* Clients now. Any thread. */
size_t shoal_stream_clients(void *stream);

#endif
