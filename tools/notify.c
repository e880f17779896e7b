/* SPDX-License-Identifier: Apache-2.0 */
/* sd_notify and its watchdog without libsystemd; see notify.h. */
#include "tools/notify.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void shoal_notify(const char *lines)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = path ? strlen(path) : 0;
    if (length < 2 || length > sizeof address.sun_path || (path[0] != '/' && path[0] != '@'))
        return;
    memcpy(address.sun_path, path, length);
    if (path[0] == '@') /* an abstract name begins with a zero byte */
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
    (void)sendto(fd, lines, strlen(lines), MSG_NOSIGNAL, (struct sockaddr *)&address, size);
    close(fd);
}

/* A natural number of the environment; 0: there is none. */
static int64_t number_of(const char *variable)
{
    const char *value = getenv(variable);
    char *end;
    long long number = value ? strtoll(value, &end, 10) : 0;
    return value && *end == '\0' && number > 0 ? number : 0;
}

void shoal_watchdog_init(struct shoal_watchdog *watchdog)
{
    *watchdog = (struct shoal_watchdog){0};
    int64_t interval_us = number_of("WATCHDOG_USEC"), pid = number_of("WATCHDOG_PID");
    if (interval_us == 0 || (pid != 0 && pid != getpid()))
        return;
    watchdog->every_ms = interval_us < 8000 ? 1 : interval_us / 4000;
}

bool shoal_watchdog_beat(struct shoal_watchdog *watchdog, int64_t now_ms, const unsigned *turns, size_t count)
{
    assert(count <= SHOAL_WATCHDOG_WORKERS);
    if (watchdog->every_ms == 0 || now_ms - watchdog->beaten_ms < watchdog->every_ms)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (turns[i] == watchdog->seen[i])
            return false;
    }
    memcpy(watchdog->seen, turns, count * sizeof *turns);
    watchdog->beaten_ms = now_ms;
    shoal_notify("WATCHDOG=1");
    return true;
}
