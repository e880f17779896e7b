/* SPDX-License-Identifier: Apache-2.0 */
/* A redis-server for tests; see redis_server.h. */
#include "tests/state/redis_server.h"

#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/state/redis_client.h"

/* Below the ports that the kernel gives to clients, so that none is taken while a server restarts. */
int test_free_port(void)
{
    static unsigned seed;
    if (seed == 0)
        seed = (unsigned)getpid() * 2654435761U ^ (unsigned)time(NULL);
    for (;;) {
        int port = 12000 + rand_r(&seed) % 18000;
        struct sockaddr_in address = {.sin_family = AF_INET,
                                      .sin_port = htons((uint16_t)port),
                                      .sin_addr = {htonl(INADDR_LOOPBACK)}};
        int fd = socket(AF_INET, SOCK_STREAM, 0);
        bool taken = fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof address) != 0;
        if (fd >= 0)
            (void)close(fd);
        if (!taken)
            return port;
    }
}

static void become_server(const struct test_redis *redis, pid_t parent)
{
    const char *arguments[64] = {
        "redis-server", "--port", "0", "--unixsocket", redis->socket, "--dir",
        redis->data,    "--save", "",  "--appendonly", "no",          "--loglevel",
        "warning",
    };
    size_t count = 0;
    while (arguments[count])
        count++;
    for (size_t i = 0; redis->options[i]; i++)
        arguments[count++] = redis->options[i];
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    char log[128];
    (void)snprintf(log, sizeof log, "%s/log", redis->folder);
    int file = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    if (file >= 0) {
        (void)dup2(file, 1);
        (void)dup2(file, 2);
    }
    (void)execvp(arguments[0], (char *const *)arguments);
    _exit(127);
}

/* True once it has loaded its data. Any other answer will do: with a password set it is an error.
 */
static bool answers(const struct test_redis *redis)
{
    const char *ping[] = {"PING"};
    const char *reply = test_redis_ask(redis->url, ping, 1);
    return reply && strncmp(reply, "-LOADING", 8) != 0;
}

void test_redis_restart(struct test_redis *redis)
{
    cr_assert_eq(redis->pid, 0);
    (void)unlink(redis->socket);
    pid_t parent = getpid();
    redis->pid = fork();
    cr_assert_geq(redis->pid, 0);
    if (redis->pid == 0)
        become_server(redis, parent);
    for (int i = 0; i < 2000; i++) {
        if (answers(redis))
            return;
        int status;
        if (waitpid(redis->pid, &status, WNOHANG) == redis->pid) {
            redis->pid = 0;
            cr_assert_fail("redis-server ended with %d (127: not in PATH); see %s/log",
                           WEXITSTATUS(status), redis->folder);
        }
        (void)usleep(5000);
    }
    cr_assert_fail("redis-server does not answer");
}

void test_redis_start(struct test_redis *redis, const char *const *options)
{
    *redis = (struct test_redis){0};
    (void)strcpy(redis->folder, "/tmp/shoal-test-XXXXXX");
    cr_assert_not_null(mkdtemp(redis->folder));
    (void)snprintf(redis->data, sizeof redis->data, "%s/data", redis->folder);
    (void)snprintf(redis->socket, sizeof redis->socket, "%s/redis", redis->folder);
    (void)snprintf(redis->url, sizeof redis->url, "unix:%s", redis->socket);
    cr_assert_eq(mkdir(redis->data, 0700), 0);
    for (size_t i = 0; options && options[i]; i++)
        redis->options[i] = options[i];
    test_redis_restart(redis);
}

void test_redis_kill(struct test_redis *redis)
{
    if (redis->pid <= 0)
        return;
    (void)kill(redis->pid, SIGKILL);
    (void)waitpid(redis->pid, NULL, 0);
    redis->pid = 0;
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *ftw)
{
    (void)about, (void)type, (void)ftw;
    return remove(path);
}

void test_redis_stop(struct test_redis *redis)
{
    test_redis_kill(redis);
    if (redis->folder[0])
        (void)nftw(redis->folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    redis->folder[0] = '\0';
}

const char *test_redis_command(struct test_redis *redis, const char *word, ...)
{
    const char *words[16];
    size_t count = 0;
    va_list list;
    va_start(list, word);
    for (; word && count < 16; word = va_arg(list, const char *))
        words[count++] = word;
    va_end(list);
    const char *reply = test_redis_ask(redis->url, words, count);
    cr_assert_not_null(reply, "no answer to %s", words[0]);
    return reply;
}
