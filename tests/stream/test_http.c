/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server on a real Redis: each call. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream/http_internal.h"
#include "tests/stream/http_fixture.h"

/* ---- calls --------------------------------------------------------------------------------- */

Test(http, a_user_is_found_in_any_partition)
{
    struct server s;
    begin(&s, NULL);
    cr_assert_eq(get(&s, "/v1/users/ann"), 200);
    EXPECT_TEXT("\"user_id\":\"ann\",\"partition\":0");
    EXPECT_TEXT("\"segments\":{\"intent\":{\"level\":");
    EXPECT_TEXT("Cache-Control: no-store");
    cr_assert_eq(get(&s, "/v1/users/b%2Fb"), 200);
    EXPECT_TEXT("\"user_id\":\"b/b\",\"partition\":1");
    cr_assert_eq(get(&s, "/v1/users/nobody"), 404);
    EXPECT_TEXT("application/problem+json");
    EXPECT_TEXT("urn:shoal:problem:unknown-user");
    end(&s);
}

Test(http, a_decision_says_what_would_be_offered_and_counts_nothing)
{
    struct server s;
    begin(&s, NULL);
    cr_assert_eq(get(&s, "/v1/users/ann/decisions"), 200);
    EXPECT_TEXT("\"promotion\":\"welcome\"");
    EXPECT_TEXT("\"standing\":false,\"would_offer\":");
    EXPECT_TEXT("\"condition\":\"segment.intent\"");
    static char before[sizeof answer.text];
    strcpy(before, strstr(answer.text, "\r\n\r\n"));
    cr_assert_eq(get(&s, "/v1/users/ann/decisions"), 200);
    cr_expect_str_eq(strstr(answer.text, "\r\n\r\n"), before, "asking changed the answer");
    end(&s);
}

Test(http, an_explanation_says_how_complete_it_is)
{
    struct server s;
    begin(&s, NULL);
    cr_assert_eq(get(&s, "/v1/users/ann/explain?steps=8"), 200);
    EXPECT_TEXT("\"steps\":8");
    EXPECT_TEXT("\"relative_error\":");
    EXPECT_TEXT("\"score_after\":");
    cr_expect_eq(get(&s, "/v1/users/ann/explain?steps=0"), 400);
    cr_expect_eq(get(&s, "/v1/users/ann/explain?steps=many"), 400);
    cr_expect_eq(get(&s, "/v1/users/ann/explain?steps=%00"), 400);
    end(&s);
}

Test(http, health_models_and_metrics)
{
    struct server s;
    begin(&s, NULL);
    cr_expect_eq(get(&s, "/healthz"), 200);
    EXPECT_TEXT("\"version\":\"1.2.3\"");
    cr_expect_eq(get(&s, "/readyz"), 200);
    s.ready = false;
    cr_expect_eq(get(&s, "/readyz"), 503);
    EXPECT_TEXT("\"kafka\":\"away\"");
    cr_expect_eq(get(&s, "/metrics"), 200);
    EXPECT_TEXT("\r\n\r\nup 1\n");
    cr_expect_eq(get(&s, "/v1/models"), 200);
    EXPECT_TEXT("\"state\":\"in_service\"");
    end(&s);
}

/* ---- everybody ------------------------------------------------------------------------------ */

Test(http, segments_and_promotions_are_the_sums_over_all_partitions)
{
    struct server s;
    begin(&s, NULL);
    cr_assert_eq(get(&s, "/v1/segments"), 200);
    EXPECT_TEXT("\"users\":2,\"dimensions\":[{\"dimension\":\"intent\",\"levels\":[{\"level\":\"cold\",");
    EXPECT_TEXT("\"transitions\":[{\"from\":null,\"to\":");
    cr_assert_eq(get(&s, "/v1/promotions"), 200);
    EXPECT_TEXT("\"promotion\":\"welcome\"");
    EXPECT_TEXT("\"treatment\":{\"offers\":0,\"withdrawals\":0,\"conversions\":0,\"rate\":null}");
    cr_assert_eq(get(&s, "/v1/overview"), 200);
    EXPECT_TEXT("\"ready\":true,\"users\":2,");
    EXPECT_TEXT("\"lag\":{\"messages\":null,\"seconds\":null},\"delay\":null,"); /* no broker here */
    EXPECT_TEXT("\"partitions\":[{\"partition\":0,\"next_offset\":10,\"lag\":null,");
    EXPECT_TEXT("\"stream_clients\":0}");
    cr_assert_eq(get(&s, "/v1/segments/history?minutes=5"), 200);
    EXPECT_TEXT("{\"interval_seconds\":10,\"times\":[\"");
    EXPECT_TEXT("\"events_per_second\":[null]");
    EXPECT_TEXT("\"promotions\":{\"welcome\":{\"treatment\":[null],\"control\":[null]}}}");
    cr_expect_eq(get(&s, "/v1/segments/history?minutes=0"), 400);
    cr_expect_eq(get(&s, "/v1/segments/history?minutes=1441"), 400);
    end(&s);
}

