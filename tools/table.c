/* SPDX-License-Identifier: Apache-2.0 */
/* Tables in memory; see table.h.
 *
 *   text    [ c u s t o m e r \0 d a t e \0 4 \0 1 9 9 7 … \0 ]   the file; each separator became a zero
 *   cells   [ 0, 9, 14, 16 … ]                                   where each cell begins, row after row
 *   lines   [ 2, 3 … ]                                           the line of each row
 *
 * Unquoting makes a cell shorter, never longer, so it is done in place. */
#include "tools/table.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "model/base/pack.h"
#include "stream/event_fields.h"
#include "stream/nearest.h"
#include "stream/reader_input.h"

enum { READ_BYTES = 1 << 18, SHOWN_BYTES = 40 };

static const size_t BYTES_MAX = (size_t)1 << 31;

struct shoal_table {
    char *path;
    struct shoal_buffer text;
    uint32_t *cells, *lines; /* owned; with the header as row 0, if there is one */
    size_t cells_count, cells_capacity, rows_count, rows_capacity;
    size_t columns_count;
    enum shoal_table_form form;
};

/* Where the reading stands. */
struct cursor {
    size_t at;
    uint32_t line;
};

void shoal_table_close(struct shoal_table *table)
{
    if (!table)
        return;
    shoal_buffer_finish(&table->text);
    free(table->cells);
    free(table->lines);
    free(table->path);
    free(table);
}

static enum shoal_status refuse_line(const struct shoal_table *table, size_t line,
                                     enum shoal_status status, struct shoal_message *message,
                                     const char *format, ...) SHOAL_PRINTF(5, 6);

static enum shoal_status refuse_line(const struct shoal_table *table, size_t line,
                                     enum shoal_status status, struct shoal_message *message,
                                     const char *format, ...)
{
    char what[400];
    va_list list;
    va_start(list, format);
    vsnprintf(what, sizeof what, format, list);
    va_end(list);
    return shoal_fail(message, status, "%.300s:%zu: %s", table->path, line, what);
}

/* ---- reading -------------------------------------------------------------------------------- */

