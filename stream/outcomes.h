/* SPDX-License-Identifier: Apache-2.0 */
/* The online corrections (model/correction.h) of the partitions that a pipeline works on: read from the
 * store when a partition's first event comes, saved with the partition's records. In the store they are
 * the record of the user with the empty name, which no event can have, so that records, correction
 * and checkpoint change in one transaction. */
#ifndef SHOAL_OUTCOMES_H
#define SHOAL_OUTCOMES_H

#include "model/correction.h"
#include "model/model.h"
#include "state/store.h"

struct shoal_outcomes {
    struct shoal_outcome {
        bool known;
        struct shoal_correction correction;
    } *list; /* owned; by partition */
    size_t count;
};

void shoal_outcomes_finish(struct shoal_outcomes *outcomes);
/* The correction of a partition, for events under `model`: empty if there is none yet, or only
 * one of another model. Valid until the next call. */
enum shoal_status shoal_outcomes_of(struct shoal_outcomes *outcomes, struct shoal_store *store,
                                    int32_t partition, const struct shoal_model *model,
                                    struct shoal_correction **correction,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* The partition's correction if it is known, else NULL. */
struct shoal_correction *shoal_outcomes_known(const struct shoal_outcomes *outcomes,
                                              int32_t partition);
/* Forgets what is known of a partition (−1: of all). */
void shoal_outcomes_drop(struct shoal_outcomes *outcomes, int32_t partition);

#endif
