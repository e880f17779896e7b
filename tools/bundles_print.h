/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles for people, for programs, and for the promotions file. */
#ifndef SHOAL_BUNDLES_PRINT_H
#define SHOAL_BUNDLES_PRINT_H

#include <stdio.h>

#include "tools/baskets.h"

struct shoal_bundles_told {
    const struct shoal_baskets *baskets;
    const struct shoal_bundles *found;
    const char *basket; /* what a basket is */
    uint32_t min_support;
    size_t most; /* bundles told of, at most */
};

void shoal_bundles_print_text(const struct shoal_bundles_told *told, FILE *out);
void shoal_bundles_print_json(const struct shoal_bundles_told *told, FILE *out);
/* Limited-time offers, to be pasted below `promotions:`. */
void shoal_bundles_print_yaml(const struct shoal_bundles_told *told, FILE *out);

#endif
