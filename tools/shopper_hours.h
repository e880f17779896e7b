/* SPDX-License-Identifier: Apache-2.0 */
/* When a synthetic shopper is there: the hours of its day, by its rhythm, and of its week. */
#ifndef SHOAL_SHOPPER_HOURS_H
#define SHOAL_SHOPPER_HOURS_H

#include "tools/shopper.h"

#define SHOAL_SHOPPER_GONE_MS INT64_MAX /* comes no more */

/* The next arrival of a Poisson process whose rate is constant within an hour; draws from the shopper's
 * generator. SHOAL_SHOPPER_GONE_MS if it is not before end_ms. */
int64_t shoal_shopper_arrival(struct shoal_shopper *shopper, int64_t from_ms, int64_t end_ms);

/* The first waking hour from a time on. */
int64_t shoal_shopper_awake(const struct shoal_shopper *shopper, int64_t time_ms);

#endif
