/* SPDX-License-Identifier: Apache-2.0 */
/* One option's text into its field: types, ranges and the words for what is wrong. */
#ifndef SHOAL_CONFIG_VALUE_H
#define SHOAL_CONFIG_VALUE_H

#include "model/base/arena.h"
#include "stream/config.h"

/* Index of an option by its key, or −1. */
int shoal_config_find(const char *key);
/* Sets option `index` from `text`. `where` begins the message ("shoal.yaml:12", "--set"); relative
 * paths are put behind `folder` (NULL: left alone). Texts are copied into `arena`. CONFIG, NOMEM.
 */
enum shoal_status shoal_config_assign(struct shoal_config *config, int index, const char *text,
                                      const char *folder, const char *where,
                                      struct shoal_arena *arena,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
