/* SPDX-License-Identifier: Apache-2.0 */
/* The isotonic curve, and the choice between it and the line; see calibrate.h. */
#include <math.h>
#include <stdlib.h>

#include "model/learn/calibrate.h"
#include "model/learn/isotonic.h"
#include "model/learn/random.h"

/* How many users' worth of the line every step is mixed with, and how many steps there are at most. With
 * 5 and 62, curves through a few thousand users lost to the line whatever the data; with 50 and 20 they
 * cost next to nothing where a line is right, and follow where it is not. */
static const double line_weight = 50;
enum { STEPS_MAX = 20 };

/* How far the ends go on with the line's slope, beyond the logits that were seen: a network that is
 * refitted later has others, and beyond the last knot all users would be the same. */
static const double reach = 6;

_Static_assert(STEPS_MAX + 2 <= SHOAL_KNOTS_MAX, "a knot for each step, and one at either end");

static double sigmoid(double z)
{
    return 1 / (1 + exp(-z));
}

/* −ln p(label) of a logit. */
static double loss_of(double z, bool positive)
{
    double away = positive ? -z : z; /* ln(1 + e^away) without overflow */
    return away > 0 ? away + log1p(exp(-away)) : log1p(exp(away));
}

static struct shoal_calibration_map map_of(const struct shoal_calibration *line)
{
    return (struct shoal_calibration_map){.slope = (float)line->slope,
                                          .intercept = (float)line->intercept};
}

/* Keeps x rising and y from falling after the rounding to float. */
static void add_knot(struct shoal_calibration_map *map, double x, double y)
{
    uint32_t last = map->knots - 1;
    float rounded = (float)y;
    if (map->knots > 0 && !((float)x > map->x[last]))
        return;
    if (map->knots > 0 && rounded < map->y[last])
        rounded = map->y[last];
    map->x[map->knots] = (float)x;
    map->y[map->knots++] = rounded;
}

/* Steps, in users' worth of weight, into knots from below the lowest logit to above the highest. */
static void draw(struct shoal_isotonic_block *blocks, size_t count,
                 const struct shoal_calibration *line, double low, double high,
                 struct shoal_calibration_map *map)
{
    for (size_t i = 0; i < count; i++) {
        double weight = blocks[i].weight + line_weight;
        double p = sigmoid(line->slope * blocks[i].x + line->intercept);
        blocks[i].y = (blocks[i].weight * blocks[i].y + line_weight * p) / weight;
        blocks[i].weight = weight;
    }
    count = shoal_isotonic_pool(blocks, count);
    *map = map_of(line);
    if (count < 2)
        return;
    for (size_t i = 0; i < count; i++) {
        double y = log(blocks[i].y / (1 - blocks[i].y));
        if (i == 0)
            add_knot(map, low, y + line->slope * (low - blocks[i].x));
        add_knot(map, blocks[i].x, y);
        if (i + 1 == count)
            add_knot(map, high, y + line->slope * (high - blocks[i].x));
    }
    if (map->knots < 2)
        *map = map_of(line);
}

enum shoal_status shoal_calibrate_curve(const double *logits, const int8_t *labels, size_t count,
                                        size_t users_count, const struct shoal_calibration *line,
                                        struct shoal_calibration_map *map)
{
    *map = map_of(line);
    if (count == 0)
        return SHOAL_OK;
    struct shoal_isotonic_block *blocks = malloc(count * sizeof *blocks);
    if (!blocks)
        return SHOAL_NOMEM;
    double low = logits[0], high = logits[0];
    for (size_t i = 1; i < count; i++) {
        low = fmin(low, logits[i]);
        high = fmax(high, logits[i]);
    }
    size_t steps = shoal_isotonic_fit(logits, labels, count, blocks);
    for (size_t i = 0; i < steps; i++)
        blocks[i].weight *= (double)users_count / (double)count;
    steps = shoal_isotonic_reduce(blocks, steps, STEPS_MAX);
    draw(blocks, steps, line, low - reach, high + reach, map);
    free(blocks);
    return SHOAL_OK;
}

/* ---- line or curve -------------------------------------------------------------------------- */

/* Room for one half of the data, and for what each user loses by the curve. */
struct halves {
    double *logits;
    int8_t *labels;
    bool *seen;    /* one a user */
    double *lost;  /* one a user: Σ over its events of loss by the curve − loss by the line */
    size_t *events; /* one a user */
};

static void finish(struct halves *halves)
{
    free(halves->logits);
    free(halves->labels);
    free(halves->seen);
    free(halves->lost);
    free(halves->events);
}

