/* SPDX-License-Identifier: Apache-2.0 */
/* Clusters for a model that is otherwise complete: the section `clusters`.
 *
 *   states (cluster_points.h) → user vectors → own mean and deviation → autoencoder, K, joint training
 *   (cluster_search.h) → ids by the model before (cluster_match.h) → profiles (cluster_profile.h)
 *
 * The panel on which ids are matched: at most SHOAL_CLUSTER_PANEL of the users that are learnt from, those with the
 * least hash of the id, each with its last state. Both models see the same states of the same users. */
#ifndef SHOAL_LEARN_TRAIN_CLUSTERS_H
#define SHOAL_LEARN_TRAIN_CLUSTERS_H

#include "model/learn/cluster_search.h"
#include "model/learn/dataset.h"
#include "model/model.h"

enum {
    SHOAL_CLUSTER_USERS_MIN = 200, /* fewer give no clusters */
    SHOAL_CLUSTER_PANEL = 5000,
};

struct shoal_train_clusters_options {
    size_t states; /* at most about so many are learnt from */
    struct shoal_cluster_search_options search;
};

struct shoal_train_clusters_report {
    size_t users, states;
    struct shoal_cluster_found found;
    bool matched;            /* there was a model before with clusters */
    size_t panel, kept, fresh, retired; /* users; ids */
    struct shoal_message why_not; /* "", or why there are none */
};

/* 50000; K to be found out, 10 resamples, 5 repeats, and idec.h's with `seed` */
struct shoal_train_clusters_options shoal_train_clusters_options_default(uint64_t seed);

/* Sets model->clusters (what was there is freed) by a grouped data set, of which everything before end_ms is
 * known. `before` (may be NULL, or without clusters): the model whose ids are kept. Too little data: no section,
 * OK, and why_not. NOMEM: no section. */
enum shoal_status shoal_train_clusters(struct shoal_model *model, const struct shoal_dataset *dataset,
                                       int64_t end_ms,
                                       const struct shoal_train_clusters_options *options,
                                       const struct shoal_model *before,
                                       struct shoal_train_clusters_report *report) SHOAL_MUST_CHECK;

/* Standardises user vectors points[count × size] in place by their own mean and a deviation, which it writes; a constant
 * input has deviation 1. The hidden state and the counters then weigh the same, however many numbers either has: the
 * deviations of the hidden state are greater by √(H/SHOAL_COUNTERS). What the counters say is the same in every
 * retraining, what a hidden unit stands for is not. */
void shoal_cluster_standardize(float *points, size_t count, size_t size, float *mean,
                               float *deviation);

#endif
