/* SPDX-License-Identifier: Apache-2.0 */
/* What a processor does not need, it gives up at its start, so that a fault in it is worth less to others:
 *
 *   new rights     none can be gained any more, by set-user-id programs or file capabilities
 *   capabilities   all dropped, also those that root has
 *   core dumps     none, and no reading of its memory by others of the same user: it holds users' states
 *                  and secrets. Left as it is with log.level debug
 *   files          that it writes can be read by its own user alone
 *
 * What it needs is a network, a clock, and to read its files. */
#ifndef SHOAL_RIGHTS_H
#define SHOAL_RIGHTS_H

#include <stdbool.h>

#include "stream/log.h"

/* To be called once, before threads are started, when all files with secrets are read. What the system refuses is
 * logged, as is running as root. */
void shoal_rights_drop(bool debug, const struct shoal_log *log);

#endif
