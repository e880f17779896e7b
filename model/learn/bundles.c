/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs of items in baskets; see bundles.h.
 *
 *   lines by basket, item    b0: i1 i4 | b1: i1 | b2: i0 i1 i4 …       starts[basket]
 *   baskets of each item     i0: b2 | i1: b0 b1 b2 | …                 item_starts[item]
 *
 * For each frequent item its baskets are walked, and each frequent item behind it is counted in a table with a
 * place for every item. */
#include "model/learn/bundles.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double Z95 = 1.959963984540054, DISCOVERY_RATE = 0.05;

struct counting {
    const struct shoal_bought *lines;
    size_t baskets, customers, items;
    uint32_t min_support;
    uint32_t *starts;       /* baskets + 1: into lines */
    uint32_t *item_starts;  /* items + 1 (and one to fill by): into item_baskets */
    uint32_t *item_baskets;
    double *customer_baskets; /* customers: how many */
    double all_squared;     /* Σ customer_baskets² */
    uint32_t *together;     /* items: baskets with the present item; all 0 between items */
    uint32_t *met;          /* items that are not 0 there */
    uint32_t *marked;       /* baskets: 1 + the present first item, where it is in */
    /* Of the present pair, customers: baskets with the first, the second, both; who is not 0 there. */
    uint32_t *first, *second, *both, *touched;
    struct shoal_bundles *found;
    size_t capacity;
};

static uint32_t count_of(const struct counting *c, uint32_t item)
{
    return c->item_starts[item + 1] - c->item_starts[item];
}

/* ---- preparation --------------------------------------------------------------------------- */

static int by_basket_and_item(const void *a, const void *b)
{
    const struct shoal_bought *left = a, *right = b;
    if (left->basket != right->basket)
        return left->basket < right->basket ? -1 : 1;
    return (left->item > right->item) - (left->item < right->item);
}

static size_t drop_repeats(struct shoal_bought *lines, size_t count)
{
    size_t kept = 0;
    qsort(lines, count, sizeof *lines, by_basket_and_item);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || lines[i].basket != lines[kept - 1].basket ||
            lines[i].item != lines[kept - 1].item)
            lines[kept++] = lines[i];
    }
    return kept;
}

static enum shoal_status allocate(struct counting *c, size_t count)
{
    c->starts = calloc(c->baskets + 1, sizeof *c->starts);
    c->item_starts = calloc(c->items + 2, sizeof *c->item_starts);
    c->item_baskets = malloc(count * sizeof *c->item_baskets);
    c->customer_baskets = calloc(c->customers, sizeof *c->customer_baskets);
    c->together = calloc(c->items, sizeof *c->together);
    c->met = malloc(c->items * sizeof *c->met);
    c->marked = calloc(c->baskets, sizeof *c->marked);
    c->first = calloc(c->customers, sizeof *c->first);
    c->second = calloc(c->customers, sizeof *c->second);
    c->both = calloc(c->customers, sizeof *c->both);
    c->touched = malloc(c->customers * sizeof *c->touched);
    return c->starts && c->item_starts && c->item_baskets && c->customer_baskets && c->together &&
                   c->met && c->marked && c->first && c->second && c->both && c->touched
               ? SHOAL_OK
               : SHOAL_NOMEM;
}

static void release(struct counting *c)
{
    free(c->starts);
    free(c->item_starts);
    free(c->item_baskets);
    free(c->customer_baskets);
    free(c->together);
    free(c->met);
    free(c->marked);
    free(c->first);
    free(c->second);
    free(c->both);
    free(c->touched);
}

/* Baskets that nothing is in do not count: they cannot be told from numbers that were left out. */
static void index_lines(struct counting *c, size_t count)
{
    size_t baskets = 0;
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || c->lines[i].basket != c->lines[i - 1].basket) {
            c->starts[baskets++] = (uint32_t)i;
            c->customer_baskets[c->lines[i].customer]++;
        }
        c->item_starts[c->lines[i].item + 2]++;
    }
    c->starts[baskets] = (uint32_t)count;
    c->baskets = baskets;
    for (size_t i = 2; i < c->items + 2; i++)
        c->item_starts[i] += c->item_starts[i - 1];
    for (uint32_t b = 0; b < baskets; b++) {
        for (uint32_t at = c->starts[b]; at < c->starts[b + 1]; at++)
            c->item_baskets[c->item_starts[c->lines[at].item + 1]++] = b;
    }
    for (size_t i = 0; i < c->customers; i++) {
        c->found->customers += c->customer_baskets[i] > 0;
        c->all_squared += c->customer_baskets[i] * c->customer_baskets[i];
    }
    for (uint32_t i = 0; i < c->items; i++) {
        c->found->items += count_of(c, i) > 0;
        c->found->frequent += count_of(c, i) >= c->min_support;
    }
    c->found->baskets = baskets;
    c->found->tested = (uint64_t)c->found->frequent * (c->found->frequent - 1) / 2;
}

