/* SPDX-License-Identifier: Apache-2.0 */
/* What a pipeline keeps of each partition beside its users: its time (watermark.h), what the outcomes of the
 * last two days say (model/correction.h), what is left of its budgets (budgets.h), what is counted of it
 * (tally.h), and the near future of its timers (timer_queue.h).
 *
 * Read from the store when the partition's first event comes, saved with the partition's records. In the
 * store all but the timers are the record of the user with the empty name, which no event can have, so that
 * records, this and the checkpoint change in one transaction.
 *
 * It also bears the fingerprint of the key by which user ids became pseudonyms (pseudonym.h): under another key the
 * same users would be others.
 *
 * Bytes: a MessagePack array [2, watermark, budgets, correction as a binary, or nil, tally(, pseudonyms)], the last one
 * only where there are any. */
#ifndef SHOAL_PARTITION_STATE_H
#define SHOAL_PARTITION_STATE_H

#include "model/correction.h"
#include "model/model.h"
#include "stream/budgets.h"
#include "stream/tally.h"
#include "stream/timer_queue.h"
#include "stream/watermark.h"

struct shoal_partition_state {
    bool known; /* read from the store */
    bool found; /* and it was there */
    uint64_t pseudonyms; /* fingerprint of their key; 0: ids stand for themselves */
    uint32_t spread;     /* number of partitions that time, budgets and correction were last spread to; 0: never */
    struct shoal_watermark watermark;
    struct shoal_budgets budgets;
    struct shoal_correction correction; /* of model 0: there is none yet */
    struct shoal_tally tally;
    struct shoal_timer_queue timers;
    uint32_t span;        /* scratch of the pipeline: the span that span_due_ms belongs to */
    int64_t span_due_ms;  /* nothing that was armed in the span is due earlier */
};

/* Zero-initialised: none. */
struct shoal_partition_states {
    struct shoal_partition_state **list; /* owned; by partition; NULL: never asked for */
    size_t count;
    uint64_t pseudonyms; /* what every state must have; set before the first is asked for */
};

/* Reads the state as it is kept; if none was found, it is one at its start. As the store's `load`; VERSION, DAMAGED. */
enum shoal_status shoal_partition_state_read(struct shoal_store *store, int32_t partition,
                                             struct shoal_partition_state *state,
                                             struct shoal_message *message) SHOAL_MUST_CHECK;

void shoal_partition_states_finish(struct shoal_partition_states *states);
/* The state of a partition, read if it is not known. It stays at its address. As the store's `load`; NOMEM, VERSION,
 * DAMAGED; CONFIG if it was kept under another key for pseudonyms. */
enum shoal_status shoal_partition_states_get(struct shoal_partition_states *states,
                                             struct shoal_store *store, int32_t partition,
                                             struct shoal_partition_state **state,
                                             struct shoal_message *message) SHOAL_MUST_CHECK;
/* NOT_FOUND, with what is missing, if the store shows that it has lost a part of the partition that was just acquired
 * with this checkpoint, and whose state this is; else as its `ceiling`. */
enum shoal_status shoal_partition_state_check(const struct shoal_partition_state *state,
                                              struct shoal_store *store, int32_t partition,
                                              const struct shoal_checkpoint *checkpoint,
                                              struct shoal_message *message) SHOAL_MUST_CHECK;
/* The state of a partition if it is known, else NULL. */
struct shoal_partition_state *shoal_partition_states_known(
    const struct shoal_partition_states *states, int32_t partition);
/* The correction is that of `model` from now on, empty if it was another's. */
void shoal_partition_state_use(struct shoal_partition_state *state,
                               const struct shoal_model *model);
/* Forgets what is known of a partition (−1: of all). */
void shoal_partition_states_drop(struct shoal_partition_states *states, int32_t partition);

/* Of a partition that nothing happened in; the timers are left alone. */
void shoal_partition_state_init(struct shoal_partition_state *state);
void shoal_partition_state_encode(const struct shoal_partition_state *state,
                                  struct shoal_buffer *out);
/* VERSION or DAMAGED. The timers are left alone. */
enum shoal_status shoal_partition_state_decode(const void *bytes, size_t size,
                                               struct shoal_partition_state *state)
    SHOAL_MUST_CHECK;

/* What each of `to` partitions begins with when the users of the `count` partitions with these states are
 * spread over them; partition_spread.c says how. The timers are left alone. */
void shoal_partition_state_spread(const struct shoal_partition_state *states, size_t count,
                                  int32_t to, struct shoal_partition_state *each);

#endif
