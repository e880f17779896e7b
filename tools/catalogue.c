/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The synthetic shop's catalogue. Constants are fitted by eye to nine days of the public Taobao
 * UserBehavior set: there the first category takes 5 % of all events, the first ten 25 %, the
 * first fifty 50 %.
 */
#include "tools/catalogue.h"

#include <stdlib.h>

enum {
    ITEMS_MAX = 100000000,
    ITEMS_PER_CATEGORY = 32,
    CATEGORIES_MAX = 4000,
    ZIPF_SHIFT = 3,               /* flattens the head: weight = (rank + shift)^-exponent */
    ZIPF_EXPONENT_MILLI = 1050,   /* of a category's popularity */
    SIZE_EXPONENT_MILLI = 550,    /* of its number of items */
    ITEM_SHIFT = 40,              /* the same within a category, exponent 1 */
    PRICE_MEDIAN_CENTS = 3500,    /* over categories */
    PRICE_SIGMA_MILLI = 900,      /* between categories */
    PRICE_ITEM_SIGMA_MILLI = 450, /* between the items of one */
};

struct shoal_catalogue {
    uint64_t seed;
    uint32_t items_count;
    uint32_t categories_count;
    uint64_t *popularity; /* [categories], running sum of weights */
    uint32_t *first_item; /* [categories + 1] */
};

static uint64_t power_weight(uint32_t rank, int64_t exponent_milli)
{
    int64_t log2_q16 = shoal_log2_q16((uint64_t)rank + ZIPF_SHIFT);
    int64_t scale_q16 = 20 * (int64_t)SHOAL_Q16_ONE; /* keeps weights well above 1 */

    return (uint64_t)shoal_exp2_q16(scale_q16 - log2_q16 * exponent_milli / 1000);
}

/* Shares the items out by size^exponent; with few items some categories may stay empty. */
static void place_items(struct shoal_catalogue *catalogue)
{
    uint64_t total = 0;
    uint64_t sum = 0;

    for (uint32_t c = 0; c < catalogue->categories_count; c++)
        total += power_weight(c, SIZE_EXPONENT_MILLI) >> 16;
    for (uint32_t c = 0; c < catalogue->categories_count; c++) {
        catalogue->first_item[c] = (uint32_t)(sum * catalogue->items_count / total);
        sum += power_weight(c, SIZE_EXPONENT_MILLI) >> 16;
    }
    catalogue->first_item[catalogue->categories_count] = catalogue->items_count;
}

struct shoal_catalogue *shoal_catalogue_create(uint64_t seed, uint32_t items_count)
{
    struct shoal_catalogue *catalogue;
    uint64_t sum = 0;

    if (items_count == 0 || items_count > ITEMS_MAX)
        return NULL;
    catalogue = calloc(1, sizeof(*catalogue));
    if (catalogue == NULL)
        return NULL;
    catalogue->seed = seed;
    catalogue->items_count = items_count;
    catalogue->categories_count = items_count / ITEMS_PER_CATEGORY;
    if (catalogue->categories_count > CATEGORIES_MAX)
        catalogue->categories_count = CATEGORIES_MAX;
    if (catalogue->categories_count == 0)
        catalogue->categories_count = 1;
    catalogue->popularity = calloc(catalogue->categories_count, sizeof(*catalogue->popularity));
    catalogue->first_item =
        calloc((size_t)catalogue->categories_count + 1, sizeof(*catalogue->first_item));
    if (catalogue->popularity == NULL || catalogue->first_item == NULL) {
        shoal_catalogue_destroy(catalogue);
        return NULL;
    }
    for (uint32_t c = 0; c < catalogue->categories_count; c++) {
        sum += power_weight(c, ZIPF_EXPONENT_MILLI);
        catalogue->popularity[c] = sum;
    }
    place_items(catalogue);
    return catalogue;
}

void shoal_catalogue_destroy(struct shoal_catalogue *catalogue)
{
    if (catalogue == NULL)
        return;
    free(catalogue->first_item);
    free(catalogue->popularity);
    free(catalogue);
}

uint32_t shoal_catalogue_categories_count(const struct shoal_catalogue *catalogue)
{
    return catalogue->categories_count;
}

uint32_t shoal_catalogue_draw_category(const struct shoal_catalogue *catalogue,
                                       struct shoal_random *random)
{
    uint32_t low = 0;
    uint32_t high = catalogue->categories_count - 1;
    uint64_t target = shoal_random_next(random) % catalogue->popularity[high];

    while (low < high) { /* the first category whose running sum exceeds the target */
        uint32_t middle = low + (high - low) / 2;
        if (catalogue->popularity[middle] > target)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

uint32_t shoal_catalogue_draw_item(const struct shoal_catalogue *catalogue, uint32_t category,
                                   struct shoal_random *random)
{
    uint32_t first = catalogue->first_item[category];
    uint32_t count = catalogue->first_item[category + 1] - first;
    uint32_t uniform_q16 = shoal_random_below(random, SHOAL_Q16_ONE);
    int64_t span_q16;
    int64_t rank;

    if (count == 0)
        return shoal_random_below(random, catalogue->items_count);
    /* inverse of the distribution with density 1 / (rank + shift): shift * (r^u - 1) */
    span_q16 = shoal_log2_q16((uint64_t)count + ITEM_SHIFT) - shoal_log2_q16(ITEM_SHIFT);
    rank = shoal_exp2_q16((span_q16 * uniform_q16) >> 16) - SHOAL_Q16_ONE;
    rank = (rank * ITEM_SHIFT) >> 16;
    return first + (uint32_t)(rank < count ? rank : count - 1);
}

uint32_t shoal_catalogue_category_of(const struct shoal_catalogue *catalogue, uint32_t item)
{
    uint32_t low = 0;
    uint32_t high = catalogue->categories_count - 1;

    while (low < high) { /* the last category that begins at or before the item */
        uint32_t middle = high - (high - low) / 2;
        if (catalogue->first_item[middle] <= item)
            low = middle;
        else
            high = middle - 1;
    }
    return low;
}

int64_t shoal_catalogue_price_level_q16(const struct shoal_catalogue *catalogue, uint32_t item)
{
    struct shoal_random random = shoal_random_stream(catalogue->seed, (UINT64_C(1) << 40) + item);
    int64_t ln_q16 = shoal_random_normal_q16(&random) * PRICE_ITEM_SIGMA_MILLI / 1000;

    return ln_q16 * SHOAL_Q16_ONE / SHOAL_Q16_LN2;
}

uint32_t shoal_catalogue_price_cents(const struct shoal_catalogue *catalogue, uint32_t item)
{
    uint64_t category = shoal_catalogue_category_of(catalogue, item);
    struct shoal_random random =
        shoal_random_stream(catalogue->seed, (UINT64_C(2) << 40) + category);
    int64_t typical = shoal_random_lognormal(&random, PRICE_MEDIAN_CENTS, PRICE_SIGMA_MILLI);
    int64_t level_q16 = shoal_catalogue_price_level_q16(catalogue, item);
    int64_t cents = (typical * shoal_exp2_q16(level_q16)) >> 16;

    return (uint32_t)(cents / 100 * 100 + 90);
}
