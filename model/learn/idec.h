/* SPDX-License-Identifier: Apache-2.0 */
/* Deep clustering, IDEC (Guo, Gao, Liu, Yin 2017): first an autoencoder alone; then k-means in its code; then
 * both losses together, towards a target distribution that sharpens what is there (Xie et al. 2016, eq. 3):
 *
 *   p_ij ∝ q_ij² / f_j,  f_j = Σ_i q_ij
 *
 * made anew every few steps, until hardly a point changes its cluster from one time to the next.
 *
 * One thread; the same points and options give the same bits. */
#ifndef SHOAL_LEARN_IDEC_H
#define SHOAL_LEARN_IDEC_H

#include <stdbool.h>
#include <stdint.h>

#include "model/learn/autoencoder.h"

/* Told now and then: the share of the most that there can be to do. */
typedef void shoal_idec_progress(void *context, double fraction);

struct shoal_idec_options {
    float gamma;            /* weight of the loss on clusters; 0.1 as in the paper */
    float pretrain_rate;    /* learning rate of the autoencoder alone */
    float rate;             /* learning rate of both together */
    uint32_t pretrain_epochs, epochs; /* passes over the points of each; … */
    uint32_t steps_max;     /* … but at most so many updates */
    uint32_t refresh_steps; /* updates between two target distributions */
    float tolerance;        /* stop when a smaller share of the points has changed its cluster */
    unsigned restarts;      /* of k-means */
    uint64_t seed;
    shoal_idec_progress *progress; /* or NULL */
    void *context;
};

/* 0.1, 0.0003, 0.001, 8, 80, 2000, 100, 0.001, 8, 1. The autoencoder begins as a projection to principal components
 * (autoencoder.h), which a short pre-training at a small rate refines; a long one fits what a few thousand points have
 * by chance, and with it the clusters of one resample differ from those of the next. */
struct shoal_idec_options shoal_idec_options_default(void);

/* Makes the autoencoder of points[count × size] alone; *loss: its L_rec over all points. NOMEM: zeroed. */
enum shoal_status shoal_idec_pretrain(const float *points, size_t count, size_t size,
                                      const struct shoal_idec_options *options,
                                      struct shoal_autoencoder *coder,
                                      double *loss) SHOAL_MUST_CHECK;

struct shoal_idec_report {
    uint32_t steps;   /* updates done */
    double moved;     /* share of the points that changed at the last look */
    bool settled;     /* moved < tolerance; else the steps ran out */
    struct shoal_autoencoder_loss loss; /* of the last look's targets */
};

/* Clusters the points: fills coder->centroids, and labels[count]. clusters: 1 … SHOAL_CLUSTERS_MAX, at
 * most `count`. NOMEM. */
enum shoal_status shoal_idec_cluster(struct shoal_autoencoder *coder, const float *points,
                                     size_t count, size_t clusters,
                                     const struct shoal_idec_options *options, uint8_t *labels,
                                     struct shoal_idec_report *report) SHOAL_MUST_CHECK;
/* targets p[count × clusters] of shares q. */
void shoal_idec_targets(const float *shares, size_t count, size_t clusters, float *targets);

#endif
