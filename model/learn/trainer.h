/* SPDX-License-Identifier: Apache-2.0 */
/* One network in training: its parameters, their running mean, the optimiser, and an epoch over the
 * events that are to teach it. What to teach with, and when to stop, is train.c's business.
 *
 * Start: head_counters and head_bias are the regression's, head_hidden is zero. So before the first
 * update the network *is* the regression, and the LSTM learns what that leaves over.
 *
 * The parameters judged and served are not the last ones but a running mean over the updates (Polyak
 * & Juditsky 1992), which takes out most of the noise of small data.
 *
 * A chunk's B streams are cut into shards, each with an unroll and gradients of its own, that threads
 * work on side by side. How many shards there are depends on B alone, and their gradients are added in
 * their order, so the number of threads changes nothing in the result. */
#ifndef SHOAL_LEARN_TRAINER_H
#define SHOAL_LEARN_TRAINER_H

#include "model/learn/adamw.h"
#include "model/learn/examples.h"
#include "model/learn/regression.h"
#include "model/learn/team.h"
#include "model/learn/train.h"
#include "model/learn/unroll.h"

/* Told after every chunk: events of this epoch gone through so far and in all. */
typedef void shoal_trainer_progress(void *context, uint64_t done, uint64_t total);

enum { SHOAL_SHARDS_MAX = 8 };

/* Some of the streams of a chunk. */
struct shoal_trainer_shard {
    struct shoal_unroll *unroll;   /* owned */
    struct shoal_params gradients; /* owned; those of the first shard are the sum after a chunk */
    double loss, weight;           /* of this chunk */
};

struct shoal_trainer {
    const struct shoal_train_options *options; /* not owned, like the two below */
    const struct shoal_dataset *dataset;
    const struct shoal_examples *examples;
    const int8_t *labels;    /* not owned */
    const float *importance; /* not owned; weight of each event in the loss */
    float *counters;         /* owned; standardised, SHOAL_COUNTERS an event */
    size_t *lengths;         /* owned; events of each user to go through */
    uint32_t *order;         /* owned; users as shuffled */
    uint64_t total;          /* Σ lengths */
    int64_t until_ms;        /* events with time ≤ this teach */
    struct shoal_params params, mean; /* owned */
    struct shoal_adamw adamw;
    struct shoal_trainer_shard shards[SHOAL_SHARDS_MAX];
    size_t shards_count;
    struct shoal_team *team;     /* owned */
    uint64_t chunk, updates, epoch;
};

/* Prepares everything for events with a label and time ≤ until_ms. What is passed must outlive it.
 * NOMEM. */
enum shoal_status shoal_trainer_init(struct shoal_trainer *trainer,
                                     const struct shoal_train_options *options,
                                     const struct shoal_dataset *dataset,
                                     const struct shoal_examples *examples, const int8_t *labels,
                                     const float *importance, int64_t until_ms,
                                     const struct shoal_regression *regression)
    SHOAL_MUST_CHECK;
void shoal_trainer_finish(struct shoal_trainer *trainer);
/* One epoch; *loss is the mean loss over the teaching events, as met on the way. NOMEM. */
enum shoal_status shoal_trainer_epoch(struct shoal_trainer *trainer, double *loss,
                                      shoal_trainer_progress *progress, void *context)
    SHOAL_MUST_CHECK;

#endif