/* The text behind "next":" in the answer, or "" for null. */
static void next_of(char *cursor, size_t size)
{
    const char *at = strstr(answer.text, "\"next\":\"");
    *cursor = '\0';
    if (at)
        snprintf(cursor, size, "%.*s", (int)strcspn(at + 8, "\""), at + 8);
}

Test(http, users_of_a_level_come_in_pages)
{
    struct server s;
    char path[200], cursor[80] = "";
    unsigned seen = 0, pages = 0;
    begin(&s, NULL);
    for (int level = 0; level < 5; level++) {
        static const char *const levels[] = {"new", "active", "returning", "lapsing", "inactive"};
        do {
            snprintf(path, sizeof path, "/v1/segments/lifecycle/%s/users?limit=1%s%s", levels[level],
                     *cursor ? "&cursor=" : "", cursor);
            cr_assert_eq(get(&s, path), 200, "%s", path);
            const char *first = strstr(answer.text, "\"user_id\"");
            cr_assert(!first || !strstr(first + 1, "\"user_id\""), "more than the limit");
            seen += first ? strstr(first, "\"ann\"") ? 1 : strstr(first, "\"b/b\"") ? 16 : 256 : 0;
            pages++;
            next_of(cursor, sizeof cursor);
        } while (*cursor && pages < 100);
    }
    cr_assert_eq(seen, 17, "each user once: %x", seen);
    cr_expect_eq(get(&s, "/v1/segments/lifecycle/hot/users"), 404);
    EXPECT_TEXT("urn:shoal:problem:unknown-segment");
    cr_expect_eq(get(&s, "/v1/segments/x/hot/users"), 404);
    cr_expect_eq(get(&s, "/v1/segments/cluster/c255/users"), 200);
    cr_expect_eq(get(&s, "/v1/segments/intent/hot/users?limit=0"), 400);
    for (int i = 0; i < 7; i++) {
        static const char *const cursors[] = {"", "1", "0.0", "0.0.0.0", "-1.0.0", "0.x.0", "99999999999.0.0"};
        snprintf(path, sizeof path, "/v1/segments/intent/hot/users?cursor=%s", cursors[i]);
        cr_expect_eq(get(&s, path), 400, "%s", path);
    }
    end(&s);
}

Test(http, the_stream_begins_at_once_and_ends_with_the_process)
{
    static const char request[] =
        "GET /v1/stream?types=overview,change&rate=5 HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct server s;
    begin(&s, NULL);
    int fd = dial(&s);
    cr_assert_eq(write(fd, request, sizeof request - 1), (ssize_t)sizeof request - 1);
    cr_assert(reads(fd, "retry: 2000\n\n"), "%s", answer.text);
    EXPECT_TEXT("Content-Type: text/event-stream");
    cr_assert(reads(fd, "event: overview\ndata: {\"as_of\":"), "%s", answer.text);
    cr_assert_eq(get(&s, "/v1/stream?types=all"), 400);
    cr_assert_eq(get(&s, "/v1/stream?rate=0"), 400);
    cr_assert_eq(get(&s, "/v1/stream?user="), 400);
    cr_assert_eq(ask(&s, "HEAD", "/v1/stream", ""), 200);
    cr_assert_eq(get(&s, "/v1/overview"), 200);
    EXPECT_TEXT("\"stream_clients\":1}");
    end(&s);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    ssize_t got;
    do
        got = poll(&ready, 1, 5000) > 0 ? read(fd, answer.text, sizeof answer.text) : -1;
    while (got > 0);
    cr_expect_eq(got, 0, "it was not closed");
    close(fd);
}

/* Each route stands in openapi.json with its method, and nothing else does. */
Test(http, the_description_has_exactly_the_calls_that_there_are)
{
    struct server s;
    begin(&s, NULL);
    cr_assert_eq(get(&s, "/openapi.json"), 200);
    size_t described = 0, routes = 0;
    for (const char *at = answer.text; (at = strstr(at, "\"operationId\"")); at++)
        described++;
    for (const struct http_route *route = http_routes(); route->method; route++) {
        char path[128], method[32];
        routes++;
        snprintf(path, sizeof path, "\"%s\": {", route->path);
        snprintf(method, sizeof method, "\"%s\": {", strcmp(route->method, "GET") == 0 ? "get" : "delete");
        const char *found = strstr(answer.text, path);
        cr_expect_not_null(found, "%s is not described", route->path);
        const char *next = found ? strstr(found + 1, "\n    \"/") : NULL;
        const char *how = found ? strstr(found, method) : NULL;
        cr_expect(how && (!next || how < next), "%s %s is not described", route->method, route->path);
    }
    cr_expect_eq(described, routes);
    end(&s);
}
