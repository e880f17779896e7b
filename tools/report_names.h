/* SPDX-License-Identifier: Apache-2.0 */
/* Names as they come with the data, numbered from 0 in order of appearance: promotions, dimensions, levels,
 * scores. Nothing is known of them beforehand. */
#ifndef SHOAL_REPORT_NAMES_H
#define SHOAL_REPORT_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

struct shoal_names {
    char **texts; /* owned, zero-terminated */
    size_t count, capacity;
    uint32_t *table; /* owned; open addressing, number + 1 or 0 */
    size_t table_size;
};

enum { SHOAL_NAME_BYTES = 255, SHOAL_NAME_NONE = UINT16_MAX };

void shoal_names_finish(struct shoal_names *names);
/* The number of a name, a new one if need be. `what` says in the message what there is too much of when
 * there would be more than `most` (≤ 65535), or the name is empty, too long, or has a zero byte: BAD_FIELD. NOMEM. */
enum shoal_status shoal_names_add(struct shoal_names *names, const char *text, size_t size,
                                  size_t most, const char *what, uint16_t *number,
                                  struct shoal_message *message) SHOAL_MUST_CHECK;
/* The number of a name that is there, else SHOAL_NAME_NONE. */
uint16_t shoal_names_find(const struct shoal_names *names, const char *text, size_t size);

#endif
