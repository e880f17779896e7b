/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of a file as messages: see reader.h for what is promised.
 *
 *   byte source ─► buffer of whole lines ─► JSON as it is ──┐
 *                                        └► CSV ─► JSON ────┴─► key, partition, offset
 *
 * A line longer than the largest message is handed on cut to one byte more than that, so that the
 * decoder calls it too large, and the rest of it is skipped: memory stays bounded. */
#include "stream/reader.h"

#include <stdlib.h>
#include <string.h>

#include "stream/decode.h"
#include "stream/forget.h"
#include "stream/reader_csv.h"
#include "stream/reader_input.h"

enum { LINE_MAX_BYTES = (1 << 20) + 1, BUFFER_BYTES = LINE_MAX_BYTES + (1 << 18) };

struct shoal_reader {
    char *path;
    struct shoal_byte_source *source;
    struct shoal_decoder *decoder; /* finds the user id in JSON lines */
    struct shoal_csv csv;
    struct shoal_buffer json; /* the row handed out last */
    char forgotten[SHOAL_USER_MAX + 1]; /* the user whom the line handed out last has forgotten */
    int32_t partition_count;
    bool tells_all;   /* who is forgotten is told to every partition */
    int32_t told;     /* how many partitions the line in hand was told to */
    int64_t *offsets; /* next offset of each partition */
    uint64_t lines;
    size_t begin, end; /* bytes in `buffer` not handed out yet */
    bool at_end;
    bool is_cut;      /* the rest of the line handed out last is still to be skipped */
    const char *held; /* a line looked at and still to be handed out: the first, or one that is told on; or NULL */
    size_t held_size;
    char *buffer;
};

/* ---- lines -------------------------------------------------------------------------------- */

static enum shoal_status refill(struct shoal_reader *reader, struct shoal_message *message)
{
    if (reader->begin) {
        memmove(reader->buffer, reader->buffer + reader->begin, reader->end - reader->begin);
        reader->end -= reader->begin;
        reader->begin = 0;
    }
    size_t got;
    struct shoal_message why;
    enum shoal_status status = shoal_byte_source_read(reader->source, reader->buffer + reader->end,
                                                      BUFFER_BYTES - reader->end, &got, &why);
    if (status == SHOAL_END) {
        reader->at_end = true;
        return SHOAL_OK;
    }
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "%s, line %llu: %s", reader->path,
                          (unsigned long long)reader->lines + 1, why.text);
    reader->end += got;
    return SHOAL_OK;
}

/* Drops bytes up to and with the next line break. */
static enum shoal_status skip_rest(struct shoal_reader *reader, struct shoal_message *message)
{
    for (;;) {
        char *at = reader->buffer + reader->begin;
        char *stop = memchr(at, '\n', reader->end - reader->begin);
        if (stop) {
            reader->begin += (size_t)(stop - at) + 1;
            return SHOAL_OK;
        }
        reader->begin = reader->end;
        if (reader->at_end)
            return SHOAL_OK;
        enum shoal_status status = refill(reader, message);
        if (status != SHOAL_OK)
            return status;
    }
}

/* The next line without its line break, in the buffer until the next call. END at the end. */
static enum shoal_status next_line(struct shoal_reader *reader, const char **line, size_t *size,
                                   struct shoal_message *message)
{
    enum shoal_status status = SHOAL_OK;
    if (reader->is_cut) {
        status = skip_rest(reader, message);
        reader->is_cut = status != SHOAL_OK;
    }
    size_t seen = 0; /* bytes already searched */
    while (status == SHOAL_OK) {
        char *at = reader->buffer + reader->begin;
        size_t left = reader->end - reader->begin;
        char *stop = left > seen ? memchr(at + seen, '\n', left - seen) : NULL;
        reader->is_cut = !stop && left >= LINE_MAX_BYTES;
        if (stop || reader->is_cut || (reader->at_end && left)) {
            size_t length = stop ? (size_t)(stop - at) : left;
            reader->begin += length + (stop != NULL);
            reader->lines++;
            if (length && at[length - 1] == '\r')
                length--;
            *line = at;
            *size = length < LINE_MAX_BYTES ? length : LINE_MAX_BYTES;
            return SHOAL_OK;
        }
        if (reader->at_end)
            return SHOAL_END;
        seen = left;
        status = refill(reader, message);
    }
    return status;
}

static bool is_json(const char *line, size_t size)
{
    while (size && (*line == ' ' || *line == '\t')) {
        line++;
        size--;
    }
    return size && *line == '{';
}

/* ---- opening ------------------------------------------------------------------------------ */

/* Looks at the first line that is not empty: a header is read and gone, anything else is kept for
 * the first call of shoal_reader_next. */
