/* SPDX-License-Identifier: Apache-2.0 */
/* From a head's logit to one that can be believed: a line (Platt scaling), or a curve of straight
 * pieces that never falls (isotonic regression, in logits). Beyond its ends the curve goes on with
 * the value of the end. Elementary arithmetic only, so the same bits on every machine. */
#ifndef SHOAL_CALIBRATION_H
#define SHOAL_CALIBRATION_H

#include <stdint.h>

enum { SHOAL_KNOTS_MAX = 64 };

struct shoal_calibration_map {
    float slope, intercept;                       /* the line, while there are no knots */
    uint32_t knots;                               /* 0, or 2 … SHOAL_KNOTS_MAX */
    float x[SHOAL_KNOTS_MAX], y[SHOAL_KNOTS_MAX]; /* logits; x rises, y does not fall */
};

/* map(z) = z */
static inline struct shoal_calibration_map shoal_calibration_none(void)
{
    return (struct shoal_calibration_map){.slope = 1};
}

static inline float shoal_calibration_apply(const struct shoal_calibration_map *map, float z)
{
    if (map->knots < 2)
        return map->slope * z + map->intercept;
    if (!(z > map->x[0]))
        return map->y[0];
    uint32_t low = 0, high = map->knots - 1;
    if (z >= map->x[high])
        return map->y[high];
    while (high - low > 1) {
        uint32_t middle = (low + high) / 2;
        if (map->x[middle] <= z)
            low = middle;
        else
            high = middle;
    }
    float share = (z - map->x[low]) / (map->x[high] - map->x[low]);
    return map->y[low] + share * (map->y[high] - map->y[low]);
}

#endif
