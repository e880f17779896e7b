/* SPDX-License-Identifier: Apache-2.0 */
/* A model for logs that cannot teach purchases: every user has the base rate, and the state stays empty. What does not
 * need purchases, such as next items from the recent events, can still be learnt on top of it. */
#ifndef SHOAL_LEARN_BARE_MODEL_H
#define SHOAL_LEARN_BARE_MODEL_H

#include "model/learn/dataset.h"
#include "model/model.h"

/* The share of events with a purchase of the same user within 24 h, as far as the log goes, is the probability that
 * all get; the other tasks say one half, or one event. *model is the caller's. INVALID, NOMEM. */
enum shoal_status shoal_bare_model(const struct shoal_dims *dims,
                                   const struct shoal_dataset *dataset, int64_t end_ms,
                                   uint64_t seed, struct shoal_model **model) SHOAL_MUST_CHECK;

#endif
