/* SPDX-License-Identifier: Apache-2.0 */
/* From logits to probabilities that can be believed, and from probabilities to the thresholds of the
 * intent segments.
 *
 * A validation part of a day or so says less than its number of events suggests: a user's events
 * nearly repeat each other, and days differ as a whole. So the data count as many observations as
 * there are users, and the line (Platt 1999) is held near none by a prior: slope ~ N(1, 0.15²),
 * intercept ~ N(0, 0.1²), the spread of a day's base rate on the logit scale. With thousands of users
 * the prior is forgotten.
 *
 * The curve is an isotonic regression, of the twenty steps that lose least. Each becomes a knot at the
 * step's mean, with straight pieces in between (centred, Oron and Flournoy 2017), so that users keep
 * their order; a step counts as many users as its share of the events stands for, and fifty more that
 * are as the line says, so that no step is sure of anything; beyond the outermost knots it goes on with the slope of
 * the line.
 *
 * Which one: the curve, if there are SHOAL_ISOTONIC_CLASS_MIN events of either label from
 * SHOAL_ISOTONIC_USERS_MIN users, and if it serves users that it has not seen at least as well: both
 * are fitted to one half of the users and judged on the other, both ways, and the line stays where the
 * curve has the greater log loss. A thousand events of a few hundred users are no thousand observations: out
 * of fold, curves through 660 users had a log loss of .5950 where their lines had .5933. */
#ifndef SHOAL_LEARN_CALIBRATE_H
#define SHOAL_LEARN_CALIBRATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/base/status.h"
#include "model/calibration.h"

enum {
    SHOAL_ISOTONIC_CLASS_MIN = 1000,
    SHOAL_ISOTONIC_USERS_MIN = 2000,
};

struct shoal_calibration {
    double slope, intercept; /* p = σ(slope·logit + intercept); slope > 0: the order stays */
};

/* Fits to logits and labels (0 or 1) of `count` events of `users_count` users. Where the slope would
 * not be positive, only the intercept is fitted. Cannot fail. */
struct shoal_calibration shoal_calibrate(const double *logits, const int8_t *labels, size_t count,
                                         size_t users_count);

/* Parallel arrays of `count` events; users are numbers below users_max. Logits must be finite. */
struct shoal_calibration_data {
    const double *logits;
    const int8_t *labels; /* 0 or 1 */
    const uint32_t *users;
    size_t count, users_max;
};

struct shoal_calibration_fit {
    struct shoal_calibration_map map; /* the curve, or the line where it is used */
    bool compared;                    /* there was enough for a curve */
    /* Where compared: log loss of the curve − that of the line on users that neither has seen, and
     * its standard error over users. */
    double difference, error;
    size_t positives, users_count;
};

/* The curve through isotonic steps around `line`; the line itself
 * where all is one step. Users as in shoal_calibrate. NOMEM. */
enum shoal_status shoal_calibrate_curve(const double *logits, const int8_t *labels, size_t count,
                                        size_t users_count, const struct shoal_calibration *line,
                                        struct shoal_calibration_map *map) SHOAL_MUST_CHECK;
/* Line or curve by the rule above. NOMEM. */
enum shoal_status shoal_calibrate_map(const struct shoal_calibration_data *data,
                                      struct shoal_calibration_fit *fit) SHOAL_MUST_CHECK;

/* warm and hot: the scores below which 70 % and 90 % of the events lie, moved apart and inside (0, 1)
 * where the scores are too alike. NOMEM. */
enum shoal_status shoal_thresholds(const float *scores, size_t count, float *warm, float *hot)
    SHOAL_MUST_CHECK;

#endif
