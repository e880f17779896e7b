/* SPDX-License-Identifier: Apache-2.0 */
/* Tuning of prompts: its gradient against finite differences, a log in which only the hour says who comes, and the
 * same bits again. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "model/learn/train_prompts.h"
#include "tests/model/tiny_items.h"

enum { ITEMS = 12, WIDTH = 8, USERS = 7, HOUR_MS = 3600000 };

static const int64_t START_MS = INT64_C(1511654400000); /* a midnight */

/* Everything that is asked of a log, after the second-last event of each user. */
struct log {
    struct shoal_model *model;
    struct shoal_items *items;
    struct shoal_dataset dataset;
    size_t *last;
    uint32_t *targets;
    float *states, *rates;
    struct shoal_item_asked asked;
};

static void ask(struct log *log)
{
    size_t users = log->dataset.users_count, hidden = log->model->params.dims.hidden;
    log->last = calloc(users, sizeof *log->last);
    log->targets = calloc(users, sizeof *log->targets);
    log->states = calloc(users * hidden, sizeof *log->states);
    log->rates = calloc(users * SHOAL_COUNTERS, sizeof *log->rates);
    for (size_t u = 0; u < users; u++) {
        size_t target = log->dataset.first[u + 1] - 1;
        log->last[u] = target - 1;
        cr_assert(shoal_items_find(log->items, log->dataset.touches[target].item, &log->targets[u]));
    }
    cr_assert_eq(shoal_item_states(log->model, &log->dataset, log->last, users, log->states), SHOAL_OK);
    cr_assert_eq(shoal_item_rates(log->model, &log->dataset, log->last, users, log->rates), SHOAL_OK);
    log->asked = (struct shoal_item_asked){
        .dataset = &log->dataset,
        .last = log->last,
        .targets = log->targets,
        .count = users,
        .states = log->states,
        .rates = log->rates,
        .hidden = hidden,
        .ring = log->model->params.dims.ring,
    };
}

static void begin(struct log *log)
{
    struct shoal_dims dims = tiny_dims();
    *log = (struct log){.model = tiny_model(&dims, 3), .items = tiny_items(ITEMS, WIDTH, dims.hidden, 5)};
    cr_assert(log->model && log->items);
    shoal_dataset_init(&log->dataset, dims.ring);
}

static void add(struct log *log, size_t user, int64_t time_ms, uint32_t item, enum shoal_behavior behavior)
{
    char id[16];
    int size = snprintf(id, sizeof id, "u%zu", user);
    const struct shoal_touch touch = {.time_ms = time_ms,
                                      .item = tiny_item_hash(item),
                                      .category = (uint16_t)(1 + item % 3),
                                      .behavior = (uint8_t)behavior,
                                      .price_level = (uint8_t)(item % 5 * 4)};
    cr_assert_eq(shoal_dataset_append(&log->dataset, id, (size_t)size, &touch, 0), SHOAL_OK);
}

static void end(struct log *log)
{
    shoal_model_destroy(log->model);
    shoal_items_destroy(log->items);
    shoal_dataset_finish(&log->dataset);
    free(log->last);
    free(log->targets);
    free(log->states);
    free(log->rates);
}

/* Users with 1 to 7 events before the target, of which the ring keeps four. */
static void make_any(struct log *log)
{
    uint64_t state = 11;
    begin(log);
    for (size_t u = 0; u < USERS; u++)
        for (size_t k = 0; k < u + 2; k++) {
            uint32_t item = (uint32_t)((double)(tiny_random(&state) + 1) / 2 * (ITEMS - 1));
            add(log, u, START_MS + (int64_t)(u * 5 + k) * HOUR_MS, item, (enum shoal_behavior)(k % 4));
        }
    cr_assert_eq(shoal_dataset_group(&log->dataset), SHOAL_OK);
    ask(log);
}

