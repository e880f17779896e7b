/* SPDX-License-Identifier: Apache-2.0 */
/* One user's record as a page for people. */
#ifndef SHOAL_PRINT_USER_H
#define SHOAL_PRINT_USER_H

#include <stdio.h>

#include "state/record.h"
#include "stream/policy.h"

/* `policy` names the promotions; NULL, or one that does not know them: their hashes are shown. */
void shoal_print_user(FILE *out, const struct shoal_record *record, const char *user,
                      int32_t partition, const struct shoal_policy *policy);

#endif
