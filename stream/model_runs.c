/* SPDX-License-Identifier: Apache-2.0 */
/* Training runs; see model_runs.h. */
#include "stream/model_runs.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/put_json.h"

void shoal_model_runs_finish(struct shoal_model_runs *runs)
{
    for (size_t i = 0; i < runs->count; i++)
        free(runs->lines[i]);
    free(runs->lines);
    *runs = (struct shoal_model_runs){0};
}

static enum shoal_status keep_line(struct shoal_model_runs *runs, char *line, size_t size)
{
    char decision[32];
    if (size && line[size - 1] == '\n')
        line[size - 1] = '\0';
    if (!shoal_line_text(line, "decision", decision, sizeof decision))
        return SHOAL_OK; /* cut off by a killed writer */
    char **grown = reallocarray(runs->lines, runs->count + 1, sizeof *grown);
    if (!grown)
        return SHOAL_NOMEM;
    runs->lines = grown;
    runs->lines[runs->count] = strdup(line);
    return runs->lines[runs->count++] ? SHOAL_OK : SHOAL_NOMEM;
}

enum shoal_status shoal_model_runs_read(const char *dir, struct shoal_model_runs *runs,
                                        struct shoal_message *message)
{
    char path[PATH_MAX], *line = NULL;
    size_t capacity = 0;
    int length = snprintf(path, sizeof path, "%s/runs.jsonl", dir);
    if (length < 0 || (size_t)length >= sizeof path)
        return shoal_fail(message, SHOAL_INVALID, "%s: the path is too long", dir);
    FILE *in = fopen(path, "r");
    if (!in)
        return errno == ENOENT ? SHOAL_OK
                               : shoal_fail(message, SHOAL_IO, "%s: %s", path, strerror(errno));
    enum shoal_status status = SHOAL_OK;
    ssize_t size;
    while (status == SHOAL_OK && (size = getline(&line, &capacity, in)) > 0)
        status = keep_line(runs, line, (size_t)size);
    if (status != SHOAL_OK)
        (void)shoal_fail(message, status, "%s: out of memory", path);
    else if (ferror(in))
        status = shoal_fail(message, SHOAL_IO, "%s: %s", path, strerror(errno));
    free(line);
    fclose(in);
    return status;
}
