/* SPDX-License-Identifier: Apache-2.0 */
/* An explanation for people, as text with bars. */
#ifndef SHOAL_EXPLAIN_PRINT_H
#define SHOAL_EXPLAIN_PRINT_H

#include <stdio.h>

#include "stream/explain_json.h"

/* At most SHOAL_EXPLAIN_LINES events: of more, those that add or take most, in the order of time. */
enum { SHOAL_EXPLAIN_LINES = 32 };

void shoal_explain_print_text(const struct shoal_explain_found *found, FILE *out);

#endif
