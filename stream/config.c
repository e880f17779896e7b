/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration from YAML and from the command line; see config.h.
 *
 * A file is walked as a tree: nested and dotted keys meet in one dotted name, which is an option,
 * the beginning of options ("commit"), a property of librdkafka ("kafka.…"), or unknown. */
#include "stream/config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/config_value.h"
#include "stream/nearest.h"
#include "stream/pseudonym.h"
#include "stream/yaml_tree.h"

enum { KEY_MAX = 256, OPTION_COUNT_MAX = 128, WHERE_MAX = 384 };
static const char KAFKA[] = "kafka.";

/* One file while it is read. */
struct reading {
    struct shoal_config *config;
    const char *name;   /* of the file, for messages */
    const char *folder; /* for relative paths; NULL: the current one */
    struct shoal_message *message;
    int lines[OPTION_COUNT_MAX]; /* where the file sets each option; 0 = not yet */
};

static enum shoal_status set_kafka(struct shoal_config *config, const char *name, const char *value,
                                   int line)
{
    struct shoal_arena *arena = config->memory;
    char *copy = shoal_arena_copy(arena, value, strlen(value));
    if (!copy)
        return SHOAL_NOMEM;
    for (size_t i = 0; i < config->kafka_count; i++) {
        if (strcmp(config->kafka[i].name, name) == 0) {
            config->kafka[i].value = copy;
            config->kafka[i].line = line;
            return SHOAL_OK;
        }
    }
    char *name_copy = shoal_arena_copy(arena, name, strlen(name));
    struct shoal_config_property *more =
        realloc(config->kafka, (config->kafka_count + 1) * sizeof *more);
    if (more)
        config->kafka = more;
    if (!more || !name_copy)
        return SHOAL_NOMEM;
    config->kafka[config->kafka_count++] =
        (struct shoal_config_property){.name = name_copy, .value = copy, .line = line};
    return SHOAL_OK;
}

const char *shoal_config_kafka(const struct shoal_config *config, const char *name)
{
    for (size_t i = 0; i < config->kafka_count; i++) {
        if (strcmp(config->kafka[i].name, name) == 0)
            return config->kafka[i].value;
    }
    return NULL;
}

/* Does `key` stand above options, as "commit" above "commit.interval"? */
static bool is_section(const char *key)
{
    size_t count, size = strlen(key);
    const struct shoal_config_option *options = shoal_config_options(&count);
    for (size_t i = 0; i < count; i++) {
        if (strncmp(options[i].key, key, size) == 0 && options[i].key[size] == '.')
            return true;
    }
    return strcmp(key, "kafka") == 0;
}

static enum shoal_status unknown_key(const char *where, const char *key,
                                     struct shoal_message *message)
{
    size_t count;
    const struct shoal_config_option *options = shoal_config_options(&count);
    struct shoal_nearest nearest;
    shoal_nearest_init(&nearest, key);
    /* Names of sections first: for "comit" rather "commit" than one of the options in it. */
    char sections[OPTION_COUNT_MAX][64];
    for (size_t i = 0; i < count && i < OPTION_COUNT_MAX; i++) {
        const char *last = strrchr(options[i].key, '.');
        size_t size = last ? (size_t)(last - options[i].key) : 0;
        snprintf(sections[i], sizeof sections[i], "%.*s", (int)size, options[i].key);
        if (size > 0)
            shoal_nearest_feed(&nearest, sections[i]);
        shoal_nearest_feed(&nearest, options[i].key);
    }
    shoal_nearest_feed(&nearest, "kafka");
    shoal_nearest_feed(&nearest, "kafka.bootstrap.servers");
    if (nearest.best)
        return shoal_fail(message, SHOAL_CONFIG, "%s: unknown key '%s' (did you mean '%s'?)", where,
                          key, nearest.best);
    return shoal_fail(message, SHOAL_CONFIG, "%s: unknown key '%s' ('shoal config' lists all keys)",
                      where, key);
}

static enum shoal_status set_twice(const char *where, const char *key, int line,
                                   struct shoal_message *message)
{
    return shoal_fail(message, SHOAL_CONFIG, "%s: '%s' is set twice (first in line %d)", where, key,
                      line);
}

static enum shoal_status read_kafka(struct reading *r, const char *key,
                                    const struct shoal_yaml *node, const char *where)
{
    const char *name = key + strlen(KAFKA);
    for (size_t i = 0; i < r->config->kafka_count; i++) {
        const struct shoal_config_property *other = &r->config->kafka[i];
        if (other->line > 0 && strcmp(other->name, name) == 0)
            return set_twice(where, key, other->line, r->message);
    }
    char path[4096];
    const char *value = node->text;
    size_t size = strlen(name);
    bool is_file = size > 5 && strcmp(name + size - 5, "_file") == 0; /* secrets.h */
    if (is_file && r->folder && value[0] != '/') {
        if (snprintf(path, sizeof path, "%s/%s", r->folder, value) >= (int)sizeof path)
            return shoal_fail(r->message, SHOAL_CONFIG, "%s: the path is too long", where);
        value = path;
    }
    return set_kafka(r->config, name, value, node->line);
}

static enum shoal_status read_text(struct reading *r, const char *key,
                                   const struct shoal_yaml *node, const char *where)
{
    if (strncmp(key, KAFKA, strlen(KAFKA)) == 0 && key[strlen(KAFKA)])
        return read_kafka(r, key, node, where);
    int index = shoal_config_find(key);
    if (index < 0 && is_section(key)) {
        /* "commit:" with every line below it commented out */
        if (!node->text[0])
            return SHOAL_OK;
        return shoal_fail(r->message, SHOAL_CONFIG, "%s: '%s' holds further keys, not a value",
                          where, key);
    }
    if (index < 0)
        return unknown_key(where, key, r->message);
    if (r->lines[index])
        return set_twice(where, key, r->lines[index], r->message);
    r->lines[index] = node->line;
    return shoal_config_assign(r->config, index, node->text, r->folder, where, r->config->memory,
                               r->message);
}

