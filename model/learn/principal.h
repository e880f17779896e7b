/* SPDX-License-Identifier: Apache-2.0 */
/* Principal components: the directions in which points vary most, by orthogonal iteration on their covariance. */
#ifndef SHOAL_LEARN_PRINCIPAL_H
#define SHOAL_LEARN_PRINCIPAL_H

#include <stddef.h>

#include "model/base/status.h"

/* components[wanted × size] of points[count × size] with mean zero, wanted ≤ size: orthonormal, by falling variance,
 * the greatest coordinate of each positive. The same points give the same bits. NOMEM. */
enum shoal_status shoal_principal(const float *points, size_t count, size_t size, size_t wanted,
                                  float *components) SHOAL_MUST_CHECK;

#endif
