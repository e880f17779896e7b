/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server on a real Redis: each call, who may what, and requests that nobody should send. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "model/base/clock.h"
#include "model/models_dir.h"
#include "stream/http_internal.h"
#include "stream/partition_state.h"
#include "tests/model/tiny_model.h"
#include "tests/state/random_record.h"
#include "tests/state/redis_server.h"

static const struct shoal_log quiet = {.level = SHOAL_ERROR, .worker = -1};
static const char policy_text[] = "promotions:\n"
                                  "  - id: welcome\n"
                                  "    triggers: [pv]\n"
                                  "    segments: {intent: [cold, warm, hot]}\n"
                                  "    control: 0.5\n";

struct server {
    struct test_redis redis;
    char folder[64];
    struct shoal_config *config;
    struct shoal_models *models;
    struct shoal_policies *policies;
    struct shoal_http *http;
    bool ready;
    uint64_t model;
};

static bool is_ready(void *opaque, struct shoal_put *put)
{
    struct server *s = opaque;
    shoal_put_text(put, "kafka", s->ready ? "ok" : "away");
    return s->ready;
}

static void metrics(void *opaque, struct shoal_buffer *out)
{
    (void)opaque;
    shoal_buffer_append(out, "up 1\n", 5);
}

static void set(struct server *s, const char *key, const char *value)
{
    char text[256];
    struct shoal_message message = {.text = ""};
    snprintf(text, sizeof text, "%s=%s", key, value);
    cr_assert_eq(shoal_config_set(s->config, text, &message), SHOAL_OK, "%s", message.text);
}

/* A user "ann" in partition 0 of two, "b/b" in partition 1. */
static void save_users(struct server *s, const struct shoal_dims *dims)
{
    struct shoal_redis_options options = {.url = s->redis.url, .topic = "shoal.events"};
    struct shoal_message message = {.text = ""};
    struct shoal_store *store;
    float *hc = calloc(2 * dims->hidden, sizeof *hc);
    uint64_t seed = 7;
    cr_assert_eq(shoal_redis_store_create(&options, &store, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(store->ops->open(store, 2, &message), SHOAL_OK, "%s", message.text);
    for (int32_t p = 0; p < 2; p++) {
        struct shoal_checkpoint before;
        struct shoal_record record;
        struct shoal_buffer bytes = {0}, state_bytes = {0};
        struct shoal_partition_state state = {0};
        shoal_watermark_init(&state.watermark);
        shoal_budgets_init(&state.budgets);
        shoal_record_init(&record, dims->hidden, hc);
        test_usual_record(&record, &seed);
        record.model = s->model;
        state.watermark.time_ms = record.last_ms + 3600000;
        shoal_tally_come(&state.tally, NULL, &record);
        shoal_record_encode(&record, SHOAL_FP16, &bytes);
        shoal_partition_state_encode(&state, &state_bytes);
        struct shoal_save_item items[] = {
            {.user = p ? (struct shoal_slice){"b/b", 3} : (struct shoal_slice){"ann", 3},
             .value = {bytes.bytes, bytes.size}},
            {.user = {"", 0}, .value = {state_bytes.bytes, state_bytes.size}},
        };
        cr_assert_eq(store->ops->acquire(store, p, &before, &message), SHOAL_OK, "%s", message.text);
        cr_assert_eq(store->ops->save(store, p, items, 2, 10, s->model, &message), SHOAL_OK, "%s",
                     message.text);
        shoal_buffer_finish(&bytes);
        shoal_buffer_finish(&state_bytes);
    }
    store->ops->destroy(store);
    free(hc);
}

static void write_policy(const struct server *s)
{
    char path[128];
    snprintf(path, sizeof path, "%s/promotions.yaml", s->folder);
    FILE *out = fopen(path, "w");
    cr_assert_not_null(out);
    fputs(policy_text, out);
    fclose(out);
}

static void begin(struct server *s, const char *const *settings)
{
    struct shoal_dims dims = tiny_dims();
    struct shoal_message message = {.text = ""};
    char path[128];
    *s = (struct server){.ready = true};
    test_redis_start(&s->redis, NULL);
    strcpy(s->folder, "/tmp/shoal-http-XXXXXX");
    cr_assert_not_null(mkdtemp(s->folder));
    snprintf(path, sizeof path, "%s/models", s->folder);
    struct shoal_model *model = tiny_model(&dims, 1);
    cr_assert_eq(shoal_models_add(path, model, &message), SHOAL_OK, "%s", message.text);
    cr_assert_eq(shoal_models_select(path, model->version, &message), SHOAL_OK, "%s", message.text);
    s->model = model->id;
    shoal_model_destroy(model);
    cr_assert_eq(shoal_config_create(&s->config), SHOAL_OK);
    set(s, "redis.url", s->redis.url);
    set(s, "model.path", path);
    set(s, "http.listen", "127.0.0.1:0");
    for (; settings && *settings; settings += 2)
        set(s, settings[0], settings[1]);
    cr_assert_eq(shoal_models_open(path, &s->models, &message), SHOAL_OK, "%s", message.text);
    write_policy(s);
    snprintf(path, sizeof path, "%s/promotions.yaml", s->folder);
    struct shoal_policies_options policies = {.path = path, .history = ""};
    cr_assert_eq(shoal_policies_open(&policies, &quiet, &s->policies, &message), SHOAL_OK, "%s", message.text);
    save_users(s, &dims);
    struct shoal_http_options options = {
        .config = s->config,
        .models = s->models,
        .policies = s->policies,
        .log = &quiet,
        .version = "1.2.3",
        .hooks = {.ready = is_ready, .metrics = metrics, .opaque = s},
    };
    cr_assert_eq(shoal_http_start(&options, &s->http, &message), SHOAL_OK, "%s", message.text);
    shoal_http_partitions(s->http, 2);
}

static void end(struct server *s)
{
    char command[128];
    shoal_http_stop(s->http);
    shoal_policies_close(s->policies);
    shoal_models_close(s->models);
    shoal_config_destroy(s->config);
    test_redis_stop(&s->redis);
    snprintf(command, sizeof command, "rm -r %s", s->folder);
    cr_assert_eq(system(command), 0);
}

/* ---- asking -------------------------------------------------------------------------------- */

static int dial(const struct server *s)
{
    const char *port = strrchr(shoal_http_url(s->http), ':') + 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    cr_assert_geq(fd, 0);
    cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof address), 0, "%s", strerror(errno));
    return fd;
}

