/* SPDX-License-Identifier: Apache-2.0 */
/* Deep clustering beside simpler segmentations, on the same states: what `shoal segments --compare` prints.
 *
 *   |<- states each method learns from ->|<- states it is judged on ->|<- 24 h ->|
 *   first                    train_until of the model             end − 24 h    end
 *
 * Several models, each trained on events up to its own train_until, stand for retrainings; every method learns
 * anew on the states up to there, and all are judged on the same later states. No purchase that is to be
 * explained was known to a model or a method.
 *
 * With several seeds each method is repeated. Every figure has a mean over the runs, and an interval: of eta² and
 * McFadden's R² the 95 % interval over resamples of the users, pooled over the runs; of all others the least and the
 * greatest (of runs, of pairs of retrainings, of resamples). */
#ifndef SHOAL_LEARN_CLUSTER_COMPARE_H
#define SHOAL_LEARN_CLUSTER_COMPARE_H

#include <stdbool.h>

#include "model/learn/cluster_methods.h"
#include "model/learn/dataset.h"
#include "model/model.h"

enum { SHOAL_CLUSTER_MODELS_MAX = 8, SHOAL_CLUSTER_SEEDS_MAX = 16 };

/*  X(name, "in words") */
#define SHOAL_CLUSTER_MEASURE_LIST(X)                                                              \
    X(silhouette, "silhouette, in the standardised user vector")                                   \
    X(silhouette_own, "silhouette, in the method's own space")                                     \
    X(davies_bouldin, "Davies-Bouldin, in the standardised user vector; less is better")           \
    X(davies_bouldin_own, "Davies-Bouldin, in the method's own space; less is better")             \
    X(bootstrap_jaccard, "mean Jaccard of the clusters when users are resampled")                  \
    X(retrain_ari, "adjusted Rand index of two retrainings")                                       \
    X(eta2, "share of the variance of the next 24 hours' purchases")                               \
    X(mcfadden_r2, "share of their deviance")

enum shoal_cluster_measure {
#define X(name, text) SHOAL_CLUSTER_##name,
    SHOAL_CLUSTER_MEASURE_LIST(X)
#undef X
        SHOAL_CLUSTER_MEASURES
};

struct shoal_cluster_spread {
    double mean, low, high; /* NaN where there is none */
};

struct shoal_cluster_row {
    double clusters; /* that have a state, mean over the runs */
    struct shoal_cluster_spread measures[SHOAL_CLUSTER_MEASURES];
};

struct shoal_cluster_compare_options {
    size_t clusters;    /* of the first three methods; 0: as training would choose with the first model */
    unsigned seeds;     /* repeats of each method with each model */
    unsigned resamples; /* for the bootstrap Jaccard, with the first model */
    size_t states;      /* at most about so many to learn from */
    struct shoal_idec_options idec;
    void (*progress)(void *context, double fraction); /* or NULL */
    void *context;
};

struct shoal_cluster_table {
    size_t clusters, users, states, models; /* judged on */
    bool chosen;
    int64_t from_ms, until_ms;
    double conversion; /* share of the judged states that a purchase followed */
    struct shoal_cluster_row rows[SHOAL_CLUSTER_METHODS];
};

/* 0, 3, 10, 20000, idec.h's */
struct shoal_cluster_compare_options shoal_cluster_compare_options_default(void);
const char *shoal_cluster_measure_name(enum shoal_cluster_measure measure);
const char *shoal_cluster_measure_text(enum shoal_cluster_measure measure);
/* models[count] by time of training. TOO_FEW with the reason when no day is left to judge on; NOMEM. */
enum shoal_status shoal_cluster_compare(const struct shoal_model *const *models, size_t count,
                                        const struct shoal_dataset *dataset, int64_t end_ms,
                                        const struct shoal_cluster_compare_options *options,
                                        struct shoal_cluster_table *table,
                                        struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
