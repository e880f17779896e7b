/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens of jsmn as a tree; see report_json.h. */
#include "tools/report_json.h"

#include <stdlib.h>
#include <string.h>

#define JSMN_STATIC
#define JSMN_STRICT
#define JSMN_PARENT_LINKS
#include <jsmn.h>

#include "stream/decode.h"

enum { TOKENS_FIRST = 256, TOKENS_MAX = 1 << 16 };

struct shoal_json_tree {
    const char *text;
    jsmntok_t *tokens;
    unsigned capacity;
    int count;
    char *unescaped; /* as large as the line; strings one after another */
    size_t unescaped_size, unescaped_capacity;
};

struct shoal_json_tree *shoal_json_tree_create(void)
{
    return calloc(1, sizeof(struct shoal_json_tree));
}

void shoal_json_tree_destroy(struct shoal_json_tree *tree)
{
    if (!tree)
        return;
    free(tree->tokens);
    free(tree->unescaped);
    free(tree);
}

static enum shoal_status make_room(struct shoal_json_tree *tree, unsigned tokens, size_t size)
{
    if (tokens > tree->capacity) {
        jsmntok_t *grown = reallocarray(tree->tokens, tokens, sizeof *grown);
        if (!grown)
            return SHOAL_NOMEM;
        tree->tokens = grown;
        tree->capacity = tokens;
    }
    /* Twice: a text may be asked for more than once. */
    if (2 * size > tree->unescaped_capacity) {
        char *grown = realloc(tree->unescaped, 2 * size);
        if (!grown)
            return SHOAL_NOMEM;
        tree->unescaped = grown;
        tree->unescaped_capacity = 2 * size;
    }
    return SHOAL_OK;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* jsmn takes several values in a row, and objects with a key that has no value. */
static const char *what_is_wrong(const struct shoal_json_tree *tree, size_t size)
{
    if (tree->count < 1)
        return "not a JSON object";
    for (size_t i = (size_t)tree->tokens[0].end; i < size; i++)
        if (!is_space(tree->text[i]))
            return "more after the JSON object";
    for (int i = 1; i < tree->count; i++) {
        const jsmntok_t *token = &tree->tokens[i];
        bool is_key = tree->tokens[token->parent].type == JSMN_OBJECT;
        if (is_key && (token->type != JSMN_STRING || token->size != 1))
            return "an object with a key that has no value";
    }
    return NULL;
}

enum shoal_status shoal_json_tree_parse(struct shoal_json_tree *tree, const char *text, size_t size,
                                        struct shoal_message *message)
{
    tree->text = text;
    tree->count = 0;
    tree->unescaped_size = 0;
    size_t start = 0;
    while (start < size && is_space(text[start]))
        start++;
    if (start == size || text[start] != '{')
        return shoal_fail(message, SHOAL_BAD_JSON, "not a JSON object");
    enum shoal_status status = make_room(tree, TOKENS_FIRST, size);
    while (status == SHOAL_OK) {
        jsmn_parser parser;
        jsmn_init(&parser);
        int count = jsmn_parse(&parser, text, size, tree->tokens, tree->capacity);
        if (count == JSMN_ERROR_PART)
            return shoal_fail(message, SHOAL_BAD_JSON, "the JSON object has no end");
        if (count != JSMN_ERROR_NOMEM) {
            tree->count = count < 0 ? 0 : count;
            const char *wrong = count < 0 ? "not JSON" : what_is_wrong(tree, size);
            return wrong ? shoal_fail(message, SHOAL_BAD_JSON, "%s", wrong) : SHOAL_OK;
        }
        if (tree->capacity >= TOKENS_MAX)
            return shoal_fail(message, SHOAL_BAD_JSON, "more than %d values", TOKENS_MAX);
        status = make_room(tree, 2 * tree->capacity, size);
    }
    return shoal_fail(message, status, "out of memory");
}

/* The first token behind a value and all that is in it. */
static int skip(const struct shoal_json_tree *tree, int value)
{
    int end = tree->tokens[value].end, next = value + 1;
    while (next < tree->count && tree->tokens[next].start < end)
        next++;
    return next;
}

int shoal_json_tree_first(const struct shoal_json_tree *tree, int object)
{
    return shoal_json_tree_is_object(tree, object) && tree->tokens[object].size > 0 ? object + 1
                                                                                    : -1;
}

int shoal_json_tree_next(const struct shoal_json_tree *tree, int key)
{
    int next = skip(tree, key + 1);
    return next < tree->count && tree->tokens[next].parent == tree->tokens[key].parent ? next : -1;
}

int shoal_json_tree_find(const struct shoal_json_tree *tree, int object, const char *key)
{
    size_t size = strlen(key);
    for (int at = shoal_json_tree_first(tree, object); at >= 0;
         at = shoal_json_tree_next(tree, at)) {
        const jsmntok_t *token = &tree->tokens[at];
        if ((size_t)(token->end - token->start) == size &&
            memcmp(tree->text + token->start, key, size) == 0)
            return at + 1;
    }
    return -1;
}

static const jsmntok_t *value_of(const struct shoal_json_tree *tree, int value, jsmntype_t type)
{
    return value >= 0 && value < tree->count && tree->tokens[value].type == type
               ? &tree->tokens[value]
               : NULL;
}

bool shoal_json_tree_text(struct shoal_json_tree *tree, int value, struct shoal_json_slice *slice)
{
    const jsmntok_t *token = value_of(tree, value, JSMN_STRING);
    if (!token)
        return false;
    const char *text = tree->text + token->start;
    size_t size = (size_t)(token->end - token->start);
    if (memchr(text, '\\', size)) {
        if (size > tree->unescaped_capacity - tree->unescaped_size)
            return false;
        char *out = tree->unescaped + tree->unescaped_size;
        size = shoal_json_unescape(text, text + size, out);
        tree->unescaped_size += size;
        text = out;
    }
    *slice = (struct shoal_json_slice){text, size};
    return true;
}

static bool is_word(const struct shoal_json_tree *tree, int value, const char *word)
{
    const jsmntok_t *token = value_of(tree, value, JSMN_PRIMITIVE);
    size_t size = strlen(word);
    return token && (size_t)(token->end - token->start) == size &&
           memcmp(tree->text + token->start, word, size) == 0;
}

bool shoal_json_tree_number(const struct shoal_json_tree *tree, int value, double *number)
{
    const jsmntok_t *token = value_of(tree, value, JSMN_PRIMITIVE);
    return token && shoal_number_parse(tree->text + token->start,
                                       (size_t)(token->end - token->start), number);
}

bool shoal_json_tree_flag(const struct shoal_json_tree *tree, int value, bool *flag)
{
    *flag = is_word(tree, value, "true");
    return *flag || is_word(tree, value, "false");
}

bool shoal_json_tree_is_null(const struct shoal_json_tree *tree, int value)
{
    return is_word(tree, value, "null");
}

bool shoal_json_tree_is_object(const struct shoal_json_tree *tree, int value)
{
    return value_of(tree, value, JSMN_OBJECT) != NULL;
}