static enum shoal_status slurp(struct shoal_table *table, struct shoal_message *message)
{
    struct shoal_byte_source *source;
    enum shoal_status status = shoal_byte_source_open(table->path, &source, message);
    struct shoal_message why = {""};
    while (status == SHOAL_OK) {
        uint8_t *room = shoal_buffer_reserve(&table->text, READ_BYTES + 1);
        size_t count = 0;
        if (!room)
            status = shoal_fail(&why, SHOAL_NOMEM, "is too large for the memory");
        else
            status = shoal_byte_source_read(source, (char *)room, READ_BYTES, &count, &why);
        table->text.size += count;
        if (status == SHOAL_OK && table->text.size > BYTES_MAX)
            status = shoal_fail(&why, SHOAL_DAMAGED, "is larger than 2 GiB: take a part of it");
    }
    shoal_byte_source_close(source);
    if (status != SHOAL_END)
        return why.text[0] ? shoal_fail(message, status, "%.300s %s", table->path, why.text) : status;
    if (table->text.size && memchr(table->text.bytes, '\0', table->text.size))
        return shoal_fail(message, SHOAL_DAMAGED,
                          "%.300s is no text: it has a zero byte; CSV is expected", table->path);
    shoal_buffer_append(&table->text, "", 1); /* ends the last cell */
    return table->text.failed ? SHOAL_NOMEM : SHOAL_OK;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* Skips lines with nothing on them; false at the end of the file. */
static bool next_line(const char *text, struct cursor *cursor)
{
    for (;;) {
        size_t at = cursor->at;
        while (is_blank(text[at]))
            at++;
        if (text[at] == '\0')
            return false;
        if (text[at] != '\n')
            return true;
        cursor->at = at + 1;
        cursor->line++;
    }
}

static bool add(uint32_t **numbers, size_t *count, size_t *capacity, size_t number)
{
    if (*count == *capacity) {
        size_t wanted = *capacity ? 2 * *capacity : 256;
        uint32_t *grown = realloc(*numbers, wanted * sizeof *grown);
        if (!grown)
            return false;
        *numbers = grown;
        *capacity = wanted;
    }
    (*numbers)[(*count)++] = (uint32_t)number;
    return true;
}

/* Ends a cell at `end`; the cursor goes behind the separator that stood at `at`. True if the row goes on. */
static bool end_cell(char *text, struct cursor *cursor, size_t at, size_t end)
{
    char separator = text[at];
    text[end] = '\0';
    cursor->at = separator ? at + 1 : at;
    cursor->line += separator == '\n';
    return separator != '\n' && separator != '\0';
}

/* The cell in quotes at the cursor, unquoted where it stands. */
static enum shoal_status take_quoted(const struct shoal_table *table, char *text,
                                     struct cursor *cursor, size_t *begin, bool *more,
                                     struct shoal_message *message)
{
    size_t from = cursor->at + 1, to = from;
    uint32_t line = cursor->line;
    *begin = from;
    for (; text[from] != '"' || text[from + 1] == '"'; from++) {
        if (text[from] == '\0')
            return refuse_line(table, line, SHOAL_DAMAGED, message,
                               "a quoted cell begins here and does not end");
        cursor->line += text[from] == '\n';
        from += text[from] == '"';
        text[to++] = text[from];
    }
    from++;
    while (is_blank(text[from]))
        from++;
    if (text[from] != ',' && text[from] != '\n' && text[from] != '\0')
        return refuse_line(table, cursor->line, SHOAL_DAMAGED, message,
                           "something stands behind a closing quote; quotes within a quoted cell are "
                           "written twice");
    *more = end_cell(text, cursor, from, to);
    return SHOAL_OK;
}

/* Where the first of `stops`, or the end of the text, is, from `at` on. strcspn may look at all of a text that
 * is a whole file (under the sanitizers it does), once for each cell. */
static size_t find_stop(const char *text, size_t at, const char *stops)
{
    while (text[at] && !strchr(stops, text[at]))
        at++;
    return at;
}

static bool take_plain(char *text, struct cursor *cursor, size_t *begin)
{
    size_t at = find_stop(text, cursor->at, ",\n"), end = at;
    *begin = cursor->at;
    if (text[at] != ',' && end > *begin && text[end - 1] == '\r')
        end--;
    return end_cell(text, cursor, at, end);
}

/* Words stand between any number of blanks, also before the first and behind the last. */
static bool take_word(char *text, struct cursor *cursor, size_t *begin)
{
    while (is_blank(text[cursor->at]))
        cursor->at++;
    *begin = cursor->at;
    size_t end = find_stop(text, cursor->at, " \t\r\n"), at = end;
    while (is_blank(text[at]))
        at++;
    if (text[at] != '\n' && text[at] != '\0')
        at--; /* the separator is the last blank before the next word */
    return end_cell(text, cursor, at, end);
}

static enum shoal_status read_row(struct shoal_table *table, struct cursor *cursor,
                                  struct shoal_message *message)
{
    char *text = (char *)table->text.bytes;
    uint32_t line = cursor->line;
    size_t count = 0;
    for (bool more = true; more; count++) {
        size_t begin;
        enum shoal_status status = SHOAL_OK;
        if (table->form == SHOAL_TABLE_WORDS)
            more = take_word(text, cursor, &begin);
        else if (text[cursor->at] == '"')
            status = take_quoted(table, text, cursor, &begin, &more, message);
        else
            more = take_plain(text, cursor, &begin);
        if (status != SHOAL_OK)
            return status;
        if (!add(&table->cells, &table->cells_count, &table->cells_capacity, begin))
            return shoal_fail(message, SHOAL_NOMEM, "%.300s is too large for the memory", table->path);
    }
    if (table->rows_count == 0)
        table->columns_count = count;
    if (count != table->columns_count)
        return refuse_line(table, line, SHOAL_DAMAGED, message,
                           "%zu cells, where the first line has %zu; a cell with a comma in it must "
                           "stand in double quotes",
                           count, table->columns_count);
    return add(&table->lines, &table->rows_count, &table->rows_capacity, line)
               ? SHOAL_OK
               : shoal_fail(message, SHOAL_NOMEM, "%.300s is too large for the memory", table->path);
}

/* ---- header --------------------------------------------------------------------------------- */

/* As numbers in events are read: also with an exponent, and with more digits than a double has. */
static bool number_of(const char *text, double *number)
{
    text += strspn(text, " \t");
    size_t size = strlen(text);
    while (size && is_blank(text[size - 1]))
        size--;
    return shoal_number_parse(text, size, number);
}

static enum shoal_table_form form_of(const char *text, size_t at)
{
    char line[512];
    size_t size = find_stop(text, at, "\n") - at;
    if (size >= sizeof line || memchr(text + at, ',', size))
        return SHOAL_TABLE_CSV;
    memcpy(line, text + at, size);
    line[size] = '\0';
    double number;
    char *rest;
    for (char *word = strtok_r(line, " \t\r", &rest); word; word = strtok_r(NULL, " \t\r", &rest))
        if (!number_of(word, &number))
            return SHOAL_TABLE_CSV;
    return SHOAL_TABLE_WORDS;
}

/* Blanks around names go, and no name stands twice. */
static enum shoal_status tidy_names(struct shoal_table *table, struct shoal_message *message)
{
    char *text = (char *)table->text.bytes;
    for (size_t column = 0; column < table->columns_count; column++) {
        uint32_t *cell = &table->cells[column];
        *cell += (uint32_t)strspn(text + *cell, " \t");
        size_t size = strlen(text + *cell);
        while (size && is_blank(text[*cell + size - 1]))
            text[*cell + --size] = '\0';
        for (size_t other = 0; other < column; other++)
            if (size && strcasecmp(text + table->cells[other], text + *cell) == 0)
                return refuse_line(table, table->lines[0], SHOAL_DAMAGED, message,
                                   "the header names the column '%.60s' twice", text + *cell);
    }
    return SHOAL_OK;
}

static enum shoal_status parse(struct shoal_table *table, struct shoal_message *message)
{
    struct cursor cursor = {0, 1};
    const char *text = (const char *)table->text.bytes;
    if (strncmp(text, "\xef\xbb\xbf", 3) == 0)
        cursor.at = 3;
    if (!next_line(text, &cursor))
        return refuse_line(table, 1, SHOAL_DAMAGED, message, "the table is empty");
    if (table->form == SHOAL_TABLE_ANY)
        table->form = form_of(text, cursor.at);
    do {
        enum shoal_status status = read_row(table, &cursor, message);
        if (status == SHOAL_OK && table->rows_count == 1 && table->form == SHOAL_TABLE_CSV)
            status = tidy_names(table, message);
        if (status != SHOAL_OK)
            return status;
    } while (next_line(text, &cursor));
    return SHOAL_OK;
}

enum shoal_status shoal_table_open(const char *path, enum shoal_table_form form,
                                   struct shoal_table **table, struct shoal_message *message)
{
    *table = NULL;
    struct shoal_table *made = calloc(1, sizeof *made);
    if (made)
        made->path = strdup(path);
    if (!made || !made->path) {
        shoal_table_close(made);
        return shoal_fail(message, SHOAL_NOMEM, "no memory to open %.300s", path);
    }
    made->form = form;
    enum shoal_status status = slurp(made, message);
    if (status == SHOAL_OK)
        status = parse(made, message);
    if (status == SHOAL_OK)
        *table = made;
    else
        shoal_table_close(made);
    return status;
}

/* ---- looking -------------------------------------------------------------------------------- */

size_t shoal_table_rows(const struct shoal_table *table)
{
    return table->rows_count - (table->form == SHOAL_TABLE_CSV);
}

size_t shoal_table_columns(const struct shoal_table *table)
{
    return table->columns_count;
}

enum shoal_table_form shoal_table_form(const struct shoal_table *table)
{
    return table->form;
}

const char *shoal_table_path(const struct shoal_table *table)
{
    return table->path;
}

static const char *cell_at(const struct shoal_table *table, size_t row, size_t column)
{
    return (const char *)table->text.bytes + table->cells[row * table->columns_count + column];
}

const char *shoal_table_name(const struct shoal_table *table, size_t column)
{
    return table->form == SHOAL_TABLE_CSV ? cell_at(table, 0, column) : "";
}

const char *shoal_table_text(const struct shoal_table *table, size_t row, size_t column)
{
    return cell_at(table, row + (table->form == SHOAL_TABLE_CSV), column);
}

size_t shoal_table_line(const struct shoal_table *table, size_t row)
{
    return table->lines[row + (table->form == SHOAL_TABLE_CSV)];
}

/* A wrong column is told with all the names, as far as they fit. */
static enum shoal_status refuse_name(const struct shoal_table *table, const char *name,
                                     struct shoal_message *message)
{
    struct shoal_nearest nearest;
    char names[200] = "", hint[100] = "";
    size_t used = 0;
    shoal_nearest_init(&nearest, name);
    for (size_t column = 0; column < table->columns_count; column++) {
        const char *known = shoal_table_name(table, column);
        shoal_nearest_feed(&nearest, known);
        if (used < sizeof names)
            used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", used ? ", " : "",
                                     known);
    }
    if (nearest.best)
        snprintf(hint, sizeof hint, " (did you mean '%.60s'?)", nearest.best);
    return refuse_line(table, table->lines[0], SHOAL_NOT_FOUND, message,
                       "no column '%.60s'%s; the header has %s%s", name, hint, names,
                       used >= sizeof names ? "…" : "");
}