/* ---- pairs --------------------------------------------------------------------------------- */

static uint32_t customer_of(const struct counting *c, uint32_t basket)
{
    return c->lines[c->starts[basket]].customer;
}

/* Counts a pair's baskets by customer; returns how many customers have one of the two. */
static size_t count_customers(struct counting *c, uint32_t first, uint32_t second)
{
    size_t touched = 0;
    for (uint32_t i = c->item_starts[first]; i < c->item_starts[first + 1]; i++) {
        uint32_t customer = customer_of(c, c->item_baskets[i]);
        if (c->first[customer]++ == 0)
            c->touched[touched++] = customer;
    }
    for (uint32_t i = c->item_starts[second]; i < c->item_starts[second + 1]; i++) {
        uint32_t basket = c->item_baskets[i], customer = customer_of(c, basket);
        if (c->second[customer]++ == 0 && c->first[customer] == 0)
            c->touched[touched++] = customer;
        c->both[customer] += c->marked[basket] == first + 1;
    }
    return touched;
}

/* The standard error of log L, NaN with less than two customers; see bundles.h. */
static double error_of(struct counting *c, struct shoal_bundle *bundle)
{
    size_t touched = count_customers(c, bundle->first, bundle->second);
    double n = (double)c->baskets, groups = (double)c->found->customers, sum = c->all_squared;
    for (size_t i = 0; i < touched; i++) {
        uint32_t customer = c->touched[i];
        double usual = c->customer_baskets[customer];
        double influence = usual + c->both[customer] * (n / bundle->support) -
                           c->first[customer] * (n / bundle->first_count) -
                           c->second[customer] * (n / bundle->second_count);
        sum += influence * influence - usual * usual;
        bundle->customers += c->both[customer] > 0;
        c->first[customer] = c->second[customer] = c->both[customer] = 0;
    }
    return groups < 2 ? (double)NAN : sqrt(fmax(sum, 0) * (groups / (groups - 1))) / n;
}

/* log of n over k */
static double log_choose(double n, double k)
{
    int sign;
    return lgamma_r(n + 1, &sign) - lgamma_r(k + 1, &sign) - lgamma_r(n - k + 1, &sign);
}

/* P(so many baskets with both, or more) if the two had nothing to do with each other: the upper tail of the
 * hypergeometric distribution. Its terms fall by a growing factor once they fall, as they do above the mean. */
static double chance_of(double n, const struct shoal_bundle *bundle)
{
    double a = bundle->first_count, b = bundle->second_count, k = bundle->support;
    double most = a < b ? a : b, sum = 0;
    if (bundle->lift <= 1)
        return 1;
    double term =
        exp(log_choose(a, k) + log_choose(n - a, b - k) - log_choose(n, b));
    for (; k <= most && term > sum * 1e-17; k++) {
        sum += term;
        term *= (a - k) * (b - k) / ((k + 1) * (n - a - b + k + 1));
    }
    return fmin(sum, 1);
}

/* One-sided: nobody looks for items that avoid each other. The normal distribution of log L knows of customers
 * and is wrong where counts are small; the exact one is right there and takes baskets for independent. */
static double p_value_of(double n, const struct shoal_bundle *bundle, double error)
{
    if (isnan(error))
        return 1;
    double z = error > 0 ? log(bundle->lift) / error : bundle->lift > 1 ? (double)INFINITY : 0;
    return fmax(erfc(z / sqrt(2)) / 2, chance_of(n, bundle));
}

