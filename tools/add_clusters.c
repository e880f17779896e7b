/* SPDX-License-Identifier: Apache-2.0 */
/* Clusters in the trainings; see add_clusters.h. */
#include "tools/add_clusters.h"

#include <stdlib.h>
#include <string.h>

bool shoal_clusters_option(const struct shoal_cli_args *args, int *clusters)
{
    const char *text = shoal_cli_get(args, "clusters");
    char *end;
    *clusters = SHOAL_CLUSTERS_AUTO;
    if (!text || strcmp(text, "auto") == 0)
        return true;
    long number = strtol(text, &end, 10);
    *clusters = strcmp(text, "off") == 0 ? SHOAL_CLUSTERS_OFF : (int)number;
    if (*clusters == SHOAL_CLUSTERS_OFF || (!*end && number >= 2 && number <= SHOAL_CLUSTERS_MAX))
        return true;
    (void)shoal_cli_fail(args, SHOAL_EXIT_USAGE, "--clusters: '%s' is not auto, off, or 2 to %d",
                         text, SHOAL_CLUSTERS_MAX);
    return false;
}

static void on_progress(void *context, double fraction)
{
    shoal_progress_update(context, fraction, (unsigned long long)(fraction * 100));
}

enum shoal_status shoal_add_clusters(struct shoal_model *model, const struct shoal_dataset *dataset,
                                     int64_t end_ms, int clusters, uint64_t seed,
                                     const struct shoal_model *before,
                                     struct shoal_train_clusters_report *report,
                                     struct shoal_message *message)
{
    struct shoal_train_clusters_options options = shoal_train_clusters_options_default(seed);
    struct shoal_progress line;
    *report = (struct shoal_train_clusters_report){0};
    if (clusters == SHOAL_CLUSTERS_OFF)
        return SHOAL_OK;
    options.search.clusters = (size_t)clusters;
    options.search.idec.progress = on_progress;
    options.search.idec.context = &line;
    shoal_progress_start(&line, "clusters", "%");
    enum shoal_status status =
        shoal_train_clusters(model, dataset, end_ms, &options, before, report);
    shoal_progress_end(&line);
    return status == SHOAL_OK ? status
                              : shoal_fail(message, status, "out of memory for the clusters");
}

void shoal_clusters_print(const struct shoal_train_clusters_report *report, int clusters, FILE *out)
{
    if (clusters == SHOAL_CLUSTERS_OFF)
        return;
    if (report->why_not.text[0]) {
        fprintf(out, "clusters    none: %s\n", report->why_not.text);
        return;
    }
    fprintf(out, "clusters    %zu of %zu states of %zu users, %s\n", report->found.clusters,
            report->states, report->users,
            !report->found.chosen  ? "as asked for"
            : report->found.stable ? "the most that are stable over resamples of the users"
                             : "the most stable number; none meets the criterion");
    fprintf(out, "            stability %.2f, the least stable %.2f (bootstrap Jaccard)%s\n",
            report->found.stability.mean, report->found.stability.least,
            report->found.idec.settled ? "" : "; some users still moved when the steps ran out");
    if (report->matched)
        fprintf(out,
                "            %zu continue those of the model before, %zu are new, %zu retired "
                "(%zu users of the panel)\n",
                report->kept, report->fresh, report->retired, report->panel);
}
