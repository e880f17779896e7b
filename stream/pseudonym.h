/* SPDX-License-Identifier: Apache-2.0 */
/* Pseudonyms: what stands for user ids in states, keys, outputs and logs when a key is configured
 * (privacy.pseudonym_key), so that none of them holds the original.
 *
 *   BLAKE2b-128(key, user id) in base32: 26 letters and digits, "k3v4m2n7…"
 *
 * The same id and key always give the same pseudonym: a user's events stay together, and who has the key can look a
 * user up by the original id. Without the key, ids cannot be tried out. Pseudonyms are not anonymous: who knows
 * the key, or what a user did, can find the user (SECURITY.md).
 *
 * Another key means other users. So the key's fingerprint is kept with the states, and states of another key, or of
 * none, are refused (partition_state.h).
 *
 * Read-only once loaded: threads may share it. */
#ifndef SHOAL_PSEUDONYM_H
#define SHOAL_PSEUDONYM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "model/base/status.h"

enum { SHOAL_PSEUDONYM_SIZE = 26, SHOAL_PSEUDONYM_KEY_BYTES = 32 };

struct shoal_pseudonyms;

/* Reads a key: a file of 64 hexadecimal digits. CONFIG with the reason, also where this build has no
 * libsodium; NOMEM. */
enum shoal_status shoal_pseudonyms_load(const char *path, struct shoal_pseudonyms **pseudonyms,
                                        struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_pseudonyms_destroy(struct shoal_pseudonyms *pseudonyms);
/* What stands for the id; zero-terminated. */
void shoal_pseudonym_of(const struct shoal_pseudonyms *pseudonyms, const char *user, size_t user_size,
                        char text[SHOAL_PSEUDONYM_SIZE + 1]);
/* The id under which a user is stored: the pseudonym, in `text`, or the id itself where there is no key. For whoever
 * looks a user up by the original id. */
static inline const char *shoal_pseudonym_stored(const struct shoal_pseudonyms *pseudonyms,
                                                 const char *user,
                                                 char text[SHOAL_PSEUDONYM_SIZE + 1])
{
    if (!pseudonyms)
        return user;
    shoal_pseudonym_of(pseudonyms, user, strlen(user), text);
    return text;
}
/* Has the text the form of a pseudonym? The last letter stands for three bits. */
static inline bool shoal_pseudonym_is(const char *text, size_t size)
{
    if (size != SHOAL_PSEUDONYM_SIZE || !text[0] || !strchr("aeimquy4", text[size - 1]))
        return false;
    for (size_t i = 0; i < size; i++) {
        if (!((text[i] >= 'a' && text[i] <= 'z') || (text[i] >= '2' && text[i] <= '7')))
            return false;
    }
    return true;
}
/* What tells keys apart and says nothing of them; never 0. */
uint64_t shoal_pseudonyms_fingerprint(const struct shoal_pseudonyms *pseudonyms);
/* Writes a new random key to a file that must not exist, readable by its owner alone. IO, CONFIG. */
enum shoal_status shoal_pseudonyms_new_key(const char *path,
                                           struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
