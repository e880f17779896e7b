/* SPDX-License-Identifier: Apache-2.0 */
/* The judging of next items on a log of a dozen events, whose ranks can be told by hand: the catalogue's query is
 * made to depend on nothing, so the items' biases are their order. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "model/learn/evaluate_items.h"
#include "tests/model/tiny_items.h"

/* Items A … E are 0 … 4 of the catalogue, ranked C A D B E for the goal of all, E D C B A for purchases. F occurs
 * before the cut, but not in the catalogue; G only after it. */
enum { A, B, C, D, E, F, G, COUNT = 5, CUT_S = 1000 };

static void append(struct shoal_dataset *dataset, const char *user, size_t item, int second,
                   enum shoal_behavior behavior)
{
    struct shoal_touch touch = {
        .time_ms = second * 1000, .item = tiny_item_hash(item), .behavior = (uint8_t)behavior};
    cr_assert_eq(shoal_dataset_append(dataset, user, strlen(user), &touch, 0), SHOAL_OK);
}

static struct shoal_model *make_model(void)
{
    static const float any[COUNT] = {4, 2, 5, 3, 1}, buy[COUNT] = {1, 2, 3, 4, 5};
    struct shoal_dims dims = tiny_dims();
    struct shoal_model *model = tiny_model(&dims, 3);
    struct shoal_items *items = tiny_items(COUNT, 8, dims.hidden, 1);
    cr_assert(model && items);
    memset(items->vectors, 0, COUNT * 8 * sizeof *items->vectors);
    memset(items->near_weight, 0, items->near_at[COUNT] * sizeof *items->near_weight);
    for (int g = 0; g < SHOAL_ITEM_GOALS; g++) {
        memset(&items->asking[g].again, 0, sizeof items->asking[g].again);
        items->asking[g].level = 0;
        memcpy(items->asking[g].bias, g == SHOAL_GOAL_BUY ? buy : any, sizeof any);
    }
    model->items = items;
    return model;
}

/* Before the cut: A twice, B three times, C, D, E, F once each. */
static void make_log(struct shoal_dataset *dataset)
{
    shoal_dataset_init(dataset, 4);
    append(dataset, "u", A, 10, SHOAL_PV);
    append(dataset, "u", B, 20, SHOAL_PV);
    append(dataset, "v", B, 30, SHOAL_PV);
    append(dataset, "v", B, 40, SHOAL_PV);
    append(dataset, "v", C, 50, SHOAL_PV);
    append(dataset, "v", D, 60, SHOAL_PV);
    append(dataset, "w", A, 70, SHOAL_PV);
    append(dataset, "w", E, 80, SHOAL_PV);
    append(dataset, "w", F, 90, SHOAL_PV);
    append(dataset, "w", D, CUT_S, SHOAL_PV);      /* rank 2; the first target to arrive */
    append(dataset, "u", C, CUT_S + 10, SHOAL_PV); /* rank 0 */
    append(dataset, "u", C, CUT_S + 20, SHOAL_PV); /* as the one before: none */
    append(dataset, "u", A, CUT_S + 30, SHOAL_BUY); /* rank 1, for purchases 4; had before */
    append(dataset, "v", F, CUT_S + 40, SHOAL_PV); /* a miss */
    append(dataset, "v", G, CUT_S + 50, SHOAL_PV); /* never seen: left out */
    append(dataset, "x", B, CUT_S + 60, SHOAL_PV); /* no history: none */
    append(dataset, "v", E, CUT_S + 70, SHOAL_PV); /* rank 4 */
    cr_assert_eq(shoal_dataset_group(dataset), SHOAL_OK);
}

static void assert_target(const struct shoal_items_evaluation *evaluation,
                          const struct shoal_dataset *dataset, size_t i, int second, uint32_t history,
                          uint32_t rank, uint32_t rank_buy, bool is_new)
{
    const struct shoal_item_target *target = &evaluation->targets[i];
    cr_assert_eq(dataset->touches[target->event].time_ms, second * 1000);
    cr_assert_eq(target->history, history);
    cr_assert_eq(target->rank, rank, "target %zu: %u", i, target->rank);
    cr_assert_eq(target->rank_buy, rank_buy);
    cr_assert_eq(target->is_new, is_new);
}

static void assert_value(const struct shoal_item_judgement *judgement, enum shoal_item_measure measure,
                         double wanted)
{
    cr_assert(fabs(judgement->values[measure] - wanted) < 1e-12, "%s is %g, not %g",
              shoal_item_measure_name(measure), judgement->values[measure], wanted);
    cr_assert(judgement->intervals[measure].low <= wanted + 1e-12 &&
              judgement->intervals[measure].high >= wanted - 1e-12);
}

