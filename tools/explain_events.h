/* SPDX-License-Identifier: Apache-2.0 */
/* Cases to explain (stream/explain_case.h) from events files. */
#ifndef SHOAL_EXPLAIN_EVENTS_H
#define SHOAL_EXPLAIN_EVENTS_H

#include "model/learn/dataset.h"
#include "stream/explain_case.h"

/* From a grouped data set. ring: only the last events, as they stand in a record. NOT_FOUND, NOMEM. */
enum shoal_status shoal_explain_case_make(const struct shoal_dataset *dataset,
                                          const struct shoal_model *model, const char *user,
                                          bool ring, struct shoal_explain_case *explained,
                                          struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
