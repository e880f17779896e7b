/* SPDX-License-Identifier: Apache-2.0 */
/* One user's record for a look-up, outside of a pipeline: from the store, or from events as a pipeline would have
 * left it. */
#ifndef SHOAL_PERSON_H
#define SHOAL_PERSON_H

#include "model/model.h"
#include "state/record.h"
#include "stream/config.h"

/* Zeroed: nobody. */
struct shoal_person {
    bool known;                 /* false: no record; an empty one of the model's H */
    struct shoal_record record; /* its state is the model's */
    float *hc;                  /* owned; of the record */
};

/* The user as it stands in Redis. A state of another model is computed anew from the recent events, as a pipeline
 * would do with the user's next event. */
enum shoal_status shoal_person_find(const struct shoal_config *config, const struct shoal_model *model,
                                    const char *user, struct shoal_person *person,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
/* The user after the events of `files` ("a,b,…") until at_ms, which is included. */
enum shoal_status shoal_person_replay(const struct shoal_config *config, const struct shoal_model *model,
                                      const char *files, const char *user, int64_t at_ms,
                                      struct shoal_person *person,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;
/* rates[SHOAL_COUNTERS] of a user who is known, at a time not before the last event. */
void shoal_person_rates(const struct shoal_person *person, int64_t now_ms, float *rates);
void shoal_person_finish(struct shoal_person *person);

#endif
