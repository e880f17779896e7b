/* SPDX-License-Identifier: Apache-2.0 */
/* What the online correction (correction.h) would have made of scores, had the events come in as a
 * stream: for judging it offline. */
#ifndef SHOAL_LEARN_ONLINE_H
#define SHOAL_LEARN_ONLINE_H

#include "model/learn/dataset.h"

/* scores[i]: uncorrected p of event i, NaN where there is none; corrected[i]: with the correction as of
 * then (NaN stays); known_until_ms as in shoal_correction_init. Events go by in the order of their times, users spread over `partitions` by
 * hash, each partition with a correction of its own, as in the processor. *last_delta (or NULL): the mean
 * of the partitions' corrections at the end. NOMEM. */
enum shoal_status shoal_online_correct(const struct shoal_dataset *dataset, unsigned partitions,
                                       int64_t known_until_ms,
                                       const float *scores, float *corrected,
                                       double *last_delta) SHOAL_MUST_CHECK;

#endif
