/* SPDX-License-Identifier: Apache-2.0 */
/* A user as a query: the vector, and what single items get beside it; equations in items_parts.h.
 *
 * All of it is done for one user at a time in one order, so that the bits depend on nobody else. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/items_parts.h"
#include "model/params.h"
#include "model/vmath.h"

unsigned shoal_item_age(int64_t age_ms)
{
    static const int64_t minutes[SHOAL_ITEM_AGES - 1] = {1,    5,    15,   60,    180,  720,
                                                         1440, 2880, 5760, 10080, 20160};
    unsigned class = 0;
    while (class < SHOAL_ITEM_AGES - 1 && age_ms >= minutes[class] * 60000)
        class++;
    return class;
}

/* A recent event, as far as a query looks at it. */
struct recent {
    const float *vector; /* NULL: neither the item nor its category is known */
    uint32_t item;
    bool known, bought;
    unsigned behavior, age;
};

/* The newest first; returns how many. */
static size_t look_back(const struct shoal_items *items, const struct shoal_item_query *query,
                        struct recent recents[SHOAL_RING_MAX])
{
    size_t count = query->ring_count < SHOAL_RING_MAX ? query->ring_count : SHOAL_RING_MAX;
    for (size_t k = 0; k < count; k++) {
        const struct shoal_touch *touch = &query->ring[query->ring_count - 1 - k];
        struct recent *recent = &recents[k];
        *recent = (struct recent){
            .behavior = touch->behavior < SHOAL_BEHAVIOR_COUNT ? touch->behavior : SHOAL_PV,
            .bought = touch->behavior == SHOAL_BUY,
            .age = shoal_item_age(query->now_ms - touch->time_ms),
        };
        recent->known = shoal_items_find(items, touch->item, &recent->item);
        recent->vector = recent->known ? items->vectors + (size_t)recent->item * items->width
                                       : shoal_items_category_vector(items, touch->category);
    }
    return count;
}

/* pooled (W) of one head. */
static void pool(const struct shoal_item_table *table, const struct recent *recents, size_t count,
                 size_t width, float *pooled)
{
    float weights[SHOAL_RING_MAX], greatest = -INFINITY, sum = 0;
    memset(pooled, 0, width * sizeof *pooled);
    for (size_t k = 0; k < count; k++) {
        weights[k] = recents[k].vector ? shoal_item_table_at(table, k, recents[k].behavior,
                                                             recents[k].age)
                                       : -INFINITY;
        greatest = weights[k] > greatest ? weights[k] : greatest;
    }
    if (greatest == -INFINITY)
        return;
    for (size_t k = 0; k < count; k++)
        weights[k] -= greatest;
    shoal_vexp(weights, weights, count);
    for (size_t k = 0; k < count; k++)
        sum += recents[k].vector ? weights[k] : 0;
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; recents[k].vector && i < width; i++)
            pooled[i] += weights[k] / sum * recents[k].vector[i];
}

static void make_vector(const struct shoal_items *items, const struct shoal_item_asking *asking,
                        const float *h, const struct recent *recents, size_t count, float *q)
{
    size_t width = items->width;
    float pooled[SHOAL_ITEM_WIDTH_MAX];
    for (size_t i = 0; i < width; i++)
        q[i] = h ? asking->offset[i] + shoal_dot(asking->state + i * items->hidden, h, items->hidden)
                 : 0;
    for (int p = 0; p < SHOAL_ITEM_HEADS; p++) {
        const float *matrix = asking->pooling + (size_t)p * width * width;
        pool(&asking->pool[p], recents, count, width, pooled);
        for (size_t i = 0; i < width; i++)
            q[i] += shoal_dot(matrix + i * width, pooled, width);
    }
}

static int by_item(const void *a, const void *b)
{
    const struct shoal_item_extra *left = a, *right = b;
    if (left->item != right->item)
        return left->item < right->item ? -1 : 1;
    return (left->score > right->score) - (left->score < right->score);
}

/* Each item once: its scores in rising order, added up. */
static size_t add_up(struct shoal_item_extra *extras, size_t count)
{
    size_t kept = 0;
    qsort(extras, count, sizeof *extras, by_item);
    for (size_t i = 0; i < count; i++) {
        if (kept && extras[kept - 1].item == extras[i].item)
            extras[kept - 1].score += extras[i].score;
        else
            extras[kept++] = extras[i];
    }
    return kept;
}

/* Whether a newer event is of the same item. */
static bool is_again(const struct recent *recents, size_t k)
{
    for (size_t i = 0; i < k; i++)
        if (recents[i].known && recents[i].item == recents[k].item)
            return true;
    return false;
}

size_t shoal_items_ask(const struct shoal_items *items, const struct shoal_item_query *query,
                       float *q, struct shoal_item_extra *extras)
{
    const struct shoal_item_asking *asking = &items->asking[query->goal];
    struct recent recents[SHOAL_RING_MAX];
    float prompted[SHOAL_HIDDEN_MAX];
    const float *h = query->h;
    size_t count = look_back(items, query, recents), made = 0;
    if (h && items->prompts && !query->without_prompts) {
        shoal_prompts_state(items->prompts, items->model, query, prompted);
        h = prompted;
    }
    make_vector(items, asking, h, recents, count, q);
    for (size_t k = 0; k < count; k++) {
        const struct recent *recent = &recents[k];
        if (!recent->known)
            continue;
        float follow = shoal_item_table_at(&asking->follow, k, recent->behavior, recent->age);
        shoal_vexp(&follow, &follow, 1);
        for (size_t i = items->near_at[recent->item]; i < items->near_at[recent->item + 1]; i++)
            extras[made++] =
                (struct shoal_item_extra){items->near[i], follow * items->near_weight[i]};
        float again = shoal_item_table_at(&asking->again, k, recent->behavior, recent->age);
        if (!is_again(recents, k))
            again -= asking->level * asking->bias[recent->item];
        if (query->without_bought && recent->bought)
            again = -INFINITY;
        extras[made++] = (struct shoal_item_extra){recent->item, again};
    }
    return add_up(extras, made);
}
