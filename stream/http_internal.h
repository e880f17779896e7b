/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of the HTTP side share:
 *
 *   http.c          the server's life; a request from its first line to its reply
 *   http_daemon.c   what accepts and sends; its certificate
 *   http_head.c     what its head says: who asks, what for
 *   http_routes.c   which call is answered by whom
 *   http_work.c     the workers that answer what is slow
 *   http_reply.c    replies and problems (RFC 9457)
 *   http_health.c, http_users.c, http_decisions.c, http_segments.c, http_service.c …   the answers
 *   http_watch.c    what all instances have done, for several of these
 *   http_stream.c   what happens, to those who follow it
 *
 * A handler runs in one thread at a time, fills the request's reply and returns; the server sends it. */
#ifndef SHOAL_HTTP_INTERNAL_H
#define SHOAL_HTTP_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

#include "state/record.h"
#include "state/store.h"
#include "stream/file_changes.h"
#include "stream/forgetting.h"
#include "stream/http.h"
#include "stream/http_page.h"
#include "stream/http_tokens.h"
#include "stream/person.h"

struct MHD_Connection;
struct MHD_Response;
struct http_daemon;
struct shoal_watch;
struct shoal_stream;
struct http_request;

enum http_kind {
    HTTP_QUICK, /* in the server's thread: asks nobody */
    HTTP_WORK,  /* in a worker, with r->store */
};

struct http_route {
    const char *method, *path; /* "/v1/users/{id}": a part in braces matches anything */
    enum shoal_http_role role; /* the least that may */
    enum http_kind kind;
    void (*handle)(struct http_request *r);
};

enum { HTTP_PARAMS_MAX = 2, HTTP_PATH_MAX = 2048, HTTP_BODY_MAX = 64 << 10 };

struct http_request {
    struct shoal_http *http;
    struct MHD_Connection *connection;
    const struct http_route *route; /* NULL: none, a file of the page or a problem */
    enum shoal_http_role role;      /* of who asks */
    const char *params[HTTP_PARAMS_MAX]; /* parts of the path in braces, decoded; in `path` */
    char path[HTTP_PATH_MAX];       /* scratch of the params */
    const char *url;                /* as it came, for problems; until the reply is sent */
    char user[SHOAL_USER_MAX + 1];  /* id under which the user of the path is stored */
    struct shoal_store *store;      /* of the worker, NULL for what is quick; so is the next */
    struct shoal_forgetting **forgetting; /* *forgetting is NULL until it is needed */
    int64_t began_ns;               /* monotonic */
    size_t body_bytes;              /* that came, and were dropped */
    /* the reply */
    unsigned status;
    const char *type;               /* static */
    const char *retry_after;        /* seconds; NULL: none */
    const char *allow;              /* NULL: none */
    char *body;                     /* owned until it is sent; written through `out` */
    size_t size;
    FILE *out;
    struct shoal_put put;           /* on `out` */
    struct MHD_Response *response;  /* instead of a body: a file, a stream; owned */
    bool answered;                  /* a worker is through with it */
    struct http_request *next;      /* in the queue */
    int64_t queued_ms;              /* since when; monotonic */
};

struct shoal_http {
    struct shoal_http_options options;
    int fd; /* listens */
    struct http_daemon *daemons; /* of http_daemon.c; the first one takes connections */
    struct shoal_file_changes certificate_changes, key_changes;
    bool certificate_refused; /* as the files are now */
    struct shoal_http_tokens *tokens; /* NULL: everybody on loopback may */
    struct shoal_http_page *page;
    char url[136];
    bool loopback;
    unsigned connections; /* most at once */
    struct shoal_watch *watch;   /* over all instances: http_watch.h */
    struct shoal_stream *stream; /* http_stream.h */
    int64_t started_ms;
    atomic_int partitions; /* of the events topic; 0: not known yet */
    /* queue of the workers */
    pthread_mutex_t lock;
    pthread_cond_t wanted;
    struct http_request *first, **last;
    size_t waiting;
    bool ending;
    pthread_t *threads;
    size_t threads_count;
};

/* ---- http_head.c --------------------------------------------------------------------------- */

