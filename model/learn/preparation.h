/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves out of a data set, on request, what papers on session-based recommendation leave out before they
 * train: records of items that nobody buys, then users with few records. What was left out is counted.
 * A model so trained is still served every event, so nothing is left out unless asked for. */
#ifndef SHOAL_LEARN_PREPARATION_H
#define SHOAL_LEARN_PREPARATION_H

#include <stdbool.h>
#include <stdint.h>

#include "model/learn/dataset.h"

struct shoal_preparation_options {
    uint32_t min_records;   /* users with fewer are left out; 0: none */
    bool bought_items_only; /* records of items without a purchase in the data are left out */
};

struct shoal_preparation {
    uint64_t unbought_count;             /* records left out, of items never bought */
    uint64_t few_users, few_count;       /* users left out with too few records, and theirs */
};

/* Replaces the grouped *dataset by one of what is kept, grouped; leaves it alone when nothing is asked for.
 * NOMEM: the data set is as it was. */
enum shoal_status shoal_prepare(struct shoal_dataset *dataset,
                                const struct shoal_preparation_options *options,
                                struct shoal_preparation *preparation) SHOAL_MUST_CHECK;

#endif
