/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are followed; see file_changes.h. */
#include "stream/file_changes.h"

#include <sys/stat.h>

static struct shoal_file_look look_at(const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return (struct shoal_file_look){0};
    return (struct shoal_file_look){true, about.st_mtim, about.st_size, about.st_ino};
}

static bool same(const struct shoal_file_look *a, const struct shoal_file_look *b)
{
    return a->there == b->there && a->size == b->size && a->file == b->file &&
           a->changed.tv_sec == b->changed.tv_sec && a->changed.tv_nsec == b->changed.tv_nsec;
}

void shoal_file_changes_begin(struct shoal_file_changes *changes, const char *path)
{
    changes->read = changes->seen = look_at(path);
}

bool shoal_file_changes_look(struct shoal_file_changes *changes, const char *path)
{
    struct shoal_file_look now = look_at(path);
    bool still = same(&now, &changes->seen), fresh = !same(&now, &changes->read);
    changes->seen = now;
    if (still && fresh)
        changes->read = now;
    return still && fresh;
}
