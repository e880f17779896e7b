/* SPDX-License-Identifier: Apache-2.0 */
/* A redis-server for tests; see redis_server.h. */
#include "tests/state/redis_server.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <ftw.h>
#include <hiredis/hiredis.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void become_server(const struct test_redis *redis, pid_t parent)
{
    const char *arguments[64] = {
        "redis-server", "--port",   "0",           "--unixsocket", redis->socket,
        "--dir",        redis->data, "--save",     "",             "--appendonly",
        "no",           "--loglevel", "warning",
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

/* True once it answers. */
static bool answers(const struct test_redis *redis)
{
    redisContext *context = redisConnectUnix(redis->socket);
    bool ready = false;
    if (context && !context->err) {
        const char *ping[] = {"PING"};
        redisReply *reply = redisCommandArgv(context, 1, ping, NULL);
        /* Any answer but "still loading": with a password set it is an error, too. */
        ready = reply && (reply->type != REDIS_REPLY_ERROR ||
                          strncmp(reply->str, "LOADING", 7) != 0);
        if (reply)
            freeReplyObject(reply);
    }
    if (context)
        redisFree(context);
    return ready;
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

static size_t describe(const redisReply *reply, char *text, size_t room)
{
    int n = 0;
    size_t size = 0;
    switch (reply->type) {
    case REDIS_REPLY_NIL:
        n = snprintf(text, room, "(nil)");
        break;
    case REDIS_REPLY_INTEGER:
        n = snprintf(text, room, "%lld", reply->integer);
        break;
    case REDIS_REPLY_ERROR:
        n = snprintf(text, room, "-%s", reply->str);
        break;
    case REDIS_REPLY_ARRAY:
        size = (size_t)snprintf(text, room, "[");
        for (size_t i = 0; i < reply->elements; i++) {
            size += (size_t)snprintf(text + size, room - size, "%s", i ? "," : "");
            size += describe(reply->element[i], text + size, room - size);
        }
        n = snprintf(text + size, room - size, "]");
        break;
    default:
        n = snprintf(text, room, "%s", reply->str);
        break;
    }
    size += (size_t)n;
    return size < room ? size : room - 1;
}

const char *test_redis_command(struct test_redis *redis, const char *word, ...)
{
    static char text[65536];
    const char *words[16];
    int count = 0;
    va_list list;
    va_start(list, word);
    for (; word && count < 16; word = va_arg(list, const char *))
        words[count++] = word;
    va_end(list);
    redisContext *context = redisConnectUnix(redis->socket);
    cr_assert(context && !context->err);
    redisReply *reply = redisCommandArgv(context, count, words, NULL);
    cr_assert_not_null(reply);
    (void)describe(reply, text, sizeof text);
    freeReplyObject(reply);
    redisFree(context);
    return text;
}

int64_t test_redis_info(struct test_redis *redis, const char *section, const char *name)
{
    char line[64];
    (void)snprintf(line, sizeof line, "\n%s:", name);
    const char *found = strstr(test_redis_command(redis, "INFO", section, NULL), line);
    cr_assert_not_null(found);
    return strtoll(found + strlen(line), NULL, 10);
}
