/* SPDX-License-Identifier: Apache-2.0 */
/* Crash points; see crash.h. The one place that reads an environment variable below tools/: it is
 * for tests only and must reach a process without passing through its configuration. */
#include "model/base/crash.h"

#ifdef SHOAL_CRASH_POINTS

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;

/* What is to happen where: one for each variable. */
static struct trap {
    const char *variable;
    int signal; /* 0: this thread hangs, the others go on */
    char label[64]; /* empty = nothing */
    atomic_long passes_left;
} traps[] = {{"SHOAL_CRASH", SIGKILL, "", 0}, {"SHOAL_STOP", SIGSTOP, "", 0}, {"SHOAL_HANG", 0, "", 0}};

enum { TRAPS = sizeof traps / sizeof *traps };

static void read_environment(void)
{
    for (int i = 0; i < TRAPS; i++) {
        const char *value = getenv(traps[i].variable);
        const char *colon = value ? strrchr(value, ':') : NULL;
        size_t size = colon ? (size_t)(colon - value) : value ? strlen(value) : 0;
        if (size == 0 || size >= sizeof traps[i].label)
            continue;
        memcpy(traps[i].label, value, size);
        atomic_store(&traps[i].passes_left, colon ? strtol(colon + 1, NULL, 10) : 1);
    }
}

void shoal_crash_point(const char *label)
{
    (void)pthread_once(&once, read_environment);
    for (int i = 0; i < TRAPS; i++) {
        if (traps[i].label[0] == '\0' || strcmp(traps[i].label, label) != 0 ||
            atomic_fetch_sub(&traps[i].passes_left, 1) != 1)
            continue;
        while (traps[i].signal == 0)
            pause();
        (void)kill(getpid(), traps[i].signal);
    }
}

#else
typedef int shoal_crash_points_are_off;
#endif
