/* SPDX-License-Identifier: Apache-2.0 */
/* Clusters as a part of `shoal train` and `shoal retrain`: the option, the progress, what is said of it. */
#ifndef SHOAL_ADD_CLUSTERS_H
#define SHOAL_ADD_CLUSTERS_H

#include "model/learn/train_clusters.h"
#include "tools/cli.h"

/* The option, for the tables of both commands. */
#define SHOAL_CLUSTERS_OPTION                                                                      \
    {                                                                                              \
        "clusters", "auto|off|K", "auto",                                                          \
            "find segments by deep clustering: K of them; auto: as many as are stable over "       \
            "resamples of the users, up to 12; off: none",                                         \
            false, false                                                                           \
    }

enum { SHOAL_CLUSTERS_OFF = -1, SHOAL_CLUSTERS_AUTO = 0 };

/* --clusters: SHOAL_CLUSTERS_OFF, SHOAL_CLUSTERS_AUTO or K. False after a usage error. */
bool shoal_clusters_option(const struct shoal_cli_args *args, int *clusters);
/* Trains the section of `model` unless it is off, with a progress line; then *report says how it went.
 * `before`: see train_clusters.h. NOMEM, with the reason. */
enum shoal_status shoal_add_clusters(struct shoal_model *model, const struct shoal_dataset *dataset,
                                     int64_t end_ms, int clusters, uint64_t seed,
                                     const struct shoal_model *before,
                                     struct shoal_train_clusters_report *report,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
/* Two or three lines. Nothing if they were off. */
void shoal_clusters_print(const struct shoal_train_clusters_report *report, int clusters, FILE *out);

#endif
