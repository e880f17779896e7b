/* SPDX-License-Identifier: Apache-2.0 */
/* What `shoal explain` explains: a user's recent events with what the model sees of them, and the score that was
 * served beside it; from the user's record, or from events files.
 *
 *   record   ring of recent events, whole seconds ─► features as a rebuild sees them     served: record's score
 *   files    all of the user's events             ─► features as the pipeline saw them   served: the step, in half
 *            or, as a record would have it, the ring of the last ones                            precision, over all */
#ifndef SHOAL_EXPLAIN_CASE_H
#define SHOAL_EXPLAIN_CASE_H

#include "model/explain.h"
#include "state/record.h"
#include "state/store.h"

struct shoal_explain_case {
    const char *user;                 /* not owned */
    bool from_events;                 /* files, not a record */
    bool whole;                       /* all of the user's events are explained */
    uint64_t known;                   /* events that the user had in all */
    struct shoal_touch *touches;      /* owned; those that are explained, oldest first */
    struct shoal_features *features;  /* owned; of each */
    size_t count;
    float *scores;                    /* owned; probability after each, see model/retrace.h */
    float correction;                 /* of the logit, in all of `scores`: that of the last event, as far as known */
    float rates[SHOAL_COUNTERS];      /* after the last event */
    float served;                     /* probability that was served, or is by these files */
    uint64_t served_by;               /* id of the model that served */
    float state;                      /* of the stored state without online correction; NaN: of another model */
};

/* From `user`'s record. NOT_FOUND: no such user; TOO_FEW: without events; what the store and the record say
 * otherwise. *explained is finished by the caller, also after a failure. */
enum shoal_status shoal_explain_case_load(struct shoal_store *store, const struct shoal_model *model,
                                          const char *user, struct shoal_explain_case *explained,
                                          struct shoal_message *message) SHOAL_MUST_CHECK;
/* Room for `count` touches, features and scores, for who fills a case otherwise. NOMEM. */
enum shoal_status shoal_explain_case_room(struct shoal_explain_case *explained, size_t count,
                                          struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_explain_case_finish(struct shoal_explain_case *explained);

#endif