static enum shoal_status reserve(const struct shoal_calibration_data *data, struct halves *halves)
{
    *halves = (struct halves){
        .logits = malloc((data->count + 1) * sizeof *halves->logits),
        .labels = malloc(data->count + 1),
        .seen = calloc(data->users_max + 1, sizeof *halves->seen),
        .lost = calloc(data->users_max + 1, sizeof *halves->lost),
        .events = calloc(data->users_max + 1, sizeof *halves->events),
    };
    bool failed = !halves->logits || !halves->labels || !halves->seen || !halves->lost ||
                  !halves->events;
    return failed ? SHOAL_NOMEM : SHOAL_OK;
}

static bool is_in_half(uint32_t user, unsigned half)
{
    return (shoal_random_mix(user + UINT64_C(0x9e3779b97f4a7c15)) & 1) == half;
}

/* Fits line and curve to one half of the users and judges them on the other. */
static enum shoal_status cross(const struct shoal_calibration_data *data, unsigned half,
                               struct halves *halves)
{
    size_t count = 0, users_count = 0;
    for (size_t i = 0; i < data->count; i++) {
        uint32_t user = data->users[i];
        if (!is_in_half(user, half))
            continue;
        users_count += !halves->seen[user];
        halves->seen[user] = true;
        halves->logits[count] = data->logits[i];
        halves->labels[count++] = data->labels[i];
    }
    struct shoal_calibration line =
        shoal_calibrate(halves->logits, halves->labels, count, users_count);
    struct shoal_calibration_map curve, straight = map_of(&line);
    enum shoal_status status = shoal_calibrate_curve(halves->logits, halves->labels, count,
                                                     users_count, &line, &curve);
    for (size_t i = 0; i < data->count && status == SHOAL_OK; i++) {
        uint32_t user = data->users[i];
        if (is_in_half(user, half))
            continue;
        float z = (float)data->logits[i];
        bool positive = data->labels[i] == 1;
        halves->events[user]++;
        halves->lost[user] +=
            loss_of((double)shoal_calibration_apply(&curve, z), positive) -
            loss_of((double)shoal_calibration_apply(&straight, z), positive);
    }
    return status;
}

/* The mean over events and its standard error over users. */
static enum shoal_status compare(const struct shoal_calibration_data *data,
                                 struct shoal_calibration_fit *fit)
{
    struct halves halves;
    enum shoal_status status = reserve(data, &halves);
    for (unsigned half = 0; half < 2 && status == SHOAL_OK; half++)
        status = cross(data, half, &halves);
    if (status == SHOAL_OK) {
        double sum = 0, squares = 0, count = (double)data->count;
        for (size_t user = 0; user < data->users_max; user++)
            sum += halves.lost[user];
        for (size_t user = 0; user < data->users_max; user++) {
            double rest = halves.lost[user] - sum / count * (double)halves.events[user];
            squares += rest * rest;
        }
        fit->compared = true;
        fit->difference = sum / count;
        fit->error = sqrt(squares) / count;
    }
    finish(&halves);
    return status;
}

static enum shoal_status count_users(const struct shoal_calibration_data *data, size_t *users_count)
{
    bool *seen = calloc(data->users_max + 1, sizeof *seen);
    if (!seen)
        return SHOAL_NOMEM;
    *users_count = 0;
    for (size_t i = 0; i < data->count; i++) {
        *users_count += !seen[data->users[i]];
        seen[data->users[i]] = true;
    }
    free(seen);
    return SHOAL_OK;
}

enum shoal_status shoal_calibrate_map(const struct shoal_calibration_data *data,
                                      struct shoal_calibration_fit *fit)
{
    *fit = (struct shoal_calibration_fit){.map = shoal_calibration_none()};
    for (size_t i = 0; i < data->count; i++)
        fit->positives += data->labels[i] == 1;
    enum shoal_status status = count_users(data, &fit->users_count);
    if (status != SHOAL_OK)
        return status;
    struct shoal_calibration line =
        shoal_calibrate(data->logits, data->labels, data->count, fit->users_count);
    fit->map = map_of(&line);
    if (fit->positives < SHOAL_ISOTONIC_CLASS_MIN ||
        data->count - fit->positives < SHOAL_ISOTONIC_CLASS_MIN ||
        fit->users_count < SHOAL_ISOTONIC_USERS_MIN)
        return SHOAL_OK;
    status = compare(data, fit);
    if (status != SHOAL_OK || fit->difference > 0)
        return status;
    return shoal_calibrate_curve(data->logits, data->labels, data->count, fit->users_count, &line,
                                 &fit->map);
}
