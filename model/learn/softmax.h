/* SPDX-License-Identifier: Apache-2.0 */
/* One row of scores under a softmax with cross-entropy. */
#ifndef SHOAL_LEARN_SOFTMAX_H
#define SHOAL_LEARN_SOFTMAX_H

#include <stddef.h>

/* scores (N, −inf for what is left out, not the target) become the gradient weight·(softmax − 1[target]);
 * returns the loss −log softmax[target], without the weight. What is 80 and more below the greatest counts
 * as 80 below it: in single precision that is nothing. */
double shoal_softmax_row(float *scores, size_t count, size_t target, float weight);

#endif
