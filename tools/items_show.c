/* SPDX-License-Identifier: Apache-2.0 */
/* What a training says of next items; see items_show.h. */
#include "tools/items_show.h"

#include <stdlib.h>
#include <string.h>

bool shoal_items_wanted(const struct shoal_cli_args *args, bool *wanted, size_t *most)
{
    const char *text = shoal_cli_get(args, "items");
    char *end;
    *wanted = strcmp(text, "off") != 0;
    *most = 0;
    if (!*wanted || strcmp(text, "auto") == 0)
        return true;
    long long number = strtoll(text, &end, 10);
    if (*end == '\0' && end != text && number >= 1 && number <= SHOAL_ITEMS_MAX) {
        *most = (size_t)number;
        return true;
    }
    (void)shoal_cli_fail(args, SHOAL_EXIT_USAGE,
                         "--items: '%s' is neither auto nor off nor a number of 1 to %d", text,
                         SHOAL_ITEMS_MAX);
    return false;
}

static void show_goal(const struct shoal_train_items_report *report, enum shoal_item_goal goal,
                      FILE *out)
{
    static const char *const parts[SHOAL_ITEM_PARTS] = {"popularity", "vectors", "neighbours",
                                                        "all"};
    fprintf(out, "            %s: ", goal == SHOAL_GOAL_BUY ? "purchases" : "next");
    for (int part = 0; part < SHOAL_ITEM_PARTS; part++)
        fprintf(out, "%s%s %.4f/%.4f", part ? ", " : "", parts[part],
                report->figures[goal][part].hr20, report->figures[goal][part].ndcg20);
    fprintf(out, " of %zu\n", report->judged[goal]);
}

void shoal_items_show(const struct shoal_train_items_report *report, FILE *out)
{
    if (!report->made) {
        fprintf(out, "items       none: %s\n", report->why.text);
        return;
    }
    fprintf(out, "items       %zu%s, from %zu next events, %u epochs", report->count,
            report->least > 1 ? " named at least twice" : "", report->targets, report->epochs);
    if (report->judged[SHOAL_GOAL_ANY] == 0) {
        fputs("; too few events at the end to choose anything by\n", out);
        return;
    }
    fputs("; HR@20/NDCG@20 on the last part of the events\n", out);
    show_goal(report, SHOAL_GOAL_ANY, out);
    if (report->judged[SHOAL_GOAL_BUY])
        show_goal(report, SHOAL_GOAL_BUY, out);
}
