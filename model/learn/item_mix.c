/* SPDX-License-Identifier: Apache-2.0 */
/* AdamW on a hundred numbers, the gradient over whole catalogues; see item_mix.h.
 *
 * A batch is cut into four parts whatever the number of threads, and their gradients are added in order. */
#include "model/learn/item_mix.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/blas.h"
#include "model/learn/adamw.h"
#include "model/learn/random.h"
#include "model/learn/softmax.h"
#include "model/learn/team.h"
#include "model/vmath.h"

enum { PARTS = 4, PART = 16, KINDS = SHOAL_ITEM_POPULARITIES, PASSES_MIN = 2, STEPS = 400 };
enum { NUMBERS = KINDS + 2 + 2 * SHOAL_ITEM_TABLE, ROOM = (NUMBERS + 15) / 16 * 16 };

_Static_assert(sizeof(struct shoal_item_mix) == NUMBERS * sizeof(float), "a mix is its numbers");

static const float RATE = 0.03f, PRIOR = 0.5f;

struct shoal_item_mix shoal_item_mix_default(void)
{
    struct shoal_item_mix mix = {.popularity = {1}, .scale = 1, .level = 1};
    for (int k = 0; k < SHOAL_RING_MAX; k++) {
        mix.follow.place[k] = -1 - 0.3f * (float)k;
        mix.again.place[k] = -4 - 0.1f * (float)k;
    }
    mix.again.place[0] = -12; /* a target is another item than the one before it */
    return mix;
}

void shoal_item_popularities(const struct shoal_dataset *dataset, const struct shoal_item_data *data,
                             int64_t until_ms, float *logs)
{
    static const double half_lives_ms[KINDS - 1] = {0, 14 * 86400e3, 3 * 86400e3, 12 * 3600e3};
    size_t count = data->count;
    memset(logs, 0, KINDS * count * sizeof *logs);
    for (size_t i = 0; i < dataset->events_count; i++) {
        const struct shoal_touch *touch = &dataset->touches[i];
        uint32_t item = data->item_of[i];
        if (touch->time_ms >= until_ms || item == SHOAL_NO_ITEM)
            continue;
        logs[item] += 1;
        for (int m = 1; m < KINDS - 1; m++)
            logs[(size_t)m * count + item] +=
                (float)exp2(-(double)(until_ms - touch->time_ms) / half_lives_ms[m]);
        if (touch->behavior == SHOAL_BUY)
            logs[(KINDS - 1) * count + item] += 1;
    }
    double total = 0;
    for (size_t j = 0; j < count; j++)
        total += (double)logs[j];
    for (int m = KINDS - 1; m >= 0; m--) {
        double sum = 0;
        for (size_t j = 0; j < count; j++)
            sum += (double)logs[(size_t)m * count + j];
        for (size_t j = 0; j < count; j++) { /* all of time as so many events as there are items, before */
            double before = m ? (double)logs[j] / total * (double)count : 0;
            float *share = &logs[(size_t)m * count + j];
            *share = (float)log(((double)*share + before) / (sum + (m ? (double)count : 0)));
        }
    }
}

/* ---- fitting ------------------------------------------------------------------------------------ */

struct part {
    float *q, *dots, *scores;      /* PART×W; PART×N each; owned */
    float *sums;                   /* N: Σ of softmax − 1[target]; owned */
    float gradient[ROOM];
    double loss;
};

struct fit {
    const struct shoal_items *items;
    const float *logs;
    const struct shoal_item_asked *asked;
    const uint32_t *which;         /* of the batch */
    size_t count;
    const struct shoal_item_mix *mix;
    const float *bias;             /* N: of the mix as it is now */
    struct part parts[PARTS];
};

static bool allocate(struct part *part, const struct shoal_items *items)
{
    part->q = malloc(PART * items->width * sizeof *part->q);
    part->dots = malloc(PART * items->count * sizeof *part->dots);
    part->scores = malloc(items->count * sizeof *part->scores);
    part->sums = malloc(items->count * sizeof *part->sums);
    return part->q && part->dots && part->scores && part->sums;
}

/* A recent event of a query whose item is in the catalogue. */
struct recent {
    uint32_t item;
    unsigned place, behavior, age;
    bool is_again; /* a newer event is of the same item */
};

