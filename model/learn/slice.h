/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a data set between two times, as a data set of its own: what a model may learn from.
 */
#ifndef SHOAL_LEARN_SLICE_H
#define SHOAL_LEARN_SLICE_H

#include "model/learn/dataset.h"

/* The events of a grouped set with from ≤ time < until, grouped. *slice is finished by the caller,
 * also after a failure. Late and repeated events have already been settled in `dataset` and are not
 * counted again; the fingerprint is that of the slice. NOMEM. */
enum shoal_status shoal_dataset_slice(const struct shoal_dataset *dataset, int64_t from_ms,
                                      int64_t until_ms,
                                      struct shoal_dataset *slice) SHOAL_MUST_CHECK;

#endif
