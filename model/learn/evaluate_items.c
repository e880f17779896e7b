/* SPDX-License-Identifier: Apache-2.0 */
/* Finding targets, ranking them, resampling users; see evaluate_items.h. */
#include "model/learn/evaluate_items.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/item_data.h"
#include "model/learn/item_ranks.h"
#include "model/learn/random.h"

const char *shoal_item_measure_name(enum shoal_item_measure measure)
{
    static const char *const names[SHOAL_ITEM_MEASURE_COUNT] = {
#define X(field, name) name,
        SHOAL_ITEM_MEASURE_LIST(X)
#undef X
    };
    return names[measure];
}

void shoal_items_evaluation_finish(struct shoal_items_evaluation *evaluation)
{
    free(evaluation->targets);
    *evaluation = (struct shoal_items_evaluation){0};
}

/* ---- targets ------------------------------------------------------------------------------------ */

static bool had_before(const struct shoal_dataset *dataset, size_t first, size_t event)
{
    for (size_t i = first; i < event; i++)
        if (dataset->touches[i].item == dataset->touches[event].item)
            return true;
    return false;
}

/* seen: what occurs before `from`, by its frequency. */
static void find_targets(const struct shoal_dataset *dataset, const struct shoal_item_data *seen,
                         const struct shoal_items_evaluate_options *options,
                         struct shoal_items_evaluation *evaluation)
{
    for (size_t user = 0; user < dataset->users_count; user++) {
        size_t first = dataset->first[user];
        for (size_t i = first + 1; i < dataset->first[user + 1]; i++) {
            const struct shoal_touch *touch = &dataset->touches[i];
            if (touch->time_ms < options->from_ms || touch->time_ms >= options->until_ms ||
                touch->item == touch[-1].item)
                continue;
            if (seen->item_of[i] == SHOAL_NO_ITEM) {
                evaluation->unseen++;
                continue;
            }
            evaluation->targets[evaluation->count++] = (struct shoal_item_target){
                .event = i,
                .history = (uint32_t)(i - first),
                .rank = SHOAL_MISS,
                .rank_buy = SHOAL_MISS,
                .rank_popular = seen->item_of[i],
                .bought = touch->behavior == SHOAL_BUY,
                .is_new = !had_before(dataset, first, i),
            };
        }
    }
}

/* ---- ranks -------------------------------------------------------------------------------------- */

struct asking {
    size_t *last;      /* owned */
    uint32_t *items, *ranks, *which; /* owned; which: place in evaluation->targets */
    float *states;     /* owned */
    float *rates;      /* owned */
    size_t count;
};

static void finish_asking(struct asking *asking)
{
    free(asking->last);
    free(asking->items);
    free(asking->ranks);
    free(asking->which);
    free(asking->states);
    free(asking->rates);
}

/* The targets of a goal that the catalogue has. */
static enum shoal_status collect(const struct shoal_model *model,
                                 const struct shoal_dataset *dataset,
                                 const struct shoal_items_evaluation *evaluation,
                                 enum shoal_item_goal goal, struct asking *asking)
{
    size_t most = evaluation->count + 1;
    asking->last = malloc(most * sizeof *asking->last);
    asking->items = malloc(most * sizeof *asking->items);
    asking->ranks = malloc(most * sizeof *asking->ranks);
    asking->which = malloc(most * sizeof *asking->which);
    asking->states = malloc(most * model->params.dims.hidden * sizeof *asking->states);
    asking->rates = malloc(most * SHOAL_COUNTERS * sizeof *asking->rates);
    if (!asking->last || !asking->items || !asking->ranks || !asking->which || !asking->states ||
        !asking->rates)
        return SHOAL_NOMEM;
    for (size_t i = 0; i < evaluation->count; i++) {
        const struct shoal_item_target *target = &evaluation->targets[i];
        if ((goal == SHOAL_GOAL_BUY && !target->bought) ||
            !shoal_items_find(model->items, dataset->touches[target->event].item,
                              &asking->items[asking->count]))
            continue;
        asking->last[asking->count] = target->event - 1;
        asking->which[asking->count++] = (uint32_t)i;
    }
    enum shoal_status status =
        shoal_item_states(model, dataset, asking->last, asking->count, asking->states);
    if (status == SHOAL_OK)
        status = shoal_item_rates(model, dataset, asking->last, asking->count, asking->rates);
    return status;
}

