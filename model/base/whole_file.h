/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are read and written as a whole. A reader sees the old file or the new one and never a part:
 * written is a temporary file beside it, synced, renamed over it, and the folder synced. */
#ifndef SHOAL_BASE_WHOLE_FILE_H
#define SHOAL_BASE_WHOLE_FILE_H

#include "model/base/pack.h"

/* Appends the file to `bytes`. NOT_FOUND, IO, DAMAGED (over `most` bytes), NOMEM; the message begins with the
 * path. */
enum shoal_status shoal_file_read(const char *path, size_t most, struct shoal_buffer *bytes,
                                  struct shoal_message *message) SHOAL_MUST_CHECK;
/* IO or NOMEM; the old file is still there then, and nothing of the new one. */
enum shoal_status shoal_file_replace(const char *path, const struct shoal_buffer *bytes,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
