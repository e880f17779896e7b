/* SPDX-License-Identifier: Apache-2.0 */
#include "stream/put_json.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "stream/json_print.h"

static void begin(struct shoal_put *put, const char *key)
{
    if (put->comma)
        fputc(',', put->out);
    put->comma = true;
    if (key) {
        shoal_json_text(key, put->out);
        fputc(':', put->out);
    }
}

void shoal_put_open(struct shoal_put *put, const char *key, char bracket)
{
    begin(put, key);
    fputc(bracket, put->out);
    put->comma = false;
}

void shoal_put_close(struct shoal_put *put, char bracket)
{
    fputc(bracket, put->out);
    put->comma = true;
}

void shoal_put_text(struct shoal_put *put, const char *key, const char *text)
{
    begin(put, key);
    shoal_json_text(text, put->out);
}

void shoal_put_int(struct shoal_put *put, const char *key, int64_t value)
{
    begin(put, key);
    fprintf(put->out, "%" PRId64, value);
}

void shoal_put_count(struct shoal_put *put, const char *key, uint64_t value)
{
    begin(put, key);
    fprintf(put->out, "%" PRIu64, value);
}

void shoal_put_real(struct shoal_put *put, const char *key, double value)
{
    begin(put, key);
    if (isfinite(value))
        fprintf(put->out, "%.6g", value);
    else
        fputs("null", put->out);
}

void shoal_put_flag(struct shoal_put *put, const char *key, bool value)
{
    begin(put, key);
    fputs(value ? "true" : "false", put->out);
}

void shoal_put_null(struct shoal_put *put, const char *key)
{
    begin(put, key);
    fputs("null", put->out);
}

void shoal_put_time(struct shoal_put *put, const char *key, int64_t time_ms)
{
    begin(put, key);
    shoal_json_time(time_ms, put->out);
}

void shoal_put_hash(struct shoal_put *put, const char *key, uint64_t hash)
{
    char text[17];
    snprintf(text, sizeof text, "%016" PRIx64, hash);
    shoal_put_text(put, key, text);
}

void shoal_put_raw(struct shoal_put *put, const char *key, const char *json)
{
    begin(put, key);
    fputs(json, put->out);
}

void shoal_put_measures(struct shoal_put *put, const double values[SHOAL_MEASURE_COUNT],
                        const struct shoal_interval intervals[SHOAL_MEASURE_COUNT])
{
    begin(put, NULL);
    shoal_json_measures(values, intervals, put->out);
}

void shoal_put_metrics(struct shoal_put *put, const struct shoal_metrics *metrics)
{
    shoal_put_count(put, "n", metrics->events_count);
    shoal_put_count(put, "users", metrics->users_count);
    shoal_put_real(put, "base_rate", metrics->base_rate);
    shoal_put_measures(put, metrics->values, metrics->intervals);
}

/* ---- reading back --------------------------------------------------------------------------- */

/* The byte after a string that begins at `at`; NULL if it does not end. */
static const char *skip_string(const char *at)
{
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && at[1])
            at++;
    return *at ? at + 1 : NULL;
}

/* The byte after a value: what is outside strings up to a comma or the end of its object. */
static const char *skip_value(const char *at)
{
    for (int depth = 0; *at;) {
        if (*at == '"') {
            at = skip_string(at);
            if (!at)
                return NULL;
            continue;
        }
        if (depth == 0 && (*at == ',' || *at == '}'))
            return at;
        depth += *at == '{' || *at == '[';
        depth -= *at == '}' || *at == ']';
        at++;
    }
    return NULL;
}

/* The escapes that shoal_json_text writes for a text of the top level: quotes and backslashes;
 * others stay. */
static void copy_text(const char *from, const char *end, char *text, size_t size)
{
    size_t length = 0;
    for (; from < end && length + 1 < size; from++) {
        if (*from == '\\' && (from[1] == '"' || from[1] == '\\'))
            from++;
        text[length++] = *from;
    }
    text[length] = '\0';
}

bool shoal_line_text(const char *line, const char *key, char *text, size_t size)
{
    bool found = false;
    size_t key_size = strlen(key);
    if (*line++ != '{')
        return false;
    while (*line == '"') {
        const char *name = line + 1, *value = skip_string(line);
        if (!value || *value++ != ':')
            return false;
        const char *end = skip_value(value);
        if (!end)
            return false;
        bool wanted = strncmp(name, key, key_size) == 0 && name[key_size] == '"';
        if (wanted && *value == '"') {
            copy_text(value + 1, end - 1, text, size);
            found = true;
        }
        line = *end == ',' ? end + 1 : end;
    }
    return found && *line == '}';
}
