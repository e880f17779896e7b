/* SPDX-License-Identifier: Apache-2.0 */
/* Two parts by time, and each λ; see train_prompts.h. */
#include "model/learn/train_prompts.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TUNED_MIN = 50, JUDGED_MIN = 25 };

static const float lambdas[] = {1e-3f, 1e-2f, 1e-1f};
static const double TUNED_SHARE = 2.0 / 3;

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

static enum shoal_status tune(const struct shoal_model *model, const struct shoal_items *items,
                              enum shoal_item_goal goal, const struct part parts[2],
                              const struct shoal_prompt_options *options, struct shoal_prompts *prompts,
                              struct shoal_prompts_goal_report *report)
{
    if (getenv("PROMPTS_GRID")) { //XX
        char *grid = strdup(getenv("PROMPTS_GRID"));
        for (char *one = strtok(grid, ";"); one; one = strtok(NULL, ";")) {
            struct shoal_prompt_options o = *options;
            struct shoal_prompt_report t;
            float l, r, s, d; unsigned pa, ep, b;
            if (sscanf(one, "%f:%f:%u:%f:%u:%f:%u", &l, &r, &pa, &s, &ep, &d, &b) != 7) continue;
            o.lambda = l; o.rate = r; o.parts = pa; o.short_weight = s; o.epochs = ep; o.decay = d; o.patience = 3; o.batch=b;
            if (shoal_prompt_tune(model, items, goal, &parts[0].asked, &parts[1].asked, &o, prompts, &t)) continue;
            fprintf(stderr, "GRID goal %d %s learn %zu judge %zu loss %.4f %+.4f short %.4f %+.4f best %u/%u spread %.3f\n",
                    (int)goal, one, parts[0].asked.count, parts[1].asked.count, t.before, t.after - t.before, t.short_before, t.short_after - t.short_before, t.best, t.epochs, t.spread);
        }
        free(grid);
    } //XX
    size_t bytes = shoal_prompt_block(prompts->hidden) * sizeof(float);
    float *best = malloc(bytes);
    enum shoal_status status = best ? SHOAL_OK : SHOAL_NOMEM;
    for (size_t l = 0; status == SHOAL_OK && l < sizeof lambdas / sizeof lambdas[0]; l++) {
        struct shoal_prompt_options one = *options;
        struct shoal_prompt_report tuned;
        one.lambda = options->lambda >= 0 ? options->lambda : lambdas[l];
        status = shoal_prompt_tune(model, items, goal, &parts[0].asked, &parts[1].asked, &one, prompts,
                                   &tuned);
        if (getenv("PROMPTS_DEBUG"))
            fprintf(stderr, "goal %d lambda %g learn %zu judge %zu loss %.4f -> %.4f short %.4f -> %.4f best %u of %u spread %.3f\n",
                    (int)goal, (double)one.lambda, parts[0].asked.count, parts[1].asked.count,
                    tuned.before, tuned.after, tuned.short_before, tuned.short_after, tuned.best,
                    tuned.epochs, tuned.spread);
        if (status == SHOAL_OK && (l == 0 || tuned.after < report->tuned.after)) {
            report->tuned = tuned;
            report->lambda = one.lambda;
            memcpy(best, prompts->blocks[goal], bytes);
        }
        if (options->lambda >= 0)
            break;
    }
    if (status == SHOAL_OK) {
        memcpy(prompts->blocks[goal], best, bytes);
        prompts->parts[goal] = report->tuned.best ? options->parts : 0;
    }
    free(best);
    return status;
}

static enum shoal_status tune_goal(const struct shoal_model *model, const struct shoal_items *items,
                                   enum shoal_item_goal goal, const struct shoal_item_asked *asked,
                                   const struct shoal_prompt_options *options,
                                   struct shoal_prompts *prompts,
                                   struct shoal_prompts_goal_report *report)
{
    struct part parts[2] = {{.last = NULL}, {.last = NULL}};
    int64_t cut_ms;
    enum shoal_status status = find_cut(asked, &cut_ms);
    if (status == SHOAL_OK)
        status = part_init(&parts[0], asked, INT64_MIN, cut_ms);
    if (status == SHOAL_OK)
        status = part_init(&parts[1], asked, cut_ms, INT64_MAX);
    report->learnt = parts[0].asked.count;
    report->judged = parts[1].asked.count;
    if (status == SHOAL_OK && report->learnt >= TUNED_MIN && report->judged >= JUDGED_MIN)
        status = tune(model, items, goal, parts, options, prompts, report);
    part_finish(&parts[0]);
    part_finish(&parts[1]);
    return status;
}

enum shoal_status shoal_train_prompts(const struct shoal_model *model, const struct shoal_items *items,
                                      const struct shoal_item_asked asked[SHOAL_ITEM_GOALS],
                                      const struct shoal_prompt_options *options,
                                      struct shoal_prompts **prompts,
                                      struct shoal_train_prompts_report *report)
{
    struct shoal_prompts *made = shoal_prompts_create(items->hidden);
    enum shoal_status status = made ? SHOAL_OK : SHOAL_NOMEM;
    *prompts = NULL;
    *report = (struct shoal_train_prompts_report){.weights = 0};
    for (int g = 0; status == SHOAL_OK && g < SHOAL_ITEM_GOALS; g++)
        if (asked[g].count)
            status = tune_goal(model, items, (enum shoal_item_goal)g, &asked[g], options, made,
                               &report->goals[g]);
    bool any = made && (made->parts[SHOAL_GOAL_ANY] || made->parts[SHOAL_GOAL_BUY]);
    if (status != SHOAL_OK || !any) {
        shoal_prompts_destroy(made);
        return status;
    }
    report->weights = shoal_prompts_count(made);
    *prompts = made;
    return SHOAL_OK;
}
