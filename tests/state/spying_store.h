/* SPDX-License-Identifier: Apache-2.0 */
/* A memory store that gives its timers in small pieces, as a store far away does, and counts what is
 * written to their index. */
#ifndef SHOAL_TESTS_SPYING_STORE_H
#define SHOAL_TESTS_SPYING_STORE_H

#include "state/store.h"

struct spying_counts {
    size_t saved, moved; /* records, and entries of the index that were written with them */
    size_t pieces;       /* answers of `timers` */
};

/* Pieces are of `piece` entries, and of those due at the same time as the last; 0: all at once. */
enum shoal_status spying_store_create(size_t piece, struct shoal_store **store) SHOAL_MUST_CHECK;
/* Since it was made; of the store's lifetime. */
const struct spying_counts *spying_store_counts(const struct shoal_store *store);

#endif
