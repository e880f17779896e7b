/* SPDX-License-Identifier: Apache-2.0 */
/* A worker: one thread with its own group member, producer, store and pipeline.
 *
 * The worker lives in *sessions*. A session joins the group, processes, commits; when anything goes
 * wrong that is not the event's fault it ends, all memory is thrown away, and after a pause the
 * next session recovers from the broker's committed offsets and the store's checkpoints. So there
 * is one recovery path, the same after a crash, a lost connection, a Redis that forgot, a fenced
 * producer. Classes: retry → next session; stop → the process ends with the reason.
 *
 *   commit (exactly once)                         crash here                 recovery does
 *   1. run the batch, outputs in a transaction    outputs are aborted        begin at k = s
 *   2. offsets into it, commit it: k moves        s < k                      replay [s, k) silently
 *   3. save records and checkpoint: s = k         nothing is missing         go on
 *
 *   swap of model or policy, with a commit        crash here                 recovery does
 *   1. swap points into the histories (served.h)  nothing has happened       swap then
 *   2. commit as above: the histories go with     the swap holds             as above, each event under
 *      the offsets, the swaps are told                                       the pair of its offset
 *   3. the pipeline uses the new pair             the swap holds             likewise
 */
#ifndef SHOAL_WORKER_H
#define SHOAL_WORKER_H

#include <pthread.h>
#include <stdatomic.h>

#include "stream/config.h"
#include "stream/log.h"
#include "stream/telemetry.h"
#include "stream/models.h"
#include "stream/policies.h"

struct shoal_worker_options {
    const struct shoal_config *config;
    struct shoal_models *models; /* shared by the workers of the process */
    struct shoal_policies *policies; /* likewise; NULL: no promotions */
    struct shoal_telemetry *telemetry; /* likewise */
    int32_t partitions;        /* of the events topic, as far as states are kept of it */
    /* NULL, or drain: partitions from `partitions` on are left alone, each of the others is processed up
     * to this offset, and when all are there the worker ends. Only one worker may drain. */
    const int64_t *until;
    const char *instance;      /* name of this process; NULL: dynamic membership */
    int index;                 /* of this worker in the process */
    struct shoal_log log;
    const atomic_bool *stop;   /* set from outside: finish, commit, leave */
    atomic_uint *turns;        /* see shoal_worker_turns; the worker sets it */
};

struct shoal_worker;

/* Starts the thread. */
enum shoal_status shoal_worker_start(const struct shoal_worker_options *options,
                                     struct shoal_worker **worker,
                                     struct shoal_message *message) SHOAL_MUST_CHECK;
/* True when the thread has ended; *status then says why (OK: asked to). */
bool shoal_worker_ended(struct shoal_worker *worker, enum shoal_status *status);
/* True while a session lasts that has committed at least once (with nothing to commit, too): the group, Redis and
 * the model were there. Any thread. */
bool shoal_worker_working(const struct shoal_worker *worker);
/* A number that changes whenever the worker comes around: with each micro-batch, each partition that it takes or saves,
 * each attempt to reach a peer that is away. Between two changes lies one wait for a peer (redis.timeout, Kafka's
 * time limits of 5 to 60 s) or the work of one micro-batch; where there is no change for minutes, it hangs. Any thread. */
unsigned shoal_worker_turns(const struct shoal_worker *worker);
/* Waits for the end and frees. */
void shoal_worker_join(struct shoal_worker *worker);

#endif