Test(evaluate_items, a_small_log_gives_what_is_counted_by_hand)
{
    struct shoal_dataset dataset;
    struct shoal_items_evaluation evaluation;
    struct shoal_model *model = make_model();
    struct shoal_message why = {""};
    const struct shoal_items_evaluate_options options = {
        .from_ms = CUT_S * 1000, .until_ms = INT64_MAX, .seed = 1};
    make_log(&dataset);
    cr_assert_eq(shoal_items_evaluate(model, &dataset, &options, &evaluation, &why), SHOAL_OK, "%s",
                 why.text);
    cr_assert_eq(evaluation.count, 5);
    cr_assert_eq(evaluation.unseen, 1);
    cr_assert_eq(evaluation.missing, 1);
    assert_target(&evaluation, &dataset, 0, CUT_S, 3, 2, SHOAL_MISS, true);
    assert_target(&evaluation, &dataset, 1, CUT_S + 10, 2, 0, SHOAL_MISS, true);
    assert_target(&evaluation, &dataset, 2, CUT_S + 30, 4, 1, 4, false);
    assert_target(&evaluation, &dataset, 3, CUT_S + 40, 4, SHOAL_MISS, SHOAL_MISS, true);
    assert_target(&evaluation, &dataset, 4, CUT_S + 70, 6, 4, SHOAL_MISS, true);
    const struct shoal_item_judgement *all = &evaluation.model[SHOAL_ITEM_GROUP_ALL];
    cr_assert_eq(all->count, 5);
    assert_value(all, SHOAL_ITEM_MEASURE_hr10, 0.8);
    assert_value(all, SHOAL_ITEM_MEASURE_hr20, 0.8);
    assert_value(all, SHOAL_ITEM_MEASURE_ndcg10, (0.5 + 1 + 1 / log2(3) + 1 / log2(6)) / 5);
    assert_value(all, SHOAL_ITEM_MEASURE_mrr20, (1.0 / 3 + 1 + 0.5 + 0.2) / 5);
    assert_value(&evaluation.model[SHOAL_ITEM_GROUP_BUY], SHOAL_ITEM_MEASURE_mrr20, 0.2);
    assert_value(&evaluation.model[SHOAL_ITEM_GROUP_NEW], SHOAL_ITEM_MEASURE_hr20, 0.75);
    cr_assert_eq(evaluation.model[SHOAL_ITEM_GROUP_SHORT].count, 5);
    /* popularity: B, A, then C D E F by hash */
    cr_assert_eq(evaluation.targets[2].rank_popular, 1);
    cr_assert_eq(evaluation.popular[SHOAL_ITEM_GROUP_BUY].values[SHOAL_ITEM_MEASURE_mrr20], 0.5);
    assert_value(&evaluation.difference[SHOAL_ITEM_GROUP_BUY], SHOAL_ITEM_MEASURE_mrr20, -0.3);
    shoal_items_evaluation_finish(&evaluation);
    shoal_dataset_finish(&dataset);
    shoal_model_destroy(model);
}

Test(evaluate_items, until_bounds_what_is_judged_and_nothing_to_judge_is_said)
{
    struct shoal_dataset dataset;
    struct shoal_items_evaluation evaluation;
    struct shoal_model *model = make_model();
    struct shoal_message why = {""};
    struct shoal_items_evaluate_options options = {
        .from_ms = CUT_S * 1000, .until_ms = (CUT_S + 10) * 1000, .seed = 1};
    make_log(&dataset);
    cr_assert_eq(shoal_items_evaluate(model, &dataset, &options, &evaluation, &why), SHOAL_OK);
    cr_assert_eq(evaluation.count, 1);
    cr_assert_eq(evaluation.model[SHOAL_ITEM_GROUP_BUY].count, 0);
    cr_assert(isnan(evaluation.model[SHOAL_ITEM_GROUP_BUY].values[0]));
    shoal_items_evaluation_finish(&evaluation);
    options.from_ms = 9000000;
    options.until_ms = INT64_MAX;
    cr_assert_eq(shoal_items_evaluate(model, &dataset, &options, &evaluation, &why), SHOAL_TOO_FEW);
    cr_assert(why.text[0]);
    shoal_items_evaluation_finish(&evaluation);
    shoal_dataset_finish(&dataset);
    shoal_model_destroy(model);
}
