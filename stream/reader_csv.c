/* SPDX-License-Identifier: Apache-2.0 */
/* CSV rows (RFC 4180, but no line break within quotes) as JSON events.
 *
 * The JSON is the message: `send` produces it and `replay` decodes it, so the same row must give
 * the same bytes everywhere. Fields stand in one fixed order; ids are always text; a time, price or
 * quantity that is a JSON number is written as it stands, anything else becomes text, for the
 * decoder to understand or to refuse. Empty optional cells are left out. */
#include "stream/reader_csv.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "stream/event_fields.h"

static const struct {
    const char *key; /* in the JSON */
    bool is_required, is_number;
    const char *aliases[7]; /* names of the column, the preferred first */
} fields[SHOAL_CSV_FIELD_COUNT] = {
    [SHOAL_CSV_USER] = {"user_id",
                        true,
                        false,
                        {"user_id", "user", "userid", "visitorid", "visitor_id", "session"}},
    [SHOAL_CSV_ITEM] = {"item_id",
                        true,
                        false,
                        {"item_id", "item", "itemid", "product_id", "product"}},
    [SHOAL_CSV_CATEGORY] = {"category_id",
                            false,
                            false,
                            {"category_id", "category", "categoryid", "item_category"}},
    [SHOAL_CSV_BEHAVIOR] = {"behavior",
                            true,
                            false,
                            {"behavior", "behaviour", "behavior_type", "event_type", "event"}},
    [SHOAL_CSV_TIMESTAMP] = {"timestamp", true, true, {"timestamp", "event_time", "time", "ts"}},
    [SHOAL_CSV_PRICE] = {"price", false, true, {"price"}},
    [SHOAL_CSV_QUANTITY] = {"quantity", false, true, {"quantity"}},
    [SHOAL_CSV_EVENT_ID] = {"event_id", false, false, {"event_id"}},
    [SHOAL_CSV_PROMOTION_ID] = {"promotion_id", false, false, {"promotion_id"}},
    [SHOAL_CSV_EXPOSURE] = {"exposure", false, false, {"exposure"}},
    [SHOAL_CSV_CONSENT_MARKETING] = {"consent_marketing", false, false, {"consent_marketing"}},
    [SHOAL_CSV_CONSENT_PERSONALIZATION] = {"consent_personalization",
                                           false,
                                           false,
                                           {"consent_personalization"}},
    [SHOAL_CSV_CONSENT_PROCESSING] = {"consent_processing", false, false, {"consent_processing"}},
};

void shoal_csv_init(struct shoal_csv *csv)
{
    csv->columns_count = 0;
    csv->unquoted = (struct shoal_buffer){0};
}

void shoal_csv_finish(struct shoal_csv *csv)
{
    shoal_buffer_finish(&csv->unquoted);
}

/* ---- cells -------------------------------------------------------------------------------- */

/* The cell in quotes that begins at `at`; returns what is behind it, NULL if it does not end. */
static const char *take_quoted(struct shoal_csv *csv, const char *at, const char *end,
                               struct shoal_csv_cell *cell)
{
    const char *start = ++at;
    bool has_doubled = false;
    for (;;) {
        at = memchr(at, '"', (size_t)(end - at));
        if (!at)
            return NULL;
        if (at + 1 == end || at[1] != '"')
            break;
        has_doubled = true;
        at += 2;
    }
    *cell = (struct shoal_csv_cell){start, (size_t)(at - start)};
    if (has_doubled) {
        char *out = (char *)csv->unquoted.bytes + csv->unquoted.size; /* reserved for the line */
        cell->text = out;
        for (const char *c = start; c < at; c++) {
            *out++ = *c;
            c += *c == '"';
        }
        cell->size = (size_t)(out - cell->text);
        csv->unquoted.size += cell->size;
    }
    return at + 1;
}

/* Takes a line apart; the number of cells, −1 if it is no CSV. */
static int split(struct shoal_csv *csv, const char *line, size_t size)
{
    const char *at = line, *end = line + size;
    shoal_buffer_clear(&csv->unquoted);
    if (memchr(line, '"', size) && !shoal_buffer_reserve(&csv->unquoted, size))
        return -1;
    for (int count = 0; count < SHOAL_CSV_COLUMNS_MAX;) {
        struct shoal_csv_cell *cell = &csv->cells[count++];
        if (at < end && *at == '"') {
            at = take_quoted(csv, at, end, cell);
            if (!at || (at < end && *at != ','))
                return -1;
        } else {
            const char *comma = memchr(at, ',', (size_t)(end - at));
            const char *stop = comma ? comma : end;
            *cell = (struct shoal_csv_cell){at, (size_t)(stop - at)};
            at = stop;
        }
        if (at == end)
            return count;
        at++;
    }
    return -1;
}

static bool cell_is(const struct shoal_csv_cell *cell, const char *name)
{
    return strlen(name) == cell->size && strncasecmp(name, cell->text, cell->size) == 0;
}

/* ---- columns ------------------------------------------------------------------------------ */

static struct shoal_csv_cell trimmed(struct shoal_csv_cell cell)
{
    while (cell.size && cell.text[0] == ' ')
        cell = (struct shoal_csv_cell){cell.text + 1, cell.size - 1};
    while (cell.size && cell.text[cell.size - 1] == ' ')
        cell.size--;
    return cell;
}

