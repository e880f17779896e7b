/* SPDX-License-Identifier: Apache-2.0 */
/* Log lines; see log.h. */
#include "stream/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "model/base/clock.h"
#include "stream/event.h"

static const char *const level_names[] = {"debug", "info", "warning", "error"};

enum shoal_log_level shoal_log_level_of(const char *name)
{
    for (int i = SHOAL_DEBUG; i <= SHOAL_ERROR; i++) {
        if (strcmp(name, level_names[i]) == 0)
            return (enum shoal_log_level)i;
    }
    return SHOAL_INFO;
}

/* `text` as the inside of a JSON string. */
static void escape(const char *text, char *out, size_t size)
{
    size_t used = 0;
    for (; *text && used + 7 < size; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte == '"' || byte == '\\') {
            out[used++] = '\\';
            out[used++] = (char)byte;
        } else if (byte < 0x20) {
            used += (size_t)snprintf(out + used, size - used, "\\u%04x", byte);
        } else {
            out[used++] = (char)byte;
        }
    }
    out[used] = '\0';
}

void shoal_log_write(const struct shoal_log *log, enum shoal_log_level level, const char *format,
                     ...)
{
    if (level < log->level)
        return;
    char text[1024], escaped[2048], line[2600], time[25], worker[32] = "";
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    shoal_time_print(shoal_clock_wall_ms(), time);
    int size;
    if (log->json) {
        if (log->worker >= 0)
            snprintf(worker, sizeof worker, "\"worker\":%d,", log->worker);
        escape(text, escaped, sizeof escaped);
        size = snprintf(line, sizeof line, "{\"time\":\"%s\",\"level\":\"%s\",%s\"text\":\"%s\"}\n",
                        time, level_names[level], worker, escaped);
    } else {
        if (log->worker >= 0)
            snprintf(worker, sizeof worker, "worker=%d ", log->worker);
        size = snprintf(line, sizeof line, "%s %s %s%s\n", time, level_names[level], worker, text);
    }
    if (size > 0 && (size_t)size >= sizeof line)
        size = (int)sizeof line - 1;
    ssize_t ignored = write(STDERR_FILENO, line, (size_t)size);
    (void)ignored;
}

bool shoal_nag_due(struct shoal_nag *nag)
{
    int64_t now = shoal_clock_ms();
    if (nag->said_ms != 0 && now - nag->said_ms < 60000) {
        nag->skipped++;
        return false;
    }
    nag->said_ms = now;
    nag->skipped = 0;
    return true;
}
