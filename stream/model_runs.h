/* SPDX-License-Identifier: Apache-2.0 */
/* The record of training runs that a folder of models keeps: DIR/runs.jsonl, a line a run (deploy/formats.md). */
#ifndef SHOAL_MODEL_RUNS_H
#define SHOAL_MODEL_RUNS_H

#include <stddef.h>

#include "model/base/status.h"

/* Zeroed: none. */
struct shoal_model_runs {
    char **lines; /* owned; each owned, without its newline; oldest first */
    size_t count;
};

/* Every whole line; none if there is no such file. To be finished, also after a failure. IO, NOMEM, INVALID. */
enum shoal_status shoal_model_runs_read(const char *dir, struct shoal_model_runs *runs,
                                        struct shoal_message *message) SHOAL_MUST_CHECK;
void shoal_model_runs_finish(struct shoal_model_runs *runs);

#endif
