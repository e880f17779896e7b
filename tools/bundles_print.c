/* SPDX-License-Identifier: Apache-2.0 */
/* See bundles_print.h. */
#include "tools/bundles_print.h"

#include <inttypes.h>
#include <string.h>

#include "stream/event.h"
#include "stream/put_json.h"

static size_t told_count(const struct shoal_bundles_told *told)
{
    return told->found->count < told->most ? told->found->count : told->most;
}

static void print_head(const struct shoal_bundles_told *told, FILE *out)
{
    const struct shoal_bundles *found = told->found;
    char from[25], until[25];
    shoal_time_print(told->baskets->from_ms, from);
    shoal_time_print(told->baskets->until_ms, until);
    fprintf(out,
            "%zu baskets (%s) of %zu customers with %zu items, %.10s to %.10s\n"
            "%zu items are in at least %u baskets; of their %" PRIu64 " pairs %zu are together in as many,\n"
            "and %zu are bundles: more often together than by chance (95 %% interval above 1), with a false\n"
            "discovery rate of 5 %% among all these pairs\n",
            found->baskets, told->basket, found->customers, found->items, from, until, found->frequent,
            told->min_support, found->tested, found->supported, found->count);
}

void shoal_bundles_print_text(const struct shoal_bundles_told *told, FILE *out)
{
    const char *const *items = told->baskets->items;
    size_t count = told_count(told);
    print_head(told, out);
    if (count == 0)
        return;
    fprintf(out, "\n%-16s %-16s %8s %9s %8s %8s %8s  %s\n", "item", "with", "baskets", "customers",
            "→", "←", "lift", "95 %");
    for (size_t i = 0; i < count; i++) {
        const struct shoal_bundle *bundle = &told->found->list[i];
        fprintf(out, "%-16s %-16s %8u %9u %5.1f%% %5.1f%% %8.2f  %.2f to %.2f\n", items[bundle->first],
                items[bundle->second], bundle->support, bundle->customers, 100 * bundle->confidence,
                100 * bundle->confidence_back, bundle->lift, bundle->interval.low,
                bundle->interval.high);
    }
    fprintf(out,
            "→: of the baskets with the first item, the share with the second too; ←: the other way. By the\n"
            "lower bound of the lift%s.\n",
            told->found->count > count ? "; the first of them (--most N)" : "");
}

void shoal_bundles_print_json(const struct shoal_bundles_told *told, FILE *out)
{
    const struct shoal_bundles *found = told->found;
    struct shoal_put put = {.out = out};
    shoal_put_open(&put, NULL, '{');
    shoal_put_text(&put, "basket", told->basket);
    shoal_put_count(&put, "baskets", found->baskets);
    shoal_put_count(&put, "customers", found->customers);
    shoal_put_count(&put, "items", found->items);
    shoal_put_time(&put, "from", told->baskets->from_ms);
    shoal_put_time(&put, "until", told->baskets->until_ms);
    shoal_put_count(&put, "min_support", told->min_support);
    shoal_put_count(&put, "frequent_items", found->frequent);
    shoal_put_count(&put, "pairs_tested", found->tested);
    shoal_put_count(&put, "pairs_supported", found->supported);
    shoal_put_count(&put, "bundles_found", found->count);
    shoal_put_open(&put, "bundles", '[');
    for (size_t i = 0; i < told_count(told); i++) {
        const struct shoal_bundle *bundle = &found->list[i];
        shoal_put_open(&put, NULL, '{');
        shoal_put_open(&put, "items", '[');
        shoal_put_text(&put, NULL, told->baskets->items[bundle->first]);
        shoal_put_text(&put, NULL, told->baskets->items[bundle->second]);
        shoal_put_close(&put, ']');
        shoal_put_count(&put, "support", bundle->support);
        shoal_put_count(&put, "customers", bundle->customers);
        shoal_put_real(&put, "confidence", bundle->confidence);
        shoal_put_real(&put, "confidence_back", bundle->confidence_back);
        shoal_put_real(&put, "lift", bundle->lift);
        shoal_put_open(&put, "lift_ci", '[');
        shoal_put_real(&put, NULL, bundle->interval.low);
        shoal_put_real(&put, NULL, bundle->interval.high);
        shoal_put_close(&put, ']');
        shoal_put_real(&put, "q_value", bundle->q_value);
        shoal_put_close(&put, '}');
    }
    shoal_put_close(&put, ']');
    shoal_put_close(&put, '}');
    putc('\n', out);
}

/* ---- YAML ---------------------------------------------------------------------------------- */

/* Double-quoted; JSON's escapes are YAML's. */
static void put_quoted(const char *text, FILE *out)
{
    struct shoal_put put = {.out = out};
    shoal_put_text(&put, NULL, text);
}

/* An id that a person can find again, if it fits. */
static void put_id(const struct shoal_bundles_told *told, size_t i, FILE *out)
{
    const struct shoal_bundle *bundle = &told->found->list[i];
    const char *first = told->baskets->items[bundle->first];
    const char *second = told->baskets->items[bundle->second];
    char id[256];
    if (strlen(first) + strlen(second) + 8 <= 64)
        snprintf(id, sizeof id, "bundle-%s-%s", first, second);
    else
        snprintf(id, sizeof id, "bundle-%zu", i + 1);
    put_quoted(id, out);
}

void shoal_bundles_print_yaml(const struct shoal_bundles_told *told, FILE *out)
{
    for (size_t i = 0; i < told_count(told); i++) {
        const struct shoal_bundle *bundle = &told->found->list[i];
        fprintf(out,
                "  # in %u baskets of %u customers; %.1f times as often as by chance (95 %%: %.1f to %.1f)\n"
                "  - id: ",
                bundle->support, bundle->customers, bundle->lift, bundle->interval.low,
                bundle->interval.high);
        put_id(told, i, out);
        fputs("\n    kind: limited_time_offer\n    bundle: [", out);
        put_quoted(told->baskets->items[bundle->first], out);
        fputs(", ", out);
        put_quoted(told->baskets->items[bundle->second], out);
        fputs("]\n", out);
    }
}
