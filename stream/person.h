/* SPDX-License-Identifier: Apache-2.0 */
/* One user's record for a look-up, outside of a pipeline. */
#ifndef SHOAL_PERSON_H
#define SHOAL_PERSON_H

#include "model/model.h"
#include "state/record.h"
#include "state/store.h"

/* Zeroed: nobody. */
struct shoal_person {
    bool known;                 /* false: no record; an empty one of the model's H */
    int32_t partition;          /* −1: not known */
    uint64_t served_by;         /* id of the model that the stored state and score are of */
    struct shoal_record record; /* its state is the model's; the score is the stored one */
    float *hc;                  /* owned; of the record */
};

/* The user as the store has it; OK also for one whom it does not have. A state of another model is computed anew
 * from the recent events, as a pipeline would do with the user's next event. To be finished, also after a
 * failure. As the store's `find`; NOMEM, VERSION, DAMAGED. */
enum shoal_status shoal_person_take(struct shoal_store *store, const struct shoal_model *model,
                                    const char *user, struct shoal_person *person,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* rates[SHOAL_COUNTERS] of a user who is known, at a time not before the last event. */
void shoal_person_rates(const struct shoal_person *person, int64_t now_ms, float *rates);
void shoal_person_finish(struct shoal_person *person);

#endif
