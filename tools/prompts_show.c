/* SPDX-License-Identifier: Apache-2.0 */
/* What a training is told and says of prompts; see prompts_show.h. */
#include "tools/prompts_show.h"

#include <string.h>

static const struct {
    const char *name;
    unsigned parts;
} names[] = {
    {"off", 0},
    {"on", SHOAL_PROMPT_PARTS},
    {"each", SHOAL_PROMPT_PARTS},
    {"start", SHOAL_PROMPT_START},
    {"gates", SHOAL_PROMPT_GATES},
    {"state", SHOAL_PROMPT_STATE},
};

enum { NAMES = sizeof names / sizeof names[0], WHOLE = 3 }; /* the first of them stand alone */

/* "start,gates" to bits; false if it is not a list of names. */
static bool read_parts(const char *text, unsigned *parts)
{
    *parts = 0;
    for (size_t n = 0; n < WHOLE; n++)
        if (strcmp(text, names[n].name) == 0) {
            *parts = names[n].parts;
            return true;
        }
    for (;;) {
        size_t size = strcspn(text, ","), n = WHOLE;
        while (n < NAMES && (strlen(names[n].name) != size || memcmp(names[n].name, text, size) != 0))
            n++;
        if (n == NAMES)
            return false;
        *parts |= names[n].parts;
        if (!text[size])
            return true;
        text += size + 1;
    }
}

bool shoal_prompts_wanted(const struct shoal_cli_args *args, bool *wanted, bool *each,
                          struct shoal_prompt_options *options)
{
    const char *text = shoal_cli_get(args, "prompts");
    double lambda, short_weight;
    *options = shoal_prompt_options_default();
    if (!shoal_cli_real(args, "prompts-lambda", -1, 1000, &lambda) ||
        !shoal_cli_real(args, "prompts-short", 0, 1000, &short_weight))
        return false;
    if (!read_parts(text, &options->parts)) {
        (void)shoal_cli_fail(args, SHOAL_EXIT_USAGE,
                             "--prompts: '%s' is neither off nor on nor each nor a list of start, gates, state",
                             text);
        return false;
    }
    options->lambda = (float)lambda;
    options->short_weight = (float)short_weight;
    *wanted = options->parts != 0;
    *each = strcmp(text, "each") == 0;
    if (*wanted && strcmp(shoal_cli_get(args, "items"), "off") == 0) {
        (void)shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--prompts goes with --items");
        return false;
    }
    return true;
}

static void show_variant(const struct shoal_prompts_goal_report *report,
                         enum shoal_prompt_variant variant, FILE *out)
{
    const struct shoal_prompt_report *tuned = &report->tuned[variant];
    fprintf(out, "            %-7s %s; loss less by %+.4f ± %.4f", shoal_prompt_variant_name(variant),
            tuned->kept ? "kept" : "not kept", tuned->all.gain, 1.96 * tuned->all.error);
    if (tuned->brief.count)
        fprintf(out, ", short histories %+.4f ± %.4f of %zu", tuned->brief.gain,
                1.96 * tuned->brief.error, tuned->brief.count);
    fprintf(out, "; NDCG@20 %+.4f ± %.4f; epoch %u of %u, spread %.3g\n", tuned->ndcg_gain,
            1.96 * tuned->ndcg_error, tuned->best, tuned->epochs, tuned->spread);
}

static void show_goal(const struct shoal_prompts_goal_report *report, enum shoal_item_goal goal,
                      bool each, FILE *out)
{
    const char *name = goal == SHOAL_GOAL_BUY ? "purchases" : "next";
    if (!report->tuned[SHOAL_PROMPT_VARIANT_all].all.count) {
        fprintf(out, "prompts     %s: none, only %zu events to tune and %zu to judge by\n", name,
                report->learnt, report->judged);
        return;
    }
    fprintf(out, "prompts     %s: lambda %g, tuned on %zu events, judged on the last %zu: loss %.4f\n",
            name, (double)report->lambda, report->learnt, report->judged,
            report->tuned[SHOAL_PROMPT_VARIANT_all].all.before);
    for (int v = 0; v < (each ? SHOAL_PROMPT_VARIANTS : 1); v++)
        show_variant(report, (enum shoal_prompt_variant)v, out);
}

void shoal_prompts_show(const struct shoal_train_prompts_report *report, FILE *out)
{
    for (int g = 0; g < SHOAL_ITEM_GOALS; g++)
        show_goal(&report->goals[g], (enum shoal_item_goal)g, report->each, out);
    if (report->weights)
        fprintf(out, "            %zu weights\n", report->weights);
}
