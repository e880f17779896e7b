/* SPDX-License-Identifier: Apache-2.0 */
/* Where commands find a user (stream/person.h): in Redis, or in events as a pipeline would have left it. */
#ifndef SHOAL_PERSON_FIND_H
#define SHOAL_PERSON_FIND_H

#include "stream/config.h"
#include "stream/person.h"

/* The user as it stands in Redis. */
enum shoal_status shoal_person_find(const struct shoal_config *config, const struct shoal_model *model,
                                    const char *user, struct shoal_person *person,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* The user after the events of `files` ("a,b,…") until at_ms, which is included. */
enum shoal_status shoal_person_replay(const struct shoal_config *config, const struct shoal_model *model,
                                      const char *files, const char *user, int64_t at_ms,
                                      struct shoal_person *person,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
