/* SPDX-License-Identifier: Apache-2.0 */
/* What the service manager is told. Each test is a process of its own, with a manager of its own. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tools/notify.h"

/* The manager's socket: an abstract name, so that nothing is left behind. */
static int listen_as_manager(void)
{
    char name[64];
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int size = snprintf(name, sizeof name, "@shoal-test-notify-%ld", (long)getpid());
    memcpy(address.sun_path, name, (size_t)size);
    address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)size);
    cr_assert_eq(bind(fd, (struct sockaddr *)&address, length), 0);
    setenv("NOTIFY_SOCKET", name, 1);
    return fd;
}

static void expect_told(int fd, const char *wanted)
{
    char text[128] = "";
    ssize_t size = recv(fd, text, sizeof text - 1, 0);
    cr_assert_str_eq(size > 0 ? text : "nothing", wanted);
}

static struct shoal_watchdog watchdog_of(const char *interval_us)
{
    struct shoal_watchdog watchdog;
    setenv("WATCHDOG_USEC", interval_us, 1);
    shoal_watchdog_init(&watchdog);
    return watchdog;
}

Test(notify, the_manager_gets_what_is_said)
{
    int fd = listen_as_manager();
    shoal_notify("READY=1\nSTATUS=processing events");
    expect_told(fd, "READY=1\nSTATUS=processing events");
    close(fd);
}

Test(notify, without_a_manager_nothing_happens)
{
    unsetenv("NOTIFY_SOCKET");
    shoal_notify("READY=1");
    setenv("NOTIFY_SOCKET", "not/a/path", 1);
    shoal_notify("READY=1");
}

Test(watchdog, a_beat_comes_four_times_an_interval_while_all_workers_turn)
{
    int fd = listen_as_manager(), beats = 0;
    struct shoal_watchdog watchdog = watchdog_of("4000000");
    unsigned turns[] = {0, 0};
    for (int64_t now_ms = 100000; now_ms < 104000; now_ms += 50) {
        turns[0]++;
        turns[1]++;
        beats += shoal_watchdog_beat(&watchdog, now_ms, turns, 2);
    }
    cr_assert_eq(beats, 4);
    for (int i = 0; i < 4; i++)
        expect_told(fd, "WATCHDOG=1");
    expect_told(fd, "nothing");
    close(fd);
}

Test(watchdog, one_worker_that_hangs_ends_the_beats_and_they_come_back_with_it)
{
    int fd = listen_as_manager(), beats = 0;
    struct shoal_watchdog watchdog = watchdog_of("4000000");
    unsigned turns[] = {7, 7, 7};
    int64_t now_ms = 100000;
    cr_assert(shoal_watchdog_beat(&watchdog, now_ms, turns, 3));
    expect_told(fd, "WATCHDOG=1");
    for (int i = 0; i < 400; i++) {
        turns[0]++;
        turns[2]++;
        beats += shoal_watchdog_beat(&watchdog, now_ms += 50, turns, 3);
    }
    cr_assert_eq(beats, 0);
    expect_told(fd, "nothing");
    turns[1]++;
    cr_assert(shoal_watchdog_beat(&watchdog, now_ms, turns, 3));
    expect_told(fd, "WATCHDOG=1");
    close(fd);
}

Test(watchdog, a_worker_that_has_not_begun_is_no_beat)
{
    unsigned turns[] = {1, 0};
    struct shoal_watchdog watchdog = watchdog_of("4000000");
    cr_assert_not(shoal_watchdog_beat(&watchdog, 100000, turns, 2));
}

Test(watchdog, nobody_who_waits_no_beats)
{
    unsigned turn = 1;
    static const char *const bad[] = {"", "0", "-5", "5x", "soon"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct shoal_watchdog watchdog = watchdog_of(bad[i]);
        cr_assert_not(shoal_watchdog_beat(&watchdog, 100000, &turn, 1), "'%s'", bad[i]);
    }
    unsetenv("WATCHDOG_USEC");
    struct shoal_watchdog watchdog;
    shoal_watchdog_init(&watchdog);
    cr_assert_not(shoal_watchdog_beat(&watchdog, 100000, &turn, 1));
}

Test(watchdog, a_child_does_not_beat_for_its_parent)
{
    char pid[32];
    unsigned turn = 1;
    snprintf(pid, sizeof pid, "%ld", (long)getpid() + 1);
    setenv("WATCHDOG_PID", pid, 1);
    struct shoal_watchdog watchdog = watchdog_of("4000000");
    cr_assert_not(shoal_watchdog_beat(&watchdog, 100000, &turn, 1));
    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    setenv("WATCHDOG_PID", pid, 1);
    watchdog = watchdog_of("4000000");
    cr_assert(shoal_watchdog_beat(&watchdog, 100000, &turn, 1));
}