static float *random_block(size_t size, float scale)
{
    uint64_t state = 99;
    float *block = aligned_alloc(64, size * sizeof *block);
    for (size_t i = 0; i < size; i++)
        block[i] = scale * tiny_random(&state);
    return block;
}

static double loss_at(const struct log *log, const struct shoal_prompt_options *options,
                      const float *block, float *gradient)
{
    double loss;
    cr_assert_eq(shoal_prompt_gradient(log->model, log->items, SHOAL_GOAL_BUY, &log->asked, options,
                                       block, gradient, &loss),
                 SHOAL_OK);
    return loss;
}

Test(prompt_tune, gradient_of_every_weight_is_that_of_finite_differences)
{
    struct log log;
    make_any(&log);
    size_t hidden = log.items->hidden, size = shoal_prompt_block(hidden);
    size_t used = SHOAL_PROMPT_UNITS * (SHOAL_PROMPT_STATISTICS + 1) +
                  SHOAL_PROMPT_OUTPUTS * hidden * (SHOAL_PROMPT_UNITS + 1);
    float *block = random_block(size, 0.2f), *gradient = random_block(size, 0);
    float *ignored = random_block(size, 0);
    struct shoal_prompt_options options = shoal_prompt_options_default();
    options.lambda = 0.05f;
    options.short_weight = 1.5f;
    (void)loss_at(&log, &options, block, gradient);
    double largest = 0;
    for (size_t i = 0; i < used; i++)
        largest = fmax(largest, fabs((double)gradient[i]));
    cr_assert_gt(largest, 0.01);
    const float step = 0x1p-6f;
    for (size_t i = 0; i < used; i += i < 900 ? 7 : 37) {
        float kept = block[i];
        block[i] = kept + step;
        double above = loss_at(&log, &options, block, ignored);
        block[i] = kept - step;
        double below = loss_at(&log, &options, block, ignored);
        block[i] = kept;
        double expected = (above - below) / (2 * (double)step);
        cr_assert_float_eq((double)gradient[i], expected, 3e-4 + 0.01 * fabs(expected),
                           "weight %zu: %g, by differences %g", i, (double)gradient[i], expected);
    }
    free(block);
    free(gradient);
    free(ignored);
    end(&log);
}

Test(prompt_tune, parts_that_are_not_asked_for_get_no_gradient)
{
    struct log log;
    make_any(&log);
    size_t hidden = log.items->hidden, size = shoal_prompt_block(hidden);
    float *block = random_block(size, 0.2f), *gradient = random_block(size, 0);
    struct shoal_prompt_generator within = shoal_prompt_generator_in(gradient, hidden);
    struct shoal_prompt_options options = shoal_prompt_options_default();
    const unsigned parts[] = {SHOAL_PROMPT_START, SHOAL_PROMPT_GATES, SHOAL_PROMPT_STATE};
    const size_t bounds[] = {SHOAL_PROMPT_AT_START_H, SHOAL_PROMPT_AT_GATES, SHOAL_PROMPT_AT_STATE,
                             SHOAL_PROMPT_OUTPUTS};
    for (size_t p = 0; p < 3; p++) {
        options.parts = parts[p];
        (void)loss_at(&log, &options, block, gradient);
        bool own = false;
        for (size_t i = 0; i < SHOAL_PROMPT_OUTPUTS * hidden; i++) {
            bool inside = i >= bounds[p] * hidden && i < bounds[p + 1] * hidden;
            own = own || (inside && within.outer_bias[i] != 0);
            if (!inside)
                cr_assert_eq(within.outer_bias[i], 0, "part %zu, output %zu", p, i);
        }
        cr_assert(own, "part %zu learns", p);
    }
    free(block);
    free(gradient);
    end(&log);
}