static size_t look_back(const struct shoal_items *items, const struct shoal_item_query *query,
                        struct recent recents[SHOAL_RING_MAX])
{
    size_t count = 0;
    for (size_t k = 0; k < query->ring_count && k < SHOAL_RING_MAX; k++) {
        const struct shoal_touch *touch = &query->ring[query->ring_count - 1 - k];
        struct recent *recent = &recents[count];
        *recent = (struct recent){.place = (unsigned)k,
                                  .behavior = touch->behavior,
                                  .age = shoal_item_age(query->now_ms - touch->time_ms)};
        if (!shoal_items_find(items, touch->item, &recent->item))
            continue;
        for (size_t i = 0; i < count; i++)
            recent->is_again = recent->is_again || recents[i].item == recent->item;
        count++;
    }
    return count;
}

static void add_to_table(struct shoal_item_table *table, const struct recent *recent, float value)
{
    table->place[recent->place] += value;
    table->behavior[recent->behavior] += value;
    table->age[recent->age] += value;
}

static void fit_target(const struct fit *fit, struct part *part, size_t target, const float *dots)
{
    const struct shoal_items *items = fit->items;
    const struct shoal_item_asked *asked = fit->asked;
    struct shoal_item_mix *gradient = (struct shoal_item_mix *)(void *)part->gradient;
    struct shoal_item_query query = shoal_item_query_after(
        asked->dataset, asked->last[target], asked->ring, asked->states + target * asked->hidden, 0);
    struct recent recents[SHOAL_RING_MAX];
    size_t count = look_back(items, &query, recents);
    float follows[SHOAL_RING_MAX] = {0};
    for (size_t j = 0; j < items->count; j++)
        part->scores[j] = fit->bias[j] + fit->mix->scale * dots[j];
    for (size_t k = 0; k < count; k++) {
        const struct recent *recent = &recents[k];
        follows[k] = shoal_item_table_at(&fit->mix->follow, recent->place, recent->behavior,
                                         recent->age);
        shoal_vexp(&follows[k], &follows[k], 1);
        for (size_t i = items->near_at[recent->item]; i < items->near_at[recent->item + 1]; i++)
            part->scores[items->near[i]] += follows[k] * items->near_weight[i];
        part->scores[recent->item] +=
            shoal_item_table_at(&fit->mix->again, recent->place, recent->behavior, recent->age) -
            (recent->is_again ? 0 : fit->mix->level * fit->bias[recent->item]);
    }
    part->loss += shoal_softmax_row(part->scores, items->count, asked->targets[target], 1);
    gradient->scale += shoal_dot(part->scores, dots, items->count);
    for (size_t j = 0; j < items->count; j++)
        part->sums[j] += part->scores[j];
    for (size_t k = 0; k < count; k++) {
        float followed = 0;
        for (size_t i = items->near_at[recents[k].item]; i < items->near_at[recents[k].item + 1]; i++)
            followed += part->scores[items->near[i]] * items->near_weight[i];
        add_to_table(&gradient->follow, &recents[k], follows[k] * followed);
        float own = part->scores[recents[k].item];
        add_to_table(&gradient->again, &recents[k], own);
        if (!recents[k].is_again) { /* −level·b_j, in level and in the β behind b_j */
            gradient->level -= own * fit->bias[recents[k].item];
            part->sums[recents[k].item] -= fit->mix->level * own;
        }
    }
}

static void fit_part(void *opaque, size_t index)
{
    struct fit *fit = opaque;
    const struct shoal_items *items = fit->items;
    struct part *part = &fit->parts[index];
    struct shoal_item_mix *gradient = (struct shoal_item_mix *)(void *)part->gradient;
    size_t from = fit->count * index / PARTS, count = fit->count * (index + 1) / PARTS - from;
    static const size_t extras_size = SHOAL_ITEM_EXTRAS_MAX;
    struct shoal_item_extra *extras = malloc(extras_size * sizeof *extras);
    memset(part->gradient, 0, sizeof part->gradient);
    memset(part->sums, 0, items->count * sizeof *part->sums);
    part->loss = extras ? 0 : NAN;
    for (size_t b = 0; extras && b < count; b++) {
        size_t target = fit->which[from + b];
        struct shoal_item_query query = shoal_item_query_after(
            fit->asked->dataset, fit->asked->last[target], fit->asked->ring,
            fit->asked->states + target * fit->asked->hidden, SHOAL_GOAL_ANY);
        (void)shoal_items_ask(items, &query, part->q + b * items->width, extras);
    }
    free(extras);
    if (count == 0)
        return;
    shoal_gemm(false, true, count, items->count, items->width, 1, part->q, items->width,
               items->vectors, items->width, 0, part->dots, items->count);
    for (size_t b = 0; b < count; b++)
        fit_target(fit, part, fit->which[from + b], part->dots + b * items->count);
    for (int m = 0; m < KINDS; m++)
        gradient->popularity[m] =
            shoal_dot(part->sums, fit->logs + (size_t)m * items->count, items->count);
}

