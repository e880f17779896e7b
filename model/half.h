/* SPDX-License-Identifier: Apache-2.0 */
/* IEEE 754 half precision, the form in which h and c are kept. Round to nearest even, overflow to
 * infinity is impossible for |h| ≤ 1 and held at ±65504 for c. */
#ifndef SHOAL_HALF_H
#define SHOAL_HALF_H

#include <stddef.h>
#include <stdint.h>

void shoal_half_from_float(const float *values, uint16_t *halves, size_t count);
void shoal_half_to_float(const uint16_t *halves, float *values, size_t count);
/* values[i] = float(half(values[i])): what a state goes through after every event. */
void shoal_half_round(float *values, size_t count);

#endif
