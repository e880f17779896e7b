/* SPDX-License-Identifier: Apache-2.0 */
/* An explanation for programs, as one JSON object (deploy/formats.md). */
#ifndef SHOAL_EXPLAIN_JSON_H
#define SHOAL_EXPLAIN_JSON_H

#include <stdio.h>

#include "stream/explain_case.h"

/* Nothing is owned. */
struct shoal_explain_found {
    const struct shoal_model *model;
    const struct shoal_explain_case *explained;
    const struct shoal_explain_options *options;
    const struct shoal_explained_event *events; /* one each of the case */
    const struct shoal_explanation *explanation;
};

void shoal_explain_print_json(const struct shoal_explain_found *found, FILE *out);
/* The id of an event's item into `id`; false if the model's catalogue does not have it. */
bool shoal_explain_item(const struct shoal_explain_found *found, const struct shoal_touch *touch,
                        char id[SHOAL_ITEM_ID_MAX + 1]);

#endif
