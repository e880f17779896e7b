/* SPDX-License-Identifier: Apache-2.0 */
/* What uplift.h serves from, for those who make it (learn/train_uplift.c) and its tests. */
#ifndef SHOAL_UPLIFT_PARTS_H
#define SHOAL_UPLIFT_PARTS_H

#include "model/uplift.h"

/*  X(form, what p is, with z = w·u + b) */
#define SHOAL_PROMPTED_LIST(X)                                                                         \
    X(none, "nothing: NaN")                                                                            \
    X(two_stage, "1/(1 + exp(−z)): learnt with self-paced correction")                                 \
    X(analytic, "max(0, 1 − exp(−z)): 1 − r/(1 − r)·(1 − p)/p with log(r/(1 − r)) taken off the bias")

enum shoal_prompted_form {
#define X(form, text) SHOAL_PROMPTED_##form,
    SHOAL_PROMPTED_LIST(X)
#undef X
        SHOAL_PROMPTED_FORMS
};

struct shoal_uplift {
    size_t vector;                 /* V */
    enum shoal_prompted_form form;
    float *weights; /* owned; 3 × (V + 1), the bias last: logits of unengaged and of engaged against inactive's
                     * 0, then z; z's are 0 if the form is none */
};

/* NULL without memory; weights are zeros. */
struct shoal_uplift *shoal_uplift_create(size_t vector);

#endif
