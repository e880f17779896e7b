/* SPDX-License-Identifier: Apache-2.0 */
/* Counting pairs within users' sequences; see item_pairs.h. Room for every pair that is met, by its first item,
 * sorted and added up item by item. */
#include "model/learn/item_pairs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/half.h"

enum { REACH = 16 };

static const double WEIGHT_MIN = 0.02;

struct pair {
    uint32_t item;
    float weight;
};

struct pairs {
    const struct shoal_item_pairs_options *options;
    struct pair *all; /* owned; NULL while they are only counted */
    size_t *at;       /* owned; N + 2 */
    uint32_t *sequence; /* owned; one user's items, without a repeat directly after itself */
};

static void meet(struct pairs *pairs, uint32_t from, uint32_t to, double weight)
{
    if (!pairs->all)
        pairs->at[from + 2]++;
    else
        pairs->all[pairs->at[from + 1]++] = (struct pair){to, (float)weight};
}

static void meet_user(struct pairs *pairs, const struct shoal_dataset *dataset,
                      const struct shoal_item_data *data, size_t user, int64_t until_ms)
{
    size_t count = 0;
    for (size_t i = dataset->first[user]; i < dataset->first[user + 1]; i++) {
        uint32_t item = data->item_of[i];
        if (dataset->touches[i].time_ms >= until_ms)
            break;
        if (item != SHOAL_NO_ITEM && !(count && pairs->sequence[count - 1] == item))
            pairs->sequence[count++] = item;
    }
    for (size_t s = 0; s < count; s++) {
        double weight = 1;
        for (size_t d = 1; d <= REACH && s + d < count; d++, weight *= pairs->options->fade) {
            uint32_t from = pairs->sequence[s], to = pairs->sequence[s + d];
            if (from == to || weight < WEIGHT_MIN)
                continue;
            meet(pairs, from, to, weight);
            if (pairs->options->back > 0)
                meet(pairs, to, from, pairs->options->back * weight);
        }
    }
}

static enum shoal_status count_and_fill(struct pairs *pairs, const struct shoal_dataset *dataset,
                                        const struct shoal_item_data *data, int64_t until_ms)
{
    size_t longest = 0;
    for (size_t user = 0; user < dataset->users_count; user++) {
        size_t length = dataset->first[user + 1] - dataset->first[user];
        longest = length > longest ? length : longest;
    }
    pairs->sequence = malloc((longest + 1) * sizeof *pairs->sequence);
    pairs->at = calloc(data->count + 2, sizeof *pairs->at);
    if (!pairs->sequence || !pairs->at)
        return SHOAL_NOMEM;
    for (size_t user = 0; user < dataset->users_count; user++)
        meet_user(pairs, dataset, data, user, until_ms);
    for (size_t i = 2; i < data->count + 2; i++)
        pairs->at[i] += pairs->at[i - 1];
    pairs->all = malloc((pairs->at[data->count + 1] + 1) * sizeof *pairs->all);
    if (!pairs->all)
        return SHOAL_NOMEM;
    for (size_t user = 0; user < dataset->users_count; user++)
        meet_user(pairs, dataset, data, user, until_ms);
    return SHOAL_OK;
}

static int by_item(const void *a, const void *b)
{
    const struct pair *left = a, *right = b;
    if (left->item != right->item)
        return left->item < right->item ? -1 : 1;
    return (left->weight > right->weight) - (left->weight < right->weight);
}

static int by_weight(const void *a, const void *b)
{
    const struct pair *left = a, *right = b;
    if (left->weight != right->weight)
        return left->weight > right->weight ? -1 : 1;
    return (left->item > right->item) - (left->item < right->item);
}

/* The pairs of one item, each once, the `most` weightiest, by rising item; how many. */
static size_t reduce(struct pair *all, size_t count, size_t most)
{
    size_t kept = 0;
    qsort(all, count, sizeof *all, by_item);
    for (size_t i = 0; i < count; i++) {
        if (kept && all[kept - 1].item == all[i].item)
            all[kept - 1].weight += all[i].weight;
        else
            all[kept++] = all[i];
    }
    qsort(all, kept, sizeof *all, by_weight);
    kept = kept < most ? kept : most;
    qsort(all, kept, sizeof *all, by_item);
    return kept;
}

static enum shoal_status keep(struct pairs *pairs, const struct shoal_item_data *data,
                              struct shoal_items *items)
{
    double total = 0;
    size_t near = 0;
    for (size_t i = 0; i < data->count; i++) {
        size_t from = pairs->at[i], count = pairs->at[i + 1] - from;
        total += data->support[i];
        items->near_at[i] = near;
        near += reduce(pairs->all + from, count, pairs->options->most);
        items->near_at[i + 1] = near;
    }
    if (shoal_items_create_near(items, near) != SHOAL_OK)
        return SHOAL_NOMEM;
    for (size_t i = 0; i < data->count; i++) {
        const struct pair *kept = pairs->all + pairs->at[i];
        for (size_t k = items->near_at[i]; k < items->near_at[i + 1]; k++, kept++) {
            double share = data->support[kept->item] / total;
            items->near[k] = kept->item;
            items->near_weight[k] =
                (float)log1p((double)kept->weight / (pairs->options->shrink * share));
        }
    }
    shoal_half_round(items->near_weight, near);
    return SHOAL_OK;
}

enum shoal_status shoal_item_pairs_learn(const struct shoal_dataset *dataset,
                                         const struct shoal_item_data *data, int64_t until_ms,
                                         const struct shoal_item_pairs_options *options,
                                         struct shoal_items *items)
{
    struct pairs pairs = {.options = options};
    enum shoal_status status = count_and_fill(&pairs, dataset, data, until_ms);
    if (status == SHOAL_OK)
        status = keep(&pairs, data, items);
    free(pairs.all);
    free(pairs.at);
    free(pairs.sequence);
    return status;
}
