/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The synthetic shop's catalogue: categories with a long tail, items in them, prices.
 *
 * Items are numbered from 0 and lie category after category, so an item's category is found from
 * its number, and its price is a hash of it: memory grows with the categories, not the items.
 * Read-only once created.
 */
#ifndef SHOAL_TOOLS_CATALOGUE_H
#define SHOAL_TOOLS_CATALOGUE_H

#include <stdint.h>

#include "tools/random.h"

struct shoal_catalogue;

/*
 * A catalogue of `items_count` items (from 1 to 100 million) in about an item in thirty-two as
 * many categories, 4,000 at most. NULL when memory is short or the count is out of range.
 */
struct shoal_catalogue *shoal_catalogue_create(uint64_t seed, uint32_t items_count);
void shoal_catalogue_destroy(struct shoal_catalogue *catalogue);

uint32_t shoal_catalogue_categories_count(const struct shoal_catalogue *catalogue);

/* A category by popularity: shifted Zipf. */
uint32_t shoal_catalogue_draw_category(const struct shoal_catalogue *catalogue,
                                       struct shoal_random *random);
/* An item of a category by popularity: about 1 / (rank + 40). */
uint32_t shoal_catalogue_draw_item(const struct shoal_catalogue *catalogue, uint32_t category,
                                   struct shoal_random *random);

uint32_t shoal_catalogue_category_of(const struct shoal_catalogue *catalogue, uint32_t item);
/* Price in hundredths, always ending in 90. */
uint32_t shoal_catalogue_price_cents(const struct shoal_catalogue *catalogue, uint32_t item);
/* log2 of the item's price over the typical price of its category. */
int64_t shoal_catalogue_price_level_q16(const struct shoal_catalogue *catalogue, uint32_t item);

#endif
