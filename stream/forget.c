/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that have a user forgotten; see forget.h. An id has no control characters, so that quotes and
 * backslashes are all that JSON has to escape, and there is one way to write each id. */
#include "stream/forget.h"

#include <string.h>

#include "stream/event_fields.h"

static const char HEAD[] = "{\"shoal_forget\":\"", TAIL[] = "\"}";
enum { HEAD_BYTES = sizeof HEAD - 1, TAIL_BYTES = sizeof TAIL - 1 };

size_t shoal_forget_print(const char *user, size_t user_size, char text[SHOAL_FORGET_BYTES])
{
    if (!shoal_user_is_valid(user, user_size))
        return 0;
    char *at = text;
    memcpy(at, HEAD, HEAD_BYTES);
    at += HEAD_BYTES;
    for (size_t i = 0; i < user_size; i++) {
        if (user[i] == '"' || user[i] == '\\')
            *at++ = '\\';
        *at++ = user[i];
    }
    memcpy(at, TAIL, sizeof TAIL);
    return (size_t)(at - text) + TAIL_BYTES;
}

bool shoal_forget_parse(const void *value, size_t size, char user[SHOAL_USER_MAX + 1],
                        size_t *user_size)
{
    const char *text = value;
    if (size <= HEAD_BYTES + TAIL_BYTES || size >= SHOAL_FORGET_BYTES ||
        memcmp(text, HEAD, HEAD_BYTES) != 0 ||
        memcmp(text + size - TAIL_BYTES, TAIL, TAIL_BYTES) != 0)
        return false;
    const char *at = text + HEAD_BYTES, *end = text + size - TAIL_BYTES;
    size_t used = 0;
    for (; at < end; at++) {
        bool escaped = *at == '\\';
        at += escaped;
        if (at == end || escaped != (*at == '"' || *at == '\\') || used == SHOAL_USER_MAX)
            return false;
        user[used++] = *at;
    }
    user[used] = '\0';
    *user_size = used;
    return shoal_user_is_valid(user, used);
}
