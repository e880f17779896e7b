/* SPDX-License-Identifier: Apache-2.0 */
/* Plain, gzip and zstd files as one stream of bytes, told apart by their first bytes.
 *
 *   file ─► input[64 KiB] ─► inflate / ZSTD_decompressStream / copy ─► the caller's memory
 *
 * Both formats may be several members (frames) one after the other, as `cat a.gz b.gz` makes them.
 * A file that ends within a member, fails its checksum or goes on with something else is damaged.
 * This is the only file that sees zlib and zstd. */
#include "stream/reader_input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { INPUT_BYTES = 65536 };

enum kind { PLAIN, GZIP, ZSTD };

struct shoal_byte_source {
    int fd;
    enum kind kind;
    bool at_end;              /* the file has no more bytes */
    bool in_member;           /* within a gzip member or a zstd frame */
    enum shoal_status status; /* sticky, END too */
    struct shoal_message why;
    uint64_t read_bytes, size_bytes;
    z_stream inflate;
    bool has_inflate;
    ZSTD_DStream *zstd;
    size_t begin, end; /* what is left in `input` */
    unsigned char input[INPUT_BYTES];
};

/* Appends what the file gives to `input`; for pipes maybe only a little. */
static enum shoal_status fill(struct shoal_byte_source *source)
{
    if (source->begin == source->end)
        source->begin = source->end = 0;
    ssize_t got;
    do
        got = read(source->fd, source->input + source->end, INPUT_BYTES - source->end);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return shoal_fail(&source->why, SHOAL_IO, "cannot be read: %s", strerror(errno));
    source->at_end = got == 0;
    source->end += (size_t)got;
    source->read_bytes += (uint64_t)got;
    return SHOAL_OK;
}

static enum shoal_status start(struct shoal_byte_source *source)
{
    static const unsigned char gzip[] = {0x1f, 0x8b}, zstd[] = {0x28, 0xb5, 0x2f, 0xfd};
    while (source->end < sizeof zstd && !source->at_end) {
        enum shoal_status status = fill(source);
        if (status != SHOAL_OK)
            return status;
    }
    if (source->end >= sizeof gzip && memcmp(source->input, gzip, sizeof gzip) == 0) {
        source->kind = GZIP;
        source->in_member = true;
        if (inflateInit2(&source->inflate, 15 + 16) != Z_OK)
            return shoal_fail(&source->why, SHOAL_NOMEM, "no memory to read gzip");
        source->has_inflate = true;
    } else if (source->end >= sizeof zstd && memcmp(source->input, zstd, sizeof zstd) == 0) {
        source->kind = ZSTD;
        source->zstd = ZSTD_createDStream();
        if (!source->zstd)
            return shoal_fail(&source->why, SHOAL_NOMEM, "no memory to read zstd");
    }
    return SHOAL_OK;
}

enum shoal_status shoal_byte_source_open(const char *path, struct shoal_byte_source **source,
                                         struct shoal_message *message)
{
    *source = NULL;
    struct shoal_byte_source *made = calloc(1, sizeof *made);
    if (!made)
        return shoal_fail(message, SHOAL_NOMEM, "no memory to open %s", path);
    bool is_stdin = strcmp(path, "-") == 0;
    made->fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (made->fd < 0) {
        int error = errno;
        shoal_byte_source_close(made);
        return shoal_fail(message, error == ENOENT ? SHOAL_NOT_FOUND : SHOAL_IO,
                          "%s cannot be opened: %s", path, strerror(error));
    }
    struct stat about;
    if (fstat(made->fd, &about) == 0 && S_ISREG(about.st_mode))
        made->size_bytes = (uint64_t)about.st_size;
    made->status = start(made);
    if (made->status != SHOAL_OK) {
        enum shoal_status status = shoal_fail(message, made->status, "%s %s", path, made->why.text);
        shoal_byte_source_close(made);
        return status;
    }
    *source = made;
    return SHOAL_OK;
}

void shoal_byte_source_close(struct shoal_byte_source *source)
{
    if (!source)
        return;
    if (source->has_inflate)
        inflateEnd(&source->inflate);
    ZSTD_freeDStream(source->zstd);
    if (source->fd >= 0)
        close(source->fd);
    free(source);
}

