/* SPDX-License-Identifier: Apache-2.0 */
/* states.jsonl: every record of a store as one canonical line, sorted by user id (bytes), then by
 * partition. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "stream/replay.h"

struct line {
    size_t start, size; /* in text */
    size_t user_start;  /* in users */
    uint8_t user_size;
    int32_t partition;
};

struct states {
    float *hc; /* scratch for the largest h and c so far, 2·hidden */
    uint32_t hidden;
    struct shoal_buffer text, users;
    struct line *lines;
    size_t count, capacity;
    struct shoal_message *message;
};

static enum shoal_status visit(void *opaque, int32_t partition, struct shoal_slice user,
                               struct shoal_slice value)
{
    struct states *s = opaque;
    struct shoal_record record;
    uint32_t hidden;
    enum shoal_precision precision;
    enum shoal_status status = shoal_record_shape(value.bytes, value.size, &hidden, &precision);
    if (status == SHOAL_OK && hidden > s->hidden) {
        free(s->hc);
        s->hidden = hidden;
        s->hc = calloc(2 * (size_t)hidden, sizeof *s->hc);
        if (!s->hc)
            return shoal_fail(s->message, SHOAL_NOMEM, "out of memory");
    }
    if (status == SHOAL_OK) {
        shoal_record_init(&record, hidden, s->hc);
        status = shoal_record_decode(&record, value.bytes, value.size);
    }
    if (status != SHOAL_OK)
        return shoal_fail(s->message, status, "record of user '%.*s': %s", (int)user.size,
                          (const char *)user.bytes, shoal_status_text(status));
    if (s->count == s->capacity) {
        size_t capacity = s->capacity ? 2 * s->capacity : 1024;
        struct line *lines = realloc(s->lines, capacity * sizeof *lines);
        if (!lines)
            return shoal_fail(s->message, SHOAL_NOMEM, "out of memory");
        s->lines = lines;
        s->capacity = capacity;
    }
    struct line *line = &s->lines[s->count++];
    *line = (struct line){.start = s->text.size,
                          .user_start = s->users.size,
                          .user_size = (uint8_t)user.size,
                          .partition = partition};
    shoal_buffer_append(&s->users, user.bytes, user.size);
    shoal_record_print(&record, user.bytes, user.size, partition, precision, &s->text);
    shoal_buffer_append(&s->text, "\n", 1);
    line->size = s->text.size - line->start;
    if (s->text.failed || s->users.failed)
        return shoal_fail(s->message, SHOAL_NOMEM, "out of memory");
    return SHOAL_OK;
}

static int compare(const void *a, const void *b, void *opaque)
{
    const struct line *x = a, *y = b;
    const uint8_t *users = opaque;
    size_t shorter = x->user_size < y->user_size ? x->user_size : y->user_size;
    int order = memcmp(users + x->user_start, users + y->user_start, shorter);
    if (order == 0)
        order = (x->user_size > y->user_size) - (x->user_size < y->user_size);
    return order ? order : (x->partition > y->partition) - (x->partition < y->partition);
}

static enum shoal_status write_lines(struct states *s, const char *path)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdout : fopen(path, "we");
    if (!file)
        return shoal_fail(s->message, SHOAL_IO, "cannot write '%s': %s", path, strerror(errno));
    for (size_t i = 0; i < s->count; i++)
        fwrite(s->text.bytes + s->lines[i].start, 1, s->lines[i].size, file);
    bool failed = fflush(file) != 0 || ferror(file);
    int error = errno;
    if (!standard && fclose(file) != 0 && !failed) {
        failed = true;
        error = errno;
    }
    return failed ? shoal_fail(s->message, SHOAL_IO, "cannot write '%s': %s", path, strerror(error))
                  : SHOAL_OK;
}

enum shoal_status shoal_states_write(struct shoal_store *store, const char *path,
                                     struct shoal_message *message)
{
    struct states s = {.message = message};
    enum shoal_status status = store->ops->scan(store, visit, &s, message);
    if (status == SHOAL_OK) {
        if (s.count)
            qsort_r(s.lines, s.count, sizeof *s.lines, compare, s.users.bytes);
        status = write_lines(&s, path);
    }
    free(s.hc);
    free(s.lines);
    shoal_buffer_finish(&s.text);
    shoal_buffer_finish(&s.users);
    return status;
}
