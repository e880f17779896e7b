/* SPDX-License-Identifier: Apache-2.0 */
/* A message of our own in the events topic that has its partition forget a user:
 *
 *   {"shoal_forget":"4711"}      the user id as it is stored (a pseudonym where there are any)
 *
 * It stands in the log like an event of that user. From there on there is no record and no timer of the user,
 * and tombstones go to the topics that hold outputs of the user (pipeline_forget.c). A recovery and a
 * replay pass it at the same place, so neither brings the user back. An event of the user that comes after
 * it begins a new user, unless the user has declined to be processed: that stays (consent.h).
 *
 * Written by `shoal forget` and the DELETE call (forgetting.h). */
#ifndef SHOAL_FORGET_H
#define SHOAL_FORGET_H

#include <stdbool.h>
#include <stddef.h>

#include "state/record.h"

enum { SHOAL_FORGET_BYTES = 24 + 2 * SHOAL_USER_MAX };

/* Is this such a message, as JSON in whatever way it is written? False for one with anything else in it. `user` is
 * zero-terminated. */
bool shoal_forget_parse(const void *value, size_t size, char user[SHOAL_USER_MAX + 1],
                        size_t *user_size);
/* Returns the length; 0 if this can be no user id. */
size_t shoal_forget_print(const char *user, size_t user_size, char text[SHOAL_FORGET_BYTES]);

#endif
