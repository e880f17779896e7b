/* SPDX-License-Identifier: Apache-2.0 */
/* Bearer tokens; see http_tokens.h. */
#include "stream/http_tokens.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/base/pack.h"
#include "stream/file_changes.h"
#include "stream/yaml_tree.h"

enum { TOKENS_MAX = 1000, TOKEN_MIN = 16 };

struct token {
    enum shoal_http_role role;
    const char *text; /* in `text` of the whole */
    size_t size;
};

/* As a file has them. */
struct tokens {
    struct shoal_buffer text;
    struct token list[TOKENS_MAX];
    size_t count;
};

struct shoal_http_tokens {
    char *path;
    struct shoal_file_changes changes;
    bool refused; /* as the file is now */
    pthread_mutex_t lock;
    struct tokens *now; /* guarded by the lock */
};

static bool role_of(const char *name, enum shoal_http_role *role)
{
    if (strcmp(name, "read") == 0)
        *role = SHOAL_HTTP_READ;
    else if (strcmp(name, "admin") == 0)
        *role = SHOAL_HTTP_ADMIN;
    else
        return false;
    return true;
}

static enum shoal_status read_line(struct tokens *tokens, char *line, const char *path,
                                   unsigned number, struct shoal_message *message)
{
    static const char blanks[] = " \t\r";
    char *rest = line, *role = NULL, *token = NULL;
    while (rest && (!role || !*role))
        role = strsep(&rest, blanks);
    while (rest && (!token || !*token))
        token = strsep(&rest, blanks);
    if (!role || !*role || *role == '#')
        return SHOAL_OK;
    struct token *entry = &tokens->list[tokens->count];
    if (!role_of(role, &entry->role) || !token || !*token)
        return shoal_fail(message, SHOAL_CONFIG, "%s:%u: a line is 'read TOKEN' or 'admin TOKEN'", path,
                          number);
    if (rest && rest[strspn(rest, blanks)])
        return shoal_fail(message, SHOAL_CONFIG, "%s:%u: there is something after the token", path,
                          number);
    entry->text = token;
    entry->size = strlen(token);
    if (entry->size < TOKEN_MIN)
        return shoal_fail(message, SHOAL_CONFIG,
                          "%s:%u: a token has at least %d characters (openssl rand -hex 24)", path,
                          number, TOKEN_MIN);
    tokens->count++;
    return SHOAL_OK;
}

static void wipe(struct tokens *tokens)
{
    if (!tokens)
        return;
    if (tokens->text.bytes)
        explicit_bzero(tokens->text.bytes, tokens->text.size);
    shoal_buffer_finish(&tokens->text);
    free(tokens);
}

static enum shoal_status read_file(const char *path, struct tokens **result, struct shoal_message *message)
{
    *result = NULL;
    struct tokens *tokens = calloc(1, sizeof *tokens);
    if (!tokens)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    enum shoal_status status = shoal_yaml_slurp(path, &tokens->text, message);
    if (status != SHOAL_OK)
        status = shoal_fail(message, SHOAL_CONFIG, "http.tokens: %s", strdupa(message->text));
    shoal_buffer_append(&tokens->text, "", 1);
    if (status == SHOAL_OK && tokens->text.failed)
        status = shoal_fail(message, SHOAL_NOMEM, "out of memory");
    char *rest = (char *)tokens->text.bytes, *line;
    for (unsigned number = 1; status == SHOAL_OK && (line = strsep(&rest, "\n")); number++) {
        if (tokens->count == TOKENS_MAX)
            status = shoal_fail(message, SHOAL_CONFIG, "%s: more than %d tokens", path, TOKENS_MAX);
        else
            status = read_line(tokens, line, path, number, message);
    }
    if (status == SHOAL_OK && tokens->count == 0)
        status = shoal_fail(message, SHOAL_CONFIG, "%s: no tokens are in it", path);
    if (status != SHOAL_OK)
        wipe(tokens);
    else
        *result = tokens;
    return status;
}

/* ---- life ---------------------------------------------------------------------------------- */

enum shoal_status shoal_http_tokens_load(const char *path, struct shoal_http_tokens **result,
                                         struct shoal_message *message)
{
    *result = NULL;
    struct shoal_http_tokens *tokens = calloc(1, sizeof *tokens);
    if (!tokens)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    pthread_mutex_init(&tokens->lock, NULL);
    tokens->path = strdup(path);
    shoal_file_changes_begin(&tokens->changes, path);
    enum shoal_status status = tokens->path ? read_file(path, &tokens->now, message)
                                            : shoal_fail(message, SHOAL_NOMEM, "out of memory");
    if (status != SHOAL_OK)
        shoal_http_tokens_destroy(tokens);
    else
        *result = tokens;
    return status;
}

bool shoal_http_tokens_refresh(struct shoal_http_tokens *tokens, const struct shoal_log *log)
{
    struct shoal_message message = {.text = ""};
    struct tokens *fresh;
    if (!shoal_file_changes_look(&tokens->changes, tokens->path))
        return !tokens->refused;
    tokens->refused = read_file(tokens->path, &fresh, &message) != SHOAL_OK;
    if (tokens->refused) {
        shoal_log_write(log, SHOAL_WARNING, "changed tokens are refused: %s; those from before stay in force",
                        message.text);
        return false;
    }
    pthread_mutex_lock(&tokens->lock);
    struct tokens *before = tokens->now;
    tokens->now = fresh;
    pthread_mutex_unlock(&tokens->lock);
    wipe(before);
    shoal_log_write(log, SHOAL_INFO, "http.tokens was read again: %zu tokens are in force", fresh->count);
    return true;
}

void shoal_http_tokens_destroy(struct shoal_http_tokens *tokens)
{
    if (!tokens)
        return;
    wipe(tokens->now);
    pthread_mutex_destroy(&tokens->lock);
    free(tokens->path);
    free(tokens);
}

/* ---- asking -------------------------------------------------------------------------------- */

static bool is_same(const struct token *token, const char *text, size_t size)
{
    if (token->size != size)
        return false;
    unsigned differs = 0;
    for (size_t i = 0; i < size; i++)
        differs |= (unsigned)(token->text[i] ^ text[i]);
    return differs == 0;
}

enum shoal_http_role shoal_http_tokens_role(struct shoal_http_tokens *tokens, const char *authorization)
{
    static const char scheme[] = "Bearer ";
    enum shoal_http_role role = SHOAL_HTTP_PUBLIC;
    if (!authorization || strncasecmp(authorization, scheme, sizeof scheme - 1) != 0)
        return role;
    const char *text = authorization + sizeof scheme - 1;
    text += strspn(text, " ");
    size_t size = strlen(text);
    pthread_mutex_lock(&tokens->lock);
    for (size_t i = 0; i < tokens->now->count; i++) {
        const struct token *token = &tokens->now->list[i];
        if (is_same(token, text, size) && token->role > role)
            role = token->role;
    }
    pthread_mutex_unlock(&tokens->lock);
    return role;
}
