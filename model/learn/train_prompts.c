/* SPDX-License-Identifier: Apache-2.0 */
/* Two parts by time, and each λ; see train_prompts.h. */
#include "model/learn/train_prompts.h"

#include <stdlib.h>
#include <string.h>

enum { TUNED_MIN = 50, JUDGED_MIN = 25 };

enum { LAMBDAS = 3 };

static const float lambdas[LAMBDAS] = {1e-3f, 1e-2f, 1e-1f};
static const double TUNED_SHARE = 2.0 / 3;

static const struct {
    const char *name;
    unsigned parts;
    float lambda, short_weight;
} variants[SHOAL_PROMPT_VARIANTS] = {
#define X(name, parts, lambda, weight) {#name, (parts), (lambda), (weight)},
    SHOAL_PROMPT_VARIANT_LIST(X)
#undef X
};

const char *shoal_prompt_variant_name(enum shoal_prompt_variant variant)
{
    return variants[variant].name;
}

/* Some of the asked, with what belongs to them. */
struct part {
    struct shoal_item_asked asked;
    size_t *last;            /* owned, as all below */
    uint32_t *targets;
    float *states, *rates;
};

static void part_finish(struct part *part)
{
    free(part->last);
    free(part->targets);
    free(part->states);
    free(part->rates);
    *part = (struct part){.last = NULL};
}

static int64_t time_of(const struct shoal_item_asked *asked, size_t target)
{
    return asked->dataset->touches[asked->last[target] + 1].time_ms;
}

/* Those with from_ms ≤ time < until_ms. */
static enum shoal_status part_init(struct part *part, const struct shoal_item_asked *asked,
                                   int64_t from_ms, int64_t until_ms)
{
    size_t count = asked->count, hidden = asked->hidden, kept = 0;
    *part = (struct part){.asked = *asked};
    part->last = malloc((count + 1) * sizeof *part->last);
    part->targets = malloc((count + 1) * sizeof *part->targets);
    part->states = malloc((count + 1) * hidden * sizeof *part->states);
    part->rates = malloc((count + 1) * SHOAL_COUNTERS * sizeof *part->rates);
    if (!part->last || !part->targets || !part->states || !part->rates) {
        part_finish(part);
        return SHOAL_NOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        if (time_of(asked, i) < from_ms || time_of(asked, i) >= until_ms)
            continue;
        part->last[kept] = asked->last[i];
        part->targets[kept] = asked->targets[i];
        memcpy(part->states + kept * hidden, asked->states + i * hidden, hidden * sizeof(float));
        memcpy(part->rates + kept * SHOAL_COUNTERS, asked->rates + i * SHOAL_COUNTERS,
               SHOAL_COUNTERS * sizeof(float));
        kept++;
    }
    part->asked.last = part->last;
    part->asked.targets = part->targets;
    part->asked.states = part->states;
    part->asked.rates = part->rates;
    part->asked.count = kept;
    return SHOAL_OK;
}

static int by_time(const void *a, const void *b)
{
    const int64_t *left = a, *right = b;
    return (*left > *right) - (*left < *right);
}

/* The time before which the share to be tuned on lies. */
static enum shoal_status find_cut(const struct shoal_item_asked *asked, int64_t *cut_ms)
{
    int64_t *times = malloc((asked->count + 1) * sizeof *times);
    if (!times)
        return SHOAL_NOMEM;
    for (size_t i = 0; i < asked->count; i++)
        times[i] = time_of(asked, i);
    qsort(times, asked->count, sizeof *times, by_time);
    *cut_ms = asked->count ? times[(size_t)((double)asked->count * TUNED_SHARE)] : 0;
    free(times);
    return SHOAL_OK;
}

/* The parts of all goals, and what is made of them. */
struct tuning {
    const struct shoal_model *model;
    const struct shoal_items *items;
    const struct shoal_prompt_options *options;
    struct part parts[SHOAL_ITEM_GOALS][2]; /* tuned, judged */
};

static enum shoal_status tune_once(const struct tuning *tuning, enum shoal_item_goal goal,
                                   const struct shoal_prompt_options *options, const float *from,
                                   struct shoal_prompts *prompts, struct shoal_prompt_report *report)
{
    const struct part *parts = tuning->parts[goal];
    return shoal_prompt_tune(tuning->model, tuning->items, goal, &parts[0].asked, &parts[1].asked, options,
                             from, prompts, report);
}

/* Every λ of the list; the block of the best. */
static enum shoal_status find_lambda(const struct tuning *tuning, enum shoal_item_goal goal,
                                     const float *from, struct shoal_prompts *prompts,
                                     struct shoal_prompts_goal_report *report)
{
    size_t bytes = shoal_prompt_block(prompts->hidden) * sizeof(float);
    struct shoal_prompt_report *best_report = &report->tuned[SHOAL_PROMPT_VARIANT_all];
    float *best = malloc(bytes);
    enum shoal_status status = best ? SHOAL_OK : SHOAL_NOMEM;
    for (size_t l = 0; status == SHOAL_OK && l < LAMBDAS; l++) {
        struct shoal_prompt_options one = *tuning->options;
        struct shoal_prompt_report tuned;
        one.lambda = lambdas[l];
        status = tune_once(tuning, goal, &one, from, prompts, &tuned);
        if (l == 0 || tuned.all.after < best_report->all.after) {
            *best_report = tuned;
            report->lambda = one.lambda;
            memcpy(best, prompts->blocks[goal], bytes);
        }
    }
    if (status == SHOAL_OK) {
        prompts->parts[goal] = best_report->kept ? tuning->options->parts : 0;
        memcpy(prompts->blocks[goal], best, bytes);
    }
    free(best);
    return status;
}

