/* SPDX-License-Identifier: Apache-2.0 */
/* A drift report as JSON and as a table. */
#ifndef SHOAL_DRIFT_PRINT_H
#define SHOAL_DRIFT_PRINT_H

#include "model/drift.h"
#include "stream/put_json.h"

/* "drift":{…} in an open object; key NULL: the outermost object. */
void shoal_drift_put(struct shoal_put *put, const char *key,
                     const struct shoal_drift_report *report);
void shoal_drift_print(const struct shoal_drift_report *report, FILE *out);

#endif
