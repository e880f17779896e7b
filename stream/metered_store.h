/* SPDX-License-Identifier: Apache-2.0 */
/* A store in front of another one that measures it: how long loads and saves take, and how often a call
 * fails because the peer is away. Everything else passes through. */
#ifndef SHOAL_METERED_STORE_H
#define SHOAL_METERED_STORE_H

#include "state/store.h"
#include "stream/histogram.h"

struct shoal_store_figures {
    struct shoal_histogram load, save; /* those that succeeded; SHOAL_SCALE_CALL */
    uint64_t failures;                 /* of class retry */
};

/* Takes `inner` over (it is destroyed with this one, and at once on failure); `figures` is borrowed, and
 * written in the thread that calls. NOMEM. */
enum shoal_status shoal_metered_store_create(struct shoal_store *inner,
                                             struct shoal_store_figures *figures,
                                             struct shoal_store **store) SHOAL_MUST_CHECK;

#endif
