/* SPDX-License-Identifier: Apache-2.0 */
/* Clusters for a model that is otherwise complete: the section `clusters`.
 *
 *   states (cluster_points.h) → user vectors → own mean and deviation → autoencoder (idec.h)
 *   → K (cluster_stability.h, in the code of the autoencoder) → joint training → stability in the final code
 *   → ids by the model before (cluster_match.h) → profiles (cluster_profile.h)
 *
 * The panel on which ids are matched: at most SHOAL_CLUSTER_PANEL of the users that are learnt from, those with the
 * least hash of the id, each with its last state. Both models see the same states of the same users. */
#ifndef SHOAL_LEARN_TRAIN_CLUSTERS_H
#define SHOAL_LEARN_TRAIN_CLUSTERS_H

#include "model/learn/cluster_stability.h"
#include "model/learn/dataset.h"
#include "model/learn/idec.h"
#include "model/model.h"

enum {
    SHOAL_CLUSTER_USERS_MIN = 200, /* fewer give no clusters */
    SHOAL_CLUSTER_PANEL = 5000,
    SHOAL_CLUSTERS_AUTO_MAX = 12,
};

struct shoal_train_clusters_options {
    size_t clusters;   /* K; 0: chosen by cluster_stability.h among 2 … SHOAL_CLUSTERS_AUTO_MAX */
    size_t states;     /* at most about so many are learnt from */
    unsigned resamples;
    struct shoal_idec_options idec;
};

struct shoal_train_clusters_report {
    size_t users, states, clusters;
    bool chosen, stable;    /* K was chosen; and it meets the criterion */
    double reconstruction;  /* mean square error of the autoencoder alone, of inputs with variance 1 */
    struct shoal_idec_report idec;
    double stability, least; /* of the final clusters, over resamples: mean, and the worst one's */
    bool matched;            /* there was a model before with clusters */
    size_t panel, kept, fresh, retired; /* users; ids */
    struct shoal_message why_not; /* "", or why there are none */
};

/* 0, 50000, 10, and those of idec.h with `seed` */
struct shoal_train_clusters_options shoal_train_clusters_options_default(uint64_t seed);

/* Sets model->clusters (what was there is freed) by a grouped data set, of which everything before end_ms is
 * known. `before` (may be NULL, or without clusters): the model whose ids are kept. Too little data: no section,
 * OK, and why_not. NOMEM: no section. */
enum shoal_status shoal_train_clusters(struct shoal_model *model, const struct shoal_dataset *dataset,
                                       int64_t end_ms,
                                       const struct shoal_train_clusters_options *options,
                                       const struct shoal_model *before,
                                       struct shoal_train_clusters_report *report) SHOAL_MUST_CHECK;

/* Standardises points[count × size] in place by their own mean and deviation, which it writes; a constant
 * input has deviation 1. */
void shoal_cluster_standardize(float *points, size_t count, size_t size, float *mean,
                               float *deviation);
/* The points as shoal_cluster_choose is to see them: all, or the first whole users of about `most`. */
struct shoal_cluster_samples shoal_cluster_some(const float *points, const uint32_t *owners,
                                                size_t count, size_t size, size_t most);

#endif
