/* SPDX-License-Identifier: Apache-2.0 */
/* Single commands to a Redis server, for tests and benchmarks. */
#ifndef SHOAL_TESTS_REDIS_CLIENT_H
#define SHOAL_TESTS_REDIS_CLIENT_H

#include <stddef.h>
#include <stdint.h>

/* Sends one command on a connection of its own; returns a text form of the reply, valid until the
 * next call: strings as they are, integers in decimal, "(nil)", errors as "-…", arrays "[…,…]".
 * NULL if the server cannot be reached. */
const char *test_redis_ask(const char *url, const char *const *words, size_t count);
/* The number behind `name:` in a section of INFO; −1 if it is not there. */
int64_t test_redis_number(const char *url, const char *section, const char *name);

#endif
