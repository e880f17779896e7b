/* SPDX-License-Identifier: Apache-2.0 */
/* What the tests of the reader share: files written for one test, and the real ones. */
#ifndef SHOAL_TESTS_FILES_H
#define SHOAL_TESTS_FILES_H

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stream/reader.h"

/* A file with these bytes; its path in memory of the caller, to be given to drop_file. */
static inline char *make_file(const void *bytes, size_t size)
{
    char *path = strdup("/tmp/shoal_test_XXXXXX");
    int fd = mkstemp(path);
    cr_assert_geq(fd, 0);
    cr_assert_eq(write(fd, bytes, size), (ssize_t)size);
    close(fd);
    return path;
}

static inline char *make_text_file(const char *text)
{
    return make_file(text, strlen(text));
}

static inline void drop_file(char *path)
{
    unlink(path);
    free(path);
}

static inline struct shoal_reader *open_reader(const char *path, int32_t partition_count)
{
    struct shoal_reader *reader;
    struct shoal_message why = {""};
    enum shoal_status status = shoal_reader_open(path, partition_count, &reader, &why);
    cr_assert_eq(status, SHOAL_OK, "%s", why.text);
    return reader;
}

/* The next message has this value and this key (NULL = none). */
static inline void assert_next(struct shoal_reader *reader, const char *value, const char *key)
{
    struct shoal_input input;
    struct shoal_message why = {""};
    cr_assert_eq(shoal_reader_next(reader, &input, &why), SHOAL_OK, "%s", why.text);
    cr_assert(input.value_size == strlen(value) &&
                  memcmp(input.value, value, input.value_size) == 0,
              "%.*s, not %s", (int)input.value_size, (const char *)input.value, value);
    cr_assert_eq(input.timestamp_ms, -1);
    if (!key) {
        cr_assert_null(input.key);
        cr_assert_eq(input.partition, 0);
        return;
    }
    cr_assert(input.key && input.key_size == strlen(key) &&
                  memcmp(input.key, key, input.key_size) == 0,
              "%.*s", (int)input.key_size, input.key ? input.key : "");
}

static inline void assert_end(struct shoal_reader *reader)
{
    struct shoal_input input;
    struct shoal_message why = {""};
    cr_assert_eq(shoal_reader_next(reader, &input, &why), SHOAL_END, "%s", why.text);
    cr_assert_eq(shoal_reader_next(reader, &input, &why), SHOAL_END);
}

#endif