static enum shoal_status add(struct counting *c, uint32_t first, uint32_t second)
{
    struct shoal_bundles *found = c->found;
    if (found->supported == SHOAL_BUNDLES_FOUND_MAX)
        return SHOAL_TOO_LARGE;
    if (found->supported == c->capacity) {
        size_t capacity = c->capacity ? 2 * c->capacity : 1024;
        struct shoal_bundle *list = realloc(found->list, capacity * sizeof *list);
        if (!list)
            return SHOAL_NOMEM;
        found->list = list;
        c->capacity = capacity;
    }
    struct shoal_bundle *bundle = &found->list[found->supported++];
    *bundle = (struct shoal_bundle){
        .first = first,
        .second = second,
        .support = c->together[second],
        .first_count = count_of(c, first),
        .second_count = count_of(c, second),
    };
    bundle->confidence = (double)bundle->support / bundle->first_count;
    bundle->confidence_back = (double)bundle->support / bundle->second_count;
    bundle->lift = bundle->confidence * (double)c->baskets / bundle->second_count;
    double error = error_of(c, bundle);
    bundle->interval.low = bundle->lift * exp(-Z95 * error);
    bundle->interval.high = bundle->lift * exp(Z95 * error);
    bundle->q_value = p_value_of((double)c->baskets, bundle, error); /* until all are known */
    return SHOAL_OK;
}

/* All pairs of one item with those behind it. */
static enum shoal_status pair_with(struct counting *c, uint32_t first)
{
    size_t met = 0;
    enum shoal_status status = SHOAL_OK;
    for (uint32_t i = c->item_starts[first]; i < c->item_starts[first + 1]; i++) {
        uint32_t basket = c->item_baskets[i];
        c->marked[basket] = first + 1;
        for (uint32_t at = c->starts[basket + 1]; at > c->starts[basket]; at--) {
            uint32_t item = c->lines[at - 1].item;
            if (item <= first)
                break;
            if (count_of(c, item) >= c->min_support && c->together[item]++ == 0)
                c->met[met++] = item;
        }
    }
    for (size_t i = 0; i < met; i++) {
        uint32_t item = c->met[i];
        if (status == SHOAL_OK && c->together[item] >= c->min_support)
            status = add(c, first, item);
        c->together[item] = 0;
    }
    return status;
}

/* ---- discoveries --------------------------------------------------------------------------- */

static int by_p_value(const void *a, const void *b)
{
    const struct shoal_bundle *left = a, *right = b;
    return (left->q_value > right->q_value) - (left->q_value < right->q_value);
}

static int by_lower_bound(const void *a, const void *b)
{
    const struct shoal_bundle *left = a, *right = b;
    if (left->interval.low != right->interval.low)
        return left->interval.low > right->interval.low ? -1 : 1;
    if (left->support != right->support)
        return left->support > right->support ? -1 : 1;
    if (left->first != right->first)
        return left->first < right->first ? -1 : 1;
    return (left->second > right->second) - (left->second < right->second);
}

/* From p-values to q-values (the least m·p/rank of this one and all behind it), and what is kept. */
static void keep_discoveries(struct shoal_bundles *found)
{
    double least = 1;
    if (found->supported == 0)
        return;
    qsort(found->list, found->supported, sizeof *found->list, by_p_value);
    for (size_t i = found->supported; i-- > 0;) {
        least = fmin(least, found->list[i].q_value * (double)found->tested / (double)(i + 1));
        found->list[i].q_value = least;
    }
    for (size_t i = 0; i < found->supported; i++) {
        if (found->list[i].interval.low > 1 && found->list[i].q_value <= DISCOVERY_RATE)
            found->list[found->count++] = found->list[i];
    }
    qsort(found->list, found->count, sizeof *found->list, by_lower_bound);
}

enum shoal_status shoal_bundles_find(struct shoal_bought *lines, size_t count, uint32_t min_support,
                                     struct shoal_bundles *found)
{
    *found = (struct shoal_bundles){0};
    struct counting c = {.lines = lines, .min_support = min_support, .found = found};
    if (count == 0)
        return SHOAL_TOO_FEW;
    if (count >= UINT32_MAX)
        return SHOAL_TOO_LARGE;
    count = drop_repeats(lines, count);
    for (size_t i = 0; i < count; i++) {
        c.baskets = lines[i].basket >= c.baskets ? lines[i].basket + (size_t)1 : c.baskets;
        c.customers = lines[i].customer >= c.customers ? lines[i].customer + (size_t)1 : c.customers;
        c.items = lines[i].item >= c.items ? lines[i].item + (size_t)1 : c.items;
    }
    enum shoal_status status = allocate(&c, count);
    if (status == SHOAL_OK)
        index_lines(&c, count);
    for (uint32_t item = 0; item < c.items && status == SHOAL_OK; item++) {
        if (count_of(&c, item) >= min_support)
            status = pair_with(&c, item);
    }
    if (status == SHOAL_OK && found->supported > 0)
        keep_discoveries(found);
    release(&c);
    return status;
}

void shoal_bundles_finish(struct shoal_bundles *found)
{
    free(found->list);
    *found = (struct shoal_bundles){0};
}
