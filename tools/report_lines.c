/* SPDX-License-Identifier: Apache-2.0 */
/* Lines, one after another; see report_lines.h. */
#include "tools/report_lines.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "stream/reader_input.h"

enum { LINE_BYTES = 1 << 20 };

struct reading {
    struct shoal_byte_source *source;
    const char *path;
    char *buffer; /* LINE_BYTES, shared by the files */
    size_t begin, end;
    bool at_end;
    uint64_t number; /* of the line in hand */
    struct shoal_json_tree *tree;
    shoal_line_taker *take, *forget;
    void *context;
    struct shoal_lines *lines;
    struct shoal_message *message;
};

static enum shoal_status refill(struct reading *reading)
{
    memmove(reading->buffer, reading->buffer + reading->begin, reading->end - reading->begin);
    reading->end -= reading->begin;
    reading->begin = 0;
    if (reading->end == LINE_BYTES)
        return shoal_fail(reading->message, SHOAL_BAD_JSON, "%s:%" PRIu64 ": longer than 1 MiB",
                          reading->path, reading->number + 1);
    size_t got = 0;
    struct shoal_message why = {""};
    enum shoal_status status = shoal_byte_source_read(
        reading->source, reading->buffer + reading->end, LINE_BYTES - reading->end, &got, &why);
    if (status == SHOAL_END)
        reading->at_end = true;
    else if (status != SHOAL_OK)
        return shoal_fail(reading->message, status, "%s:%" PRIu64 ": %.400s", reading->path,
                          reading->number + 1, why.text);
    reading->end += got;
    return SHOAL_OK;
}

static enum shoal_status take_line(struct reading *reading, const char *line, size_t size,
                                   bool ended)
{
    struct shoal_message why = {""};
    reading->number++;
    while (size > 0 && (line[size - 1] == '\r' || line[size - 1] == ' '))
        size--;
    if (size == 0)
        return SHOAL_OK;
    enum shoal_status status = shoal_json_tree_parse(reading->tree, line, size, &why);
    if (status == SHOAL_BAD_JSON && !ended && line[0] == '{') {
        reading->lines->cut++;
        return SHOAL_OK;
    }
    bool gone = status == SHOAL_OK && shoal_json_tree_find(reading->tree, 0, "forgotten") >= 0;
    if (status == SHOAL_OK)
        status = (gone ? reading->forget : reading->take)(reading->context, reading->tree, &why);
    if (status != SHOAL_OK)
        return shoal_fail(reading->message, status, "%s:%" PRIu64 ": %.400s", reading->path,
                          reading->number, why.text);
    reading->lines->lines += !gone;
    return SHOAL_OK;
}

static enum shoal_status read_source(struct reading *reading)
{
    enum shoal_status status = SHOAL_OK;
    while (status == SHOAL_OK) {
        const char *line = reading->buffer + reading->begin;
        const char *newline = memchr(line, '\n', reading->end - reading->begin);
        if (newline) {
            status = take_line(reading, line, (size_t)(newline - line), true);
            reading->begin += (size_t)(newline - line) + 1;
        } else if (!reading->at_end) {
            status = refill(reading);
        } else {
            size_t left = reading->end - reading->begin;
            return left ? take_line(reading, line, left, false) : SHOAL_OK;
        }
    }
    return status;
}

static enum shoal_status read_file(struct reading *reading, const char *path)
{
    reading->path = path;
    reading->begin = reading->end = 0;
    reading->number = 0;
    reading->at_end = false;
    enum shoal_status status = shoal_byte_source_open(path, &reading->source, reading->message);
    if (status != SHOAL_OK)
        return status;
    status = read_source(reading);
    shoal_byte_source_close(reading->source);
    return status;
}

enum shoal_status shoal_lines_each(const char *files, shoal_line_taker *take,
                                   shoal_line_taker *forget, void *context,
                                   struct shoal_lines *lines, struct shoal_message *message)
{
    struct reading reading = {
        .buffer = malloc(LINE_BYTES),
        .tree = shoal_json_tree_create(),
        .take = take,
        .forget = forget,
        .context = context,
        .lines = lines,
        .message = message,
    };
    char *list = strdup(files);
    enum shoal_status status = SHOAL_OK;
    if (!reading.buffer || !reading.tree || !list)
        status = shoal_fail(message, SHOAL_NOMEM, "out of memory");
    for (char *rest = list, *path; status == SHOAL_OK && (path = strsep(&rest, ","));)
        if (*path)
            status = read_file(&reading, path);
    shoal_json_tree_destroy(reading.tree);
    free(reading.buffer);
    free(list);
    return status;
}
