/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines; see log.h. */
#include "stream/log.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "model/base/clock.h"
#include "stream/event.h"

static const char *const level_names[] = {"debug", "info", "warning", "error"};

enum shoal_log_level shoal_log_level_of(const char *name)
{
    for (int i = SHOAL_DEBUG; i <= SHOAL_ERROR; i++) {
        if (strcmp(name, level_names[i]) == 0)
            return (enum shoal_log_level)i;
    }
    return SHOAL_INFO;
}

enum { TEXT_MAX = 1024, LINE_MAX_BYTES = 4096, TAIL_BYTES = 4 };

struct line {
    char bytes[LINE_MAX_BYTES];
    size_t used;
};

/* Appends all of it or, where it does not fit, nothing. */
static bool put(struct line *line, const char *text)
{
    size_t size = strlen(text);
    if (line->used + size + TAIL_BYTES > sizeof line->bytes)
        return false;
    memcpy(line->bytes + line->used, text, size);
    line->used += size;
    return true;
}

/* `text` as a JSON string; one that is too long is cut. */
static void escape(const char *text, char *out, size_t size)
{
    size_t used = 0;
    out[used++] = '"';
    for (; *text && used + 9 < size; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\') {
            out[used++] = '\\';
            out[used++] = (char)byte;
        } else if (byte < 0x20) {
            used += (size_t)snprintf(out + used, size - used, "\\u%04x", byte);
        } else {
            out[used++] = (char)byte;
        }
    }
    out[used++] = '"';
    out[used] = '\0';
}

/* A word stands as it is in a line of text; what has blanks or the like is quoted. */
static bool is_word(const char *text)
{
    return *text && strpbrk(text, " \t\r\n\"\\=") == NULL;
}

static void print_value(const struct shoal_log_field *field, bool json, char *out, size_t size)
{
    const char *text = field->text ? field->text : "";
    if (field->kind == SHOAL_LOG_INT)
        snprintf(out, size, "%" PRId64, field->number);
    else if (field->kind == SHOAL_LOG_REAL && isfinite(field->real))
        snprintf(out, size, "%.6g", field->real);
    else if (field->kind == SHOAL_LOG_REAL)
        snprintf(out, size, "%s", json ? "null" : "nan");
    else if (json || !is_word(text) || strlen(text) >= size)
        escape(text, out, size);
    else
        snprintf(out, size, "%s", text);
}

/* With `json` between a comma-separated pair of others, else behind a blank. */
static void put_field(struct line *line, const struct shoal_log_field *field, bool json)
{
    char value[TEXT_MAX], pair[TEXT_MAX + 80];
    print_value(field, json, value, sizeof value);
    snprintf(pair, sizeof pair, json ? "\"%.60s\":%s," : " %.60s=%s", field->name, value);
    (void)put(line, pair);
}

static void write_line(const struct shoal_log *log, enum shoal_log_level level,
                       const struct shoal_log_field *fields, size_t count, const char *text)
{
    struct line line = {.used = 0};
    char time[25], head[128], escaped[2 * TEXT_MAX];
    shoal_time_print(shoal_clock_wall_ms(), time);
    const struct shoal_log_field worker = SHOAL_FIELD("worker", log->worker);
    if (log->json) {
        escape(text, escaped, sizeof escaped);
        snprintf(head, sizeof head, "{\"time\":\"%s\",\"level\":\"%s\",", time, level_names[level]);
        (void)put(&line, head);
        if (log->worker >= 0)
            put_field(&line, &worker, true);
        size_t kept = sizeof line.bytes - strlen(escaped) - 16; /* the text comes behind the fields */
        for (size_t i = 0; i < count; i++) {
            size_t before = line.used;
            put_field(&line, &fields[i], true);
            if (line.used > kept)
                line.used = before;
        }
        (void)put(&line, "\"text\":");
        (void)put(&line, escaped);
        (void)put(&line, "}");
    } else {
        snprintf(head, sizeof head, "%s %s", time, level_names[level]);
        (void)put(&line, head);
        if (log->worker >= 0)
            put_field(&line, &worker, false);
        (void)put(&line, " ");
        (void)put(&line, text);
        for (size_t i = 0; i < count; i++)
            put_field(&line, &fields[i], false);
    }
    line.bytes[line.used++] = '\n';
    ssize_t ignored = write(STDERR_FILENO, line.bytes, line.used);
    (void)ignored;
}

void shoal_log_write(const struct shoal_log *log, enum shoal_log_level level, const char *format,
                     ...)
{
    if (level < log->level)
        return;
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    write_line(log, level, NULL, 0, text);
}

void shoal_log_fields(const struct shoal_log *log, enum shoal_log_level level,
                      const struct shoal_log_field *fields, size_t count, const char *format, ...)
{
    if (level < log->level)
        return;
    char text[TEXT_MAX];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    write_line(log, level, fields, count, text);
}

bool shoal_nag_due(struct shoal_nag *nag)
{
    int64_t now = shoal_clock_ms();
    if (nag->said_ms != 0 && now - nag->said_ms < 60000) {
        nag->skipped++;
        return false;
    }
    nag->said_ms = now;
    nag->skipped = 0;
    return true;
}
