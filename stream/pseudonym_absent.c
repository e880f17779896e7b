/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in for pseudonym.c in a build without libsodium: no key can be loaded. */
#include <assert.h>

#include "stream/pseudonym.h"

static enum shoal_status refuse(struct shoal_message *message)
{
    return shoal_fail(message, SHOAL_CONFIG,
                      "pseudonyms need libsodium, which this build has not (meson option sodium)");
}

enum shoal_status shoal_pseudonyms_load(const char *path, struct shoal_pseudonyms **pseudonyms,
                                        struct shoal_message *message)
{
    *pseudonyms = NULL;
    return refuse(message);
}

void shoal_pseudonyms_destroy(struct shoal_pseudonyms *pseudonyms)
{
    assert(!pseudonyms);
}

void shoal_pseudonym_of(const struct shoal_pseudonyms *pseudonyms, const char *user, size_t user_size,
                        char text[SHOAL_PSEUDONYM_SIZE + 1])
{
    assert(!"there are no pseudonyms");
    text[0] = '\0';
}

uint64_t shoal_pseudonyms_fingerprint(const struct shoal_pseudonyms *pseudonyms)
{
    return 0;
}

enum shoal_status shoal_pseudonyms_new_key(const char *path, struct shoal_message *message)
{
    return refuse(message);
}