/* Morning people and evening people look at one item, 0, and go on to different ones: 4 or 5. */
static void make_two_peoples(struct log *log, size_t users, uint64_t seed)
{
    uint64_t state = seed;
    begin(log);
    for (size_t u = 0; u < users; u++) {
        bool evening = tiny_random(&state) > 0;
        int64_t hour = (evening ? 18 : 6) + (int64_t)(u % 4);
        int64_t at = START_MS + (int64_t)(u / 4) * 24 * HOUR_MS + hour * HOUR_MS;
        add(log, u, at, 0, SHOAL_PV);
        add(log, u, at + 60000, evening ? 5 : 4, SHOAL_PV);
    }
    cr_assert_eq(shoal_dataset_group(&log->dataset), SHOAL_OK);
    /* the frozen network has not learnt what the hour means */
    struct shoal_params *params = &log->model->params;
    size_t columns = 4 * params->dims.hidden, inputs = shoal_dims_inputs(&params->dims);
    size_t numeric = inputs - SHOAL_NUMERIC;
    memset(params->gates_weight + numeric * columns, 0, SHOAL_NUMERIC * columns * sizeof(float));
    ask(log);
}

/* Share of the users whose item comes before that of the other people. */
static double told_apart(const struct log *log, struct shoal_items *items)
{
    uint32_t own[400], others[400], other_items[400];
    struct shoal_item_asked other = log->asked;
    size_t apart = 0;
    cr_assert_leq(log->asked.count, 400);
    for (size_t i = 0; i < other.count; i++)
        other_items[i] = log->targets[i] == 4 ? 5 : 4;
    other.targets = other_items;
    cr_assert_eq(shoal_item_ranks(items, &log->asked, SHOAL_GOAL_ANY, own), SHOAL_OK);
    cr_assert_eq(shoal_item_ranks(items, &other, SHOAL_GOAL_ANY, others), SHOAL_OK);
    for (size_t i = 0; i < log->asked.count; i++)
        apart += own[i] < others[i];
    return (double)apart / (double)log->asked.count;
}

Test(prompt_tune, prompts_tell_peoples_apart_whose_histories_do_not)
{
    struct log learn, judge;
    make_two_peoples(&learn, 400, 1);
    make_two_peoples(&judge, 200, 2);
    const unsigned parts[] = {SHOAL_PROMPT_PARTS, SHOAL_PROMPT_START, SHOAL_PROMPT_GATES,
                              SHOAL_PROMPT_STATE};
    for (size_t p = 0; p < sizeof parts / sizeof parts[0]; p++) {
        struct shoal_prompt_options options = shoal_prompt_options_default();
        struct shoal_prompt_report report, again_report;
        struct shoal_prompts *prompts = shoal_prompts_create(learn.items->hidden);
        struct shoal_prompts *again = shoal_prompts_create(learn.items->hidden);
        options.parts = parts[p];
        options.lambda = 0;
        options.rate = 0.02f;
        options.epochs = 15;
        options.batch = 32;
        cr_assert_eq(shoal_prompt_tune(learn.model, learn.items, SHOAL_GOAL_ANY, &learn.asked,
                                       &judge.asked, &options, NULL, prompts, &report),
                     SHOAL_OK);
        cr_assert_eq(shoal_prompt_tune(learn.model, learn.items, SHOAL_GOAL_ANY, &learn.asked,
                                       &judge.asked, &options, NULL, again, &again_report),
                     SHOAL_OK);
        size_t bytes = shoal_prompt_block(prompts->hidden) * sizeof(float);
        cr_assert_eq(memcmp(prompts->blocks[0], again->blocks[0], bytes), 0, "not the same again");
        cr_assert(report.kept && prompts->parts[0] == parts[p]);
        cr_assert_gt(report.brief.gain - 2 * report.brief.error, 0.3, "parts %u: %g to %g", parts[p],
                     report.brief.before, report.brief.after);
        struct shoal_prompt_gain all, brief;
        cr_assert_eq(shoal_prompt_judge(judge.model, judge.items, SHOAL_GOAL_ANY, &judge.asked, prompts,
                                        &all, &brief),
                     SHOAL_OK);
        cr_assert_float_eq(all.after, report.all.after, 1e-9);
        cr_assert_gt(report.ndcg_gain, 2 * report.ndcg_error);
        cr_assert_eq(all.count, judge.asked.count);
        double without = told_apart(&judge, judge.items);
        cr_assert(without > 0.4 && without < 0.6, "without prompts: %g", without);
        judge.items->prompts = prompts;
        shoal_items_bind(judge.items, judge.model);
        double with = told_apart(&judge, judge.items);
        cr_assert_gt(with, 0.95, "parts %u: %g", parts[p], with);
        judge.items->prompts = NULL;
        shoal_prompts_destroy(prompts);
        shoal_prompts_destroy(again);
    }
    end(&learn);
    end(&judge);
}

