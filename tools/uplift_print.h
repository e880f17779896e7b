/* SPDX-License-Identifier: Apache-2.0 */
/* What `shoal uplift` prints: texts for people, JSON for programs. */
#ifndef SHOAL_UPLIFT_PRINT_H
#define SHOAL_UPLIFT_PRINT_H

#include <stdio.h>

#include "tools/uplift_halves.h"

/* What a training tried and picked. */
void shoal_uplift_print_model(const struct shoal_uplift_model *model, FILE *out);
void shoal_uplift_put_model(const struct shoal_uplift_model *model, FILE *out);
/* Every way of ranking beside the others, and the gain curve of the one picked. */
void shoal_uplift_print_judgement(const struct shoal_uplift_model *model,
                                  const struct shoal_uplift_judgement *judgement, FILE *out);
void shoal_uplift_put_judgement(const struct shoal_uplift_model *model,
                                const struct shoal_uplift_judgement *judgement, FILE *out);
/* Mean ± spread. */
void shoal_uplift_print_halves(const struct shoal_halves *halves, FILE *out);
void shoal_uplift_put_halves(const struct shoal_halves *halves, uint64_t seed, FILE *out);

#endif