/* Reads until the peer closes, or for two seconds without a byte; zero-terminated. */
static size_t read_all(int fd, char *text, size_t room)
{
    size_t size = 0;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    while (size + 1 < room && poll(&ready, 1, 2000) > 0) {
        ssize_t got = read(fd, text + size, room - 1 - size);
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    text[size] = '\0';
    return size;
}

struct answer {
    int status;
    char text[128 << 10];
};

static struct answer answer;

/* A request of its own connection; headers: further lines, each with \r\n, or "". */
static int ask(const struct server *s, const char *method, const char *path, const char *headers)
{
    static char request[16 << 10];
    int fd = dial(s);
    int size = snprintf(request, sizeof request, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n",
                        method, path, headers);
    cr_assert(size > 0 && (size_t)size < sizeof request);
    cr_assert_eq(send(fd, request, (size_t)size, MSG_NOSIGNAL), size);
    read_all(fd, answer.text, sizeof answer.text);
    close(fd);
    answer.status = 0;
    sscanf(answer.text, "HTTP/1.1 %d", &answer.status);
    return answer.status;
}

static int get(const struct server *s, const char *path)
{
    return ask(s, "GET", path, "");
}

#define EXPECT_TEXT(part) cr_expect_not_null(strstr(answer.text, part), "%s is not in %s", part, answer.text)

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

/* Reads a stream until the text comes, at most ten seconds. */
static bool reads(int fd, const char *text)
{
    int64_t until_ms = shoal_clock_ms() + 10000;
    size_t size = 0;
    answer.text[0] = '\0';
    while (!strstr(answer.text, text) && shoal_clock_ms() < until_ms) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        ssize_t got = poll(&ready, 1, 1000) > 0
                          ? read(fd, answer.text + size, sizeof answer.text - 1 - size) : -1;
        if (got == 0)
            break;
        size += got > 0 ? (size_t)got : 0;
        answer.text[size] = '\0';
    }
    return strstr(answer.text, text) != NULL;
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

/* ---- who may ------------------------------------------------------------------------------- */

static void with_tokens(struct server *s)
{
    char path[] = "/tmp/shoal-tokens-XXXXXX";
    static const char text[] = "read 0123456789abcdef0\nadmin fedcba9876543210f\n";
    int fd = mkstemp(path);
    cr_assert_eq(write(fd, text, sizeof text - 1), (ssize_t)sizeof text - 1);
    close(fd);
    begin(s, (const char *const[]){"http.tokens", path, NULL});
    unlink(path);
}

Test(http, tokens_say_who_may)
{
    struct server s;
    with_tokens(&s);
    cr_expect_eq(get(&s, "/v1/users/ann"), 401);
    EXPECT_TEXT("WWW-Authenticate: Bearer");
    cr_expect_eq(ask(&s, "GET", "/v1/users/ann", "Authorization: Bearer 0123456789abcdef1\r\n"), 401);
    cr_expect_eq(ask(&s, "GET", "/v1/users/ann", "Authorization: Bearer 0123456789abcdef0\r\n"), 200);
    cr_expect_eq(ask(&s, "GET", "/v1/users/ann", "Authorization: Bearer fedcba9876543210f\r\n"), 200);
    cr_expect_eq(ask(&s, "DELETE", "/v1/users/ann", "Authorization: Bearer 0123456789abcdef0\r\n"), 403);
    cr_expect_eq(ask(&s, "DELETE", "/v1/users/ann", ""), 401);
    cr_expect_eq(get(&s, "/metrics"), 401);
    cr_expect_eq(get(&s, "/healthz"), 200);
    cr_expect_eq(get(&s, "/"), 200);
    end(&s);
}

Test(http, beyond_loopback_nothing_is_served_without_tokens)
{
    struct server s;
    struct shoal_message message = {.text = ""};
    struct shoal_http *http;
    begin(&s, NULL);
    set(&s, "http.listen", "0.0.0.0:0");
    struct shoal_http_options options = {.config = s.config, .models = s.models, .policies = s.policies,
                                         .log = &quiet, .version = "1"};
    cr_expect_eq(shoal_http_start(&options, &http, &message), SHOAL_CONFIG);
    cr_expect_not_null(strstr(message.text, "http.tokens"), "%s", message.text);
    end(&s);
}

Test(http, a_name_of_another_host_is_not_served_without_tokens)
{
    struct server s;
    begin(&s, NULL);
    int fd = dial(&s);
    static const char request[] = "GET /v1/users/ann HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n";
    cr_assert_eq(write(fd, request, sizeof request - 1), (ssize_t)sizeof request - 1);
    read_all(fd, answer.text, sizeof answer.text);
    close(fd);
    EXPECT_TEXT("HTTP/1.1 421");
    end(&s);
}

/* ---- what nobody should send --------------------------------------------------------------- */

Test(http, bad_requests_get_the_status_that_they_deserve)
{
    static char longest[HTTP_PATH_MAX + 100];
    struct server s;
    begin(&s, NULL);
    cr_expect_eq(get(&s, "/v1/users/%00"), 400);
    cr_expect_eq(get(&s, "/v1/users/%ff"), 400);
    cr_expect_eq(get(&s, "/v1/users/%f"), 400);
    cr_expect_eq(get(&s, "/v1/users/"), 404);
    cr_expect_eq(get(&s, "/v1/users/a/b"), 404);
    cr_expect_eq(get(&s, "/../../etc/passwd"), 404);
    cr_expect_eq(get(&s, "/%2e%2e/%2e%2e/etc/passwd"), 404);
    cr_expect_eq(get(&s, "//"), 404);
    cr_expect_eq(ask(&s, "POST", "/v1/users/ann", "Content-Length: 0\r\n"), 405);
    EXPECT_TEXT("Allow: ");
    cr_expect_eq(ask(&s, "DELETE", "/healthz", ""), 405);
    cr_expect_eq(ask(&s, "BREW", "/coffee", ""), 405);
    cr_expect_eq(ask(&s, "POST", "/healthz", "Content-Length: 99999999\r\n"), 413);
    snprintf(longest, sizeof longest, "/v1/users/%0*d", SHOAL_USER_MAX + 1, 1);
    cr_expect_eq(get(&s, longest), 400);
    snprintf(longest, sizeof longest, "/v1/users/%0*d", HTTP_PATH_MAX, 1);
    cr_expect_eq(get(&s, longest), 414);
    cr_expect_eq(ask(&s, "HEAD", "/v1/users/ann", ""), 200);
    cr_expect_str_eq(strstr(answer.text, "\r\n\r\n"), "\r\n\r\n", "HEAD has no body");
    end(&s);
}

Test(http, redis_away_is_told_and_holds_up_nothing_else)
{
    struct server s;
    begin(&s, NULL);
    cr_assert_eq(get(&s, "/v1/users/ann"), 200);
    test_redis_kill(&s.redis);
    cr_expect_eq(get(&s, "/v1/users/ann"), 503);
    EXPECT_TEXT("Retry-After: ");
    EXPECT_TEXT("urn:shoal:problem:unavailable");
    cr_expect_eq(get(&s, "/healthz"), 200);
    test_redis_restart(&s.redis);
    for (int i = 0; i < 8; i++) /* of each worker's first command on its dead connection nothing is seen */
        cr_expect_eq(get(&s, "/v1/users/ann"), 404, "it came back with nothing in it");
    end(&s);
}

Test(http, a_thousand_idle_connections_keep_nobody_out)
{
    enum { IDLE = 1000 };
    static int idle[IDLE];
    struct rlimit limit;
    struct server s;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    begin(&s, NULL);
    for (int i = 0; i < IDLE; i++)
        idle[i] = dial(&s);
    cr_expect_eq(get(&s, "/v1/users/ann"), 200);
    for (int i = 0; i < IDLE; i++)
        close(idle[i]);
    end(&s);
}

Test(http, who_dawdles_is_cut_off)
{
    struct server s;
    begin(&s, (const char *const[]){"http.timeout", "1s", NULL});
    int fd = dial(&s);
    static const char half[] = "GET /v1/users/ann HTTP/1.1\r\nHost: local";
    cr_assert_eq(write(fd, half, sizeof half - 1), (ssize_t)sizeof half - 1);
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    char byte;
    cr_expect_eq(poll(&ready, 1, 20000), 1, "it was left open");
    while (read(fd, &byte, 1) > 0) /* perhaps a 408 first */
        continue;
    close(fd);
    end(&s);
}

static size_t mangle(char *bytes, size_t size, size_t room, uint64_t *seed)
{
    for (uint64_t n = 1 + test_random(seed) % 8; n && size; n--) {
        size_t at = test_random(seed) % size;
        switch (test_random(seed) % 5) {
        case 0:
            bytes[at] = (char)test_random(seed);
            break;
        case 1:
            memmove(bytes + at, bytes + at + 1, size - at - 1);
            size--;
            break;
        case 2:
            if (size < room) {
                memmove(bytes + at + 1, bytes + at, size - at);
                bytes[at] = "\r\n %/?&=:\0{}"[test_random(seed) % 13];
                size++;
            }
            break;
        case 3:
            size = at + 1;
            break;
        default: {
            size_t length = test_random(seed) % (size - at) + 1, to = test_random(seed) % size;
            if (to + length > room)
                length = room - to;
            memmove(bytes + to, bytes + at, length);
            if (to + length > size)
                size = to + length;
        }
        }
    }
    return size;
}

Test(http, mangled_requests_do_no_harm)
{
    static const char *const requests[] = {
        "GET /v1/users/ann HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /v1/users/b%2Fb/explain?steps=4&x=%41 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /v1/users/ann/decisions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer 0123456789abcdef0\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n0123456789",
        "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "GET /v1/segments/intent/hot/users?limit=3&cursor=0.0.0 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /v1/stream?types=change,overview&user=ann HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\nIf-None-Match: \"x\"\r\n\r\n",
    };
    enum { ROUNDS = 1500 };
    struct server s;
    uint64_t seed = 20261122;
    begin(&s, (const char *const[]){"http.timeout", "1s", NULL});
    for (int round = 0; round < ROUNDS; round++) {
        char bytes[2048];
        const char *request = requests[round % (int)(sizeof requests / sizeof *requests)];
        size_t size = strlen(request);
        memcpy(bytes, request, size);
        size = mangle(bytes, size, sizeof bytes, &seed);
        int fd = dial(&s);
        if (send(fd, bytes, size, MSG_NOSIGNAL) > 0 && round % 4 == 0) {
            struct pollfd ready = {.fd = fd, .events = POLLIN};
            if (poll(&ready, 1, 20) > 0)
                (void)!read(fd, bytes, sizeof bytes);
        }
        close(fd); /* often before the answer */
    }
    cr_assert_eq(get(&s, "/v1/users/ann"), 200);
    end(&s);
}
