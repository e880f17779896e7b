/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server on a real Redis: who may what, and requests that nobody should send. */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "model/base/clock.h"
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

Test(http_strangers, tokens_say_who_may)
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

/* Who follows the stream goes on; who asks anew needs what the file says now. */
Test(http_strangers, tokens_are_exchanged_while_it_runs)
{
    static const char text[] = "read 00000000000000000000\n";
    char path[] = "/tmp/shoal-tokens-XXXXXX";
    struct server s;
    int file = mkstemp(path);
    cr_assert_eq(dprintf(file, "admin 0123456789abcdef0\n"), 24);
    begin(&s, (const char *const[]){"http.tokens", path, NULL});
    cr_expect_eq(ask(&s, "GET", "/v1/users/ann", "Authorization: Bearer 0123456789abcdef0\r\n"), 200);
    cr_expect_eq(ftruncate(file, 0), 0);
    for (int i = 0; i < 3; i++)
        cr_expect_eq(shoal_http_refresh(s.http), i > 0, "a file without tokens is refused");
    cr_expect_eq(ask(&s, "GET", "/v1/users/ann", "Authorization: Bearer 0123456789abcdef0\r\n"), 200);
    cr_expect_eq(pwrite(file, text, sizeof text - 1, 0), (ssize_t)sizeof text - 1);
    shoal_http_refresh(s.http);
    cr_expect_eq(shoal_http_refresh(s.http), 0);
    cr_expect_eq(ask(&s, "GET", "/v1/users/ann", "Authorization: Bearer 0123456789abcdef0\r\n"), 401);
    cr_expect_eq(ask(&s, "GET", "/v1/users/ann", "Authorization: Bearer 00000000000000000000\r\n"), 200);
    end(&s);
    close(file);
    unlink(path);
}

Test(http_strangers, beyond_loopback_nothing_is_served_without_tokens)
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

Test(http_strangers, a_name_of_another_host_is_not_served_without_tokens)
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

Test(http_strangers, bad_requests_get_the_status_that_they_deserve)
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

