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
static char wanted[64];
static atomic_long passes_left;

static void read_environment(void)
{
    const char *value = getenv("SHOAL_CRASH");
    if (!value)
        return;
    const char *colon = strrchr(value, ':');
    size_t size = colon ? (size_t)(colon - value) : strlen(value);
    if (size == 0 || size >= sizeof wanted)
        return;
    memcpy(wanted, value, size);
    atomic_store(&passes_left, colon ? strtol(colon + 1, NULL, 10) : 1);
}

void shoal_crash_point(const char *label)
{
    (void)pthread_once(&once, read_environment);
    if (wanted[0] == '\0' || strcmp(wanted, label) != 0)
        return;
    if (atomic_fetch_sub(&passes_left, 1) == 1)
        (void)kill(getpid(), SIGKILL);
}

#else
typedef int shoal_crash_points_are_off;
#endif