static enum shoal_status read_map(struct reading *r, const char *prefix,
                                  const struct shoal_yaml *map)
{
    for (const struct shoal_yaml *node = map->first; node; node = node->next) {
        char key[KEY_MAX], where[WHERE_MAX];
        snprintf(where, sizeof where, "%s:%d", r->name, node->line);
        if (snprintf(key, sizeof key, "%s%s%s", prefix, *prefix ? "." : "", node->key) >= KEY_MAX)
            return shoal_fail(r->message, SHOAL_CONFIG, "%s: key is too long", where);
        bool inside = is_section(key) || strncmp(key, KAFKA, strlen(KAFKA)) == 0;
        enum shoal_status status;
        if (node->kind == SHOAL_YAML_TEXT)
            status = read_text(r, key, node, where);
        else if (node->kind == SHOAL_YAML_MAP && inside)
            status = read_map(r, key, node);
        else if (inside || shoal_config_find(key) >= 0)
            status = shoal_fail(r->message, SHOAL_CONFIG, "%s: '%s' cannot be %s", where, key,
                                shoal_yaml_kind_name(node->kind));
        else
            status = unknown_key(where, key, r->message);
        if (status != SHOAL_OK)
            return status;
    }
    return SHOAL_OK;
}

enum shoal_status shoal_config_parse(struct shoal_config *config, const void *bytes, size_t size,
                                     const char *name, struct shoal_message *message)
{
    struct shoal_arena scratch;
    shoal_arena_init(&scratch, 16384);
    const char *slash = strrchr(name, '/');
    struct reading reading = {.config = config, .name = name, .message = message};
    /* Properties of an earlier file may be set again. */
    for (size_t i = 0; i < config->kafka_count; i++)
        config->kafka[i].line = 0;
    const struct shoal_yaml *root;
    enum shoal_status status = shoal_yaml_parse(bytes, size, name, &scratch, &root, message);
    if (status == SHOAL_OK && slash) {
        /* "/shoal.yaml" lies in "", which gives "/model" again */
        reading.folder = shoal_arena_copy(&scratch, name, (size_t)(slash - name));
        status = reading.folder ? SHOAL_OK : SHOAL_NOMEM;
    }
    if (status == SHOAL_OK && root->kind != SHOAL_YAML_MAP)
        status = shoal_fail(message, SHOAL_CONFIG, "%s:%d: keys and values are expected, not %s",
                            name, root->line, shoal_yaml_kind_name(root->kind));
    if (status == SHOAL_OK)
        status = read_map(&reading, "", root);
    shoal_arena_finish(&scratch);
    return status;
}

enum shoal_status shoal_config_read(struct shoal_config *config, const char *path,
                                    struct shoal_message *message)
{
    struct shoal_buffer bytes = {0};
    enum shoal_status status = shoal_yaml_slurp(path, &bytes, message);
    if (status == SHOAL_OK)
        status = shoal_config_parse(config, bytes.bytes, bytes.size, path, message);
    shoal_buffer_finish(&bytes);
    return status;
}

enum shoal_status shoal_config_set(struct shoal_config *config, const char *assignment,
                                   struct shoal_message *message)
{
    const char *equals = strchr(assignment, '=');
    char key[KEY_MAX];
    if (!equals || equals == assignment || equals - assignment >= KEY_MAX)
        return shoal_fail(message, SHOAL_CONFIG, "--set: '%s' is not key=value", assignment);
    snprintf(key, sizeof key, "%.*s", (int)(equals - assignment), assignment);
    if (strncmp(key, KAFKA, strlen(KAFKA)) == 0 && key[strlen(KAFKA)])
        return set_kafka(config, key + strlen(KAFKA), equals + 1, 0);
    int index = shoal_config_find(key);
    if (index < 0)
        return unknown_key("--set", key, message);
    return shoal_config_assign(config, index, equals + 1, NULL, "--set", config->memory, message);
}

enum shoal_status shoal_config_create(struct shoal_config **config)
{
    struct shoal_config *made = calloc(1, sizeof *made);
    struct shoal_arena *arena = calloc(1, sizeof *arena);
    *config = NULL;
    if (!made || !arena) {
        free(made);
        free(arena);
        return SHOAL_NOMEM;
    }
    shoal_arena_init(arena, 4096);
    made->memory = arena;
    size_t count;
    const struct shoal_config_option *options = shoal_config_options(&count);
    enum shoal_status status = count <= OPTION_COUNT_MAX ? SHOAL_OK : SHOAL_INTERNAL;
    for (size_t i = 0; i < count && status == SHOAL_OK; i++)
        status =
            shoal_config_assign(made, (int)i, options[i].standard, NULL, "default", arena, NULL);
    if (status == SHOAL_OK)
        status = set_kafka(made, "bootstrap.servers", "127.0.0.1:9092", 0);
    if (status != SHOAL_OK) {
        shoal_config_destroy(made);
        return status;
    }
    *config = made;
    return SHOAL_OK;
}

void shoal_config_destroy(struct shoal_config *config)
{
    if (!config)
        return;
    shoal_pseudonyms_destroy(config->pseudonyms);
    shoal_arena_finish(config->memory);
    free(config->memory);
    free(config->kafka);
    free(config);
}
