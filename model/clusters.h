/* SPDX-License-Identifier: Apache-2.0 */
/* Segments found by deep clustering (Xie, Girshick, Farhadi 2016: DEC; Guo, Gao, Liu, Yin 2017: IDEC), as
 * they are served: an encoder of the user vector and centroids in its code.
 *
 * A cluster keeps its id over retrains as long as it keeps its users (learn/cluster_match.h), so a
 * model may know ids such as 1, 2, 5 and 9. Immutable, part of a model (model->clusters). */
#ifndef SHOAL_CLUSTERS_H
#define SHOAL_CLUSTERS_H

#include <stddef.h>
#include <stdint.h>

#include "model/base/pack.h"
#include "model/base/status.h"
#include "model/touch.h"

enum {
    SHOAL_CLUSTER_IDS = 255, /* ids are 1 … 255 */
    SHOAL_CLUSTERS_MAX = 32, /* clusters of a model */
};

/* What a profile says of a cluster's users, each a mean over their states.
 *  X(name, "in words", "unit") */
#define SHOAL_CLUSTER_TRAIT_LIST(X)                                                                \
    X(events_1h, "events in the last hour", "")                                                    \
    X(views_1d, "views in the last day", "")                                                       \
    X(carts_7d, "cart additions in the last week", "")                                             \
    X(favs_7d, "favourites in the last week", "")                                                  \
    X(buys_7d, "purchases in the last week", "")                                                   \
    X(days_7d, "active days in the last week", "days")                                             \
    X(categories_7d, "different categories in the last week", "")                                  \
    X(repeats_7d, "share of the last week's events on an item seen before", "%")                   \
    X(known_days, "time since the first event", "days")

enum shoal_cluster_trait {
#define X(name, text, unit) SHOAL_TRAIT_##name,
    SHOAL_CLUSTER_TRAIT_LIST(X)
#undef X
        SHOAL_CLUSTER_TRAITS
};

struct shoal_cluster_trait_info {
    const char *name, *text, *unit; /* unit "%": the value is a share of 1 */
};

struct shoal_cluster_profile {
    uint8_t id;       /* 0: of everybody together */
    uint8_t from;     /* the cluster of the model before that it continues; 0: none, it is new */
    float jaccard;    /* its overlap with that one on the panel of users; 0 if it is new */
    float share;      /* of the users' states that clusters were learnt from */
    float stability;  /* mean Jaccard over resamples (learn/cluster_stability.h) */
    float conversion; /* share of the states that a purchase followed within 24 hours */
    float mix[SHOAL_BEHAVIOR_COUNT];    /* of the behaviours in the week before; adds up to 1 */
    float traits[SHOAL_CLUSTER_TRAITS]; /* means */
};

/* What all states together are like, and how clusters were found. */
struct shoal_cluster_summary {
    uint32_t states, users; /* that clusters were learnt from */
    struct shoal_cluster_profile everybody;
    float deviation[SHOAL_CLUSTER_TRAITS]; /* of the traits over all states; > 0 */
};

struct shoal_clusters;

struct shoal_cluster_choice {
    uint8_t id;   /* of the nearest centroid */
    float margin; /* q of the nearest less q of the next, 0 … 1 (Student's t assignment) */
};

/* The cluster of a user vector u[V] (user_vector.h). The same bits whatever else is computed. */
void shoal_clusters_assign(const struct shoal_clusters *clusters, const float *vector,
                           struct shoal_cluster_choice *choice);
/* Under which id users of cluster `id` of earlier models are to be counted: `id` itself if the model has
 * it, the id of the cluster that took it over, or 0 if it has none. */
uint8_t shoal_clusters_successor(const struct shoal_clusters *clusters, uint8_t id);

/* How many clusters there are, 1 … SHOAL_CLUSTERS_MAX; their profiles, by rising id. */
size_t shoal_clusters_count(const struct shoal_clusters *clusters);
const struct shoal_cluster_profile *shoal_clusters_profile(const struct shoal_clusters *clusters,
                                                           size_t index);
const struct shoal_cluster_summary *shoal_clusters_summary(const struct shoal_clusters *clusters);
/* Ids of earlier models that this one has no cluster of, rising: how many, and each. */
size_t shoal_clusters_retired_count(const struct shoal_clusters *clusters);
uint8_t shoal_clusters_retired(const struct shoal_clusters *clusters, size_t index);
/* How far a cluster's mean of a trait lies from everybody's, in standard deviations of the states. */
float shoal_clusters_z(const struct shoal_clusters *clusters, size_t index,
                       enum shoal_cluster_trait trait);
/* Static. */
const struct shoal_cluster_trait_info *shoal_cluster_trait_info(enum shoal_cluster_trait trait);

/* The model file's section: writes a map (clusters NULL: nil), and reads it back, checked, for vectors of
 * size `vector`. DAMAGED, NOMEM. */
void shoal_clusters_pack(const struct shoal_clusters *clusters, struct shoal_buffer *out);
enum shoal_status shoal_clusters_unpack(struct shoal_unpack *in, size_t vector,
                                        struct shoal_clusters **clusters,
                                        struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_clusters_destroy(struct shoal_clusters *clusters);

#endif
