/* SPDX-License-Identifier: Apache-2.0 */
/* Processes that train one network together, on one machine or several: `mpirun -np N shoal train …`.
 *
 * Every rank reads the same events and goes through the same chunks; each computes the gradients of its shards
 * of a chunk (trainer.h), the sums of all are the same on every rank, and so are the parameters after each
 * update. Which shards there are does not depend on the number of ranks, so what is learnt is the same but
 * for the order in which floats are added.
 *
 * The one place that knows of MPI is ranks_mpi.c; a build without it has ranks_alone.c. NULL is one process
 * alone, for which everything here does nothing. In the thread that trains. */
#ifndef SHOAL_LEARN_RANKS_H
#define SHOAL_LEARN_RANKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"

struct shoal_ranks;

/* Joins the others if the process was started by mpirun, else *ranks is NULL. CONFIG if it was, and this build
 * has no MPI. */
enum shoal_status shoal_ranks_join(struct shoal_ranks **ranks,
                                   struct shoal_message *message) SHOAL_MUST_CHECK;
/* Waits for the others. */
void shoal_ranks_leave(struct shoal_ranks *ranks);
/* Ends all of them with this exit code, at once. */
_Noreturn void shoal_ranks_abort(struct shoal_ranks *ranks, int code);

/* 0 … count − 1; alone: 0 of 1. */
int shoal_ranks_index(const struct shoal_ranks *ranks);
int shoal_ranks_count(const struct shoal_ranks *ranks);

/* Each value becomes the sum over the ranks, the same bits on all. All ranks must call this with the same
 * count; an error of the network ends the process. */
void shoal_ranks_sum(const struct shoal_ranks *ranks, float *values, size_t count);
void shoal_ranks_sum_doubles(const struct shoal_ranks *ranks, double *values, size_t count);
/* Do all ranks give the same value? */
bool shoal_ranks_agree(const struct shoal_ranks *ranks, uint64_t value);

#endif
