/* SPDX-License-Identifier: Apache-2.0 */
/* exp, sigmoid, tanh, exp2 and log1p for arrays of floats: at most 4 ULP, and the same code for every
 * lane and tail, so that an element's bits do not depend on its place or on the array's length.
 * Own code, not libm: libm's last bits change between versions, and results are promised bit by bit. */
#ifndef SHOAL_VMATH_H
#define SHOAL_VMATH_H

#include <stddef.h>

/* out may be the same array as in. NaN stays NaN; exp clamps to [0, inf] without traps. */
void shoal_vexp(const float *in, float *out, size_t count);
void shoal_vsigmoid(const float *in, float *out, size_t count);
void shoal_vtanh(const float *in, float *out, size_t count);
void shoal_vexp2(const float *in, float *out, size_t count);
void shoal_vlog1p(const float *in, float *out, size_t count); /* in ≥ 0 */

/* Sum over i of a[i]·b[i] in a fixed order of additions (8 partial sums, then pairwise). */
float shoal_dot(const float *a, const float *b, size_t count);

#endif