static int find_column(const struct shoal_csv *csv, int count, enum shoal_csv_field field)
{
    for (size_t i = 0; i < 7 && fields[field].aliases[i]; i++) {
        for (int column = 0; column < count; column++) {
            struct shoal_csv_cell cell = trimmed(csv->cells[column]);
            if (cell_is(&cell, fields[field].aliases[i]))
                return column;
        }
    }
    return -1;
}

/* A row of three or more plain words, none of which is a number, can only be names. */
static bool looks_like_names(const struct shoal_csv *csv, int count)
{
    for (int i = 0; i < count; i++) {
        struct shoal_csv_cell cell = trimmed(csv->cells[i]);
        if (cell.size == 0)
            return false;
        for (size_t at = 0; at < cell.size; at++) {
            char c = cell.text[at], lower = (char)(c | 0x20);
            bool is_letter = (lower >= 'a' && lower <= 'z') || c == '_';
            bool is_inner = (c >= '0' && c <= '9') || c == ' ' || c == '-';
            if (!is_letter && !(at && is_inner))
                return false;
        }
    }
    return count >= 3;
}

enum shoal_status shoal_csv_header(struct shoal_csv *csv, const char *line, size_t size,
                                   bool *is_header, struct shoal_message *message)
{
    *is_header = false;
    int count = split(csv, line, size), known = 0;
    if (count < 2)
        return SHOAL_OK;
    char missing[200] = "";
    size_t used = 0;
    for (int field = 0; field < SHOAL_CSV_FIELD_COUNT; field++) {
        csv->column_of[field] = find_column(csv, count, (enum shoal_csv_field)field);
        known += csv->column_of[field] >= 0;
        if (csv->column_of[field] < 0 && fields[field].is_required)
            used += (size_t)snprintf(missing + used, sizeof missing - used, "%s%s",
                                     used ? ", " : "", fields[field].key);
    }
    if (known < 2 && !looks_like_names(csv, count))
        return SHOAL_OK;
    if (used)
        return shoal_fail(message, SHOAL_CONFIG, "header has no column for %s", missing);
    *is_header = true;
    csv->columns_count = count;
    return SHOAL_OK;
}

/* Without a header: user, item, category, behaviour, seconds, as in Taobao's UserBehavior, or the
 * same four without the category. One of the last two cells must look its part. */
static bool guess_columns(struct shoal_csv *csv, int count)
{
    if (count != 4 && count != 5)
        return false;
    enum shoal_behavior behavior;
    int64_t time_ms;
    const struct shoal_csv_cell *last = &csv->cells[count - 1], *before = last - 1;
    if (!shoal_behavior_parse(before->text, before->size, &behavior) &&
        !shoal_time_parse(last->text, last->size, &time_ms))
        return false;
    for (int field = 0; field < SHOAL_CSV_FIELD_COUNT; field++)
        csv->column_of[field] = -1;
    csv->column_of[SHOAL_CSV_USER] = 0;
    csv->column_of[SHOAL_CSV_ITEM] = 1;
    if (count == 5)
        csv->column_of[SHOAL_CSV_CATEGORY] = 2;
    csv->column_of[SHOAL_CSV_BEHAVIOR] = count - 2;
    csv->column_of[SHOAL_CSV_TIMESTAMP] = count - 1;
    csv->columns_count = count;
    return true;
}

/* ---- JSON --------------------------------------------------------------------------------- */

static void put_text(struct shoal_buffer *json, const char *text, size_t size)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t *out = shoal_buffer_reserve(json, 6 * size + 2);
    if (!out)
        return;
    uint8_t *start = out;
    *out++ = '"';
    for (size_t i = 0; i < size; i++) {
        uint8_t c = (uint8_t)text[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            *out++ = c;
        } else if (c >= 0x20) {
            *out++ = '\\';
            *out++ = c;
        } else {
            memcpy(out, "\\u00", 4);
            out[4] = (uint8_t)digits[c >> 4];
            out[5] = (uint8_t)digits[c & 15];
            out += 6;
        }
    }
    *out++ = '"';
    json->size += (size_t)(out - start);
}

static void put_field(struct shoal_buffer *json, enum shoal_csv_field field,
                      const struct shoal_csv_cell *cell)
{
    bool is_integer, is_padded;
    const char *key = fields[field].key;
    shoal_buffer_append(json, field == SHOAL_CSV_USER ? "{\"" : ",\"", 2);
    shoal_buffer_append(json, key, strlen(key));
    shoal_buffer_append(json, "\":", 2);
    if (fields[field].is_number &&
        shoal_number_scan(cell->text, cell->size, &is_integer, &is_padded) && !is_padded)
        shoal_buffer_append(json, cell->text, cell->size);
    else
        put_text(json, cell->text, cell->size);
}

bool shoal_csv_row(struct shoal_csv *csv, const char *line, size_t size, struct shoal_buffer *json,
                   struct shoal_csv_cell *user)
{
    int count = split(csv, line, size);
    if (count < 0 ||
        (csv->columns_count ? count != csv->columns_count : !guess_columns(csv, count)))
        return false;
    for (int i = 0; i < SHOAL_CSV_FIELD_COUNT; i++) {
        enum shoal_csv_field field = (enum shoal_csv_field)i;
        int column = csv->column_of[field];
        if (column >= 0 && (csv->cells[column].size || fields[field].is_required))
            put_field(json, field, &csv->cells[column]);
    }
    shoal_buffer_append(json, "}", 1);
    *user = csv->cells[csv->column_of[SHOAL_CSV_USER]];
    return true;
}
