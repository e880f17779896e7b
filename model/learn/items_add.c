/* SPDX-License-Identifier: Apache-2.0 */
/* A catalogue with more items; see items_add.h.
 *
 *   the data set's items (item_data.h)  ─ those that are new, most frequent first ─►  behind the old ones
 *   users' sequences                    ─ pairs with a new item in them ───────────►  vectors, neighbours */
#include "model/learn/items_add.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/half.h"
#include "model/items_parts.h"
#include "model/learn/item_data.h"

enum { REACH = 8 };
/* As in training (train_items.c). */
static const double CATEGORY_WEIGHT = 4, BACK = 0.5, SHRINK = 5;

/* One item after another, at some distance. */
struct met {
    uint32_t from, to;
    double weight;
};

struct growing {
    const struct shoal_items *old;
    const struct shoal_dataset *dataset;
    const struct shoal_item_names *names;
    struct shoal_items *items; /* the new catalogue */
    struct shoal_item_data data;
    uint32_t *place;    /* of each item of the data: in the new catalogue, or SHOAL_NO_ITEM */
    uint32_t *fresh;    /* the data's items that are added */
    size_t fresh_count;
    double ratio, total; /* r; all support, the added items' in the training's measure */
    struct met *met;    /* by from, to */
    size_t met_count, met_capacity;
};

/* ---- which ----------------------------------------------------------------------------------- */

static enum shoal_status choose(struct growing *g, uint32_t least, struct shoal_items_added *added)
{
    const struct shoal_item_data *data = &g->data;
    double support = 0, seen = 0;
    g->place = malloc((data->count + 1) * sizeof *g->place);
    g->fresh = malloc((data->count + 1) * sizeof *g->fresh);
    if (!g->place || !g->fresh)
        return SHOAL_NOMEM;
    for (size_t i = 0; i < data->count; i++) {
        g->place[i] = SHOAL_NO_ITEM;
        if (shoal_items_find(g->old, data->hashes[i], &g->place[i])) {
            support += g->old->support[g->place[i]];
            seen += data->support[i];
        } else if (data->support[i] < least) {
            added->rare++;
        } else if (g->old->count + g->fresh_count >= SHOAL_ITEMS_MAX) {
            added->full++;
        } else {
            g->place[i] = (uint32_t)(g->old->count + g->fresh_count);
            g->fresh[g->fresh_count++] = (uint32_t)i;
        }
    }
    g->ratio = support > 0 && seen > 0 ? support / seen : 1;
    added->added = g->fresh_count;
    return SHOAL_OK;
}

/* ---- what there was -------------------------------------------------------------------------- */

static void copy_askings(const struct shoal_items *from, struct shoal_items *to)
{
    size_t width = from->width;
    for (int goal = 0; goal < SHOAL_ITEM_GOALS; goal++) {
        const struct shoal_item_asking *old = &from->asking[goal];
        struct shoal_item_asking *asking = &to->asking[goal], places = *asking;
        *asking = *old;
        asking->state = places.state;
        asking->offset = places.offset;
        asking->pooling = places.pooling;
        asking->bias = places.bias;
        memcpy(asking->state, old->state, width * from->hidden * sizeof(float));
        memcpy(asking->offset, old->offset, width * sizeof(float));
        memcpy(asking->pooling, old->pooling, SHOAL_ITEM_HEADS * width * width * sizeof(float));
        memcpy(asking->bias, old->bias, from->count * sizeof(float));
    }
}

static enum shoal_status create(struct growing *g)
{
    const struct shoal_items *old = g->old;
    size_t ids = old->id_at[old->count], size;
    for (size_t k = 0; k < g->fresh_count; k++) {
        (void)shoal_item_names_find(g->names, g->data.hashes[g->fresh[k]], &size);
        ids += size;
    }
    enum shoal_status status = shoal_items_create(old->count + g->fresh_count, old->width, old->hidden,
                                                  ids, &g->items);
    if (status != SHOAL_OK)
        return status;
    struct shoal_items *items = g->items;
    memcpy(items->vectors, old->vectors, old->count * old->width * sizeof(float));
    memcpy(items->hashes, old->hashes, old->count * sizeof *items->hashes);
    memcpy(items->categories, old->categories, old->count * sizeof *items->categories);
    memcpy(items->support, old->support, old->count * sizeof *items->support);
    memcpy(items->id_at, old->id_at, (old->count + 1) * sizeof *items->id_at);
    memcpy(items->ids, old->ids, old->id_at[old->count]);
    items->summary = old->summary;
    copy_askings(old, items);
    for (size_t k = 0; k < g->fresh_count; k++) {
        size_t i = old->count + k, from = g->fresh[k];
        const char *id = shoal_item_names_find(g->names, g->data.hashes[from], &size);
        items->hashes[i] = g->data.hashes[from];
        items->categories[i] = g->data.categories[from];
        items->support[i] = g->data.support[from];
        memcpy(items->ids + items->id_at[i], id, size);
        items->id_at[i + 1] = items->id_at[i] + (uint32_t)size;
    }
    return SHOAL_OK;
}

