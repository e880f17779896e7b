/* SPDX-License-Identifier: Apache-2.0 */
/* Isotonic regression by pooling adjacent violators (Ayer et al. 1955): of all functions that never
 * fall, the one nearest to the labels by squares, and by log loss too. It is a staircase; each step is
 * a block. */
#ifndef SHOAL_LEARN_ISOTONIC_H
#define SHOAL_LEARN_ISOTONIC_H

#include <stddef.h>
#include <stdint.h>

struct shoal_isotonic_block {
    double x, y;   /* mean of the points, mean of their labels */
    double weight; /* points, or whatever stands for them; > 0 */
};

/* Fills `blocks` (room for `count`) with the fit to the points (x, label 0 or 1), in any order: x and
 * y of the blocks rise. Points of one x are never parted. x must be finite. The number of blocks. */
size_t shoal_isotonic_fit(const double *x, const int8_t *labels, size_t count,
                          struct shoal_isotonic_block *blocks);
/* Pools blocks of rising x in place until y rises from each to the next; their number. */
size_t shoal_isotonic_pool(struct shoal_isotonic_block *blocks, size_t count);
/* Merges the two neighbours that lose least by it, Σ weight·(y − mean)², until at most `most` (≥ 1) are
 * left; their number. What rose still rises. */
size_t shoal_isotonic_reduce(struct shoal_isotonic_block *blocks, size_t count, size_t most);

#endif
