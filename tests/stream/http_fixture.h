/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of the HTTP server share: a server on a Redis of its own, in which two users stand, and requests to it. */
#ifndef SHOAL_TESTS_HTTP_FIXTURE_H
#define SHOAL_TESTS_HTTP_FIXTURE_H

#include <criterion/criterion.h>

#include "stream/http.h"
#include "tests/state/redis_server.h"

extern const struct shoal_log quiet;

struct server {
    struct test_redis redis;
    char folder[64];            /* models/, promotions.yaml */
    struct shoal_config *config;
    struct shoal_models *models;
    struct shoal_policies *policies;
    struct shoal_http *http;
    bool ready;
    uint64_t model;
    size_t items;               /* set before: the model has a catalogue of so many; 0: none */
    const char *policy;         /* set before; NULL: one promotion, "welcome" */
    const struct shoal_log *log; /* set before; NULL: quiet */
};

/* Users "ann" in partition 0 of two, "b/b" in partition 1. `settings`: key, value, …, NULL; or NULL. */
void begin(struct server *s, const char *const *settings);
/* The same with what is "set before". */
void begin_with(struct server *s, const char *const *settings);
void end(struct server *s);
void set(struct server *s, const char *key, const char *value);

/* ---- asking -------------------------------------------------------------------------------- */

/* A connection. */
int dial(const struct server *s);
/* Reads until the peer closes, or for two seconds without a byte; zero-terminated. */
size_t read_all(int fd, char *text, size_t room);

/* The last answer. */
extern struct http_answer {
    int status;
    char text[128 << 10];
} answer;

/* A request of its own connection; headers: further lines, each with \r\n, or "". The status; 0: no answer. */
int ask(const struct server *s, const char *method, const char *path, const char *headers);
int get(const struct server *s, const char *path);
/* Reads a stream until the text comes, at most ten seconds. */
bool reads(int fd, const char *text);

#define EXPECT_TEXT(part) cr_expect_not_null(strstr(answer.text, part), "%s is not in %s", part, answer.text)

#endif
