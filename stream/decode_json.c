/* SPDX-License-Identifier: Apache-2.0 */
/* Fields of a JSON object. jsmn finds where strings and containers end; the walk over its tokens
 * checks the grammar.
 *
 * Why both: jsmn is fast but lax. It takes missing and doubled commas, pairs without a colon, keys
 * without a value, any text after the object, control characters in strings, and `1-2` or `tru` as
 * values; after the byte 0 it stops and reports success. So the walk below derives RFC 8259 anew and
 * only asks the tokens where the next string or literal ends: a byte between two tokens is either
 * the separator that the grammar wants there, or the message is refused. What is accepted is
 * therefore a JSON text whatever jsmn does.
 *
 * jsmn closes a bracket by looking back along its parents, which is quadratic in the nesting: tokens
 * are given to it in slices, and the nesting is looked at between two slices.
 *
 * This is the only file that sees jsmn. */
#include <stdlib.h>
#include <string.h>

#include "stream/decode.h"

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

enum { NESTING_MAX = 32, TOKENS_SLICE = 256, TOKENS_MAX = 16384 };

struct walk {
    struct shoal_json *json;
    struct shoal_fields *fields;
    const char *text, *at, *end;
    const jsmntok_t *token, *tokens_end; /* next token */
    bool has_escapes;                    /* a backslash somewhere in the message */
    bool has_controls;                   /* a byte below 0x20 somewhere */
    unsigned depth;
};

void shoal_json_finish(struct shoal_json *json)
{
    free(json->tokens);
    shoal_buffer_finish(&json->unescaped);
    *json = (struct shoal_json){0};
}

/* ---- tokens ------------------------------------------------------------------------------- */

static bool nesting_is_sane(const jsmn_parser *parser, const jsmntok_t *tokens)
{
    int depth = 0;
    for (int i = parser->toksuper; i >= 0 && depth <= 2 * NESTING_MAX; i = tokens[i].parent)
        depth++; /* keys are links of the chain, too */
    return depth <= 2 * NESTING_MAX;
}

static enum shoal_status tokenise(struct shoal_json *json, const char *text, size_t size,
                                  int *count, struct shoal_message *why)
{
    jsmn_parser parser;
    jsmn_init(&parser);
    for (unsigned limit = TOKENS_SLICE; limit <= TOKENS_MAX; limit += TOKENS_SLICE) {
        if (limit > json->tokens_count) {
            unsigned wanted = json->tokens_count ? 2 * json->tokens_count : TOKENS_SLICE;
            jsmntok_t *tokens = realloc(json->tokens, wanted * sizeof *tokens);
            if (!tokens)
                return shoal_fail(why, SHOAL_NOMEM, "no memory for %u JSON tokens", wanted);
            json->tokens = tokens;
            json->tokens_count = wanted;
        }
        *count = jsmn_parse(&parser, text, size, json->tokens, limit);
        if (*count >= 0)
            return SHOAL_OK;
        if (*count != JSMN_ERROR_NOMEM)
            return shoal_fail(why, SHOAL_BAD_JSON, "%s near byte %u of %zu",
                              *count == JSMN_ERROR_PART ? "JSON ends too early"
                                                        : "not well-formed JSON",
                              parser.pos, size);
        if (!nesting_is_sane(&parser, json->tokens))
            return shoal_fail(why, SHOAL_BAD_JSON, "JSON nested deeper than %d", NESTING_MAX);
    }
    return shoal_fail(why, SHOAL_TOO_LARGE, "JSON of more than %d values", TOKENS_MAX);
}

/* ---- strings ------------------------------------------------------------------------------ */

