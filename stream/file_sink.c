/* SPDX-License-Identifier: Apache-2.0 */
/* File sink; see file_sink.h. Buffered by stdio; errors are sticky in the streams. */
#include "stream/file_sink.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "stream/encode.h"

enum { ERRORS = SHOAL_TOPIC_COUNT, FILES };

static const char *const names[FILES] = {
    [SHOAL_TOPIC_SEGMENTS] = "segments.jsonl",
    [SHOAL_TOPIC_DECISIONS] = "decisions.jsonl",
    [SHOAL_TOPIC_DEADLETTER] = "deadletter.jsonl",
    [SHOAL_TOPIC_MODELS] = "models.jsonl",
    [ERRORS] = "deadletter.errors.jsonl",
};

struct file_sink {
    struct shoal_sink base;
    FILE *files[FILES];
    char *topic;
    struct shoal_buffer line; /* scratch */
};

/* Text as the inside of a JSON string; what is not plain ASCII is replaced by '?'. */
static void write_plain(FILE *file, const char *text)
{
    for (; *text; text++)
        putc((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e || *text == '"' ||
                     *text == '\\'
                 ? '?'
                 : *text,
             file);
}

/* A file has no keys, so that a line has to say whose tombstone it is. */
static enum shoal_status write_tombstone(struct file_sink *sink, const struct shoal_output *output)
{
    struct shoal_encoder e;
    shoal_buffer_clear(&sink->line);
    shoal_encode_init(&e, SHOAL_ENCODE_JSON, &sink->line);
    shoal_encode_map(&e, 3);
    SHOAL_ENCODE_KEY(&e, "id");
    shoal_encode_str(&e, output->id, output->id_size);
    SHOAL_ENCODE_KEY(&e, "user_id");
    shoal_encode_str(&e, output->key, output->key_size);
    SHOAL_ENCODE_KEY(&e, "forgotten");
    shoal_encode_bool(&e, true);
    shoal_encode_map_end(&e);
    if (sink->line.failed)
        return SHOAL_NOMEM;
    FILE *file = sink->files[output->topic];
    fwrite(sink->line.bytes, 1, sink->line.size, file);
    putc('\n', file);
    return ferror(file) ? SHOAL_IO : SHOAL_OK;
}

static enum shoal_status emit(struct shoal_sink *base, const struct shoal_output *output)
{
    struct file_sink *sink = (struct file_sink *)base;
    FILE *file = sink->files[output->topic];
    if (!output->value && output->topic != SHOAL_TOPIC_DEADLETTER)
        return write_tombstone(sink, output);
    fwrite(output->value ? output->value : "", 1, output->value_size, file);
    putc('\n', file);
    if (output->topic == SHOAL_TOPIC_DEADLETTER) {
        FILE *errors = sink->files[ERRORS];
        fprintf(errors,
                "{\"source_topic\":\"%s\",\"source_partition\":%" PRId32
                ",\"source_offset\":%" PRId64 ",\"error_code\":\"%s\",\"error_text\":\"",
                sink->topic, output->source->partition, output->source->offset,
                shoal_status_code(output->status));
        write_plain(errors, output->why);
        fputs("\"}\n", errors);
    }
    return ferror(file) ? SHOAL_IO : SHOAL_OK;
}

static void destroy(struct shoal_sink *base)
{
    if (!base)
        return;
    struct file_sink *sink = (struct file_sink *)base;
    for (int i = 0; i < FILES; i++) {
        if (sink->files[i])
            fclose(sink->files[i]);
    }
    shoal_buffer_finish(&sink->line);
    free(sink->topic);
    free(sink);
}

static const struct shoal_sink_ops ops = {emit, destroy};

enum shoal_status shoal_file_sink_create(const char *folder, const char *topic,
                                         struct shoal_sink **result, struct shoal_message *message)
{
    *result = NULL;
    if (mkdir(folder, 0777) != 0 && errno != EEXIST)
        return shoal_fail(message, SHOAL_IO, "cannot make folder '%s': %s", folder,
                          strerror(errno));
    struct file_sink *sink = calloc(1, sizeof *sink);
    if (!sink || !(sink->topic = strdup(topic))) {
        free(sink);
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    }
    sink->base.ops = &ops;
    for (int i = 0; i < FILES; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, names[i]);
        sink->files[i] = fopen(path, "we");
        if (!sink->files[i]) {
            enum shoal_status status =
                shoal_fail(message, SHOAL_IO, "cannot write '%s': %s", path, strerror(errno));
            destroy(&sink->base);
            return status;
        }
    }
    *result = &sink->base;
    return SHOAL_OK;
}

enum shoal_status shoal_file_sink_flush(struct shoal_sink *base, struct shoal_message *message)
{
    struct file_sink *sink = (struct file_sink *)base;
    for (int i = 0; i < FILES; i++) {
        if (fflush(sink->files[i]) != 0 || ferror(sink->files[i]))
            return shoal_fail(message, SHOAL_IO, "cannot write %s: %s", names[i], strerror(errno));
    }
    return SHOAL_OK;
}
