/* SPDX-License-Identifier: Apache-2.0 */
/* One network in training: its parameters, their running mean, the optimiser, and an epoch over the
 * events that are to teach it. What to teach with, and when to stop, is train.c's business.
 *
 * Start: head_counters and head_bias of each task are its regression's, head_hidden is zero. So before
 * the first update the network *is* the regression, and the LSTM learns what that leaves over.
 *
 * The parameters judged and served are not the last ones but a running mean over the updates (Polyak
 * & Juditsky 1992), which takes out most of the noise of small data.
 *
 * A chunk's B streams are cut into shards, each with an unroll and gradients of its own, that threads
 * work on side by side. How many shards there are depends on B alone, and their gradients are added in
 * their order, so the number of threads changes nothing in the result. Where several ranks train together
 * (ranks.h), each works on some of the shards. */
#ifndef SHOAL_LEARN_TRAINER_H
#define SHOAL_LEARN_TRAINER_H

#include "model/base/pack.h"
#include "model/learn/adamw.h"
#include "model/learn/examples.h"
#include "model/learn/objectives.h"
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
    struct shoal_objectives_room *room; /* owned; NULL while no objective is wanted */
    double loss, weight;           /* of this chunk */
    double objective_losses[SHOAL_OBJECTIVES], next_weight; /* likewise */
    bool teaches;                  /* anything at all */
};

/* What to learn from; nothing of it is owned, all must outlive the trainer. */
struct shoal_teaching {
    const struct shoal_dataset *dataset;
    const struct shoal_examples *examples;
    const float *targets;    /* SHOAL_TASKS an event, shoal_targets_make; NULL: no task, objectives only */
    const float *importance; /* weight of each event in the loss */
    int64_t known_ms;        /* nothing later is looked at, neither an event nor what a target says */
    bool every;              /* every event up to then teaches every task; else those whose horizon has passed */
    const struct shoal_regression *regressions; /* SHOAL_TASKS, standardised alike; NULL: heads start at 0 */
    bool weekday; /* may be looked at */
    const struct shoal_params *start; /* embeddings and gates to begin with; NULL: from the seed */
};

struct shoal_trainer {
    const struct shoal_train_options *options; /* not owned */
    struct shoal_teaching teaching;
    float *counters;         /* owned; standardised, SHOAL_COUNTERS an event */
    size_t *firsts, *lengths; /* owned; of each user: where to begin, and how many events to go through */
    size_t *lengths_whole;   /* owned; from the user's first event on */
    uint32_t *order;         /* owned; users as shuffled */
    uint64_t total;          /* Σ lengths_whole */
    struct shoal_params params, mean; /* owned */
    struct shoal_adamw adamw;
    struct shoal_objectives objectives; /* owned; unused while none is wanted */
    struct shoal_trainer_shard shards[SHOAL_SHARDS_MAX];
    size_t shards_count;
    size_t own_first, own_count; /* the shards of this rank */
    struct shoal_team *team;     /* owned */
    uint64_t chunk, updates, epoch;
    double objective_losses[SHOAL_OBJECTIVES]; /* of the last epoch, means over the events */
};

/* How many shards a batch of so many streams is cut into. */
size_t shoal_trainer_shards(uint32_t batch);
/* Prepares everything. NOMEM. */
enum shoal_status shoal_trainer_init(struct shoal_trainer *trainer,
                                     const struct shoal_train_options *options,
                                     const struct shoal_teaching *teaching) SHOAL_MUST_CHECK;
void shoal_trainer_finish(struct shoal_trainer *trainer);
/* One epoch; *loss is the mean loss of buy_24h over the events that teach it, as met on the way; NaN
 * without any. NOMEM. */
enum shoal_status shoal_trainer_epoch(struct shoal_trainer *trainer, double *loss,
                                      shoal_trainer_progress *progress, void *context)
    SHOAL_MUST_CHECK;

/* Between two epochs: everything that the next ones depend on, beside options and events. Bytes are for a
 * trainer of the same options and events, in the same program. A reader that has failed leaves a trainer
 * that is good for nothing. */
void shoal_trainer_pack(const struct shoal_trainer *trainer, struct shoal_buffer *out);
void shoal_trainer_unpack(struct shoal_trainer *trainer, struct shoal_unpack *in);

#endif
