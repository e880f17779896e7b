/* SPDX-License-Identifier: Apache-2.0 */
/* Four ways to cut users into segments, learnt on some states and applied to others:
 *
 *   idec       deep clustering of the user vector (idec.h): what is served
 *   kmeans     k-means on the same input
 *   counters   k-means on the decayed counters alone, as standardised log1p rates
 *   rfm        quintiles of recency, frequency and monetary value of the purchases up to the state, as cut on the
 *              states that are learnt from; a segment is their sum, 3 … 15 (who has not bought: 1 each) */
#ifndef SHOAL_LEARN_CLUSTER_METHODS_H
#define SHOAL_LEARN_CLUSTER_METHODS_H

#include "model/learn/idec.h"

/*  X(name, "in words") */
#define SHOAL_CLUSTER_METHOD_LIST(X)                                                               \
    X(idec, "deep clustering (IDEC)")                                                              \
    X(kmeans, "k-means on the same input")                                                         \
    X(counters, "k-means on counters")                                                             \
    X(rfm, "RFM quintiles")

enum shoal_cluster_method {
#define X(name, text) SHOAL_METHOD_##name,
    SHOAL_CLUSTER_METHOD_LIST(X)
#undef X
        SHOAL_CLUSTER_METHODS
};

enum { SHOAL_RFM = 3, SHOAL_RFM_SEGMENTS = 13 };

/* States: vectors[count × size] standardised by those that are learnt from, the last SHOAL_COUNTERS of each being the
 * counters; rfm[count × 3]: days since the last purchase (infinite: none), purchases, what they paid. */
struct shoal_cluster_states {
    const float *vectors, *rfm;
    size_t count, size;
};

struct shoal_cluster_result {
    size_t clusters;  /* labels are below */
    uint8_t *labels;  /* the caller's: one a state */
    float *space;     /* the caller's: room for count × max(size, C); the method's own coordinates */
    size_t space_size;
};

/* "idec" …; in words. Static. */
const char *shoal_cluster_method_name(enum shoal_cluster_method method);
const char *shoal_cluster_method_text(enum shoal_cluster_method method);
/* Learns on rows[rows_count] of `learn` (with repeats; NULL: all), applies it to `judge`. `clusters` for the first
 * three. NOMEM. */
enum shoal_status shoal_cluster_method_run(enum shoal_cluster_method method,
                                           const struct shoal_cluster_states *learn,
                                           const uint32_t *rows, size_t rows_count, size_t clusters,
                                           const struct shoal_idec_options *options,
                                           const struct shoal_cluster_states *judge,
                                           struct shoal_cluster_result *result) SHOAL_MUST_CHECK;

#endif
