/* SPDX-License-Identifier: Apache-2.0 */
/* Deep clustering with the number of clusters found out.
 *
 * Candidates are tried in the code of the autoencoder alone, where a clustering costs little: the greatest K that meets
 * the criterion of cluster_stability.h there is trained jointly, and judged once more by repeating the whole training
 * on resampled users. (k-means in the code that the joint training has made would find any clusters again: it was
 * trained towards them.) If they do not meet the criterion, one cluster less is tried.
 *
 * A retraining prefers the number that is in service: users are not moved for a cluster more. */
#ifndef SHOAL_LEARN_CLUSTER_SEARCH_H
#define SHOAL_LEARN_CLUSTER_SEARCH_H

#include "model/learn/cluster_stability.h"
#include "model/learn/idec.h"

enum { SHOAL_CLUSTERS_AUTO_MAX = 12 };

struct shoal_cluster_search_options {
    size_t clusters;    /* K; 0: to be found out, 2 … SHOAL_CLUSTERS_AUTO_MAX */
    size_t preferred;   /* K that is kept, when it is to be found out, if it meets the criterion; 0: none */
    unsigned resamples; /* of the users, for the choice among numbers in the first code */
    unsigned repeats;   /* of the users, for the stability of the final clusters; ≥ 1 */
    struct shoal_idec_options idec;
};

struct shoal_cluster_found {
    size_t clusters;
    bool chosen, stable;   /* K was found out; its final clusters meet the criterion */
    double reconstruction; /* mean square error of the autoencoder alone */
    struct shoal_idec_report idec;
    struct shoal_cluster_stability stability; /* of the final clusters */
};

/* Of standardised samples: makes the coder (the caller finishes it, also after a failure), labels[count] and *found.
 * If no K meets the criterion, the one whose final clusters have the greatest mean is taken. NOMEM. */
enum shoal_status shoal_cluster_search(const struct shoal_cluster_samples *samples,
                                       const struct shoal_cluster_search_options *options,
                                       struct shoal_autoencoder *coder, uint8_t *labels,
                                       struct shoal_cluster_found *found) SHOAL_MUST_CHECK;

#endif