enum shoal_status shoal_table_column_of(const struct shoal_table *table, const char *name,
                                   size_t *column, struct shoal_message *message)
{
    if (table->form == SHOAL_TABLE_WORDS)
        return refuse_line(table, table->lines[0], SHOAL_NOT_FOUND, message,
                           "no column '%.60s': the first line is numbers and names no columns; put a "
                           "header of names and commas above it",
                           name);
    for (*column = 0; *column < table->columns_count; ++*column)
        if (strcasecmp(shoal_table_name(table, *column), name) == 0)
            return SHOAL_OK;
    return refuse_name(table, name, message);
}

enum shoal_status shoal_table_refuse(const struct shoal_table *table, size_t row, size_t column,
                                     const char *what, struct shoal_message *message)
{
    char shown[SHOWN_BYTES + 4], which[80];
    const char *text = shoal_table_text(table, row, column);
    size_t used = 0;
    for (; text[used] && used < SHOWN_BYTES; used++)
        shown[used] = text[used] >= 0x20 && text[used] < 0x7f ? text[used] : '?';
    memcpy(shown + used, text[used] ? "..." : "", text[used] ? 4 : 1);
    if (table->form == SHOAL_TABLE_CSV)
        snprintf(which, sizeof which, "column '%.60s'", shoal_table_name(table, column));
    else
        snprintf(which, sizeof which, "column %zu", column + 1);
    return refuse_line(table, shoal_table_line(table, row), SHOAL_DAMAGED, message, "%s: '%s' %s",
                       which, shown, what);
}

