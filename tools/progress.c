/* SPDX-License-Identifier: Apache-2.0 */
/* Progress line on a terminal; see cli.h. Into files and pipes nothing is written. */
#include <string.h>
#include <unistd.h>

#include "model/base/clock.h"
#include "tools/cli.h"

enum { SHOW_EVERY_MS = 100 };

void shoal_progress_start(struct shoal_progress *progress, const char *label, const char *unit)
{
    *progress =
        (struct shoal_progress){.label = label, .unit = unit, .started_ms = shoal_clock_ms()};
}

/* "1.2 M", "950 k", "12" */
static void print_amount(double amount, char *text, size_t size)
{
    if (amount >= 999.5e6)
        snprintf(text, size, "%.1f G", amount / 1e9);
    else if (amount >= 999.5e3)
        snprintf(text, size, "%.1f M", amount / 1e6);
    else if (amount >= 9995)
        snprintf(text, size, "%.0f k", amount / 1e3);
    else
        snprintf(text, size, "%.0f ", amount);
}

static void print_left(double seconds, char *text, size_t size)
{
    if (seconds > 359999)
        snprintf(text, size, "days left");
    else if (seconds >= 3600)
        snprintf(text, size, "%d:%02d:%02d left", (int)seconds / 3600, (int)seconds / 60 % 60,
                 (int)seconds % 60);
    else
        snprintf(text, size, "%d:%02d left", (int)seconds / 60, (int)seconds % 60);
}

void shoal_progress_update(struct shoal_progress *progress, double fraction,
                           unsigned long long count)
{
    long long now_ms = shoal_clock_ms();
    if (now_ms - progress->shown_ms < SHOW_EVERY_MS || !isatty(STDERR_FILENO))
        return;
    progress->shown_ms = now_ms;
    progress->shown = true;
    double seconds = (double)(now_ms - progress->started_ms) / 1e3;
    char done[16] = "", rate[24], left[32] = "";
    print_amount(seconds > 0 ? (double)count / seconds : 0, rate, sizeof rate);
    if (fraction >= 0)
        snprintf(done, sizeof done, " %5.1f %%", 100 * (fraction < 1 ? fraction : 1));
    /* The first moments say little about the rest. */
    if (fraction > 0.001 && fraction <= 1 && seconds >= 0.5)
        print_left(seconds * (1 - fraction) / fraction, left, sizeof left);
    /* \033[K clears what a longer line left behind. */
    fprintf(stderr, "\r%s%s  %s%s/s  %s\033[K", progress->label, done, rate, progress->unit, left);
    fflush(stderr);
}

void shoal_progress_end(struct shoal_progress *progress)
{
    if (progress->shown)
        fputs("\r\033[K", stderr);
    progress->shown = false;
}
