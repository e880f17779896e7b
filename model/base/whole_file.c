/* SPDX-License-Identifier: Apache-2.0 */
/* Files read and replaced as a whole; see whole_file.h. */
#include "model/base/whole_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum shoal_status read_all(int fd, const char *path, size_t most,
                                  struct shoal_buffer *bytes, struct shoal_message *message)
{
    struct stat info;
    if (fstat(fd, &info))
        return shoal_fail(message, SHOAL_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return shoal_fail(message, SHOAL_IO, "%s: not a regular file", path);
    if (info.st_size < 0 || (uint64_t)info.st_size > most)
        return shoal_fail(message, SHOAL_DAMAGED, "%s: larger than 1 GiB, nothing of Shoal's is", path);
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

enum shoal_status shoal_file_read(const char *path, size_t most, struct shoal_buffer *bytes,
                                  struct shoal_message *message)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return shoal_fail(message, errno == ENOENT ? SHOAL_NOT_FOUND : SHOAL_IO, "%s: %s", path,
                          strerror(errno));
    enum shoal_status status = read_all(fd, path, most, bytes, message);
    close(fd);
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

enum shoal_status shoal_file_replace(const char *path, const struct shoal_buffer *bytes,
                                     struct shoal_message *message)
{
    char *temporary;
    if (asprintf(&temporary, "%s.tmp.%ld", path, (long)getpid()) < 0)
        return shoal_fail(message, SHOAL_NOMEM, "%s: out of memory", path);
    enum shoal_status status = replace(path, temporary, bytes);
    if (status != SHOAL_OK)
        (void)shoal_fail(message, status, "%s: %s", path, strerror(errno));
    free(temporary);
    return status;
}