enum shoal_status shoal_table_number(const struct shoal_table *table, size_t row, size_t column,
                                     double *number, struct shoal_message *message)
{
    if (number_of(shoal_table_text(table, row, column), number))
        return SHOAL_OK;
    return shoal_table_refuse(table, row, column, "is not a number", message);
}

/* Eight digits are a date: as seconds they would lie in 1970. */
static bool date_of(const char *text, size_t size, int64_t *time_ms)
{
    if (size != 8 || strspn(text, "0123456789") < 8)
        return false;
    char date[11];
    snprintf(date, sizeof date, "%.4s-%.2s-%.2s", text, text + 4, text + 6);
    return shoal_time_parse(date, 10, time_ms);
}

enum shoal_status shoal_table_time(const struct shoal_table *table, size_t row, size_t column,
                                   int64_t *time_ms, struct shoal_message *message)
{
    const char *text = shoal_table_text(table, row, column);
    text += strspn(text, " \t");
    size_t size = strlen(text);
    while (size && is_blank(text[size - 1]))
        size--;
    bool digits = size == 8 && strspn(text, "0123456789") >= 8;
    if (digits ? date_of(text, size, time_ms) : shoal_time_parse(text, size, time_ms))
        return SHOAL_OK;
    return shoal_table_refuse(table, row, column,
                              "is not a time; 2011-09-30, 2011-09-30 08:26:00, 20110930 and seconds "
                              "since 1970 can be read",
                              message);
}
