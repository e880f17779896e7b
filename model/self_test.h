/* SPDX-License-Identifier: Apache-2.0 */
/* A model's self-test: a short sequence of one user's events and what the model made of it. It is
 * written into the model file and run again whenever the file is loaded, so that a program or a
 * machine that computes something else refuses the model instead of serving it. */
#ifndef SHOAL_SELF_TEST_H
#define SHOAL_SELF_TEST_H

#include "model/model.h"
#include "model/step.h"
#include "model/touch.h"

enum { SHOAL_SELF_TEST_EVENTS_MAX = 64 };

struct shoal_self_test {
    uint32_t count;                                        /* 1 … SHOAL_SELF_TEST_EVENTS_MAX */
    struct shoal_touch events[SHOAL_SELF_TEST_EVENTS_MAX]; /* times do not decrease */
};

/* What comes out at the end of the sequence. */
struct shoal_self_test_result {
    float h[SHOAL_HIDDEN_MAX], c[SHOAL_HIDDEN_MAX];
    float score;
};

/* The fixed sequence that new model files get: all behaviours, repeats, no category, gaps from
 * none to weeks. */
void shoal_self_test_default(struct shoal_self_test *test);
/* Runs the sequence from an empty state. NOMEM. */
enum shoal_status shoal_self_test_run(const struct shoal_model *model,
                                      const struct shoal_self_test *test,
                                      enum shoal_precision precision,
                                      struct shoal_self_test_result *result) SHOAL_MUST_CHECK;
/* SHOAL_SELF_TEST, with the first difference in words, unless `got` is as good as `expected`.
 *
 * The same program on the same kind of processor gives the same bits. Another processor's BLIS
 * kernel may add in another order, so the last bits may differ: fp32 may be off by 1e-4. In fp16 a
 * last bit can tip a rounding, and a half has 11 bits: 5e-3, times |c| where that is above 1. */
enum shoal_status shoal_self_test_compare(const struct shoal_model *model,
                                          enum shoal_precision precision,
                                          const struct shoal_self_test_result *expected,
                                          const struct shoal_self_test_result *got,
                                          struct shoal_message *message) SHOAL_MUST_CHECK;

#endif
