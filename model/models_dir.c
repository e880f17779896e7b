/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of models; see models_dir.h. */
#include "model/models_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { VERSION_CHARACTERS = 16 };

static const char suffix[] = ".shoal";

static bool is_version(const char *text, size_t size)
{
    return size == VERSION_CHARACTERS && strspn(text, "0123456789abcdef") >= VERSION_CHARACTERS;
}

/* "<version>.shoal" → version; false for any other name. */
static bool version_of(const char *name, char version[17])
{
    size_t size = strlen(name);
    if (size != VERSION_CHARACTERS + sizeof suffix - 1 ||
        strcmp(name + VERSION_CHARACTERS, suffix) != 0 || !is_version(name, VERSION_CHARACTERS))
        return false;
    memcpy(version, name, VERSION_CHARACTERS);
    version[VERSION_CHARACTERS] = '\0';
    return true;
}

static enum shoal_status join(const char *dir, const char *name, char path[PATH_MAX],
                              struct shoal_message *message)
{
    int size = snprintf(path, PATH_MAX, "%s/%s", dir, name);
    return size > 0 && size < PATH_MAX
               ? SHOAL_OK
               : shoal_fail(message, SHOAL_INVALID, "%s: the path is too long", dir);
}

static enum shoal_status path_of(const char *dir, const char *version, char path[PATH_MAX],
                                 struct shoal_message *message)
{
    char name[VERSION_CHARACTERS + sizeof suffix];
    if (!is_version(version, strlen(version)))
        return shoal_fail(message, SHOAL_NOT_FOUND,
                          "'%s' is no version of a model (16 hexadecimal digits)", version);
    snprintf(name, sizeof name, "%s%s", version, suffix);
    return join(dir, name, path, message);
}

enum shoal_status shoal_models_current(const char *dir, char version[17],
                                       struct shoal_message *message)
{
    char path[PATH_MAX], target[PATH_MAX];
    enum shoal_status status = join(dir, "current", path, message);
    if (status != SHOAL_OK)
        return status;
    ssize_t size = readlink(path, target, sizeof target - 1);
    if (size < 0 && (errno == ENOENT || errno == ENOTDIR))
        return shoal_fail(message, SHOAL_NOT_FOUND,
                          "%s: no model is in service (publish one with "
                          "shoal retrain, or choose one with shoal models --use)",
                          dir);
    if (size < 0)
        return shoal_fail(message, errno == EINVAL ? SHOAL_DAMAGED : SHOAL_IO, "%s: %s", path,
                          errno == EINVAL ? "not a symbolic link" : strerror(errno));
    target[size] = '\0';
    if (!version_of(target, version))
        return shoal_fail(message, SHOAL_DAMAGED,
                          "%s points to '%s', which is no version of a model", path, target);
    return SHOAL_OK;
}

enum shoal_status shoal_models_load(const char *dir, const char *version,
                                    struct shoal_model **model, struct shoal_message *message)
{
    char path[PATH_MAX];
    *model = NULL;
    enum shoal_status status = path_of(dir, version, path, message);
    if (status == SHOAL_OK)
        status = shoal_model_load(path, model, message);
    if (status != SHOAL_OK)
        return status;
    if (strcmp((*model)->version, version) == 0)
        return SHOAL_OK;
    status = shoal_fail(message, SHOAL_DAMAGED, "%s: holds model %s", path, (*model)->version);
    shoal_model_destroy(*model);
    *model = NULL;
    return status;
}

enum shoal_status shoal_models_add(const char *dir, struct shoal_model *model,
                                   struct shoal_message *message)
{
    struct shoal_buffer bytes = {0};
    char path[PATH_MAX];
    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return shoal_fail(message, SHOAL_IO, "%s: %s", dir, strerror(errno));
    enum shoal_status status = shoal_model_serialize(model, &bytes); /* sets the version */
    shoal_buffer_finish(&bytes);
    if (status != SHOAL_OK)
        return shoal_fail(message, status, "the model cannot be written: %s",
                          shoal_status_text(status));
    status = path_of(dir, model->version, path, message);
    if (status != SHOAL_OK)
        return status;
    struct shoal_model *there;
    if (shoal_models_load(dir, model->version, &there, NULL) == SHOAL_OK) {
        shoal_model_destroy(there); /* the same bytes; its age is that of its first writing */
        return SHOAL_OK;
    }
    return shoal_model_save(model, path, message);
}

/* Makes a link beside and renames it over `current`; syncs the folder, which is open as `folder`.
 */