static unsigned hex4(const char *at)
{
    unsigned value = 0;
    for (int i = 0; i < 4; i++) { /* jsmn has seen four hex digits */
        unsigned c = (unsigned char)at[i];
        value = value << 4 | (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    return value;
}

static char *put_utf8(char *out, unsigned code)
{
    if (code < 0x80) {
        *out++ = (char)code;
    } else if (code < 0x800) {
        *out++ = (char)(0xc0 | code >> 6);
        *out++ = (char)(0x80 | (code & 0x3f));
    } else if (code < 0x10000) {
        *out++ = (char)(0xe0 | code >> 12);
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    } else {
        *out++ = (char)(0xf0 | code >> 18);
        *out++ = (char)(0x80 | (code >> 12 & 0x3f));
        *out++ = (char)(0x80 | (code >> 6 & 0x3f));
        *out++ = (char)(0x80 | (code & 0x3f));
    }
    return out;
}

/* Writes what the escapes stand for; never more bytes than the text had. Half of a surrogate pair
 * becomes three bytes that are not UTF-8: an id with it is refused later, other text may have it. */
static size_t unescape(const char *at, const char *end, char *out)
{
    static const char plain[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
    char *start = out;
    while (at < end) {
        if (*at != '\\') {
            *out++ = *at++;
            continue;
        }
        if (at[1] != 'u') {
            const char *which = strchr(plain, at[1]);
            *out++ = which ? meant[which - plain] : at[1];
            at += 2;
            continue;
        }
        unsigned code = hex4(at + 2);
        at += 6;
        if (code >= 0xd800 && code < 0xdc00 && end - at >= 6 && at[0] == '\\' && at[1] == 'u') {
            unsigned low = hex4(at + 2);
            if (low >= 0xdc00 && low < 0xe000) {
                code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
                at += 6;
            }
        }
        out = put_utf8(out, code);
    }
    return (size_t)(out - start);
}

/* Takes the string at the cursor; its text without escapes into *text. */
static bool take_string(struct walk *walk, const char **text, size_t *size)
{
    if (walk->token == walk->tokens_end || walk->token->type != JSMN_STRING ||
        walk->at != walk->text + walk->token->start - 1)
        return false;
    const char *at = walk->text + walk->token->start, *end = walk->text + walk->token->end;
    walk->token++;
    walk->at = end + 1;
    *text = at;
    *size = (size_t)(end - at);
    if (walk->has_controls) {
        for (const char *c = at; c < end; c++) {
            if ((unsigned char)*c < 0x20)
                return false;
        }
    }
    if (walk->has_escapes && memchr(at, '\\', *size)) {
        /* Room for the whole message was made before: earlier strings stay where they are. */
        char *out = (char *)walk->json->unescaped.bytes + walk->json->unescaped.size;
        *size = unescape(at, end, out);
        *text = out;
        walk->json->unescaped.size += *size;
    }
    return true;
}

/* ---- grammar ------------------------------------------------------------------------------ */

static void skip_space(struct walk *walk)
{
    while (walk->at < walk->end &&
           (*walk->at == ' ' || *walk->at == '\n' || *walk->at == '\r' || *walk->at == '\t'))
        walk->at++;
}

static bool take(struct walk *walk, char wanted)
{
    skip_space(walk);
    if (walk->at == walk->end || *walk->at != wanted)
        return false;
    walk->at++;
    return true;
}

static bool is_word(const char *text, size_t size, const char *word)
{
    return size == strlen(word) && memcmp(text, word, size) == 0;
}

/* Number, true, false or null. */
static bool take_literal(struct walk *walk, struct shoal_value *slot)
{
    if (walk->token->type != JSMN_PRIMITIVE || walk->at != walk->text + walk->token->start)
        return false;
    const char *text = walk->at;
    size_t size = (size_t)(walk->token->end - walk->token->start);
    struct shoal_value value = {.text = text, .size = (uint32_t)size, .type = SHOAL_VALUE_NONE};
    walk->token++;
    walk->at += size;
    if (*text == 't' || *text == 'f') {
        value.type = SHOAL_VALUE_OTHER;
        if (!is_word(text, size, "true") && !is_word(text, size, "false"))
            return false;
    } else if (*text == 'n') {
        if (!is_word(text, size, "null"))
            return false;
    } else {
        bool is_integer, is_padded;
        if (!shoal_number_scan(text, size, &is_integer, &is_padded) || is_padded)
            return false;
        value.type = is_integer ? SHOAL_VALUE_INTEGER : SHOAL_VALUE_REAL;
    }
    if (slot)
        *slot = value;
    return true;
}

static bool walk_object(struct walk *walk, enum shoal_level level);
static bool walk_list(struct walk *walk, enum shoal_level level);

/* Any value, at the cursor. What it holds goes to `slot` if there is one; what a container holds
 * goes where `inside` says. */
static bool walk_value(struct walk *walk, struct shoal_value *slot, enum shoal_level inside)
{
    skip_space(walk);
    if (walk->token == walk->tokens_end || walk->at == walk->end)
        return false;
    if (*walk->at == '"') {
        const char *text;
        size_t size;
        if (!take_string(walk, &text, &size))
            return false;
        if (slot)
            *slot = (struct shoal_value){
                .text = text, .size = (uint32_t)size, .type = SHOAL_VALUE_TEXT};
        return true;
    }
    bool is_list = *walk->at == '[';
    if (!is_list && *walk->at != '{')
        return take_literal(walk, slot);
    if (slot)
        *slot = (struct shoal_value){.type = SHOAL_VALUE_OTHER};
    if (inside != SHOAL_LEVEL_IGNORED)
        inside = shoal_fields_enter(walk->fields, inside, is_list);
    return is_list ? walk_list(walk, inside) : walk_object(walk, inside);
}

/* Steps over the bracket that opens a container and over its token. */
static bool enter(struct walk *walk, char bracket)
{
    skip_space(walk);
    if (walk->token == walk->tokens_end || walk->at != walk->text + walk->token->start ||
        *walk->at != bracket || ++walk->depth > NESTING_MAX)
        return false;
    walk->token++;
    walk->at++;
    return true;
}

static bool walk_list(struct walk *walk, enum shoal_level level)
{
    if (!enter(walk, '['))
        return false;
    bool more = !take(walk, ']');
    while (more) {
        enum shoal_level inside = SHOAL_LEVEL_IGNORED;
        skip_space(walk);
        if (level == SHOAL_LEVEL_PRODUCTS) {
            bool is_map = walk->at < walk->end && *walk->at == '{';
            inside = shoal_fields_element(walk->fields, is_map);
        }
        if (inside == SHOAL_LEVEL_PRODUCT ? !walk_object(walk, inside)
                                          : !walk_value(walk, NULL, SHOAL_LEVEL_IGNORED))
            return false;
        more = take(walk, ',');
        if (!more && !take(walk, ']'))
            return false;
    }
    walk->depth--;
    return true;
}

static bool walk_object(struct walk *walk, enum shoal_level level)
{
    if (!enter(walk, '{'))
        return false;
    bool more = !take(walk, '}');
    while (more) {
        const char *key;
        size_t size;
        struct shoal_value *slot = NULL;
        enum shoal_level inside = SHOAL_LEVEL_IGNORED;
        skip_space(walk);
        if (!take_string(walk, &key, &size) || !take(walk, ':'))
            return false;
        if (level != SHOAL_LEVEL_IGNORED)
            slot = shoal_fields_find(walk->fields, level, key, size, &inside);
        if (!walk_value(walk, slot, inside))
            return false;
        more = take(walk, ',');
        if (!more && !take(walk, '}'))
            return false;
    }
    walk->depth--;
    return true;
}

/* ---- the message -------------------------------------------------------------------------- */

/* One pass that says which of the rarer checks this message needs at all. */
static void look_through(struct walk *walk, bool *is_ascii)
{
    unsigned char high = 0, escapes = 0, controls = 0;
    for (const char *at = walk->at; at < walk->end; at++) {
        unsigned char c = (unsigned char)*at;
        high |= c;
        escapes |= c == '\\';
        controls |= c < 0x20;
    }
    *is_ascii = high < 0x80;
    walk->has_escapes = escapes;
    walk->has_controls = controls;
}

enum shoal_status shoal_json_read(struct shoal_json *json, const char *text, size_t size,
                                  struct shoal_fields *fields, struct shoal_message *why)
{
    int count;
    bool is_ascii;
    enum shoal_status status = tokenise(json, text, size, &count, why);
    if (status != SHOAL_OK)
        return status;
    struct walk walk = {.json = json, .fields = fields, .text = text, .at = text,
                        .end = text + size, .token = json->tokens,
                        .tokens_end = (const jsmntok_t *)json->tokens + count};
    look_through(&walk, &is_ascii);
    if (walk.has_escapes) {
        shoal_buffer_clear(&json->unescaped);
        if (!shoal_buffer_reserve(&json->unescaped, size))
            return shoal_fail(why, SHOAL_NOMEM, "no memory for a message of %zu bytes", size);
    }
    bool ok = walk_object(&walk, SHOAL_LEVEL_TOP);
    skip_space(&walk);
    if (!ok || walk.at != walk.end)
        return shoal_fail(why, SHOAL_BAD_JSON, "%s at byte %zu of %zu",
                          walk.depth > NESTING_MAX ? "JSON nested deeper than 32"
                          : ok                     ? "text after the JSON object"
                                                   : "not well-formed JSON",
                          (size_t)(walk.at - text), size);
    if (!is_ascii && !shoal_text_is_utf8(text, size)) {
        char digits[24];
        const char *user;
        size_t user_size;
        /* If it is the user id that is not UTF-8, that is the more useful thing to say. */
        status = shoal_fields_user(fields, shoal_fields_is_track(fields), digits, &user, &user_size,
                                   why);
        return status == SHOAL_BAD_USER ? status
                                        : shoal_fail(why, SHOAL_BAD_JSON, "JSON is not UTF-8");
    }
    return SHOAL_OK;
}
