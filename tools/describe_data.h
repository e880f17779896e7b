/* SPDX-License-Identifier: Apache-2.0 */
/* What a data set holds, and what of its files was left out and why. */
#ifndef SHOAL_DESCRIBE_DATA_H
#define SHOAL_DESCRIBE_DATA_H

#include "tools/load_events.h"
#include "stream/put_json.h"

/* An object under `key`: messages, refused, refused_for {code: count}, refused_first (the first reason
 * in words), repeated, late, events, users, users_by_events (how many have 1, 2–4, 5–19, 20–99, 100 and
 * more), from, until (times of the first and last event), fingerprint, behaviors {name: count},
 * priced, categorised (events that have a price, a category). */
void shoal_describe_data(struct shoal_put *put, const char *key,
                         const struct shoal_dataset *dataset, const struct shoal_load *load);

#endif
