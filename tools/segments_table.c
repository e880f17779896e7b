/* SPDX-License-Identifier: Apache-2.0 */
/* The comparison of segmentations as a table and as JSON; see segments_print.h. */
#include "stream/event.h"
#include "tools/segments_print.h"

static void print_spread(const struct shoal_cluster_spread *spread, FILE *out)
{
    if (spread->mean != spread->mean)
        fprintf(out, " | -");
    else
        fprintf(out, " | %.3f [%.3f, %.3f]", spread->mean, spread->low, spread->high);
}

void shoal_segments_table_print(const struct shoal_cluster_table *table, FILE *out)
{
    char from[25], until[25];
    shoal_time_print(table->from_ms, from);
    shoal_time_print(table->until_ms, until);
    fprintf(out,
            "judged on %zu states of %zu users, %s to %s, of which a purchase follows %.1f %% within "
            "24 h; %zu retrainings; K %zu%s\n\n| method | K",
            table->states, table->users, from, until, 100 * table->conversion, table->models,
            table->clusters, table->chosen ? " (chosen by stability)" : "");
    static const char *const heads[] = {
        "silhouette",     "silhouette, own space", "Davies-Bouldin", "Davies-Bouldin, own space",
        "bootstrap Jaccard", "retrain ARI",         "purchases, eta²", "purchases, McFadden R²"};
    for (size_t m = 0; m < SHOAL_CLUSTER_MEASURES; m++)
        fprintf(out, " | %s", heads[m]);
    fputs(" |\n|---|---|---|---|---|---|---|---|---|---|\n", out);
    for (unsigned method = 0; method < SHOAL_CLUSTER_METHODS; method++) {
        const struct shoal_cluster_row *row = &table->rows[method];
        fprintf(out, "| %s | %.3g", shoal_cluster_method_text((enum shoal_cluster_method)method),
                row->clusters);
        for (size_t m = 0; m < SHOAL_CLUSTER_MEASURES; m++)
            print_spread(&row->measures[m], out);
        fputs(" |\n", out);
    }
    fputs("\nspaces: the standardised user vector for all, and each method's own (code, user vector, "
          "counters, log R F M)\nin brackets: least and greatest over retrainings, seeds or resamples; "
          "of the purchases the 95 % interval\nby users. Rates are estimated on other users than they "
          "are judged on: below 0 is worse than knowing no segment\n",
          out);
}

void shoal_segments_table_put(const struct shoal_cluster_table *table, FILE *out)
{
    struct shoal_put put = {.out = out};
    shoal_put_open(&put, NULL, '{');
    shoal_put_time(&put, "from", table->from_ms);
    shoal_put_time(&put, "until", table->until_ms);
    shoal_put_count(&put, "states", table->states);
    shoal_put_count(&put, "users", table->users);
    shoal_put_real(&put, "conversion", table->conversion);
    shoal_put_count(&put, "models", table->models);
    shoal_put_count(&put, "clusters", table->clusters);
    shoal_put_flag(&put, "chosen", table->chosen);
    shoal_put_open(&put, "methods", '[');
    for (unsigned method = 0; method < SHOAL_CLUSTER_METHODS; method++) {
        const struct shoal_cluster_row *row = &table->rows[method];
        shoal_put_open(&put, NULL, '{');
        shoal_put_text(&put, "name", shoal_cluster_method_name((enum shoal_cluster_method)method));
        shoal_put_real(&put, "clusters", row->clusters);
        for (unsigned m = 0; m < SHOAL_CLUSTER_MEASURES; m++) {
            const struct shoal_cluster_spread *spread = &row->measures[m];
            shoal_put_open(&put, shoal_cluster_measure_name((enum shoal_cluster_measure)m), '{');
            shoal_put_real(&put, "mean", spread->mean);
            shoal_put_real(&put, "low", spread->low);
            shoal_put_real(&put, "high", spread->high);
            shoal_put_close(&put, '}');
        }
        shoal_put_close(&put, '}');
    }
    shoal_put_close(&put, ']');
    shoal_put_close(&put, '}');
    fputc('\n', out);
}