static enum shoal_status copy_plain(struct shoal_byte_source *source, char *bytes, size_t size,
                                    size_t *count)
{
    size_t left = source->end - source->begin;
    *count = left < size ? left : size;
    memcpy(bytes, source->input + source->begin, *count);
    source->begin += *count;
    return SHOAL_OK;
}

/* Between two members: another one may follow, or zero bytes that fill up a tape block. */
static enum shoal_status next_member(struct shoal_byte_source *source)
{
    while (source->begin < source->end && source->input[source->begin] == 0)
        source->begin++;
    if (source->begin == source->end)
        return SHOAL_OK;
    if (source->input[source->begin] != 0x1f)
        return shoal_fail(&source->why, SHOAL_IO, "is damaged: no gzip data after a gzip member");
    if (inflateReset(&source->inflate) != Z_OK)
        return shoal_fail(&source->why, SHOAL_IO, "cannot be read: zlib does not restart");
    source->in_member = true;
    return SHOAL_OK;
}

static enum shoal_status inflate_some(struct shoal_byte_source *source, char *bytes, size_t size,
                                      size_t *count)
{
    if (!source->in_member) {
        enum shoal_status status = next_member(source);
        if (status != SHOAL_OK || !source->in_member)
            return status;
    }
    z_stream *stream = &source->inflate;
    unsigned room = size > 1u << 30 ? 1u << 30 : (unsigned)size;
    stream->next_in = source->input + source->begin;
    stream->avail_in = (unsigned)(source->end - source->begin);
    stream->next_out = (unsigned char *)bytes;
    stream->avail_out = room;
    int result = inflate(stream, Z_NO_FLUSH);
    source->begin = source->end - stream->avail_in;
    *count = room - stream->avail_out;
    if (result == Z_STREAM_END)
        source->in_member = false;
    else if (result != Z_OK && result != Z_BUF_ERROR)
        return shoal_fail(&source->why, result == Z_MEM_ERROR ? SHOAL_NOMEM : SHOAL_IO,
                          "is damaged: gzip: %s", stream->msg ? stream->msg : "bad data");
    return SHOAL_OK;
}

static enum shoal_status unzstd_some(struct shoal_byte_source *source, char *bytes, size_t size,
                                     size_t *count)
{
    if (!source->in_member && source->begin == source->end)
        return SHOAL_OK; /* or it would take the end of the file for the start of a frame */
    ZSTD_inBuffer in = {source->input, source->end, source->begin};
    ZSTD_outBuffer out = {bytes, size, 0};
    size_t result = ZSTD_decompressStream(source->zstd, &out, &in);
    source->begin = in.pos;
    *count = out.pos;
    if (ZSTD_isError(result))
        return shoal_fail(&source->why, SHOAL_IO, "is damaged: zstd: %s",
                          ZSTD_getErrorName(result));
    source->in_member = result != 0;
    return SHOAL_OK;
}

static enum shoal_status read_some(struct shoal_byte_source *source, char *bytes, size_t size,
                                   size_t *count)
{
    *count = 0;
    for (;;) {
        enum shoal_status status = SHOAL_OK;
        bool was_empty = source->begin == source->end;
        if (was_empty && !source->at_end)
            status = fill(source);
        if (status != SHOAL_OK)
            return status;
        /* A decoder may hold output back: it is asked once more even without input. */
        status = source->kind == GZIP   ? inflate_some(source, bytes, size, count)
                 : source->kind == ZSTD ? unzstd_some(source, bytes, size, count)
                                        : copy_plain(source, bytes, size, count);
        if (status != SHOAL_OK || *count)
            return status;
        if (source->at_end && source->begin == source->end)
            return source->in_member ? shoal_fail(&source->why, SHOAL_IO,
                                                  "is damaged: it ends within compressed data")
                                     : SHOAL_END;
    }
}

enum shoal_status shoal_byte_source_read(struct shoal_byte_source *source, char *bytes, size_t size,
                                         size_t *count, struct shoal_message *message)
{
    *count = 0;
    if (source->status == SHOAL_OK)
        source->status = read_some(source, bytes, size, count);
    if (source->status != SHOAL_OK && source->status != SHOAL_END)
        return shoal_fail(message, source->status, "%s", source->why.text);
    return source->status;
}

void shoal_byte_source_position(const struct shoal_byte_source *source, uint64_t *bytes,
                                uint64_t *size)
{
    *bytes = source->read_bytes - (source->end - source->begin);
    *size = source->size_bytes;
}
