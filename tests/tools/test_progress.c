/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <pty.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "model/base/clock.h"
#include "tools/cli.h"

/* Standard error on a terminal of our own; what was written to it. */
static char shown[4096];

static void on_terminal(void (*work)(struct shoal_progress *progress))
{
    int master, slave, err = dup(2);
    cr_assert_eq(openpty(&master, &slave, NULL, NULL, NULL), 0);
    fflush(stderr);
    dup2(slave, 2);
    struct shoal_progress progress;
    shoal_progress_start(&progress, "train", "events");
    work(&progress);
    shoal_progress_end(&progress);
    fflush(stderr);
    dup2(err, 2);
    close(slave);
    /* With no writer left, reading ends in an error when everything has been read. */
    size_t used = 0;
    ssize_t got;
    while (used < sizeof shown - 1 &&
           (got = read(master, shown + used, sizeof shown - 1 - used)) > 0)
        used += (size_t)got;
    shown[used] = '\0';
    close(err);
    close(master);
}

static void pause_ms(long ms)
{
    nanosleep(&(struct timespec){ms / 1000, ms % 1000 * 1000000}, NULL);
}

static long long took_ms; /* by the many updates */

static void half_done(struct shoal_progress *progress)
{
    pause_ms(600);
    long long since_ms = shoal_clock_ms();
    shoal_progress_update(progress, 0.25, 1200000);
    for (int i = 0; i < 1000; i++)
        shoal_progress_update(progress, 0.3, 1300000);
    took_ms = shoal_clock_ms() - since_ms;
}

Test(progress, a_terminal_sees_share_rate_and_time_left_at_most_ten_times_a_second)
{
    on_terminal(half_done);
    cr_assert(strstr(shown, "train  25.0 %"), "%s", shown);
    cr_assert(strstr(shown, "Mevents/s"), "%s", shown);
    cr_assert(strstr(shown, " left"), "%s", shown);
    int lines = 0;
    for (const char *p = shown; (p = strchr(p, '%')); p++)
        lines++;
    cr_assert_leq(lines, 2 + took_ms / 100, "%s", shown);
    cr_assert(strstr(shown, "\r\033[K"), "the line is cleared at the end");
}

static void unknown_share(struct shoal_progress *progress)
{
    pause_ms(20);
    shoal_progress_update(progress, -1, 500);
}

Test(progress, without_a_total_there_is_neither_share_nor_time_left)
{
    on_terminal(unknown_share);
    cr_assert(strstr(shown, "events/s"), "%s", shown);
    cr_assert_null(strchr(shown, '%'));
    cr_assert_null(strstr(shown, "left"));
}