static enum shoal_status tune_variant(const struct tuning *tuning, enum shoal_item_goal goal,
                                      enum shoal_prompt_variant variant, const float *from,
                                      struct shoal_prompts *prompts,
                                      struct shoal_prompts_goal_report *report)
{
    struct shoal_prompt_options options = *tuning->options;
    if (variant == SHOAL_PROMPT_VARIANT_all && options.lambda < 0)
        return find_lambda(tuning, goal, from, prompts, report);
    if (variant == SHOAL_PROMPT_VARIANT_all)
        report->lambda = options.lambda;
    else
        options.parts = variants[variant].parts;
    options.lambda = variants[variant].lambda >= 0 ? variants[variant].lambda : report->lambda;
    if (variants[variant].short_weight >= 0)
        options.short_weight = variants[variant].short_weight;
    return tune_once(tuning, goal, &options, from, prompts, &report->tuned[variant]);
}

static bool enough(const struct tuning *tuning, int goal)
{
    return tuning->parts[goal][0].asked.count >= TUNED_MIN &&
           tuning->parts[goal][1].asked.count >= JUDGED_MIN;
}

/* A variant for both goals; NULL if neither keeps it. */
static enum shoal_status make_variant(const struct tuning *tuning, enum shoal_prompt_variant variant,
                                      struct shoal_prompts **prompts,
                                      struct shoal_train_prompts_report *report)
{
    struct shoal_prompts *made = shoal_prompts_create(tuning->items->hidden);
    enum shoal_status status = made ? SHOAL_OK : SHOAL_NOMEM;
    const float *from = NULL;
    for (int g = 0; status == SHOAL_OK && g < SHOAL_ITEM_GOALS; g++) {
        if (!enough(tuning, g))
            continue;
        status = tune_variant(tuning, (enum shoal_item_goal)g, variant, from, made, &report->goals[g]);
        if (status == SHOAL_OK && made->parts[g])
            from = made->blocks[g];
    }
    if (status != SHOAL_OK || (!made->parts[SHOAL_GOAL_ANY] && !made->parts[SHOAL_GOAL_BUY])) {
        shoal_prompts_destroy(made);
        return status;
    }
    report->weights = shoal_prompts_count(made);
    *prompts = made;
    return SHOAL_OK;
}

static enum shoal_status cut_goal(struct tuning *tuning, int goal, const struct shoal_item_asked *asked,
                                  struct shoal_prompts_goal_report *report)
{
    int64_t cut_ms;
    enum shoal_status status = find_cut(asked, &cut_ms);
    if (status == SHOAL_OK)
        status = part_init(&tuning->parts[goal][0], asked, INT64_MIN, cut_ms);
    if (status == SHOAL_OK)
        status = part_init(&tuning->parts[goal][1], asked, cut_ms, INT64_MAX);
    report->learnt = tuning->parts[goal][0].asked.count;
    report->judged = tuning->parts[goal][1].asked.count;
    return status;
}

enum shoal_status shoal_train_prompts(const struct shoal_model *model, const struct shoal_items *items,
                                      const struct shoal_item_asked asked[SHOAL_ITEM_GOALS],
                                      const struct shoal_prompt_options *options, bool each,
                                      struct shoal_prompts *prompts[SHOAL_PROMPT_VARIANTS],
                                      struct shoal_train_prompts_report *report)
{
    struct tuning tuning = {.model = model, .items = items, .options = options};
    enum shoal_status status = SHOAL_OK;
    *report = (struct shoal_train_prompts_report){.each = each};
    for (int v = 0; v < SHOAL_PROMPT_VARIANTS; v++)
        prompts[v] = NULL;
    for (int g = 0; status == SHOAL_OK && g < SHOAL_ITEM_GOALS; g++)
        if (asked[g].count)
            status = cut_goal(&tuning, g, &asked[g], &report->goals[g]);
    for (int v = 0; status == SHOAL_OK && v < (each ? SHOAL_PROMPT_VARIANTS : 1); v++)
        status = make_variant(&tuning, (enum shoal_prompt_variant)v, &prompts[v], report);
    for (int g = 0; g < SHOAL_ITEM_GOALS; g++)
        for (int p = 0; p < 2; p++)
            part_finish(&tuning.parts[g][p]);
    for (int v = 0; status != SHOAL_OK && v < SHOAL_PROMPT_VARIANTS; v++) {
        shoal_prompts_destroy(prompts[v]);
        prompts[v] = NULL;
    }
    return status;
}
