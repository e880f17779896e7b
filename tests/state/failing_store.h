/* SPDX-License-Identifier: Apache-2.0 */
/* A store around another one that fails chosen calls, for tests of what sits above a store. */
#ifndef SHOAL_TESTS_FAILING_STORE_H
#define SHOAL_TESTS_FAILING_STORE_H

#include "state/forward_store.h"

struct shoal_failure {
    size_t first;             /* the n-th call from now on fails; 1 = the next one; 0 = none */
    size_t count;             /* and so many in a row; SIZE_MAX = for ever */
    enum shoal_status status; /* what they answer */
    bool applied;             /* the inner store does what is asked all the same, if it can: the
                               * answer was lost, not the call */
    bool lost_writes;         /* with FENCED: what store->lost_writes says */
};

/* Takes `inner` over, also on failure. */
enum shoal_status shoal_failing_store_create(struct shoal_store *inner,
                                             struct shoal_store **store) SHOAL_MUST_CHECK;
/* Plans the failures of one kind of call, in place of those planned before. A layout is set as a save is done:
 * both are writes. */
void shoal_failing_store_plan(struct shoal_store *store, enum shoal_store_call call,
                              struct shoal_failure failure);
/* How often a kind of call was made, failed or not. */
size_t shoal_failing_store_calls(const struct shoal_store *store, enum shoal_store_call call);

#endif
