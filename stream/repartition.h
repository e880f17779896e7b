/* SPDX-License-Identifier: Apache-2.0 */
/* Moving the states when the events topic has grown from P to Q partitions.
 *
 * What must hold, and how it is brought about:
 *
 * 1. Nobody processes meanwhile. The group has no members; every partition is acquired, which fences off
 *    who may still wake up; and the stored layout says "P>Q", which `shoal run` refuses.
 * 2. Everything that a moved user did in its old partition has been applied before its record moves. A
 *    partition's *boundary* is its checkpoint: events before it were applied to the layout of P, those
 *    behind it belong to that of Q. So none of those behind it may be of a user who moves: such events are
 *    looked for, and refused with the way out, `shoal run --drain`, which applies what the old partitions
 *    hold in the old layout. Events of users who stay may wait there and come in all the time.
 *    If Q is no multiple of P, users also move from one old partition to another. Their new events must then
 *    not be applied in the old layout: in each partition all events of who leaves must lie before all of who
 *    arrives. That is so if nobody produced while the topic grew, and it is checked. If Q is a multiple of P,
 *    nobody arrives in an old partition, and producers need not stop.
 * 3. A crash leaves the old layout, or a move that can be gone on with:
 *
 *      layout P ─► "P>Q" ─► what is kept of ─► copy to the ─► boundaries into the ─► delete in ─► layout Q
 *                           partitions is      new place      committed offsets'      the old
 *                           spread                            metadata                place
 *
 *    Until the last step no step takes away what an earlier one needs, and each does nothing new when it is
 *    done again. Copies are verified, and given time to reach the disk, before an original is deleted.
 * 4. A recovery never mixes layouts. The boundaries are in the log's own keeping, with the group's offsets
 *    (swaps.h): a partition that has lost its states is not rebuilt over its boundary (recovery.h). Instead
 *    `shoal run --drain` builds the states of P partitions up to the boundaries, and a move puts them where
 *    they belong: the same two commands as for the growth itself.
 *
 * The alternative, copying the log into a new topic of Q partitions and reading that, would need no move at
 * all, but loses what retention has taken from the log and the states still hold, decides budgets anew and
 * differently from what subscribers were told, and gives every event another id.
 *
 * One thread. The store is used through its operations only, so the partitions may be anywhere. */
#ifndef SHOAL_REPARTITION_H
#define SHOAL_REPARTITION_H

#include "state/store.h"
#include "stream/event.h"

/* Where users are and where they belong. */
struct shoal_survey {
    int32_t from, to;
    bool is_moving; /* a move was broken off: users may be where they belong already */
    uint64_t users;
    uint64_t fitting[SHOAL_PARTITIONERS]; /* users who are where it would have put them */
    uint64_t arrived[SHOAL_PARTITIONERS]; /* users who are where it puts them now, and would not have before */
    uint64_t moving[SHOAL_PARTITIONERS];  /* users who are not where it puts them now */
    uint64_t *users_before;               /* by partition, `to` of them */
    uint64_t *users_after[SHOAL_PARTITIONERS]; /* likewise */
};

/* Looks at every user; needs no ownership. `is_moving`: the layout says so; what is kept of the partitions as a whole
 * may say it as well, where a failover has lost the layout's word. After a move that was broken off a user may be in
 * either place, or in both, and is counted as often. As the store's scan and load; NOMEM, VERSION, DAMAGED. */
enum shoal_status shoal_survey_make(struct shoal_store *store, int32_t from, int32_t to,
                                    bool is_moving, struct shoal_survey *survey,
                                    struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_survey_finish(struct shoal_survey *survey);
/* The only partitioner that explains where all users are. CONFIG if there is none, or more than one. */
enum shoal_status shoal_survey_partitioner(const struct shoal_survey *survey,
                                           enum shoal_partitioner *partitioner,
                                           struct shoal_message *message) SHOAL_MUST_CHECK;
/* CONFIG unless this one does. */
enum shoal_status shoal_survey_check(const struct shoal_survey *survey,
                                     enum shoal_partitioner partitioner,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;

/* The partitioner of this name; CONFIG. */
enum shoal_status shoal_partitioner_named(const char *name, enum shoal_partitioner *partitioner,
                                          struct shoal_message *message) SHOAL_MUST_CHECK;

/* What is known of one partition when the move begins. */
struct shoal_boundary_input {
    int32_t partition, from;
    int64_t saved;     /* of the checkpoint; −1: none */
    int64_t committed; /* by the group; −1: none */
    int64_t low;       /* the first offset of the log */
    int64_t recorded;  /* the boundary of this growth in the offset's metadata; −1: none */
    bool exactly_once;
};
/* PARTITIONS_CHANGED if the states do not hold what was committed (or is recorded), OFFSETS_MOVED if
 * they hold more. */
enum shoal_status shoal_boundary_find(const struct shoal_boundary_input *input, int64_t *boundary,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;

struct shoal_repartition_options {
    int32_t from, to;
    enum shoal_partitioner partitioner;
    const int64_t *boundaries;                   /* `to` of them */
    const struct shoal_checkpoint *checkpoints;  /* as acquired, `to` of them */
    int settle_ms; /* between the copies and the first deletion: what the store needs to put them on disk */
    /* Writes the boundaries where a recovery finds them; must be able to be called again. */
    enum shoal_status (*record)(void *opaque, struct shoal_message *message);
    void (*progress)(void *opaque, const char *step, uint64_t done, uint64_t total); /* or NULL */
    void *opaque;
};

/* The move, of partitions that were all acquired by this store; *moved counts the users who had to. Any
 * failure leaves a move that this takes up again. As the store's operations; DAMAGED. */
enum shoal_status shoal_repartition(struct shoal_store *store,
                                    const struct shoal_repartition_options *options,
                                    uint64_t *moved, struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
