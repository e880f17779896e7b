/* SPDX-License-Identifier: Apache-2.0 */
/* What a model sees of every event of a grouped data set: its features and the user's counters after
 * it. Made once, read in every epoch. About 100 bytes an event. */
#ifndef SHOAL_LEARN_EXAMPLES_H
#define SHOAL_LEARN_EXAMPLES_H

#include "model/features.h"
#include "model/learn/dataset.h"

struct shoal_examples {
    struct shoal_features *features; /* owned; one an event */
    float *counters;                 /* owned; SHOAL_COUNTERS an event, raw */
    size_t count;
};

/* The same steps as the live pipeline takes: gap to the user's previous event (0 for the first and
 * for a late one), the ring before it, counters decayed and advanced. NOMEM. */
enum shoal_status shoal_examples_make(const struct shoal_dataset *dataset,
                                      const struct shoal_dims *dims,
                                      struct shoal_examples *examples) SHOAL_MUST_CHECK;
void shoal_examples_finish(struct shoal_examples *examples);

#endif
