/* SPDX-License-Identifier: Apache-2.0 */
/* How inputs and scores were distributed when a model was trained: what drift is measured against. */
#ifndef SHOAL_REFERENCE_H
#define SHOAL_REFERENCE_H

#include <stdint.h>

enum { SHOAL_REFERENCES_MAX = 24, SHOAL_REFERENCE_BINS = 16, SHOAL_REFERENCE_NAME = 24 };

struct shoal_distribution {
    char name[SHOAL_REFERENCE_NAME];
    uint32_t bins;                          /* 2 … SHOAL_REFERENCE_BINS */
    float bounds[SHOAL_REFERENCE_BINS - 1]; /* bins − 1 of them, rising: bin b holds
                                             * bounds[b − 1] ≤ value < bounds[b] */
    float shares[SHOAL_REFERENCE_BINS];     /* of the training events; they add up to 1 */
};

struct shoal_reference {
    uint32_t count;          /* 0: the model has none */
    uint64_t samples;        /* events that were counted */
    uint64_t users;          /* of so many users, were all equally busy: n²/Σ n_u² (drift.h) */
    struct shoal_distribution distributions[SHOAL_REFERENCES_MAX];
};

#endif