static enum shoal_status rank(const struct shoal_model *model, const struct shoal_dataset *dataset,
                              const struct shoal_items_evaluate_options *options,
                              enum shoal_item_goal goal, struct shoal_items_evaluation *evaluation)
{
    struct asking asking = {.count = 0};
    enum shoal_status status = collect(model, dataset, evaluation, goal, &asking);
    const struct shoal_item_asked asked = {
        .dataset = dataset,
        .last = asking.last,
        .targets = asking.items,
        .count = asking.count,
        .states = asking.states,
        .rates = asking.rates,
        .hidden = model->params.dims.hidden,
        .ring = model->params.dims.ring,
        .without_prompts = options->without_prompts,
    };
    if (status == SHOAL_OK)
        status = shoal_item_ranks(model->items, &asked, goal, asking.ranks);
    for (size_t i = 0; status == SHOAL_OK && i < asking.count; i++) {
        struct shoal_item_target *target = &evaluation->targets[asking.which[i]];
        *(goal == SHOAL_GOAL_BUY ? &target->rank_buy : &target->rank) = asking.ranks[i];
    }
    finish_asking(&asking);
    return status;
}

/* ---- figures ------------------------------------------------------------------------------------ */

static bool is_in(const struct shoal_item_target *target, enum shoal_item_group group)
{
    switch (group) {
    case SHOAL_ITEM_GROUP_BUY:
        return target->bought;
    case SHOAL_ITEM_GROUP_SHORT:
        return target->history < SHOAL_SHORT_HISTORY;
    case SHOAL_ITEM_GROUP_NEW:
        return target->is_new;
    default:
        return true;
    }
}

static void add_rank(uint32_t rank, double sums[SHOAL_ITEM_MEASURE_COUNT])
{
    double gain = rank < 20 ? 1 / log2((double)rank + 2) : 0;
    sums[SHOAL_ITEM_MEASURE_hr10] += rank < 10;
    sums[SHOAL_ITEM_MEASURE_hr20] += rank < 20;
    sums[SHOAL_ITEM_MEASURE_ndcg10] += rank < 10 ? gain : 0;
    sums[SHOAL_ITEM_MEASURE_ndcg20] += gain;
    sums[SHOAL_ITEM_MEASURE_mrr20] += rank < 20 ? 1 / ((double)rank + 1) : 0;
}

/* A user's targets of a group. */
struct sums {
    double count, model[SHOAL_ITEM_MEASURE_COUNT], popular[SHOAL_ITEM_MEASURE_COUNT];
};

static void add(struct sums *to, const struct sums *from)
{
    to->count += from->count;
    for (int m = 0; m < SHOAL_ITEM_MEASURE_COUNT; m++) {
        to->model[m] += from->model[m];
        to->popular[m] += from->popular[m];
    }
}

/* Users with targets of the group, to the front; how many. */
static size_t sum_users(const struct shoal_items_evaluation *evaluation,
                        const struct shoal_dataset *dataset, enum shoal_item_group group,
                        struct sums *users)
{
    size_t kept = 0;
    memset(users, 0, dataset->users_count * sizeof *users);
    for (size_t i = 0; i < evaluation->count; i++) {
        const struct shoal_item_target *target = &evaluation->targets[i];
        struct sums *user = &users[dataset->owners[target->event]];
        if (!is_in(target, group))
            continue;
        user->count++;
        add_rank(group == SHOAL_ITEM_GROUP_BUY ? target->rank_buy : target->rank, user->model);
        add_rank(target->rank_popular, user->popular);
    }
    for (size_t user = 0; user < dataset->users_count; user++)
        if (users[user].count > 0)
            users[kept++] = users[user];
    return kept;
}

/* draws: one array of SHOAL_RESAMPLES for each measure of the model, of popularity, of their difference. */
static void resample(const struct sums *users, size_t count, uint64_t key, double *draws)
{
    for (size_t r = 0; r < SHOAL_RESAMPLES; r++) {
        struct sums sums = {.count = 0};
        for (size_t i = 0; i < count; i++)
            add(&sums, &users[shoal_random_below(key, r * count + i, (uint32_t)count)]);
        for (int m = 0; m < SHOAL_ITEM_MEASURE_COUNT; m++) {
            double *to = draws + (size_t)m * SHOAL_RESAMPLES + r;
            to[0] = sums.model[m] / sums.count;
            to[SHOAL_ITEM_MEASURE_COUNT * SHOAL_RESAMPLES] = sums.popular[m] / sums.count;
            to[2 * SHOAL_ITEM_MEASURE_COUNT * SHOAL_RESAMPLES] =
                (sums.model[m] - sums.popular[m]) / sums.count;
        }
    }
}

