/* SPDX-License-Identifier: Apache-2.0 */
/* Of several processes that train together only rank 0 is heard, and whoever has failed. */
#ifndef SHOAL_RANK_OUTPUT_H
#define SHOAL_RANK_OUTPUT_H

#include <stdio.h>

#include "model/learn/ranks.h"

/* Zero-initialised: nothing is held back. */
struct shoal_rank_output {
    FILE *held;  /* what the rank has said on standard error; NULL: nothing is held back */
    int errors;  /* standard error as it was */
};

/* From here on ranks other than 0 say nothing. */
void shoal_rank_output_begin(struct shoal_rank_output *output, const struct shoal_ranks *ranks);
/* The work has ended with this exit code. If it is not 0, this rank's last words are told, with its number unless
 * it is rank 0, and all ranks end with the code: the others may be waiting for this one for ever. */
void shoal_rank_output_end(struct shoal_rank_output *output, struct shoal_ranks *ranks, int code);

#endif
