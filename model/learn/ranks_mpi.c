/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks by MPI; see ranks.h. MPI_Init is called only under mpirun: a program that is started as usual never
 * touches the library. MPI's own error handling stays: it says what happened and ends all ranks. */
#include <mpi.h>
#include <stdlib.h>

#include "model/learn/ranks.h"

struct shoal_ranks {
    int index, count;
};

enum { MOST = 1 << 28 }; /* values in one call, whose count is an int */

enum shoal_status shoal_ranks_join(struct shoal_ranks **ranks, struct shoal_message *message)
{
    int provided;
    *ranks = NULL;
    if (!getenv("OMPI_COMM_WORLD_SIZE"))
        return SHOAL_OK;
    struct shoal_ranks *made = calloc(1, sizeof *made);
    if (!made)
        return shoal_fail(message, SHOAL_NOMEM, "out of memory");
    /* Only the thread that called this ever calls MPI; the team's threads compute. */
    if (MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided) != MPI_SUCCESS) {
        free(made);
        return shoal_fail(message, SHOAL_CONFIG, "MPI cannot be initialised");
    }
    MPI_Comm_rank(MPI_COMM_WORLD, &made->index);
    MPI_Comm_size(MPI_COMM_WORLD, &made->count);
    *ranks = made;
    return SHOAL_OK;
}

void shoal_ranks_leave(struct shoal_ranks *ranks)
{
    if (!ranks)
        return;
    MPI_Finalize();
    free(ranks);
}

_Noreturn void shoal_ranks_abort(struct shoal_ranks *ranks, int code)
{
    if (ranks)
        MPI_Abort(MPI_COMM_WORLD, code);
    exit(code);
}

int shoal_ranks_index(const struct shoal_ranks *ranks)
{
    return ranks ? ranks->index : 0;
}

int shoal_ranks_count(const struct shoal_ranks *ranks)
{
    return ranks ? ranks->count : 1;
}

void shoal_ranks_sum(const struct shoal_ranks *ranks, float *values, size_t count)
{
    for (size_t at = 0; ranks && at < count; at += MOST) {
        int part = count - at < MOST ? (int)(count - at) : MOST;
        MPI_Allreduce(MPI_IN_PLACE, values + at, part, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    }
}

void shoal_ranks_sum_doubles(const struct shoal_ranks *ranks, double *values, size_t count)
{
    if (ranks)
        MPI_Allreduce(MPI_IN_PLACE, values, (int)count, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
}

bool shoal_ranks_agree(const struct shoal_ranks *ranks, uint64_t value)
{
    uint64_t least = value, most = value;
    if (!ranks)
        return true;
    MPI_Allreduce(MPI_IN_PLACE, &least, 1, MPI_UINT64_T, MPI_MIN, MPI_COMM_WORLD);
    MPI_Allreduce(MPI_IN_PLACE, &most, 1, MPI_UINT64_T, MPI_MAX, MPI_COMM_WORLD);
    return least == most;
}
