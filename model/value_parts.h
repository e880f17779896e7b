/* SPDX-License-Identifier: Apache-2.0 */
/* What a struct shoal_value consists of, for those who make one. All else sees value.h. */
#ifndef SHOAL_VALUE_PARTS_H
#define SHOAL_VALUE_PARTS_H

#include "model/bgnbd.h"
#include "model/value.h"
#include "model/ziln.h"

struct shoal_value {
    enum shoal_value_method method;
    int64_t horizon_ms;
    float middle, high; /* the expected spend from which on these tiers begin, 0 < middle < high */
    /* BG/NBD and Gamma-Gamma */
    struct shoal_bgnbd buying;
    struct shoal_gamma_gamma spend;
    float newcomer;     /* expected of a user who has never bought */
    /* ZILN; mean NULL by the other method */
    struct shoal_ziln ziln;
};

/* False where a number is out of its range. */
int shoal_value_check(const struct shoal_value *value);

#endif
