/* SPDX-License-Identifier: Apache-2.0 */
/* Who is heard of several ranks; see rank_output.h. */
#include "tools/rank_output.h"

#include <time.h>
#include <unistd.h>

void shoal_rank_output_begin(struct shoal_rank_output *output, const struct shoal_ranks *ranks)
{
    *output = (struct shoal_rank_output){0};
    if (shoal_ranks_index(ranks) == 0)
        return;
    output->held = tmpfile();
    output->errors = dup(STDERR_FILENO);
    if (!output->held || output->errors < 0 || !freopen("/dev/null", "w", stdout))
        return; /* better heard twice than not at all */
    fflush(stderr);
    dup2(fileno(output->held), STDERR_FILENO);
}

/* What was held back goes out, each line with the rank's number. */
static void tell(const struct shoal_rank_output *output, int index)
{
    char line[1024];
    FILE *errors = fdopen(dup(output->errors), "w");
    fflush(stderr);
    rewind(output->held);
    while (errors && fgets(line, sizeof line, output->held))
        fprintf(errors, "rank %d: %s", index, line);
    if (errors)
        fclose(errors);
}

void shoal_rank_output_end(struct shoal_rank_output *output, struct shoal_ranks *ranks, int code)
{
    int index = shoal_ranks_index(ranks);
    if (code != 0 && index > 0) {
        /* What fails on all ranks is rank 0's to say. */
        struct timespec pause = {.tv_sec = 1};
        nanosleep(&pause, NULL);
        if (output->held)
            tell(output, index);
    }
    if (code != 0 && shoal_ranks_count(ranks) > 1)
        shoal_ranks_abort(ranks, code);
    if (output->held) {
        fclose(output->held);
        close(output->errors);
    }
}
