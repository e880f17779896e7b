/* SPDX-License-Identifier: Apache-2.0 */
/* What the traits of dimensions.h measure, from a user's record alone. */
#ifndef SHOAL_TRAITS_H
#define SHOAL_TRAITS_H

#include "stream/segments.h"

/* Is the user in the trait, being in it already (`inside`) or not? now_ms: event time. A trait that is
 * left because time has passed is left at its time whatever the dwell says; *expired tells. */
bool shoal_trait_holds(const struct shoal_segment_rules *rules, const struct shoal_record *record,
                       enum shoal_dimension trait, bool inside, int64_t now_ms, bool *expired);
/* When it will have expired without an event; 0: never. */
int64_t shoal_trait_expires(const struct shoal_segment_rules *rules,
                            const struct shoal_record *record, enum shoal_dimension trait);

#endif