static void judge(const struct sums *users, size_t count, uint64_t key, double *draws,
                  struct shoal_items_evaluation *evaluation, enum shoal_item_group group)
{
    struct shoal_item_judgement *judgements[] = {
        &evaluation->model[group], &evaluation->popular[group], &evaluation->difference[group]};
    struct sums all = {.count = 0};
    for (size_t i = 0; i < count; i++)
        add(&all, &users[i]);
    if (count > 0)
        resample(users, count, key, draws);
    for (size_t j = 0; j < 3; j++)
        for (int m = 0; m < SHOAL_ITEM_MEASURE_COUNT; m++) {
            double sum = j == 0 ? all.model[m]
                                : j == 1 ? all.popular[m] : all.model[m] - all.popular[m];
            struct shoal_item_judgement *judgement = judgements[j];
            judgement->count = (size_t)all.count;
            judgement->values[m] = count ? sum / all.count : NAN;
            judgement->intervals[m] = (struct shoal_interval){NAN, NAN};
            if (count)
                judgement->intervals[m] = shoal_interval_of(
                    draws + (j * SHOAL_ITEM_MEASURE_COUNT + (size_t)m) * SHOAL_RESAMPLES,
                    SHOAL_RESAMPLES);
        }
}

static enum shoal_status judge_groups(const struct shoal_dataset *dataset, uint64_t seed,
                                      struct shoal_items_evaluation *evaluation)
{
    size_t draws_size = (size_t)3 * SHOAL_ITEM_MEASURE_COUNT * SHOAL_RESAMPLES;
    struct sums *users = malloc((dataset->users_count + 1) * sizeof *users);
    double *draws = malloc(draws_size * sizeof *draws);
    enum shoal_status status = users && draws ? SHOAL_OK : SHOAL_NOMEM;
    for (int g = 0; status == SHOAL_OK && g < SHOAL_ITEM_GROUPS; g++) {
        enum shoal_item_group group = (enum shoal_item_group)g;
        size_t count = sum_users(evaluation, dataset, group, users);
        judge(users, count, shoal_random_key(seed, SHOAL_RANDOM_BOOTSTRAP), draws, evaluation,
              group);
    }
    free(users);
    free(draws);
    return status;
}

/* ---- the whole ---------------------------------------------------------------------------------- */

static enum shoal_status put_in_order(const struct shoal_dataset *dataset,
                                      struct shoal_items_evaluation *evaluation)
{
    size_t events = dataset->events_count, kept = 0;
    struct shoal_item_target *ordered = malloc((evaluation->count + 1) * sizeof *ordered);
    uint32_t *at = calloc(events + 1, sizeof *at); /* by arrival: target + 1 or 0 */
    if (!ordered || !at) {
        free(ordered);
        free(at);
        return SHOAL_NOMEM;
    }
    for (size_t i = 0; i < evaluation->count; i++)
        at[dataset->arrivals[evaluation->targets[i].event]] = (uint32_t)i + 1;
    for (size_t i = 0; i < events; i++)
        if (at[i])
            ordered[kept++] = evaluation->targets[at[i] - 1];
    free(at);
    free(evaluation->targets);
    evaluation->targets = ordered;
    return SHOAL_OK;
}

enum shoal_status shoal_items_evaluate(const struct shoal_model *model,
                                       const struct shoal_dataset *dataset,
                                       const struct shoal_items_evaluate_options *options,
                                       struct shoal_items_evaluation *evaluation,
                                       struct shoal_message *message)
{
    struct shoal_item_data seen;
    *evaluation = (struct shoal_items_evaluation){0};
    enum shoal_status status =
        shoal_item_data_make(dataset, options->from_ms, 1, SIZE_MAX, NULL, &seen);
    evaluation->targets = malloc((dataset->events_count + 1) * sizeof *evaluation->targets);
    if (status == SHOAL_OK && !evaluation->targets)
        status = SHOAL_NOMEM;
    if (status == SHOAL_OK)
        find_targets(dataset, &seen, options, evaluation);
    if (status == SHOAL_OK && evaluation->count == 0)
        status = shoal_fail(message, SHOAL_TOO_FEW,
                            "nothing to judge: no event from --from on has an earlier one of its user, of "
                            "another item, and an item that occurs before --from");
    if (status == SHOAL_OK)
        status = rank(model, dataset, options, SHOAL_GOAL_ANY, evaluation);
    if (status == SHOAL_OK)
        status = rank(model, dataset, options, SHOAL_GOAL_BUY, evaluation);
    for (size_t i = 0; i < evaluation->count; i++)
        evaluation->missing += evaluation->targets[i].rank == SHOAL_MISS;
    if (status == SHOAL_OK)
        status = judge_groups(dataset, options->seed, evaluation);
    if (status == SHOAL_OK)
        status = put_in_order(dataset, evaluation);
    shoal_item_data_finish(&seen);
    if (status == SHOAL_NOMEM)
        (void)shoal_fail(message, status, "out of memory with %zu events", dataset->events_count);
    return status;
}
