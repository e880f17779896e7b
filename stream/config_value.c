/* SPDX-License-Identifier: Apache-2.0 */
/* Option values; see config_value.h. The tables here are made from the list in config.h. */
#include "stream/config_value.h"

#include <stddef.h>
#include <string.h>

#include "stream/units.h"

enum type { TEXT, PATH, INT, REAL, DURATION, BYTES, CHOICE };

static const struct shoal_config_option options[] = {
#define X(field, key, type, standard, least, most, unit, help)                                     \
    {key, #type, standard, least, most, unit, help},
    SHOAL_CONFIG_LIST(X)
#undef X
};

static const struct {
    enum type type;
    size_t offset; /* of the field in struct shoal_config */
} fields[] = {
#define X(field, key, type, standard, least, most, unit, help)                                     \
    {type, offsetof(struct shoal_config, field)},
    SHOAL_CONFIG_LIST(X)
#undef X
};

const struct shoal_config_option *shoal_config_options(size_t *count)
{
    *count = sizeof options / sizeof *options;
    return options;
}

int shoal_config_find(const char *key)
{
    for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
        if (strcmp(options[i].key, key) == 0)
            return (int)i;
    }
    return -1;
}

/* A number of any type, for the value and for the bounds of its range. */
union number {
    int64_t integer;
    double real;
};

static bool read_number(enum type type, const char *text, union number *number)
{
    switch (type) {
    case INT:
        return shoal_integer_parse(text, &number->integer);
    case DURATION:
        return shoal_duration_parse(text, &number->integer);
    case BYTES:
        return shoal_bytes_parse(text, &number->integer);
    case REAL:
        return shoal_real_parse(text, &number->real);
    case TEXT:
    case PATH:
    case CHOICE:
        break;
    }
    return false;
}

static const char *expected(enum type type)
{
    switch (type) {
    case INT:
        return "a whole number, for example 4";
    case REAL:
        return "a number, for example 0.02";
    case DURATION:
        return "a duration with its unit, for example 100ms, 1s, 5m, 2h or 1d";
    case BYTES:
        return "a size in bytes, for example 100, 64KiB, 1MiB or 1GiB";
    case TEXT:
    case PATH:
    case CHOICE:
        break;
    }
    return "a text";
}

static enum shoal_status assign_number(struct shoal_config *config, int index, const char *text,
                                       const char *where, struct shoal_message *message)
{
    const struct shoal_config_option *option = &options[index];
    enum type type = fields[index].type;
    union number value, least, most;
    if (!read_number(type, text, &value))
        return shoal_fail(message, SHOAL_CONFIG, "%s: %s: '%s' is not %s", where, option->key, text,
                          expected(type));
    if (!read_number(type, option->least, &least) || !read_number(type, option->most, &most))
        return shoal_fail(message, SHOAL_INTERNAL, "%s has no range", option->key);
    bool inside = type == REAL ? value.real >= least.real && value.real <= most.real
                               : value.integer >= least.integer && value.integer <= most.integer;
    if (!inside)
        return shoal_fail(message, SHOAL_CONFIG, "%s: %s: %s is out of range: %s to %s", where,
                          option->key, text, option->least, option->most);
    char *field = (char *)config + fields[index].offset;
    if (type == REAL)
        memcpy(field, &value.real, sizeof value.real);
    else
        memcpy(field, &value.integer, sizeof value.integer);
    return SHOAL_OK;
}

static bool is_one_of(const char *choices, const char *text)
{
    size_t size = strlen(text);
    while (*choices) {
        size_t choice_size = strcspn(choices, ",");
        if (choice_size == size && memcmp(choices, text, size) == 0)
            return true;
        choices += choice_size;
        choices += strspn(choices, ", ");
    }
    return false;
}

static enum shoal_status check_text(int index, const char *text, const char *where,
                                    struct shoal_message *message)
{
    const struct shoal_config_option *option = &options[index];
    if (fields[index].type == CHOICE) {
        if (is_one_of(option->unit, text))
            return SHOAL_OK;
        return shoal_fail(message, SHOAL_CONFIG, "%s: %s: '%s' is not one of %s", where,
                          option->key, text, option->unit);
    }
    int64_t least = 0, most = 0, size = (int64_t)strlen(text);
    if (!shoal_integer_parse(option->least, &least) || !shoal_integer_parse(option->most, &most))
        return shoal_fail(message, SHOAL_INTERNAL, "%s has no range", option->key);
    if (size < least)
        return shoal_fail(message, SHOAL_CONFIG, "%s: %s must not be empty", where, option->key);
    if (size > most)
        return shoal_fail(message, SHOAL_CONFIG, "%s: %s is longer than %s bytes", where,
                          option->key, option->most);
    return SHOAL_OK;
}

/* `text` behind `folder`, as one text in the arena. */
static char *place(struct shoal_arena *arena, const char *folder, const char *text)
{
    size_t folder_size = strlen(folder), size = strlen(text);
    char *path = shoal_arena_alloc(arena, folder_size + 1 + size + 1);
    if (!path)
        return NULL;
    memcpy(path, folder, folder_size);
    path[folder_size] = '/';
    memcpy(path + folder_size + 1, text, size + 1);
    return path;
}

enum shoal_status shoal_config_assign(struct shoal_config *config, int index, const char *text,
                                      const char *folder, const char *where,
                                      struct shoal_arena *arena, struct shoal_message *message)
{
    enum type type = fields[index].type;
    if (type != TEXT && type != PATH && type != CHOICE)
        return assign_number(config, index, text, where, message);
    enum shoal_status status = check_text(index, text, where, message);
    if (status != SHOAL_OK)
        return status;
    bool relative = type == PATH && folder && text[0] && text[0] != '/';
    const char *copy =
        relative ? place(arena, folder, text) : shoal_arena_copy(arena, text, strlen(text));
    if (!copy)
        return SHOAL_NOMEM;
    memcpy((char *)config + fields[index].offset, &copy, sizeof copy);
    return SHOAL_OK;
}