Test(prompt_tune, what_helps_nobody_is_not_kept)
{
    struct log learn, judge;
    make_two_peoples(&learn, 64, 1);
    make_two_peoples(&judge, 64, 2);
    for (size_t i = 0; i < judge.asked.count; i++) /* after the cut it is the other way round */
        judge.targets[i] = judge.targets[i] == 4 ? 5 : 4;
    for (size_t i = 0; i < learn.asked.count; i++)
        learn.targets[i] = learn.targets[i] == 4 ? 4 : 6;
    struct shoal_prompt_options options = shoal_prompt_options_default();
    struct shoal_prompt_report report;
    struct shoal_prompts *prompts = shoal_prompts_create(learn.items->hidden);
    options.rate = 0.05f;
    options.batch = 8;
    cr_assert_eq(shoal_prompt_tune(learn.model, learn.items, SHOAL_GOAL_ANY, &learn.asked, &judge.asked,
                                   &options, NULL, prompts, &report),
                 SHOAL_OK);
    cr_assert(!report.kept, "%g to %g", report.all.before, report.all.after);
    cr_assert_eq(prompts->parts[SHOAL_GOAL_ANY], 0);
    shoal_prompts_destroy(prompts);
    end(&learn);
    end(&judge);
}

Test(prompt_tune, each_variant_is_judged_on_what_comes_last_and_too_few_purchases_have_none)
{
    struct log log;
    make_two_peoples(&log, 300, 3);
    struct shoal_item_asked asked[SHOAL_ITEM_GOALS] = {log.asked, log.asked};
    struct shoal_prompt_options options = shoal_prompt_options_default();
    struct shoal_train_prompts_report report;
    struct shoal_prompts *prompts[SHOAL_PROMPT_VARIANTS];
    asked[SHOAL_GOAL_BUY].count = 60; /* 40 to tune on */
    options.lambda = 0;
    options.rate = 0.02f;
    options.batch = 32;
    cr_assert_eq(shoal_train_prompts(log.model, log.items, asked, &options, true, prompts, &report), SHOAL_OK);
    cr_assert_eq(report.goals[SHOAL_GOAL_ANY].learnt, 200);
    cr_assert_eq(report.goals[SHOAL_GOAL_ANY].judged, 100);
    cr_assert_eq(report.goals[SHOAL_GOAL_BUY].tuned[0].all.count, 0);
    const struct shoal_prompt_report *tuned = report.goals[SHOAL_GOAL_ANY].tuned;
    for (int v = 0; v < SHOAL_PROMPT_VARIANTS; v++) {
        cr_assert_eq(tuned[v].all.count, 100, "%s", shoal_prompt_variant_name((enum shoal_prompt_variant)v));
        cr_assert(tuned[v].kept && prompts[v]);
        cr_assert_eq(prompts[v]->parts[SHOAL_GOAL_BUY], 0);
    }
    /* one prompt for all can say that both items come, not which */
    cr_assert_lt(tuned[SHOAL_PROMPT_VARIANT_all].all.after, 0.5);
    cr_assert_gt(tuned[SHOAL_PROMPT_VARIANT_shared].all.after, 0.6);
    for (int v = 0; v < SHOAL_PROMPT_VARIANTS; v++)
        shoal_prompts_destroy(prompts[v]);
    end(&log);
}
