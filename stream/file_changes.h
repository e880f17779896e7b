/* SPDX-License-Identifier: Apache-2.0 */
/* Has a file that is followed changed? Told by what stat says, and only once it has stood still between two looks, so
 * that one that is being written is not read half. Whoever looks does so about once a second. */
#ifndef SHOAL_FILE_CHANGES_H
#define SHOAL_FILE_CHANGES_H

#include <stdbool.h>
#include <sys/types.h>
#include <time.h>

/* What tells a file from its next version without reading it. */
struct shoal_file_look {
    bool there;
    struct timespec changed;
    off_t size;
    ino_t file;
};

struct shoal_file_changes {
    struct shoal_file_look read, seen; /* as it was when last read, and last looked at */
};

/* To be called before the file is read for the first time. */
void shoal_file_changes_begin(struct shoal_file_changes *changes, const char *path);
/* Takes a look. True: it is another one than was last read, and stands still; it counts as read then, also where it is
 * gone. */
bool shoal_file_changes_look(struct shoal_file_changes *changes, const char *path);

#endif
