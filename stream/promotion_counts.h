/* SPDX-License-Identifier: Apache-2.0 */
/* How many decisions each promotion got, by answer and variant, over the policies that came and went: by the
 * promotion's id, since a policy may be gone when the figures are read. */
#ifndef SHOAL_PROMOTION_COUNTS_H
#define SHOAL_PROMOTION_COUNTS_H

#include <stddef.h>
#include <stdint.h>

enum { SHOAL_PROMOTIONS_COUNTED_MAX = 64 }; /* the last one is "(other)": what came when all were taken */

struct shoal_promotion_count {
    char id[65];
    uint64_t decisions[2][2]; /* [eligible][control] */
};

/* Zero-initialised: none. */
struct shoal_promotion_counts {
    struct shoal_promotion_count list[SHOAL_PROMOTIONS_COUNTED_MAX];
    size_t count;
};

/* The element of a promotion, made if it is not there; < SHOAL_PROMOTIONS_COUNTED_MAX. */
size_t shoal_promotion_counts_index(struct shoal_promotion_counts *counts, const char *id);
/* *sum += *one, by id. */
void shoal_promotion_counts_add(struct shoal_promotion_counts *sum,
                                const struct shoal_promotion_counts *one);

#endif
