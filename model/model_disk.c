/* SPDX-License-Identifier: Apache-2.0 */
/* A model's bytes on disk: read whole, written so that a reader sees the old file or the new one
 * and never a part (temporary file beside it, fsync, rename, fsync of the folder). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/model_format.h"

#define FILE_BYTES_MAX ((off_t)1 << 30)

static enum shoal_status read_all(int fd, const char *path, struct shoal_buffer *bytes,
                                  struct shoal_message *message)
{
    struct stat info;
    if (fstat(fd, &info))
        return shoal_fail(message, SHOAL_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return shoal_fail(message, SHOAL_IO, "%s: not a regular file", path);
    if (info.st_size > FILE_BYTES_MAX)
        return shoal_fail(message, SHOAL_DAMAGED, "%s: larger than 1 GiB, not a Shoal model", path);
    size_t size = (size_t)info.st_size;
    uint8_t *to = shoal_buffer_reserve(bytes, size + 1);
    if (!to)
        return shoal_fail(message, SHOAL_NOMEM, "%s: out of memory", path);
    while (bytes->size < size) {
        ssize_t got = read(fd, to + bytes->size, size - bytes->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return shoal_fail(message, SHOAL_IO, "%s: %s", path, strerror(errno));
        if (!got)
            break; /* cut off while we read: the checksum will tell */
        bytes->size += (size_t)got;
    }
    return SHOAL_OK;
}

enum shoal_status shoal_model_load(const char *path, struct shoal_model **model,
                                   struct shoal_message *message)
{
    *model = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return shoal_fail(message, errno == ENOENT ? SHOAL_NOT_FOUND : SHOAL_IO, "%s: %s", path,
                          strerror(errno));
    struct shoal_buffer bytes = {0};
    struct shoal_message reason = {{0}};
    enum shoal_status status = read_all(fd, path, &bytes, message);
    close(fd);
    if (status == SHOAL_OK) {
        status = shoal_model_parse(bytes.bytes, bytes.size, model, &reason);
        if (status != SHOAL_OK)
            (void)shoal_fail(message, status, "%s: %s", path, reason.text);
    }
    shoal_buffer_finish(&bytes);
    return status;
}

static enum shoal_status write_all(int fd, const struct shoal_buffer *bytes)
{
    for (size_t done = 0; done < bytes->size;) {
        ssize_t written = write(fd, bytes->bytes + done, bytes->size - done);
        if (written < 0 && errno != EINTR)
            return SHOAL_IO;
        if (written > 0)
            done += (size_t)written;
    }
    return fsync(fd) ? SHOAL_IO : SHOAL_OK;
}

/* Makes the rename itself durable. */
static enum shoal_status sync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = !slash          ? strdup(".")
                   : slash == path ? strdup("/")
                                   : strndup(path, (size_t)(slash - path));
    if (!folder)
        return SHOAL_NOMEM;
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (fd < 0)
        return SHOAL_IO;
    int failed = fsync(fd);
    /* Some file systems cannot sync a folder and say EINVAL; there is no more to be done then. */
    if (failed && errno == EINVAL)
        failed = 0;
    close(fd);
    return failed ? SHOAL_IO : SHOAL_OK;
}

/* Writes and renames; `temporary` is removed on failure, errno says why. */
static enum shoal_status replace(const char *path, const char *temporary,
                                 const struct shoal_buffer *bytes)
{
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0)
        return SHOAL_IO;
    enum shoal_status status = write_all(fd, bytes);
    int reason = errno;
    if (close(fd) && status == SHOAL_OK) {
        status = SHOAL_IO;
        reason = errno;
    }
    if (status == SHOAL_OK && rename(temporary, path)) {
        status = SHOAL_IO;
        reason = errno;
    }
    if (status != SHOAL_OK) {
        unlink(temporary);
        errno = reason;
        return status;
    }
    return sync_folder_of(path);
}

enum shoal_status shoal_model_save(struct shoal_model *model, const char *path,
                                   struct shoal_message *message)
{
    struct shoal_buffer bytes = {0};
    enum shoal_status status = shoal_model_serialize(model, &bytes);
    char *temporary = NULL;
    if (status == SHOAL_INVALID) {
        struct shoal_message why = {.text = "its states are not finite"};
        status = shoal_model_check(model, &why) == SHOAL_OK ? status : SHOAL_INVALID;
        (void)shoal_fail(message, status, "%s: not saved, for the model is broken: %s", path,
                         why.text);
    } else if (status != SHOAL_OK || asprintf(&temporary, "%s.tmp.%ld", path, (long)getpid()) < 0)
        status = shoal_fail(message, SHOAL_NOMEM, "%s: out of memory", path);
    if (status == SHOAL_OK) {
        status = replace(path, temporary, &bytes);
        if (status != SHOAL_OK)
            (void)shoal_fail(message, status, "%s: %s", path, strerror(errno));
        free(temporary);
    }
    shoal_buffer_finish(&bytes);
    return status;
}
