/* SPDX-License-Identifier: Apache-2.0 */
/* Points around planted centres, for tests of clusterings. */
#ifndef TEST_PLANTED_H
#define TEST_PLANTED_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "model/learn/random.h"

/* Roughly normal: the sum of four uniform numbers, deviation 1. */
static inline float planted_noise(uint64_t key, uint64_t index)
{
    float sum = 0;
    for (uint64_t k = 0; k < 4; k++)
        sum += shoal_random_uniform(key, 4 * index + k);
    return (sum - 2) * 1.7320508f;
}

/* points[count × size], labels[count] (i mod clusters) and owners[count] (three points a user): noise around centres
 * whose coordinates are normal with deviation `apart`. */
static inline void plant(float *points, uint8_t *labels, uint32_t *owners, size_t count, size_t size,
                         size_t clusters, float apart, uint64_t seed)
{
    uint64_t centres = shoal_random_mix(17), noise = shoal_random_mix(seed + 1000);
    for (size_t i = 0; i < count; i++) {
        labels[i] = (uint8_t)(i / 3 % clusters);
        owners[i] = (uint32_t)(i / 3);
        for (size_t d = 0; d < size; d++)
            points[i * size + d] = apart * planted_noise(centres, labels[i] * size + d) +
                                   planted_noise(noise, i * size + d);
    }
}

#endif
