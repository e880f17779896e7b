/* SPDX-License-Identifier: Apache-2.0 */
/* An explanation for people, as text with bars, and for programs, as one JSON object (deploy/formats.md). */
#ifndef SHOAL_EXPLAIN_PRINT_H
#define SHOAL_EXPLAIN_PRINT_H

#include <stdio.h>

#include "tools/explain_case.h"

/* Nothing is owned. */
struct shoal_explain_found {
    const struct shoal_model *model;
    const struct shoal_explain_case *explained;
    const struct shoal_explain_options *options;
    const struct shoal_explained_event *events; /* one each of the case */
    const struct shoal_explanation *explanation;
};

/* At most SHOAL_EXPLAIN_LINES events: of more, those that add or take most, in the order of time. */
enum { SHOAL_EXPLAIN_LINES = 32 };

void shoal_explain_print_text(const struct shoal_explain_found *found, FILE *out);
void shoal_explain_print_json(const struct shoal_explain_found *found, FILE *out);

#endif