/* How often an item would have been named in the training's log. */
static double expected(const struct growing *g, size_t item)
{
    return g->items->support[item] * (item < g->old->count ? 1 : g->ratio);
}

/* ---- bias ------------------------------------------------------------------------------------ */

static void set_biases(struct growing *g)
{
    size_t count = g->old->count;
    for (size_t i = 0; i < g->items->count; i++)
        g->total += expected(g, i);
    for (int goal = 0; goal < SHOAL_ITEM_GOALS; goal++) {
        float *bias = g->items->asking[goal].bias;
        double x = 0, y = 0, xx = 0, xy = 0;
        for (size_t i = 0; i < count; i++) {
            x += log(fmax(expected(g, i), 1)) / (double)count;
            y += (double)bias[i] / (double)count;
        }
        for (size_t i = 0; i < count; i++) {
            double away = log(fmax(expected(g, i), 1)) - x;
            xx += away * away;
            xy += away * ((double)bias[i] - y);
        }
        double slope = xx > 0 ? xy / xx : 1; /* all alike: as the log of the share */
        for (size_t i = count; i < g->items->count; i++)
            bias[i] = (float)(y + slope * (log(fmax(expected(g, i), 1)) - x));
    }
}

/* ---- pairs ----------------------------------------------------------------------------------- */

static enum shoal_status meet(struct growing *g, uint32_t from, uint32_t to, double weight)
{
    if (g->met_count == g->met_capacity) {
        size_t capacity = g->met_capacity ? 2 * g->met_capacity : 4096;
        struct met *met = realloc(g->met, capacity * sizeof *met);
        if (!met)
            return SHOAL_NOMEM;
        g->met = met;
        g->met_capacity = capacity;
    }
    g->met[g->met_count++] = (struct met){from, to, weight};
    return SHOAL_OK;
}

/* As item_pairs.c walks a user; only pairs with a new item count. `recent`: the last items, a ring. */
static enum shoal_status meet_user(struct growing *g, size_t user)
{
    uint32_t recent[REACH];
    size_t count = 0;
    enum shoal_status status = SHOAL_OK;
    for (size_t at = g->dataset->first[user]; at < g->dataset->first[user + 1]; at++) {
        uint32_t known = g->data.item_of[at];
        uint32_t to = known == SHOAL_NO_ITEM ? SHOAL_NO_ITEM : g->place[known];
        if (to == SHOAL_NO_ITEM || (count && recent[(count - 1) % REACH] == to))
            continue;
        for (size_t d = 1; d <= REACH && d <= count && status == SHOAL_OK; d++) {
            uint32_t from = recent[(count - d) % REACH];
            if (from == to || (from < g->old->count && to < g->old->count))
                continue;
            status = meet(g, from, to, 1.0 / (double)d);
            if (status == SHOAL_OK)
                status = meet(g, to, from, BACK / (double)d);
        }
        if (status != SHOAL_OK)
            return status;
        recent[count++ % REACH] = to;
    }
    return SHOAL_OK;
}

static int by_pair(const void *a, const void *b)
{
    const struct met *left = a, *right = b;
    if (left->from != right->from)
        return left->from < right->from ? -1 : 1;
    if (left->to != right->to)
        return left->to < right->to ? -1 : 1;
    return (left->weight > right->weight) - (left->weight < right->weight);
}

/* Within an item, the weightiest first. */
static int by_weight(const void *a, const void *b)
{
    const struct met *left = a, *right = b;
    if (left->weight != right->weight)
        return left->weight > right->weight ? -1 : 1;
    return (left->to > right->to) - (left->to < right->to);
}

static enum shoal_status meet_all(struct growing *g)
{
    enum shoal_status status = SHOAL_OK;
    for (size_t user = 0; user < g->dataset->users_count && status == SHOAL_OK; user++)
        status = meet_user(g, user);
    if (status != SHOAL_OK || g->met_count == 0)
        return status;
    size_t kept = 0;
    qsort(g->met, g->met_count, sizeof *g->met, by_pair);
    for (size_t i = 0; i < g->met_count; i++) {
        if (kept && g->met[kept - 1].from == g->met[i].from && g->met[kept - 1].to == g->met[i].to)
            g->met[kept - 1].weight += g->met[i].weight;
        else
            g->met[kept++] = g->met[i];
    }
    g->met_count = kept;
    return SHOAL_OK;
}

/* ---- vectors --------------------------------------------------------------------------------- */

