/* SPDX-License-Identifier: Apache-2.0 */
/* The users of deploy/redis.acl, for tests that give them to servers. */
#ifndef SHOAL_TESTS_ACL_H
#define SHOAL_TESTS_ACL_H

#include <stddef.h>

enum { ACL_WORDS = 48 };

/* The words of a user's line behind "user shoal", in static memory: that of the servers, or of the sentinels. */
size_t test_acl_words(int of_sentinels, const char *words[ACL_WORDS]);

#endif
