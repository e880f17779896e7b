/* SPDX-License-Identifier: Apache-2.0 */
/* A build without MPI trains alone; see ranks.h. */
#include <stdlib.h>

#include "model/learn/ranks.h"

enum shoal_status shoal_ranks_join(struct shoal_ranks **ranks, struct shoal_message *message)
{
    const char *size = getenv("OMPI_COMM_WORLD_SIZE");
    *ranks = NULL;
    if (!size || atoi(size) <= 1)
        return SHOAL_OK;
    return shoal_fail(message, SHOAL_CONFIG,
                      "started by mpirun as one of %s, but built without MPI: meson setup -Dmpi=enabled",
                      size);
}

void shoal_ranks_leave(struct shoal_ranks *ranks)
{
    (void)ranks;
}

_Noreturn void shoal_ranks_abort(struct shoal_ranks *ranks, int code)
{
    (void)ranks;
    exit(code);
}

int shoal_ranks_index(const struct shoal_ranks *ranks)
{
    (void)ranks;
    return 0;
}

int shoal_ranks_count(const struct shoal_ranks *ranks)
{
    (void)ranks;
    return 1;
}

void shoal_ranks_sum(const struct shoal_ranks *ranks, float *values, size_t count)
{
    (void)ranks, (void)values, (void)count;
}

void shoal_ranks_sum_doubles(const struct shoal_ranks *ranks, double *values, size_t count)
{
    (void)ranks, (void)values, (void)count;
}

bool shoal_ranks_agree(const struct shoal_ranks *ranks, uint64_t value)
{
    (void)ranks, (void)value;
    return true;
}