/* Bytes as they are, on a connection of their own; the status. */
static int send_raw(const struct server *s, const char *request)
{
    int fd = dial(s);
    cr_assert_eq(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
    read_all(fd, answer.text, sizeof answer.text);
    close(fd);
    answer.status = 0;
    sscanf(answer.text, "HTTP/1.1 %d", &answer.status);
    return answer.status;
}

Test(http_strangers, where_a_request_ends_is_beyond_doubt)
{
#define END "Connection: close\r\n"
    static const char *const bad[] = {
        "GET /healthz HTTP/1.1\r\n" END "\r\n",
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n" END "\r\n",
        "POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
        "DELETE /v1/users/ann HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n"
        "0\r\n\r\n",
        "POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    };
    struct server s;
    begin(&s, NULL);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cr_expect_eq(send_raw(&s, bad[i]), 400, "%s", bad[i]);
        EXPECT_TEXT("urn:shoal:problem:bad-request");
        cr_expect_null(strstr(answer.text + 1, "HTTP/1.1 "), "two answers: %s", answer.text);
    }
    cr_expect_eq(send_raw(&s, "GET /healthz HTTP/1.0\r\n\r\n"), 200);
    cr_expect_eq(send_raw(&s, "GET http://localhost:1/v1/users/ann HTTP/1.1\r\nHost: localhost\r\n" END "\r\n"), 200);
    cr_expect_eq(send_raw(&s, "POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n" END
                              "\r\n5\r\nhello\r\n0\r\n\r\n"),
                 405);
    end(&s);
}

Test(http_strangers, a_body_without_end_is_cut_off)
{
    static const char head[] = "POST /healthz HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    static char chunk[1 << 16];
    struct server s;
    begin(&s, NULL);
    int fd = dial(&s);
    cr_assert_eq(send(fd, head, sizeof head - 1, MSG_NOSIGNAL), (ssize_t)sizeof head - 1);
    memset(chunk, 'x', sizeof chunk);
    memcpy(chunk, "fff8\r\n", 6);
    memcpy(chunk + sizeof chunk - 2, "\r\n", 2); /* 6 + 0xfff8 + 2 */
    ssize_t sent = 1;
    for (int i = 0; i < 1000 && sent > 0; i++)
        sent = send(fd, chunk, sizeof chunk, MSG_NOSIGNAL);
    cr_expect_lt(sent, 0, "64 MB were taken");
    close(fd);
    end(&s);
}

Test(http_strangers, parameters_are_what_they_are_described_as)
{
    char path[256] = "/v1/stream?user=";
    struct server s;
    begin(&s, NULL);
    cr_expect_eq(get(&s, "/v1/users/ann/explain?steps=%208"), 400);
    cr_expect_eq(get(&s, "/v1/users/ann/explain?steps=+8"), 400);
    cr_expect_eq(get(&s, "/v1/users/ann/explain?steps"), 400);
    cr_expect_eq(get(&s, "/v1/users/ann?pseudonym"), 400);
    cr_expect_eq(get(&s, "/v1/users/ann?pseudonym=fals%65"), 200);
    cr_expect_eq(get(&s, "/v1/users/%0a"), 400, "as DELETE says");
    EXPECT_TEXT("urn:shoal:problem:bad-user");
    cr_expect_eq(get(&s, "/v1/stream?user"), 400, "that is not everybody");
    cr_expect_eq(get(&s, "/v1/stream?pseudonym=maybe"), 400);
    for (int i = 0; i < SHOAL_USER_MAX / 2; i++)
        strcat(path, "%C3%A9");
    cr_expect_eq(ask(&s, "HEAD", path, ""), 200, "64 bytes, however they are written");
    strcat(path, "x");
    cr_expect_eq(get(&s, path), 400);
    end(&s);
}

/* A store that hangs: nobody waits for more than seconds, and those in the queue do not hold up the end. */
Test(http_strangers, who_waits_for_a_store_that_hangs_does_not_keep_the_process)
{
    enum { WAITING = 60 };
    static const char request[] = "GET /v1/users/ann HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    struct server s;
    int waiting[WAITING];
    begin(&s, (const char *const[]){"http.workers", "1", "http.timeout", "1s", NULL});
    cr_assert_eq(get(&s, "/v1/users/ann"), 200);
    cr_assert_eq(kill(s.redis.pid, SIGSTOP), 0);
    for (int i = 0; i < WAITING; i++) {
        waiting[i] = dial(&s);
        cr_assert_eq(send(waiting[i], request, sizeof request - 1, MSG_NOSIGNAL), (ssize_t)sizeof request - 1);
    }
    struct pollfd last = {.fd = waiting[WAITING - 1], .events = POLLIN};
    cr_expect_eq(poll(&last, 1, 30000), 1, "the last one still waits");
    read_all(waiting[WAITING - 1], answer.text, sizeof answer.text);
    EXPECT_TEXT("HTTP/1.1 503");
    cr_expect_eq(get(&s, "/healthz"), 200);
    for (int i = 0; i < WAITING; i++) {
        close(waiting[i]);
        waiting[i] = dial(&s);
        cr_assert_eq(send(waiting[i], request, sizeof request - 1, MSG_NOSIGNAL), (ssize_t)sizeof request - 1);
    }
    int64_t began_ms = shoal_clock_ms();
    shoal_http_stop(s.http);
    s.http = NULL;
    cr_expect_lt(shoal_clock_ms() - began_ms, 8000, "%lld ms", (long long)(shoal_clock_ms() - began_ms));
    kill(s.redis.pid, SIGCONT);
    for (int i = 0; i < WAITING; i++)
        close(waiting[i]);
    end(&s);
}

Test(http_strangers, redis_away_is_told_and_holds_up_nothing_else)
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

Test(http_strangers, a_thousand_idle_connections_keep_nobody_out)
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

Test(http_strangers, who_dawdles_is_cut_off)
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

Test(http_strangers, mangled_requests_do_no_harm)
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
