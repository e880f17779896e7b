/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server on a real Redis: who may what, and requests that nobody should send. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream/http_internal.h"
#include "tests/state/random_record.h"
#include "tests/stream/http_fixture.h"

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