static enum shoal_status set_vectors(struct growing *g, struct shoal_items_added *added)
{
    size_t width = g->old->width, count = g->old->count;
    double *sums = calloc(g->fresh_count * width + 1, sizeof *sums);
    double *weights = calloc(g->fresh_count + 1, sizeof *weights);
    for (size_t m = 0; sums && weights && m < g->met_count; m++) {
        const struct met *met = &g->met[m];
        bool forward = met->from >= count;
        size_t fresh = (forward ? met->from : met->to) - count, with = forward ? met->to : met->from;
        if (with >= count)
            continue; /* of two new ones neither knows where it is */
        for (size_t i = 0; i < width; i++)
            sums[fresh * width + i] += met->weight * (double)g->old->vectors[with * width + i];
        weights[fresh] += met->weight;
    }
    for (size_t k = 0; sums && weights && k < g->fresh_count; k++) {
        const float *mean = shoal_items_category_vector(g->old, g->items->categories[count + k]);
        float *vector = g->items->vectors + (count + k) * width;
        double weight = weights[k] + (mean ? CATEGORY_WEIGHT : 0);
        added->by_company += weights[k] > 0;
        added->by_category += mean != NULL;
        for (size_t i = 0; weight > 0 && i < width; i++)
            vector[i] = (float)((sums[k * width + i] + (mean ? CATEGORY_WEIGHT * (double)mean[i] : 0)) /
                                weight);
        shoal_half_round(vector, width);
    }
    bool whole = sums && weights;
    free(sums);
    free(weights);
    return whole ? SHOAL_OK : SHOAL_NOMEM;
}

/* ---- neighbours ------------------------------------------------------------------------------ */

/* What of met[from … until), all of one item, becomes its neighbours: the weightiest that there is room for, to
 * the front, by rising item; how many. */
static size_t choose_near(struct met *met, size_t count, size_t room)
{
    size_t kept = count < room ? count : room;
    if (count == 0)
        return 0;
    qsort(met, count, sizeof *met, by_weight);
    qsort(met, kept, sizeof *met, by_pair);
    return kept;
}

/* Old neighbours stay, and those added stand behind them, since their numbers are greater. */
static enum shoal_status set_near(struct growing *g)
{
    const struct shoal_items *old = g->old;
    struct shoal_items *items = g->items;
    size_t most = old->near_at[old->count] + g->met_count, made = 0, next = 0;
    if (shoal_items_create_near(items, most) != SHOAL_OK)
        return SHOAL_NOMEM;
    for (uint32_t i = 0; i < items->count; i++) {
        size_t has = i < old->count ? old->near_at[i + 1] - old->near_at[i] : 0, end = next;
        items->near_at[i] = made;
        if (has) {
            memcpy(items->near + made, old->near + old->near_at[i], has * sizeof *items->near);
            memcpy(items->near_weight + made, old->near_weight + old->near_at[i],
                   has * sizeof *items->near_weight);
            made += has;
        }
        while (end < g->met_count && g->met[end].from == i)
            end++;
        size_t room = has < SHOAL_ITEM_NEIGHBOURS_MAX ? SHOAL_ITEM_NEIGHBOURS_MAX - has : 0;
        size_t kept = choose_near(g->met + next, end - next, room);
        for (size_t k = 0; k < kept; k++) {
            const struct met *met = &g->met[next + k];
            double share = expected(g, met->to) / g->total;
            items->near[made] = met->to;
            items->near_weight[made] = (float)log1p(met->weight * g->ratio / (SHRINK * share));
            shoal_half_round(&items->near_weight[made++], 1);
        }
        next = end;
    }
    items->near_at[items->count] = made;
    return SHOAL_OK;
}

/* ---- all of it ------------------------------------------------------------------------------- */

enum shoal_status shoal_items_add(const struct shoal_items *items, const struct shoal_dataset *dataset,
                                  const struct shoal_item_names *names, uint32_t least,
                                  struct shoal_items **grown, struct shoal_items_added *added)
{
    struct growing g = {.old = items, .dataset = dataset, .names = names};
    *grown = NULL;
    *added = (struct shoal_items_added){0};
    enum shoal_status status =
        shoal_item_data_make(dataset, INT64_MAX, 1, dataset->events_count, names, &g.data);
    if (status == SHOAL_OK)
        status = choose(&g, least, added);
    if (status == SHOAL_OK)
        status = create(&g);
    if (status == SHOAL_OK) {
        set_biases(&g);
        status = meet_all(&g);
    }
    if (status == SHOAL_OK)
        status = set_vectors(&g, added);
    if (status == SHOAL_OK)
        status = set_near(&g);
    if (status == SHOAL_OK)
        status = shoal_items_ready(g.items);
    if (status != SHOAL_OK)
        shoal_items_destroy(g.items);
    else
        *grown = g.items;
    shoal_item_data_finish(&g.data);
    free(g.place);
    free(g.fresh);
    free(g.met);
    return status;
}
