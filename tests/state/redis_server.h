/* SPDX-License-Identifier: Apache-2.0 */
/* A redis-server of a test's own: found through PATH, in a new folder, on a Unix socket only. It
 * ends with the test, also when the test fails: the kernel kills it when its parent dies. */
#ifndef SHOAL_TESTS_REDIS_SERVER_H
#define SHOAL_TESTS_REDIS_SERVER_H

#include <sys/types.h>

struct test_redis {
    pid_t pid; /* 0 = not running */
    char folder[64], data[96], socket[96], url[112];
    const char *options[24]; /* further arguments, NULL-terminated; kept for restarts */
};

/* A loopback port that nobody has at the moment. */
int test_free_port(void);
/* Starts a server without persistence unless `options` (NULL-terminated, or NULL) say otherwise,
 * and waits until it answers. Fails the test if there is no redis-server. */
void test_redis_start(struct test_redis *redis, const char *const *options);
/* Ends it by SIGKILL: what was not on disk is lost. The folder stays. */
void test_redis_kill(struct test_redis *redis);
/* Starts it again on the same folder. */
void test_redis_restart(struct test_redis *redis);
/* Ends it and removes the folder. Accepts a zeroed struct. */
void test_redis_stop(struct test_redis *redis);

/* Sends one command (words up to a NULL); the reply as test_redis_ask gives it. */
const char *test_redis_command(struct test_redis *redis, const char *word, ...)
    __attribute__((sentinel));

#endif
