/* SPDX-License-Identifier: Apache-2.0 */
/* Messages that have a user forgotten; see forget.h. An id has no control characters, so that quotes and
 * backslashes are all that has to be escaped. Almost every message is none of these and is told apart by its first
 * key. */
#include "stream/forget.h"

#include <ctype.h>
#include <string.h>

#include "stream/decode.h"

static const char HEAD[] = "{\"shoal_forget\":\"", TAIL[] = "\"}";
enum {
    HEAD_BYTES = sizeof HEAD - 1,
    TAIL_BYTES = sizeof TAIL - 1,
    RAW_BYTES = 6 * SHOAL_USER_MAX, /* the longest id with all of it as \\u1234 */
};

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

/* ---- reading ------------------------------------------------------------------------------- */

static const char *skip_space(const char *at, const char *end)
{
    while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r'))
        at++;
    return at;
}

/* Behind `word`, and what space there is before it; NULL if it is not there. */
static const char *skip(const char *at, const char *end, const char *word)
{
    size_t size = strlen(word);
    if (!at)
        return NULL;
    at = skip_space(at, end);
    return (size_t)(end - at) >= size && memcmp(at, word, size) == 0 ? at + size : NULL;
}

static bool is_escape(const char *at, const char *end)
{
    if (*at != 'u')
        return *at && strchr("\"\\/bfnrt", *at);
    for (int i = 1; i <= 4; i++) {
        if (end - at <= i || !isxdigit((unsigned char)at[i]))
            return false;
    }
    return true;
}

/* The quote at the end of the string that begins here; NULL if there is none, or it can be no user id. */
static const char *find_end(const char *at, const char *end)
{
    const char *start = at;
    for (; at < end && *at != '"'; at++) {
        if ((unsigned char)*at < 0x20)
            return NULL;
        if (*at == '\\' && (++at == end || !is_escape(at, end)))
            return NULL;
    }
    return at < end && at - start <= RAW_BYTES ? at : NULL;
}

bool shoal_forget_parse(const void *value, size_t size, char user[SHOAL_USER_MAX + 1],
                        size_t *user_size)
{
    char text[RAW_BYTES];
    const char *start = value, *end = start + size;
    if (size <= HEAD_BYTES + TAIL_BYTES)
        return false;
    start = skip(skip(skip(skip(start, end, "{"), end, "\"shoal_forget\""), end, ":"), end, "\"");
    const char *stop = start ? find_end(start, end) : NULL;
    const char *rest = stop ? skip(stop + 1, end, "}") : NULL;
    if (!rest || skip_space(rest, end) != end)
        return false;
    size_t used = shoal_json_unescape(start, stop, text);
    if (used > SHOAL_USER_MAX || !shoal_user_is_valid(text, used))
        return false;
    memcpy(user, text, used);
    user[used] = '\0';
    *user_size = used;
    return true;
}
