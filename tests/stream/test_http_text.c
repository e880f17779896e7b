/* SPDX-License-Identifier: Apache-2.0 */
/* Paths of requests, where to listen, who may: what needs no server. */
#include <criterion/criterion.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "stream/http_listen.h"
#include "stream/http_page.h"
#include "stream/http_text.h"
#include "stream/http_tokens.h"

/* ---- escapes and patterns ------------------------------------------------------------------ */

static const char *unescaped(const char *text)
{
    static char out[256];
    return shoal_http_unescape(text, strlen(text), out) ? out : NULL;
}

Test(http_text, escapes_become_the_bytes_they_stand_for)
{
    cr_assert_str_eq(unescaped("a%2Fb%20%c3%a9"), "a/b \xc3\xa9");
    cr_assert_str_eq(unescaped("%25%2B+"), "%++");
}

Test(http_text, what_is_no_escape_or_no_text_is_refused)
{
    static const char *const bad[] = {"%", "%2", "%zz", "a%00b", "%ff", "%c3", "%ed%a0%80"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        cr_expect_null(unescaped(bad[i]), "%s", bad[i]);
}

Test(http_text, a_brace_stands_for_one_whole_part)
{
    const char *parts[2] = {NULL};
    size_t sizes[2];
    cr_assert(shoal_http_match("/v1/users/{id}/explain", "/v1/users/a%2Fb/explain", parts, sizes, 2));
    cr_assert_eq(sizes[0], 5);
    cr_assert_eq(strncmp(parts[0], "a%2Fb", 5), 0);
    static const char *const others[] = {
        "/v1/users/", "/v1/users//explain", "/v1/users/a/b/explain", "/v1/users/a/explain/",
        "/v1/users/a/explains", "/v1/users/a/expla", "v1/users/a/explain", "",
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        cr_expect_not(shoal_http_match("/v1/users/{id}/explain", others[i], parts, sizes, 2), "%s", others[i]);
    cr_assert_not(shoal_http_match("/{a}/{b}", "/x/y", parts, sizes, 1), "more parts than there is room");
}

Test(http_text, a_weight_of_nothing_is_a_no_to_gzip)
{
    static const char *const yes[] = {"gzip", "GZIP", "br, gzip", "deflate;q=0, gzip;q=0.5", "gzip;q=1.0", "gzip ; q=0.001"};
    static const char *const no[] = {"", "br", "x-gzip", "gzipped", "gzip;q=0", "gzip;q=0.000", "br, gzip ; q=0.0", "*"};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        cr_expect(shoal_http_accepts_gzip(yes[i]), "%s", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        cr_expect_not(shoal_http_accepts_gzip(no[i]), "%s", no[i]);
    cr_expect_not(shoal_http_accepts_gzip(NULL));
}

Test(http_text, a_target_may_name_its_host)
{
    cr_expect_str_eq(shoal_http_path("/a/http://b"), "/a/http://b");
    cr_expect_str_eq(shoal_http_path("http://localhost:1/healthz"), "/healthz");
    cr_expect_str_eq(shoal_http_path("HTTPS://h/"), "/");
    cr_expect_str_eq(shoal_http_path("http://h"), "/");
    cr_expect_str_eq(shoal_http_path("*"), "*");
}

/* Of a process that may open few files, connections get what others leave. */
Test(http_text, connections_leave_files_for_kafka_and_redis)
{
    struct rlimit limit = {512, 4096};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_expect_eq(shoal_http_connections(100), 100);
    getrlimit(RLIMIT_NOFILE, &limit);
    cr_expect_eq(limit.rlim_cur, 512, "it was enough");
    cr_expect_eq(shoal_http_connections(2048), 2048, "the soft limit can be raised");
    getrlimit(RLIMIT_NOFILE, &limit);
    cr_expect_eq(limit.rlim_cur, 2048 + 256);
    cr_expect_eq(shoal_http_connections(65536), 4096 - 256, "and the hard one cannot");
    limit = (struct rlimit){100, 100};
    cr_assert_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    cr_expect_eq(shoal_http_connections(2048), 50);
    cr_expect_eq(shoal_http_connections(8), 8);
}

Test(http_text, only_names_of_this_machine_are_local)
{
    static const char *const local[] = {"localhost", "LOCALHOST:8642", "127.0.0.1:1", "[::1]", "[::1]:8642"};
    static const char *const other[] = {"localhost.evil.example", "127.0.0.1.evil.example", "evil.example",
                                        "10.0.0.1", "", "[::2]"};
    for (size_t i = 0; i < sizeof local / sizeof *local; i++)
        cr_expect(shoal_http_host_is_local(local[i]), "%s", local[i]);
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        cr_expect_not(shoal_http_host_is_local(other[i]), "%s", other[i]);
}

/* ---- where --------------------------------------------------------------------------------- */

Test(http_listen, a_port_that_is_taken_is_passed_over_only_with_a_plus)
{
    struct shoal_http_socket first, second, third;
    struct shoal_message message = {.text = ""};
    char where[140];
    cr_assert_eq(shoal_http_listen("127.0.0.1:0", &first, &message), SHOAL_OK, "%s", message.text);
    cr_assert(first.loopback);
    snprintf(where, sizeof where, "%s", first.url + strlen("http://"));
    cr_assert_eq(shoal_http_listen(where, &second, &message), SHOAL_BUSY);
    strcat(where, "+");
    cr_assert_eq(shoal_http_listen(where, &third, &message), SHOAL_OK, "%s", message.text);
    cr_assert_str_neq(third.url, first.url);
    close(first.fd);
    close(third.fd);
}

Test(http_listen, an_address_beyond_loopback_is_known_as_such)
{
    struct shoal_http_socket socket;
    struct shoal_message message = {.text = ""};
    cr_assert_eq(shoal_http_listen("0.0.0.0:0", &socket, &message), SHOAL_OK, "%s", message.text);
    cr_assert_not(socket.loopback);
    close(socket.fd);
}

static int reach(const char *host, const char *port)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST};
    struct addrinfo *found;
    cr_assert_eq(getaddrinfo(host, port, &hints, &found), 0);
    int fd = socket(found->ai_family, SOCK_STREAM, 0);
    int result = fd < 0 ? -1 : connect(fd, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    if (fd >= 0)
        close(fd);
    return result;
}

Test(http_listen, all_addresses_are_those_of_ipv6_too)
{
    struct shoal_http_socket socket, other;
    struct shoal_message message = {.text = ""};
    cr_assert_eq(shoal_http_listen(":0", &socket, &message), SHOAL_OK, "%s", message.text);
    cr_assert_not(socket.loopback);
    const char *port = strrchr(socket.url, ':') + 1;
    cr_expect_eq(reach("127.0.0.1", port), 0);
    int alone = shoal_http_listen("[::1]:0", &other, &message); /* does this machine have IPv6? */
    if (alone == SHOAL_OK) {
        cr_expect_eq(reach("::1", port), 0);
        close(other.fd);
    }
    char taken[16];
    snprintf(taken, sizeof taken, ":%s", port);
    cr_expect_eq(shoal_http_listen(taken, &other, &message), SHOAL_BUSY);
    close(socket.fd);
}

Test(http_listen, what_is_no_address_is_refused_with_its_text)
{
    static const char *const bad[] = {"8642", "127.0.0.1", "127.0.0.1:", "127.0.0.1:http", "127.0.0.1:70000",
                                      "::1:8642", "127.0.0.1:1x", "127.0.0.1:0+", "[::1:5", "127.0.0.1:-1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct shoal_http_socket socket;
        struct shoal_message message = {.text = ""};
        cr_expect_eq(shoal_http_listen(bad[i], &socket, &message), SHOAL_CONFIG, "%s", bad[i]);
        cr_expect_not_null(strstr(message.text, bad[i]), "%s", message.text);
    }
}

/* ---- who ----------------------------------------------------------------------------------- */

static const char *write_file(const char *text)
{
    static char path[64];
    strcpy(path, "/tmp/shoal-tokens-XXXXXX");
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return path;
}

Test(http_tokens, a_token_has_the_role_of_its_line)
{
    struct shoal_http_tokens *tokens;
    struct shoal_message message = {.text = ""};
    const char *path = write_file("# who may\n\nread  0123456789abcdef0\r\nadmin\tfedcba9876543210f\n");
    cr_assert_eq(shoal_http_tokens_load(path, &tokens, &message), SHOAL_OK, "%s", message.text);
    unlink(path);
    cr_expect_eq(shoal_http_tokens_role(tokens, "Bearer 0123456789abcdef0"), SHOAL_HTTP_READ);
    cr_expect_eq(shoal_http_tokens_role(tokens, "bearer  fedcba9876543210f"), SHOAL_HTTP_ADMIN);
    static const char *const wrong[] = {"Bearer 0123456789abcdef", "Bearer 0123456789abcdef01", "Bearer ",
                                        "Bearer", "Basic 0123456789abcdef0", "0123456789abcdef0", ""};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        cr_expect_eq(shoal_http_tokens_role(tokens, wrong[i]), SHOAL_HTTP_PUBLIC, "%s", wrong[i]);
    cr_expect_eq(shoal_http_tokens_role(tokens, NULL), SHOAL_HTTP_PUBLIC);
    shoal_http_tokens_destroy(tokens);
}

Test(http_tokens, a_bad_line_is_named_and_its_token_is_not)
{
    static const char *const bad[] = {"write 0123456789abcdef0\n", "read short\n", "read\n", "",
                                      "read 0123456789abcdef0 admin\n", "# nobody\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct shoal_http_tokens *tokens;
        struct shoal_message message = {.text = ""};
        const char *path = write_file(bad[i]);
        cr_expect_eq(shoal_http_tokens_load(path, &tokens, &message), SHOAL_CONFIG, "%s", bad[i]);
        cr_expect_not_null(strstr(message.text, path));
        cr_expect_null(strstr(message.text, "0123456789"), "%s", message.text);
        unlink(path);
    }
}

static void put_file(const char *path, const char *text)
{
    FILE *out = fopen(path, "w");
    cr_assert_not_null(out);
    fputs(text, out);
    fclose(out);
}

/* As it comes out once the file has stood still. */
static bool refreshed(struct shoal_http_tokens *tokens)
{
    const struct shoal_log log = {.level = SHOAL_ERROR, .worker = -1};
    (void)shoal_http_tokens_refresh(tokens, &log);
    return shoal_http_tokens_refresh(tokens, &log);
}

Test(http_tokens, a_changed_file_says_who_may_from_then_on)
{
    static const char first[] = "Bearer 0123456789abcdef0", second[] = "Bearer fedcba9876543210f";
    const struct shoal_log log = {.level = SHOAL_ERROR, .worker = -1};
    struct shoal_message message = {.text = ""};
    struct shoal_http_tokens *tokens;
    const char *path = write_file("read 0123456789abcdef0\n");
    cr_assert_eq(shoal_http_tokens_load(path, &tokens, &message), SHOAL_OK, "%s", message.text);
    put_file(path, "read 0123456789abcdef0\nadmin fedcba9876543210f\n");
    cr_expect(shoal_http_tokens_refresh(tokens, &log));
    cr_expect_eq(shoal_http_tokens_role(tokens, second), SHOAL_HTTP_PUBLIC, "it may still be written");
    cr_expect(shoal_http_tokens_refresh(tokens, &log));
    cr_expect_eq(shoal_http_tokens_role(tokens, first), SHOAL_HTTP_READ);
    cr_expect_eq(shoal_http_tokens_role(tokens, second), SHOAL_HTTP_ADMIN);
    put_file(path, "admin fedcba9876543210f\n");
    cr_expect(refreshed(tokens));
    cr_expect_eq(shoal_http_tokens_role(tokens, first), SHOAL_HTTP_PUBLIC, "it is not there any more");
    shoal_http_tokens_destroy(tokens);
    unlink(path);
}

Test(http_tokens, a_changed_file_that_cannot_be_used_changes_nothing_and_is_told)
{
    static const char *const bad[] = {"", "admin short\n", "root 0123456789abcdef0\n", NULL};
    struct shoal_message message = {.text = ""};
    struct shoal_http_tokens *tokens;
    const char *path = write_file("read 0123456789abcdef0\n");
    cr_assert_eq(shoal_http_tokens_load(path, &tokens, &message), SHOAL_OK, "%s", message.text);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (bad[i])
            put_file(path, bad[i]);
        else
            unlink(path);
        for (int look = 0; look < 3; look++)
            cr_expect_eq(refreshed(tokens), false, "%s", bad[i] ? bad[i] : "no file");
        cr_expect_eq(shoal_http_tokens_role(tokens, "Bearer 0123456789abcdef0"), SHOAL_HTTP_READ);
    }
    put_file(path, "read 00000000000000000000\n");
    cr_expect(refreshed(tokens), "and then a good one again");
    cr_expect_eq(shoal_http_tokens_role(tokens, "Bearer 0123456789abcdef0"), SHOAL_HTTP_PUBLIC);
    shoal_http_tokens_destroy(tokens);
    unlink(path);
}

/* ---- the page ------------------------------------------------------------------------------ */

Test(http_page, only_the_files_that_were_there_at_the_start_are_found)
{
    char folder[] = "/tmp/shoal-page-XXXXXX", command[512];
    struct shoal_http_page *page;
    struct shoal_message message = {.text = ""};
    cr_assert_not_null(mkdtemp(folder));
    snprintf(command, sizeof command,
             "cd %s && mkdir lib && echo page > index.html && echo js > lib/a.js && echo z > lib/a.js.gz "
             "&& echo no > secret.key && echo no > .hidden.js && ln -s /etc/passwd passwd.txt", folder);
    cr_assert_eq(system(command), 0);
    cr_assert_eq(shoal_http_page_load(folder, &page, &message), SHOAL_OK, "%s", message.text);
    cr_expect_str_eq(shoal_http_page_find(page, "/")->name, "index.html");
    const struct shoal_http_file *file = shoal_http_page_find(page, "/lib/a.js");
    cr_assert_not_null(file);
    cr_expect_eq(file->size, 3);
    cr_expect_eq(file->packed_size, 2);
    cr_expect_str_eq(file->type, "text/javascript; charset=utf-8");
    static const char *const absent[] = {"/secret.key", "/.hidden.js", "/passwd.txt", "/lib/", "/lib/a.js.gz",
                                         "//index.html", "/../etc/passwd", "index.html", ""};
    for (size_t i = 0; i < sizeof absent / sizeof *absent; i++)
        cr_expect_null(shoal_http_page_find(page, absent[i]), "%s", absent[i]);
    shoal_http_page_destroy(page);
    snprintf(command, sizeof command, "rm -r %s", folder);
    cr_assert_eq(system(command), 0);
    cr_assert_eq(shoal_http_page_load(folder, &page, &message), SHOAL_CONFIG);
}
