/* SPDX-License-Identifier: Apache-2.0 */
/* What all instances together have done, as the store has it: the tallies of all partitions added up, how far each
 * has come, what is left of the budgets. And as JSON, for look-ups and the dashboard.
 *
 * Read partition by partition, so it is of no single moment: of each partition, as of its last save. */
#ifndef SHOAL_OVERVIEW_H
#define SHOAL_OVERVIEW_H

#include "state/store.h"
#include "stream/policy.h"
#include "stream/put_json.h"
#include "stream/tally.h"

struct shoal_overview_partition {
    int64_t next_offset; /* −1: nothing saved yet */
    int64_t end_offset;  /* of the events topic; −1: not known */
    int64_t event_ms;    /* its event time; −1: none yet */
};

/* Zeroed: nothing. */
struct shoal_overview {
    int64_t as_of_ms; /* wall clock */
    int32_t partitions_count;
    struct shoal_overview_partition *partitions; /* owned */
    struct shoal_tally tally;
    uint32_t left[SHOAL_GRANTS_MAX]; /* of today's budget, of the policy's promotions */
};

/* Reads all partitions; end offsets are not known then. `clusters` (may be NULL) have places of their own in the
 * sum, `policy` may be NULL. As the store's `load`; NOMEM, VERSION, DAMAGED. To be finished, also after a failure. */
enum shoal_status shoal_overview_read(struct shoal_store *store, int32_t partitions,
                                      const struct shoal_clusters *clusters,
                                      const struct shoal_policy *policy,
                                      struct shoal_overview *overview,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_overview_finish(struct shoal_overview *overview);
/* Messages behind the end, of one partition and of all; −1: not known. */
int64_t shoal_overview_lag_of(const struct shoal_overview_partition *partition);
int64_t shoal_overview_lag(const struct shoal_overview *overview);

/* Each writes one list: "dimensions", "promotions" and "partitions" of the HTTP calls (openapi.json). `clusters`: those
 * of the model in service, which are listed though nobody is in them. */
void shoal_overview_put_dimensions(struct shoal_put *put, const char *key, const struct shoal_tally *tally,
                                   const struct shoal_clusters *clusters);
void shoal_overview_put_promotions(struct shoal_put *put, const struct shoal_overview *overview,
                                   const struct shoal_policy *policy);
void shoal_overview_put_partitions(struct shoal_put *put, const struct shoal_overview *overview);

#endif