static enum shoal_status point_to(const char *dir, int folder, const char *version,
                                  struct shoal_message *message)
{
    char link_path[PATH_MAX], beside[PATH_MAX], target[64], name[64];
    snprintf(target, sizeof target, "%s%s", version, suffix);
    snprintf(name, sizeof name, "current.%ld", (long)getpid());
    enum shoal_status status = join(dir, "current", link_path, message);
    if (status == SHOAL_OK)
        status = join(dir, name, beside, message);
    if (status != SHOAL_OK)
        return status;
    (void)unlink(beside);
    if (symlink(target, beside) != 0 || rename(beside, link_path) != 0) {
        status = shoal_fail(message, SHOAL_IO, "%s: %s", link_path, strerror(errno));
        (void)unlink(beside);
        return status;
    }
    if (fsync(folder) != 0 && errno != EINVAL) /* EINVAL: a file system that cannot */
        return shoal_fail(message, SHOAL_IO, "%s: %s", dir, strerror(errno));
    return SHOAL_OK;
}

/* Held while `current` is looked at and changed, so that of two who change it one comes after the
 * other. The folder itself is locked, for moments only; DIR/lock is held through a whole training.
 */
static enum shoal_status hold_folder(const char *dir, int *fd, struct shoal_message *message)
{
    *fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0)
        return shoal_fail(message, errno == ENOENT ? SHOAL_NOT_FOUND : SHOAL_IO, "%s: %s", dir,
                          strerror(errno));
    while (flock(*fd, LOCK_EX) != 0) {
        if (errno == EINTR)
            continue;
        int error = errno;
        close(*fd);
        return shoal_fail(message, SHOAL_IO, "%s: cannot be locked: %s", dir, strerror(error));
    }
    return SHOAL_OK;
}

static enum shoal_status check_loads(const char *dir, const char *version,
                                     struct shoal_message *message)
{
    struct shoal_model *model;
    enum shoal_status status = shoal_models_load(dir, version, &model, message);
    shoal_model_destroy(model);
    return status;
}

enum shoal_status shoal_models_select(const char *dir, const char *version,
                                      struct shoal_message *message)
{
    int folder;
    enum shoal_status status = hold_folder(dir, &folder, message);
    if (status != SHOAL_OK)
        return status;
    status = check_loads(dir, version, message);
    if (status == SHOAL_OK)
        status = point_to(dir, folder, version, message);
    close(folder);
    return status;
}

enum shoal_status shoal_models_replace(const char *dir, const char *expected, const char *version,
                                       struct shoal_message *message)
{
    char now[17];
    int folder;
    enum shoal_status status = hold_folder(dir, &folder, message);
    if (status != SHOAL_OK)
        return status;
    if (shoal_models_current(dir, now, NULL) != SHOAL_OK)
        now[0] = '\0';
    status = check_loads(dir, version, message);
    if (status == SHOAL_OK && strcmp(now, expected) != 0)
        status = shoal_fail(message, SHOAL_FENCED, "%s: the model in service has become %s", dir,
                            now[0] ? now : "none");
    else if (status == SHOAL_OK)
        status = point_to(dir, folder, version, message);
    close(folder);
    return status;
}

enum shoal_status shoal_models_remove(const char *dir, const char *version,
                                      struct shoal_message *message)
{
    char path[PATH_MAX], now[17];
    int folder;
    enum shoal_status status = path_of(dir, version, path, message);
    if (status == SHOAL_OK)
        status = hold_folder(dir, &folder, message);
    if (status != SHOAL_OK)
        return status;
    if (shoal_models_current(dir, now, NULL) == SHOAL_OK && strcmp(now, version) == 0)
        status = shoal_fail(message, SHOAL_INVALID, "%s is in service", version);
    else if (unlink(path) != 0 && errno != ENOENT)
        status = shoal_fail(message, SHOAL_IO, "%s: %s", path, strerror(errno));
    close(folder);
    return status;
}

struct listed {
    int64_t written_ms;
    char version[17];
};

static int by_age(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;
    if (x->written_ms != y->written_ms)
        return x->written_ms < y->written_ms ? -1 : 1;
    return strcmp(x->version, y->version);
}

static enum shoal_status collect(const char *dir, DIR *folder, struct listed **list, size_t *count,
                                 struct shoal_message *message)
{
    size_t capacity = 0;
    for (struct dirent *entry; (entry = readdir(folder));) {
        struct listed one;
        struct stat about;
        char path[PATH_MAX];
        if (!version_of(entry->d_name, one.version) ||
            join(dir, entry->d_name, path, message) != SHOAL_OK || stat(path, &about) != 0)
            continue;
        one.written_ms = (int64_t)about.st_mtim.tv_sec * 1000 + about.st_mtim.tv_nsec / 1000000;
        if (*count == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            struct listed *grown = realloc(*list, capacity * sizeof *grown);
            if (!grown)
                return shoal_fail(message, SHOAL_NOMEM, "out of memory");
            *list = grown;
        }
        (*list)[(*count)++] = one;
    }
    return SHOAL_OK;
}

