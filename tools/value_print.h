/* SPDX-License-Identifier: Apache-2.0 */
/* What `shoal value` found, on standard output: as one JSON object (deploy/formats.md) or as tables. */
#ifndef SHOAL_VALUE_PRINT_H
#define SHOAL_VALUE_PRINT_H

#include "tools/value_study.h"

struct shoal_value_findings {
    const struct shoal_purchases_table *table;
    const struct shoal_cohort *cohort;
    const struct shoal_value_study *study;
    const struct shoal_value_contest *contest; /* NULL: methods were not compared */
};

void shoal_value_print_json(const struct shoal_value_findings *found);
void shoal_value_print_text(const struct shoal_value_findings *found);

#endif
