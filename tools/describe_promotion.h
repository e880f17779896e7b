/* SPDX-License-Identifier: Apache-2.0 */
/* A promotion in one sentence, for whoever wrote the file to check that it says what was meant. */
#ifndef SHOAL_DESCRIBE_PROMOTION_H
#define SHOAL_DESCRIBE_PROMOTION_H

#include <stdio.h>

#include "stream/policy.h"

void shoal_describe_promotion(const struct shoal_promotion *promotion, FILE *out);

#endif
