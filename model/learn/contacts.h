/* SPDX-License-Identifier: Apache-2.0 */
/* Moments of a log as training examples of engagement and of contacts (train_uplift.h says which): an event whose
 * vector stands for the user, and what came of it. In order of the data set, no event twice. */
#ifndef SHOAL_LEARN_CONTACTS_H
#define SHOAL_LEARN_CONTACTS_H

#include "model/learn/train_uplift.h"

struct shoal_moments {
    size_t *events;   /* owned; index into the data set */
    uint8_t *stages;  /* owned; SHOAL_STAGE_… of uplift_learners.h */
    int8_t *treated;  /* owned; of contacts */
    int8_t *outcome;  /* owned; of contacts: bought within 24 h */
    size_t count, capacity;
};

/* For engagement, at most about `most` of them, evenly chosen. NOMEM. */
enum shoal_status shoal_moments_of_visits(const struct shoal_dataset *dataset, int64_t end_ms, size_t most,
                                          struct shoal_moments *moments) SHOAL_MUST_CHECK;
/* For prompted or organic: of the log's contacts, or of the arms given. NOMEM. */
enum shoal_status shoal_moments_of_contacts(const struct shoal_dataset *dataset, int64_t end_ms,
                                            const struct shoal_train_uplift_options *options,
                                            struct shoal_moments *moments) SHOAL_MUST_CHECK;
void shoal_moments_finish(struct shoal_moments *moments);

#endif
