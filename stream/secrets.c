/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets; see secrets.h. */
#include "stream/secrets.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/arena.h"
#include "stream/pseudonym.h"

enum { SECRET_MAX = 65536, NAME_MAX_BYTES = 256 };
static const char SUFFIX[] = "_file";

static bool names_file(const char *name)
{
    size_t size = strlen(name), end = strlen(SUFFIX);
    return size > end && strcmp(name + size - end, SUFFIX) == 0;
}

bool shoal_secret_is(const char *property)
{
    static const char *const parts[] = {"passw", "secret", "key.pem", "key_pem", "oauthbearer.config",
                                        "sasl.jaas"};
    if (names_file(property))
        return false;
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        if (strcasestr(property, parts[i]))
            return true;
    }
    return false;
}

/* redis://user:password@host,host → redis://user:***@host,host. A password may have anything in it: it ends at the last @,
 * as where it is read (state/redis_url.c). What is no such URL is shown as little: it may be meant as one. */
static const char *mask_url(const char *url, char *room, size_t size)
{
    const char *scheme = strstr(url, "://"), *host = strrchr(url, '@'), *query = strchr(url, '?');
    const char *login = scheme && (!host || scheme < host) ? scheme + 3 : url;
    const char *shown = host ? memchr(login, ':', (size_t)(host - login)) : NULL;
    if (!host && !query)
        return url;
    if (host && !shown)
        shown = login; /* no user: all of it may be the password */
    const char *end = query && query > (host ? host : url) ? query + 1 : url + strlen(url);
    (void)snprintf(room, size, "%.*s%s%.*s%s", host ? (int)(shown - url) + (*shown == ':') : 0, url,
                   host ? "***" : "", (int)(end - (host ? host : url)), host ? host : url,
                   *end ? "***" : "");
    return room;
}

const char *shoal_secret_mask(const char *key, const char *value, char *room, size_t size)
{
    bool is_kafka = strncmp(key, "kafka.", 6) == 0;
    bool is_file = names_file(key) || strcmp(key, "privacy.pseudonym_key") == 0;
    if (!value[0] || is_file)
        return value;
    if (shoal_secret_is(is_kafka ? key + 6 : key))
        return "***";
    bool is_url = strcmp(key, "redis.url") == 0 && strncmp(value, "unix:", 5) != 0;
    return is_url || (strchr(value, '@') && strstr(value, "://")) ? mask_url(value, room, size) : value;
}

/* The first line, in the configuration's memory. A private key in PEM has several: all of the file then. */
static enum shoal_status read_secret(const char *name, const char *path, bool whole,
                                     struct shoal_arena *arena, char **secret,
                                     struct shoal_message *message)
{
    char *text = shoal_arena_alloc(arena, SECRET_MAX);
    if (!text)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    FILE *file = fopen(path, "re");
    if (!file)
        return shoal_fail(message, SHOAL_CONFIG, "kafka.%s: '%s' cannot be read: %s", name, path,
                          strerror(errno));
    size_t size = fread(text, 1, SECRET_MAX - 1, file);
    bool failed = ferror(file) != 0, too_long = size == SECRET_MAX - 1;
    fclose(file);
    text[size] = '\0';
    if (!whole)
        text[strcspn(text, "\r\n")] = '\0';
    if (failed || too_long || !text[0])
        return shoal_fail(message, SHOAL_CONFIG, "kafka.%s: '%s' %s", name, path,
                          failed     ? "cannot be read"
                          : too_long ? "is too long"
                                     : "is empty");
    *secret = text;
    return SHOAL_OK;
}

/* The property's place is taken by the one whose value the file holds. */
static enum shoal_status take_file(struct shoal_config *config, struct shoal_config_property *property,
                                   struct shoal_message *message)
{
    char name[NAME_MAX_BYTES];
    size_t size = strlen(property->name) - strlen(SUFFIX);
    if (size >= sizeof name)
        return shoal_fail(message, SHOAL_CONFIG, "kafka.%.40s…: the name is too long", property->name);
    memcpy(name, property->name, size);
    name[size] = '\0';
    if (shoal_config_kafka(config, name))
        return shoal_fail(message, SHOAL_CONFIG, "both kafka.%s and kafka.%s are set", name,
                          property->name);
    char *secret = NULL;
    enum shoal_status status = read_secret(property->name, property->value, strstr(name, ".pem") != NULL,
                                           config->memory, &secret, message);
    char *copy = status == SHOAL_OK ? shoal_arena_copy(config->memory, name, size) : NULL;
    if (status == SHOAL_OK && !copy)
        status = shoal_fail(message, SHOAL_NOMEM, "out of memory");
    if (status != SHOAL_OK)
        return status;
    property->name = copy;
    property->value = secret;
    return SHOAL_OK;
}

enum shoal_status shoal_config_secrets(struct shoal_config *config, struct shoal_message *message)
{
    enum shoal_status status = SHOAL_OK;
    for (size_t i = 0; i < config->kafka_count && status == SHOAL_OK; i++) {
        if (names_file(config->kafka[i].name))
            status = take_file(config, &config->kafka[i], message);
    }
    if (status == SHOAL_OK && config->privacy_pseudonym_key[0] && !config->pseudonyms)
        status = shoal_pseudonyms_load(config->privacy_pseudonym_key, &config->pseudonyms, message);
    return status;
}
