/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes of a file, whether it is plain, gzip or zstd. Internal to the reader. */
#ifndef SHOAL_READER_INPUT_H
#define SHOAL_READER_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

struct shoal_byte_source;

/* "-" is standard input. NOT_FOUND, IO, NOMEM. */
enum shoal_status shoal_byte_source_open(const char *path, struct shoal_byte_source **source,
                                         struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_byte_source_close(struct shoal_byte_source *source);
/* Up to `size` > 0 bytes, at least one; END at the end; IO when the file cannot be read or is
 * damaged: `message` then says how. After a failure every further call fails alike. */
enum shoal_status shoal_byte_source_read(struct shoal_byte_source *source, char *bytes, size_t size,
                                         size_t *count,
                                         struct shoal_message *message) SHOAL_MUST_CHECK;
/* Bytes of the file read so far, and its size (0 if unknown). */
void shoal_byte_source_position(const struct shoal_byte_source *source, uint64_t *bytes,
                                uint64_t *size);

#endif