static void make_bias(const struct shoal_item_mix *mix, const float *logs, size_t count, float *bias)
{
    for (size_t j = 0; j < count; j++) {
        bias[j] = 0;
        for (int m = 0; m < KINDS; m++)
            bias[j] += mix->popularity[m] * logs[(size_t)m * count + j];
    }
}

static void hold_tables(struct shoal_item_mix *mix)
{
    float *values = (float *)&mix->follow;
    for (int i = 0; i < 2 * SHOAL_ITEM_TABLE; i++)
        values[i] = fmaxf(-SHOAL_ITEM_TABLE_MAX, fminf(values[i], SHOAL_ITEM_TABLE_MAX));
}

/* All steps; `numbers`: weights, gradient, m, v, prior, ROOM each. */
static void descend(struct fit *fit, struct shoal_team *team, uint64_t seed, float *numbers,
                    float *bias, uint32_t *which)
{
    uint64_t key = shoal_random_key(seed, SHOAL_RANDOM_ITEMS) ^ 0x313;
    struct shoal_adamw_options adamw = shoal_adamw_options_default();
    float *gradient = numbers + ROOM, *prior = numbers + 4 * ROOM;
    size_t targets = fit->asked->count;
    adamw.beta2 = 0.99f;
    for (uint64_t step = 1; step <= STEPS; step++) {
        fit->count = PARTS * PART < targets ? PARTS * PART : targets;
        for (size_t b = 0; b < fit->count; b++)
            which[b] = fit->count == targets
                           ? (uint32_t)b
                           : shoal_random_below(key, step * PARTS * PART + b, (uint32_t)targets);
        make_bias(fit->mix, fit->logs, fit->items->count, bias);
        shoal_team_run(team, PARTS, fit_part, fit);
        for (int i = 0; i < NUMBERS; i++) {
            gradient[i] = PRIOR * (numbers[i] - prior[i]) / (float)targets;
            for (int p = 0; p < PARTS; p++)
                gradient[i] += fit->parts[p].gradient[i] / (float)fit->count;
        }
        float rate = RATE * (float)(STEPS - step + 1) / STEPS;
        shoal_adamw_update_block(&adamw, step, rate, 0, numbers, gradient, numbers + 2 * ROOM,
                                 numbers + 3 * ROOM, ROOM);
        hold_tables((struct shoal_item_mix *)(void *)numbers);
    }
}

enum shoal_status shoal_item_mix_fit(const struct shoal_items *items, const float *logs,
                                     const struct shoal_item_asked *asked, uint64_t seed,
                                     struct shoal_item_mix *mix)
{
    float *numbers = aligned_alloc(64, 5 * ROOM * sizeof *numbers);
    float *bias = malloc(items->count * sizeof *bias);
    uint32_t which[PARTS * PART];
    struct shoal_team *team = NULL;
    struct fit fit = {.items = items, .logs = logs, .asked = asked, .which = which, .bias = bias};
    bool there = numbers && bias;
    for (int p = 0; p < PARTS; p++)
        there = allocate(&fit.parts[p], items) && there;
    enum shoal_status status = there ? shoal_team_create(0, &team) : SHOAL_NOMEM;
    if (status == SHOAL_OK && asked->count > 0) {
        memset(numbers, 0, 5 * ROOM * sizeof *numbers);
        memcpy(numbers, mix, sizeof *mix);
        memcpy(numbers + 4 * ROOM, mix, sizeof *mix);
        fit.mix = (const struct shoal_item_mix *)(void *)numbers;
        descend(&fit, team, seed, numbers, bias, which);
        memcpy(mix, numbers, sizeof *mix);
    }
    shoal_team_destroy(team);
    for (int p = 0; p < PARTS; p++) {
        free(fit.parts[p].q);
        free(fit.parts[p].dots);
        free(fit.parts[p].scores);
        free(fit.parts[p].sums);
    }
    free(numbers);
    free(bias);
    return status;
}

void shoal_item_mix_apply(const struct shoal_item_mix *mix, const float *logs,
                          struct shoal_items *items, enum shoal_item_goal goal)
{
    struct shoal_item_asking *asking = &items->asking[goal];
    size_t width = items->width;
    size_t count = width * items->hidden + width + SHOAL_ITEM_HEADS * width * width;
    for (size_t i = 0; i < count; i++)
        asking->state[i] *= mix->scale; /* state, offset and pooling lie one behind the other */
    make_bias(mix, logs, items->count, asking->bias);
    asking->follow = mix->follow;
    asking->again = mix->again;
    asking->level = mix->level;
}
