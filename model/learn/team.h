/* SPDX-License-Identifier: Apache-2.0 */
/* A few threads that do numbered parts of one job side by side and wait for each other.
 *
 * Which thread does which part is left to chance, so parts must not touch what other parts write;
 * then the result is the same whatever the number of threads. */
#ifndef SHOAL_LEARN_TEAM_H
#define SHOAL_LEARN_TEAM_H

#include <stddef.h>

#include "model/base/status.h"

enum { SHOAL_TEAM_MAX = 64 };

struct shoal_team;

/* threads: 1 … SHOAL_TEAM_MAX in all, the caller's included; 0: one for each processor. NOMEM. */
enum shoal_status shoal_team_create(unsigned threads, struct shoal_team **team) SHOAL_MUST_CHECK;
void shoal_team_destroy(struct shoal_team *team);
unsigned shoal_team_threads(const struct shoal_team *team);
/* Calls part(context, 0 … count − 1), each once, and returns when all have returned. The caller's thread
 * works along. Not to be called from within a part. */
void shoal_team_run(struct shoal_team *team, size_t count,
                    void (*part)(void *context, size_t index), void *context);

#endif
