/* SPDX-License-Identifier: Apache-2.0 */
/* The process as /proc has it; see process_figures.h. */
#include "stream/process_figures.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static uint64_t count_fds(void)
{
    DIR *dir = opendir("/proc/self/fd");
    uint64_t count = 0;
    if (!dir)
        return 0;
    for (const struct dirent *entry; (entry = readdir(dir));)
        count += entry->d_name[0] != '.';
    closedir(dir);
    return count - 1; /* the one that is reading */
}

/* Seconds since 1970 at which the system was started. Not btime of /proc/stat: a unit with ProcSubset=pid sees of
 * /proc only what is of processes. */
static double boot_time(void)
{
    struct timespec now, since_boot;
    clock_gettime(CLOCK_REALTIME, &now);
    clock_gettime(CLOCK_BOOTTIME, &since_boot);
    return (double)(now.tv_sec - since_boot.tv_sec) + (double)(now.tv_nsec - since_boot.tv_nsec) / 1e9;
}

/* Fields of /proc/self/stat behind the name of the program, which may contain anything but is in the last
 * parentheses. */
static void read_stat(struct shoal_process_figures *figures)
{
    char line[1024];
    unsigned long long start = 0, bytes = 0;
    long long pages = 0;
    FILE *file = fopen("/proc/self/stat", "re");
    size_t size = file ? fread(line, 1, sizeof line - 1, file) : 0;
    if (file)
        fclose(file);
    line[size] = '\0';
    const char *behind = strrchr(line, ')');
    /* state, then fields 4 … 21, of which none is wanted; 22 start time, 23 virtual, 24 resident */
    if (!behind || sscanf(behind + 1,
                          " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
                          "%*d %llu %llu %lld",
                          &start, &bytes, &pages) != 3)
        return;
    figures->virtual_bytes = bytes;
    figures->resident_bytes = (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
    figures->start_s = boot_time() + (double)start / (double)sysconf(_SC_CLK_TCK);
}

struct shoal_process_figures shoal_process_figures(void)
{
    struct shoal_process_figures figures = {.fds = count_fds()};
    struct rusage usage;
    struct rlimit limit;
    read_stat(&figures);
    if (getrusage(RUSAGE_SELF, &usage) == 0)
        figures.cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                        (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
        figures.max_fds = limit.rlim_cur;
    return figures;
}
