/* SPDX-License-Identifier: Apache-2.0 */
/* Segments and promotions of everybody: counts, how they went, and who is in a level. */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "state/record.h"
#include "stream/history.h"
#include "stream/http_internal.h"
#include "stream/http_watch.h"

enum {
    USERS_DEFAULT = 100,
    USERS_MAX = 1000,
    PIECES_MAX = 10, /* of the store, for one answer: some ten thousand keys */
};

/* ---- counts -------------------------------------------------------------------------------- */

enum document { SEGMENTS, PROMOTIONS, OVERVIEW };

static void put_document(struct http_request *r, enum document document)
{
    struct shoal_message message = {.text = ""};
    struct shoal_seen *seen;
    enum shoal_status status = shoal_watch_see(r->http->watch, &seen, &message);
    if (status != SHOAL_OK) {
        http_failed(r, status, &message);
        return;
    }
    (void)http_json(r);
    if (document == SEGMENTS)
        fwrite(seen->segments, 1, seen->segments_size, r->out);
    else if (document == PROMOTIONS)
        fwrite(seen->promotions, 1, seen->promotions_size, r->out);
    else
        fwrite(seen->overview, 1, seen->overview_size, r->out);
    shoal_watch_release(r->http->watch, seen);
}

void http_segments(struct http_request *r)
{
    put_document(r, SEGMENTS);
}

void http_promotions(struct http_request *r)
{
    put_document(r, PROMOTIONS);
}

void http_overview(struct http_request *r)
{
    put_document(r, OVERVIEW);
}

void http_segments_history(struct http_request *r)
{
    long long minutes = 60;
    if (!http_query_int(r, "minutes", 1, SHOAL_HISTORY_MINUTES, &minutes))
        return;
    shoal_watch_history(r->http->watch, http_json(r), (unsigned)minutes);
}

/* ---- who is in a level --------------------------------------------------------------------- */

/* A page of users. Its cursor is "NODE.AT.SKIP": where the store goes on, and how many of that piece's users an
 * answer before has had. */
struct page {
    enum shoal_dimension dimension;
    uint8_t level;
    struct shoal_put *put;
    long long limit, shown;
    uint64_t skip, met; /* of the piece at hand */
    uint32_t hidden;    /* of `hc` */
    float *hc;
};

static bool find_level(const char *dimension, const char *level, struct page *page)
{
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++) {
        page->dimension = (enum shoal_dimension)d;
        if (strcmp(shoal_dimension_name(page->dimension), dimension) != 0)
            continue;
        for (unsigned l = 1; l <= shoal_level_count(page->dimension); l++) {
            page->level = (uint8_t)l;
            if (strcmp(shoal_level_name(page->dimension, page->level), level) == 0)
                return true;
        }
    }
    return false;
}

/* False for what is no cursor of ours. */
static bool parse_cursor(const char *text, struct shoal_scan_cursor *cursor, uint64_t *skip)
{
    unsigned long long parts[3];
    for (int i = 0; i < 3; i++) {
        char *end;
        errno = 0;
        parts[i] = strtoull(text, &end, 10);
        if (!isdigit((unsigned char)*text) || errno || *end != (i < 2 ? '.' : '\0'))
            return false;
        text = end + 1;
    }
    *cursor = (struct shoal_scan_cursor){.node = (uint32_t)parts[0], .at = parts[1]};
    *skip = parts[2];
    return parts[0] <= UINT32_MAX;
}

static void put_user(struct page *page, struct shoal_slice user, const struct shoal_record *record)
{
    char text[SHOAL_USER_MAX + 1];
    memcpy(text, user.bytes, user.size);
    text[user.size] = '\0';
    shoal_put_open(page->put, NULL, '{');
    shoal_put_text(page->put, "user_id", text);
    shoal_put_time(page->put, "since", record->standings[page->dimension].since_ms);
    shoal_put_real(page->put, "score", (double)record->score);
    shoal_put_close(page->put, '}');
    page->shown++;
}

/* A record that cannot be read is left out: it is the processor's to complain of. */
static enum shoal_status visit(void *opaque, int32_t partition, struct shoal_slice user,
                               struct shoal_slice value)
{
    struct page *page = opaque;
    struct shoal_record record;
    enum shoal_precision precision;
    uint32_t hidden;
    (void)partition;
    if (user.size > SHOAL_USER_MAX ||
        shoal_record_shape(value.bytes, value.size, &hidden, &precision) != SHOAL_OK)
        return SHOAL_OK;
    if (hidden > page->hidden) {
        free(page->hc);
        page->hc = calloc(2 * (size_t)hidden, sizeof *page->hc);
        page->hidden = page->hc ? hidden : 0;
        if (!page->hc)
            return SHOAL_NOMEM;
    }
    shoal_record_init(&record, hidden, page->hc);
    if (shoal_record_decode(&record, value.bytes, value.size) != SHOAL_OK ||
        record.standings[page->dimension].level != page->level || page->met++ < page->skip)
        return SHOAL_OK;
    if (page->shown == page->limit) { /* the next page begins with this user */
        page->met--;
        return SHOAL_END;
    }
    put_user(page, user, &record);
    return SHOAL_OK;
}

/* Pieces until the page is full, or enough was looked at. *cursor is where the next page begins. */
static enum shoal_status fill(struct http_request *r, struct page *page,
                              struct shoal_scan_cursor *cursor, struct shoal_message *message)
{
    for (int i = 0; i < PIECES_MAX && !cursor->ended; i++) {
        struct shoal_scan_cursor piece = *cursor;
        page->met = 0;
        enum shoal_status status =
            r->store->ops->scan_piece(r->store, cursor, visit, page, message);
        if (status == SHOAL_END) {
            *cursor = piece;
            page->skip = page->met;
            return SHOAL_OK;
        }
        page->skip = 0;
        if (status != SHOAL_OK || page->shown == page->limit)
            return status;
    }
    return SHOAL_OK;
}

static void put_page(struct http_request *r, struct page *page, struct shoal_scan_cursor *cursor)
{
    struct shoal_message message = {.text = ""};
    char next[80];
    page->put = http_json(r);
    shoal_put_open(page->put, NULL, '{');
    shoal_put_open(page->put, "users", '[');
    enum shoal_status status = fill(r, page, cursor, &message);
    shoal_put_close(page->put, ']');
    snprintf(next, sizeof next, "%" PRIu32 ".%" PRIu64 ".%" PRIu64, cursor->node, cursor->at, page->skip);
    shoal_put_text(page->put, "next", cursor->ended ? NULL : next);
    shoal_put_close(page->put, '}');
    if (status != SHOAL_OK)
        http_failed(r, status, &message);
    free(page->hc);
}

void http_segment_users(struct http_request *r)
{
    struct page page = {.limit = USERS_DEFAULT};
    struct shoal_scan_cursor cursor = {0};
    char text[80];
    if (!find_level(r->params[0], r->params[1], &page)) {
        http_problem(r, 404, "unknown-segment", "There is no such segment",
                     "'%s' is no dimension, or '%s' none of its levels", r->params[0], r->params[1]);
        return;
    }
    if (!http_query_int(r, "limit", 1, USERS_MAX, &page.limit))
        return;
    if (http_query(r, "cursor", text, sizeof text) && !parse_cursor(text, &cursor, &page.skip)) {
        http_problem(r, 400, "bad-parameter", "A parameter cannot be read",
                     "cursor: take it from `next` of the page before");
        return;
    }
    put_page(r, &page, &cursor);
}