/* Can it be told where the request ends, and that it is not too long? False: a problem is in r. */
bool http_understood(struct http_request *r, const char *version);
/* What the head decides: a problem, a file, or nothing yet (false): the route is to handle it. */
bool http_settle(struct http_request *r, const char *method, const char *url);

/* ---- http_routes.c ------------------------------------------------------------------------- */

/* The route of a request, with its params in r->params; NULL: there is none, and a problem is in r (404, 405 or
 * 400), unless *page is set: it may be a file of the page. `url` is as it came, without the query. */
const struct http_route *http_route_find(struct http_request *r, const char *method, const char *url,
                                         bool *page);
/* For the test that compares them with openapi.json; ends with a NULL method. */
const struct http_route *http_routes(void);

/* ---- http_work.c --------------------------------------------------------------------------- */

enum shoal_status http_work_start(struct shoal_http *http,
                                  struct shoal_message *message) SHOAL_MUST_CHECK;
/* The request is answered by a worker, which wakes its connection then. False: too many wait. */
bool http_work_add(struct shoal_http *http, struct http_request *r);
/* Ends the workers; what waits is told that the server ends, as is what the server's thread still adds. */
void http_work_stop(struct shoal_http *http);
/* Once the server's thread has ended too, which asks http_work_add to its end. */
void http_work_finish(struct shoal_http *http);

/* ---- http_reply.c -------------------------------------------------------------------------- */

/* Opens the reply: JSON is written through the result, which is r->put. */
struct shoal_put *http_json(struct http_request *r);
/* Replaces what was written by a problem document. `kind` is the end of its type's URN. */
void http_problem(struct http_request *r, unsigned status, const char *kind, const char *title,
                  const char *format, ...) SHOAL_PRINTF(5, 6);
/* The problem that a status stands for: 503 for class retry, else 500. */
void http_failed(struct http_request *r, enum shoal_status status, const struct shoal_message *message);
/* A parameter of the query, decoded; NULL: not given. The first of its name counts. A value that is missing, has no room
 * or cannot be decoded counts as "". */
const char *http_query(struct http_request *r, const char *name, char *room, size_t size);
/* An integer of the query. False: a problem is in r. */
bool http_query_int(struct http_request *r, const char *name, long long least, long long most,
                    long long *value);
/* Hands the reply over to be sent; frees what it had. */
int http_send(struct http_request *r);
void http_reply_finish(struct http_request *r);

/* A flag of the query: true or false, as it was if it is not given. False: a problem is in r. */
bool http_query_flag(struct http_request *r, const char *name, bool *value);

/* ---- http_users.c -------------------------------------------------------------------------- */

/* Finds r->user, as it is stored, from params[0]: the id that events have, or with ?pseudonym=true what stands for
 * it. False: it can be no user id, and a problem is in r. */
bool http_names_user(struct http_request *r);
typedef void http_tell(struct http_request *r, const struct shoal_person *person, const struct shoal_model *model,
                       const struct shoal_policy *policy);
/* Answers with what `tell` says of the user that the path names; `policy` is NULL where there is none. Who is not known
 * is told so, or `strangers` come to `tell` too. */
void http_tell_user(struct http_request *r, bool strangers, http_tell *tell);
/* The time as of which a user is looked at: the clock, or the log's where that is another day; not before the user's last
 * event. http_decisions.c */
int64_t http_present(struct http_request *r, const struct shoal_person *person);

/* ---- handlers ------------------------------------------------------------------------------ */

void http_healthz(struct http_request *r);
void http_readyz(struct http_request *r);
void http_metrics(struct http_request *r);
void http_openapi(struct http_request *r);
void http_user(struct http_request *r);
void http_user_decisions(struct http_request *r);
void http_user_items(struct http_request *r);
void http_user_explain(struct http_request *r);
void http_user_forget(struct http_request *r);
void http_models(struct http_request *r);
void http_segments(struct http_request *r);
void http_segments_history(struct http_request *r);
void http_segment_users(struct http_request *r);
void http_promotions(struct http_request *r);
void http_overview(struct http_request *r);
void http_stream(struct http_request *r);

#endif
