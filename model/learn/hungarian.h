/* SPDX-License-Identifier: Apache-2.0 */
/* The assignment problem: which row takes which column, so that the sum of the gains is greatest (Kuhn 1955,
 * in the shortest-path form of Jonker and Volgenant 1987). O(n³). */
#ifndef SHOAL_LEARN_HUNGARIAN_H
#define SHOAL_LEARN_HUNGARIAN_H

#include <stddef.h>

enum { SHOAL_HUNGARIAN_MAX = 64, SHOAL_HUNGARIAN_NONE = -1 };

/* gains[rows × columns], finite; both sides 0 … SHOAL_HUNGARIAN_MAX. Every row of the shorter side is
 * paired; column_of[r] is SHOAL_HUNGARIAN_NONE for a row that is left over. */
void shoal_hungarian(const double *gains, size_t rows, size_t columns, int *column_of);

#endif