enum shoal_status shoal_models_list(const char *dir,
                                    enum shoal_status (*visit)(void *opaque, const char *version,
                                                               int64_t written_ms),
                                    void *opaque, struct shoal_message *message)
{
    struct listed *list = NULL;
    size_t count = 0;
    DIR *folder = opendir(dir);
    if (!folder)
        return shoal_fail(message, errno == ENOENT ? SHOAL_NOT_FOUND : SHOAL_IO, "%s: %s", dir,
                          strerror(errno));
    enum shoal_status status = collect(dir, folder, &list, &count, message);
    closedir(folder);
    if (status == SHOAL_OK && count)
        qsort(list, count, sizeof *list, by_age);
    for (size_t i = 0; i < count && status == SHOAL_OK; i++)
        status = visit(opaque, list[i].version, list[i].written_ms);
    free(list);
    return status;
}

/* A killed writer leaves "<version>.shoal.tmp.<pid>" or "current.<pid>" behind. */
static bool is_leftover(const char *name)
{
    static const char temporary[] = ".shoal.tmp.", link[] = "current.";
    const char *number = NULL;
    if (is_version(name, strnlen(name, VERSION_CHARACTERS)) &&
        strncmp(name + VERSION_CHARACTERS, temporary, sizeof temporary - 1) == 0)
        number = name + VERSION_CHARACTERS + sizeof temporary - 1;
    else if (strncmp(name, link, sizeof link - 1) == 0)
        number = name + sizeof link - 1;
    return number && number[0] && number[strspn(number, "0123456789")] == '\0';
}

/* Removes leftovers of an hour ago and more: nobody takes that long between writing and renaming.
 */
static void sweep(const char *dir)
{
    DIR *folder = opendir(dir);
    for (struct dirent *entry; folder && (entry = readdir(folder));) {
        struct stat about;
        if (is_leftover(entry->d_name) &&
            fstatat(dirfd(folder), entry->d_name, &about, AT_SYMLINK_NOFOLLOW) == 0 &&
            about.st_mtim.tv_sec < time(NULL) - 3600)
            (void)unlinkat(dirfd(folder), entry->d_name, 0);
    }
    if (folder)
        closedir(folder);
}

int64_t shoal_models_written_ms(const char *path, const char *version)
{
    char name[PATH_MAX];
    struct stat about;
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) {
        if (path_of(path, version, name, NULL) != SHOAL_OK)
            return 0;
        path = name;
    }
    return stat(path, &about) == 0 ? (int64_t)about.st_mtime * 1000 : 0;
}

static enum shoal_status busy(const char *dir, int fd, struct shoal_message *message)
{
    char holder[160] = "";
    ssize_t size = pread(fd, holder, sizeof holder - 1, 0);
    holder[size > 0 ? (size_t)size : 0] = '\0';
    holder[strcspn(holder, "\n")] = '\0';
    return shoal_fail(message, SHOAL_BUSY,
                      "%s: another training runs on this folder%s%s%s: wait for it, or stop it",
                      dir, holder[0] ? " (" : "", holder, holder[0] ? ")" : "");
}

/* Who holds the lock, for the one that finds it held. */
static enum shoal_status sign(int fd, const char *path, struct shoal_message *message)
{
    char text[160], host[65] = "";
    struct tm utc;
    time_t now = time(NULL);
    if (gethostname(host, sizeof host - 1) != 0)
        host[0] = '\0';
    int size = snprintf(text, sizeof text, "process %ld on %s", (long)getpid(),
                        host[0] ? host : "this host");
    size_t length = (size_t)size;
    if (gmtime_r(&now, &utc))
        length += strftime(text + length, sizeof text - length, " since %Y-%m-%dT%H:%M:%SZ", &utc);
    text[length++] = '\n';
    if (ftruncate(fd, 0) != 0 || pwrite(fd, text, length, 0) != (ssize_t)length)
        return shoal_fail(message, SHOAL_IO, "%s: %s", path, strerror(errno));
    return SHOAL_OK;
}

enum shoal_status shoal_models_lock(const char *dir, int *lock_fd, struct shoal_message *message)
{
    char path[PATH_MAX];
    *lock_fd = -1;
    if (mkdir(dir, 0777) != 0 && errno != EEXIST)
        return shoal_fail(message, SHOAL_IO, "%s: %s", dir, strerror(errno));
    enum shoal_status status = join(dir, "lock", path, message);
    if (status != SHOAL_OK)
        return status;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        return shoal_fail(message, SHOAL_IO, "%s: %s", path, strerror(errno));
    if (flock(fd, LOCK_EX | LOCK_NB) != 0)
        status = errno == EWOULDBLOCK
                     ? busy(dir, fd, message)
                     : shoal_fail(message, SHOAL_IO, "%s: %s", path, strerror(errno));
    else
        status = sign(fd, path, message);
    if (status != SHOAL_OK) {
        close(fd);
        return status;
    }
    sweep(dir);
    *lock_fd = fd;
    return SHOAL_OK;
}

void shoal_models_unlock(int lock_fd)
{
    if (lock_fd >= 0)
        close(lock_fd); /* the lock goes with the last descriptor */
}