static enum shoal_status look_at_first_line(struct shoal_reader *reader,
                                            struct shoal_message *message)
{
    const char *line;
    size_t size;
    bool is_header = false;
    enum shoal_status status;
    do {
        status = next_line(reader, &line, &size, message);
        if (status != SHOAL_OK)
            return status == SHOAL_END ? SHOAL_OK : status;
        if (reader->lines == 1 && size >= 3 && memcmp(line, "\xef\xbb\xbf", 3) == 0) {
            line += 3; /* byte order mark, as spreadsheets write it */
            size -= 3;
        }
    } while (size == 0);
    if (!is_json(line, size)) {
        struct shoal_message why;
        status = shoal_csv_header(&reader->csv, line, size, &is_header, &why);
        if (status != SHOAL_OK)
            return shoal_fail(message, status, "%s, line %llu: %s", reader->path,
                              (unsigned long long)reader->lines, why.text);
    }
    if (!is_header) {
        reader->held = line;
        reader->held_size = size;
    }
    return SHOAL_OK;
}

enum shoal_status shoal_reader_open(const char *path, int32_t partition_count,
                                    struct shoal_reader **reader, struct shoal_message *message)
{
    *reader = NULL;
    if (partition_count <= 0)
        return shoal_fail(message, SHOAL_INVALID, "%d partitions", partition_count);
    struct shoal_reader *made = calloc(1, sizeof *made);
    if (!made)
        return shoal_fail(message, SHOAL_NOMEM, "no memory to read %s", path);
    shoal_csv_init(&made->csv);
    made->partition_count = partition_count;
    made->path = strdup(path);
    made->offsets = calloc((size_t)partition_count, sizeof *made->offsets);
    made->buffer = malloc(BUFFER_BYTES);
    enum shoal_status status = SHOAL_NOMEM;
    if (!made->path || !made->offsets || !made->buffer ||
        shoal_decoder_create(NULL, &made->decoder) != SHOAL_OK)
        shoal_fail(message, status, "no memory to read %s", path);
    else if ((status = shoal_byte_source_open(path, &made->source, message)) == SHOAL_OK)
        status = look_at_first_line(made, message);
    if (status != SHOAL_OK) {
        shoal_reader_close(made);
        return status;
    }
    *reader = made;
    return SHOAL_OK;
}

void shoal_reader_tell_all(struct shoal_reader *reader)
{
    reader->tells_all = true;
}

void shoal_reader_close(struct shoal_reader *reader)
{
    if (!reader)
        return;
    shoal_byte_source_close(reader->source);
    shoal_decoder_destroy(reader->decoder);
    shoal_csv_finish(&reader->csv);
    shoal_buffer_finish(&reader->json);
    free(reader->buffer);
    free(reader->offsets);
    free(reader->path);
    free(reader);
}

/* ---- messages ----------------------------------------------------------------------------- */

static enum shoal_status next_full_line(struct shoal_reader *reader, const char **line,
                                        size_t *size, struct shoal_message *message)
{
    enum shoal_status status = SHOAL_OK;
    *line = reader->held;
    *size = reader->held_size;
    reader->held = NULL;
    if (*line)
        return SHOAL_OK;
    do
        status = next_line(reader, line, size, message);
    while (status == SHOAL_OK && *size == 0);
    return status;
}

enum shoal_status shoal_reader_next(struct shoal_reader *reader, struct shoal_input *input,
                                    struct shoal_message *message)
{
    const char *line, *user = NULL;
    size_t size, user_size = 0;
    enum shoal_status status = next_full_line(reader, &line, &size, message);
    if (status != SHOAL_OK)
        return status;
    *input = (struct shoal_input){.timestamp_ms = -1, .value = line, .value_size = size};
    struct shoal_csv_cell cell;
    bool forgets = false;
    shoal_buffer_clear(&reader->json);
    if (is_json(line, size)) {
        forgets = shoal_forget_parse(line, size, reader->forgotten, &user_size);
        if (forgets)
            user = reader->forgotten;
        else if (!shoal_decoder_find_user(reader->decoder, line, size, &user, &user_size))
            user = NULL;
    } else if (shoal_csv_row(&reader->csv, line, size, &reader->json, &cell)) {
        input->value = reader->json.bytes;
        input->value_size = reader->json.size;
        if (shoal_user_is_valid(cell.text, cell.size)) {
            user = cell.text;
            user_size = cell.size;
        }
    }
    if (reader->json.failed)
        return shoal_fail(message, SHOAL_NOMEM, "%s, line %llu: no memory", reader->path,
                          (unsigned long long)reader->lines);
    if (user) {
        input->key = user;
        input->key_size = user_size;
        input->partition = shoal_partition_of(user, user_size, reader->partition_count);
    }
    if (forgets && reader->tells_all) {
        input->partition = reader->told;
        reader->told = (reader->told + 1) % reader->partition_count;
        reader->held = reader->told > 0 ? line : NULL;
        reader->held_size = size;
    }
    input->offset = reader->offsets[input->partition]++;
    return SHOAL_OK;
}

void shoal_reader_position(const struct shoal_reader *reader, uint64_t *bytes, uint64_t *size,
                           uint64_t *lines)
{
    shoal_byte_source_position(reader->source, bytes, size);
    *lines = reader->lines;
}
