/* SPDX-License-Identifier: Apache-2.0 */
/* Pool adjacent violators, and fewer steps where there are too many; see isotonic.h. */
#include "model/learn/isotonic.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct shoal_isotonic_block merged(const struct shoal_isotonic_block *left,
                                          const struct shoal_isotonic_block *right)
{
    double weight = left->weight + right->weight, share = right->weight / weight;
    return (struct shoal_isotonic_block){
        .x = left->x + share * (right->x - left->x),
        .y = left->y + share * (right->y - left->y),
        .weight = weight,
    };
}

size_t shoal_isotonic_pool(struct shoal_isotonic_block *blocks, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct shoal_isotonic_block block = blocks[i];
        while (kept > 0 && blocks[kept - 1].y >= block.y)
            block = merged(&blocks[--kept], &block);
        blocks[kept++] = block;
    }
    return kept;
}

static int compare_blocks(const void *a, const void *b)
{
    const struct shoal_isotonic_block *left = a, *right = b;
    return (left->x > right->x) - (left->x < right->x);
}

/* Points of one x become one block. */
static size_t join_ties(struct shoal_isotonic_block *blocks, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        double x = blocks[i].x;
        if (kept > 0 && !(x > blocks[kept - 1].x)) {
            blocks[kept - 1] = merged(&blocks[kept - 1], &blocks[i]);
            blocks[kept - 1].x = x;
        } else {
            blocks[kept++] = blocks[i];
        }
    }
    return kept;
}

size_t shoal_isotonic_fit(const double *x, const int8_t *labels, size_t count,
                          struct shoal_isotonic_block *blocks)
{
    for (size_t i = 0; i < count; i++)
        blocks[i] = (struct shoal_isotonic_block){
            .x = x[i], .y = labels[i] == 1 ? 1 : 0, .weight = 1};
    qsort(blocks, count, sizeof *blocks, compare_blocks);
    return shoal_isotonic_pool(blocks, join_ties(blocks, count));
}

static double cost_of(const struct shoal_isotonic_block *left,
                      const struct shoal_isotonic_block *right)
{
    double gap = right->y - left->y;
    return left->weight * right->weight / (left->weight + right->weight) * gap * gap;
}

size_t shoal_isotonic_reduce(struct shoal_isotonic_block *blocks, size_t count, size_t most)
{
    while (count > most && count > 1) {
        size_t best = 0;
        double least = INFINITY;
        for (size_t i = 0; i + 1 < count; i++) {
            double cost = cost_of(&blocks[i], &blocks[i + 1]);
            if (cost < least) {
                least = cost;
                best = i;
            }
        }
        blocks[best] = merged(&blocks[best], &blocks[best + 1]);
        memmove(blocks + best + 1, blocks + best + 2, (count - best - 2) * sizeof *blocks);
        count--;
    }
    return count;
}
