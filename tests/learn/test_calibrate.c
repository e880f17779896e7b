/* SPDX-License-Identifier: Apache-2.0 */
/* Isotonic regression against results worked out by hand, the curve made of it, and the choice between
 * curve and line. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/calibrate.h"
#include "model/learn/isotonic.h"
#include "model/learn/random.h"
#include "model/model.h"
#include "model/model_format.h"
#include "tests/model/tiny_model.h"

static void near(double got, double expected, double tolerance)
{
    cr_expect(fabs(got - expected) <= tolerance, "%.9g is not %.9g", got, expected);
}

static void is_block(const struct shoal_isotonic_block *block, double x, double y, double weight)
{
    near(block->x, x, 1e-12);
    near(block->y, y, 1e-12);
    near(block->weight, weight, 1e-12);
}

/* ---- isotonic regression -------------------------------------------------------------------- */

Test(isotonic, violators_are_pooled_with_all_that_they_violate)
{
    /* by x: 0 1 0 1 1 0 1 → 0 | ½ | 1 1 0 = ⅔ | 1 */
    const double x[] = {1, 2, 3, 4, 5, 6, 7};
    const int8_t labels[] = {0, 1, 0, 1, 1, 0, 1};
    struct shoal_isotonic_block blocks[7];
    cr_assert_eq(shoal_isotonic_fit(x, labels, 7, blocks), 4);
    is_block(&blocks[0], 1, 0, 1);
    is_block(&blocks[1], 2.5, 0.5, 2);
    is_block(&blocks[2], 5, 2.0 / 3, 3);
    is_block(&blocks[3], 7, 1, 1);
}

Test(isotonic, a_late_violator_reaches_back_through_several_blocks)
{
    /* ¼ ½ ¾ of weight 1, then 0 of weight 5: ¾ and ½ fall below ¼ with it, and take that along */
    struct shoal_isotonic_block blocks[] = {{0, 0.25, 1}, {1, 0.5, 1}, {2, 0.75, 1}, {3, 0, 5}};
    cr_assert_eq(shoal_isotonic_pool(blocks, 4), 1);
    is_block(&blocks[0], 18.0 / 8, 1.5 / 8, 8);
}

Test(isotonic, points_of_one_x_are_never_parted)
{
    const double x[] = {2, 1, 2, 1, 2};
    const int8_t labels[] = {1, 0, 0, 1, 1};
    struct shoal_isotonic_block blocks[5];
    cr_assert_eq(shoal_isotonic_fit(x, labels, 5, blocks), 2);
    is_block(&blocks[0], 1, 0.5, 2);
    is_block(&blocks[1], 2, 2.0 / 3, 3);
}

Test(isotonic, labels_that_are_all_alike_make_one_block)
{
    const double x[] = {3, 1, 2};
    const int8_t ones[] = {1, 1, 1}, zeros[] = {0, 0, 0};
    struct shoal_isotonic_block blocks[3];
    cr_assert_eq(shoal_isotonic_fit(x, ones, 3, blocks), 1);
    is_block(&blocks[0], 2, 1, 3);
    cr_assert_eq(shoal_isotonic_fit(x, zeros, 3, blocks), 1);
    is_block(&blocks[0], 2, 0, 3);
    cr_assert_eq(shoal_isotonic_fit(x, zeros, 0, blocks), 0);
}

Test(isotonic, the_cheapest_neighbours_are_merged_first)
{
    struct shoal_isotonic_block blocks[] = {{0, 0.1, 10}, {1, 0.2, 10}, {2, 0.25, 10}, {3, 0.9, 1}};
    cr_assert_eq(shoal_isotonic_reduce(blocks, 4, 3), 3);
    is_block(&blocks[0], 0, 0.1, 10);
    is_block(&blocks[1], 1.5, 0.225, 20);
    is_block(&blocks[2], 3, 0.9, 1);
    cr_assert_eq(shoal_isotonic_reduce(blocks, 3, 1), 1);
    near(blocks[0].y, (0.1 * 10 + 0.225 * 20 + 0.9) / 31, 1e-12);
}

/* The fit minimises Σ(y − f)²: no function that never falls and is constant between two cuts does
 * better. Tried: every cut into two, each side at its mean, where that rises. */
Test(isotonic, no_other_rising_staircase_of_two_steps_is_nearer)
{
    enum { COUNT = 200 };
    double x[COUNT];
    int8_t labels[COUNT];
    struct shoal_isotonic_block blocks[COUNT];
    for (uint64_t seed = 1; seed <= 20; seed++) {
        for (size_t i = 0; i < COUNT; i++) {
            x[i] = (double)i;
            labels[i] = shoal_random_uniform(seed, i) < (float)i / COUNT;
        }
        size_t steps = shoal_isotonic_fit(x, labels, COUNT, blocks), at = 0;
        double error = 0;
        for (size_t b = 0; b < steps; b++)
            for (size_t i = 0; i < (size_t)(blocks[b].weight + 0.5); i++, at++)
                error += pow(labels[at] - blocks[b].y, 2);
        cr_assert_eq(at, COUNT);
        for (size_t cut = 1; cut < COUNT; cut++) {
            double below = 0, above = 0, other = 0;
            for (size_t i = 0; i < COUNT; i++)
                *(i < cut ? &below : &above) += labels[i];
            below /= (double)cut;
            above /= (double)(COUNT - cut);
            for (size_t i = 0; i < COUNT; i++)
                other += pow(labels[i] - (i < cut ? below : above), 2);
            cr_expect(below > above || error <= other + 1e-9);
        }
    }
}

/* ---- line or curve -------------------------------------------------------------------------- */

enum { MOST = 40000 };

struct made {
    double logits[MOST];
    int8_t labels[MOST];
    uint32_t users[MOST];
    struct shoal_calibration_data data;
};

typedef double truth(double logit);

static double honest(double logit)
{
    return 1 / (1 + exp(-(1.1 * logit - 0.1)));
}

/* What no line can mend: sure of itself at both ends, and wrong. */
static double bent(double logit)
{
    return 0.3 + 0.25 * tanh(3 * logit);
}

/* `each` events of each of `users_count` users, logits around 0. */
static struct made *make(size_t users_count, size_t each, truth *p, uint64_t seed)
{
    struct made *made = malloc(sizeof *made);
    cr_assert_not_null(made);
    size_t count = users_count * each;
    cr_assert_leq(count, MOST);
    for (size_t i = 0; i < count; i++) {
        double spread = 0;
        for (uint64_t k = 0; k < 6; k++)
            spread += (double)shoal_random_uniform(seed, 8 * i + k) - 0.5;
        made->logits[i] = 2 * spread;
        made->labels[i] = (double)shoal_random_uniform(seed, 8 * i + 7) < p(made->logits[i]);
        made->users[i] = (uint32_t)(i / each);
    }
    made->data = (struct shoal_calibration_data){made->logits, made->labels, made->users, count,
                                                 users_count};
    return made;
}

static struct shoal_calibration_fit fit_to(const struct made *made)
{
    struct shoal_calibration_fit fit;
    cr_assert_eq(shoal_calibrate_map(&made->data, &fit), SHOAL_OK);
    return fit;
}

static double mean_error(const struct shoal_calibration_map *map, truth *p)
{
    double sum = 0;
    for (int i = -20; i <= 20; i++) {
        float z = shoal_calibration_apply(map, (float)i / 10);
        sum += fabs(1 / (1 + exp(-(double)z)) - p((double)i / 10));
    }
    return sum / 41;
}

Test(calibrate, a_bent_truth_is_found_by_the_curve)
{
    struct made *made = make(20000, 2, bent, 7);
    struct shoal_calibration_fit fit = fit_to(made);
    cr_assert(fit.compared);
    cr_assert_gt(fit.map.knots, 4u);
    cr_assert_leq(fit.map.knots, (uint32_t)SHOAL_KNOTS_MAX);
    cr_expect_lt(fit.difference, -2 * fit.error, "%g ± %g", fit.difference, fit.error);
    struct shoal_calibration line =
        shoal_calibrate(made->logits, made->labels, made->data.count, 20000);
    struct shoal_calibration_map straight = {.slope = (float)line.slope,
                                             .intercept = (float)line.intercept};
    cr_expect_lt(mean_error(&fit.map, bent), 0.5 * mean_error(&straight, bent), "%g, %g",
                 mean_error(&fit.map, bent), mean_error(&straight, bent));
    cr_expect_lt(mean_error(&fit.map, bent), 0.02);
    free(made);
}

/* A refit brings logits that the calibration has not seen. */
Test(calibrate, beyond_the_logits_seen_users_keep_their_order)
{
    struct made *made = make(4000, 2, honest, 23);
    struct shoal_calibration line =
        shoal_calibrate(made->logits, made->labels, made->data.count, 4000);
    struct shoal_calibration_map map;
    cr_assert_eq(shoal_calibrate_curve(made->logits, made->labels, made->data.count, 4000, &line,
                                       &map),
                 SHOAL_OK);
    for (float z = 5; z < 8; z += 0.5f) { /* hardly any of them lies there */
        cr_expect_gt(shoal_calibration_apply(&map, z + 0.5f), shoal_calibration_apply(&map, z));
        cr_expect_lt(shoal_calibration_apply(&map, -z - 0.5f), shoal_calibration_apply(&map, -z));
    }
    free(made);
}

Test(calibrate, too_few_of_a_label_or_of_users_leave_the_line)
{
    struct made *few = make(900, 1, bent, 3), *narrow = make(150, 100, bent, 3);
    struct shoal_calibration_fit fit = fit_to(few);
    cr_expect_lt(fit.positives, (size_t)SHOAL_ISOTONIC_CLASS_MIN);
    cr_expect(!fit.compared && fit.map.knots == 0);
    struct shoal_calibration line = shoal_calibrate(few->logits, few->labels, 900, 900);
    cr_expect_eq(fit.map.slope, (float)line.slope);
    cr_expect_eq(fit.map.intercept, (float)line.intercept);
    fit = fit_to(narrow);
    cr_expect_gt(fit.positives, (size_t)SHOAL_ISOTONIC_CLASS_MIN);
    cr_expect_eq(fit.users_count, 150u);
    cr_expect(!fit.compared && fit.map.knots == 0);
    free(few);
    free(narrow);
}

/* The curve learns where p rises in its half of the users; in the other half it rises elsewhere. */
Test(calibrate, a_curve_that_does_not_hold_for_other_users_is_not_taken)
{
    struct made *made = make(4000, 5, honest, 17);
    for (size_t i = 0; i < made->data.count; i++) {
        bool first = shoal_random_mix(made->users[i] + UINT64_C(0x9e3779b97f4a7c15)) & 1;
        double p = 0.5 + 0.45 * tanh(20 * (made->logits[i] - (first ? 0.7 : -0.7)));
        made->labels[i] = (double)shoal_random_uniform(17, 8 * i + 7) < p;
    }
    struct shoal_calibration_fit fit = fit_to(made);
    cr_assert(fit.compared);
    cr_expect_gt(fit.difference, 2 * fit.error, "%g ± %g", fit.difference, fit.error);
    cr_expect_eq(fit.map.knots, 0u);
    free(made);
}

Test(calibrate, labels_of_one_kind_leave_a_finite_line)
{
    struct made *made = make(4000, 2, honest, 5);
    for (int8_t label = 0; label <= 1; label++) {
        memset(made->labels, label, made->data.count);
        struct shoal_calibration_fit fit = fit_to(made);
        cr_expect_eq(fit.map.knots, 0u);
        cr_expect(isfinite(fit.map.slope) && isfinite(fit.map.intercept));
    }
    free(made);
}

Test(calibrate, no_step_is_sure_of_anything)
{
    /* All at the very top are positive, all at the bottom negative. */
    struct made *made = make(3000, 3, honest, 11);
    for (size_t i = 0; i < made->data.count; i++)
        if (fabs(made->logits[i]) > 2.6)
            made->labels[i] = made->logits[i] > 0;
    struct shoal_calibration line =
        shoal_calibrate(made->logits, made->labels, made->data.count, 3000);
    struct shoal_calibration_map map;
    cr_assert_eq(shoal_calibrate_curve(made->logits, made->labels, made->data.count, 3000, &line,
                                       &map),
                 SHOAL_OK);
    cr_assert_gt(map.knots, 4u);
    /* A step of w users, all of one label, is (w·label + 50·line)/(w + 50); w at most 3000. */
    for (uint32_t k = 1; k + 1 < map.knots; k++) {
        double p = 1 / (1 + exp(-line.slope * (double)map.x[k] - line.intercept));
        double surest = log((3000 + 50) / 50.0);
        cr_expect_lt((double)map.y[k], surest - log(1 - p), "knot %u", k);
        cr_expect_gt((double)map.y[k], log(p) - surest, "knot %u", k);
    }
    free(made);
}

Test(calibrate, one_logit_for_all_leaves_the_line)
{
    struct made *made = make(4000, 2, honest, 13);
    for (size_t i = 0; i < made->data.count; i++)
        made->logits[i] = -1;
    cr_expect_eq(fit_to(made).map.knots, 0u);
    free(made);
}

Test(calibrate, curves_of_random_data_rise_and_pass_the_check_of_models)
{
    struct shoal_dims dims = tiny_dims();
    struct shoal_model *model = tiny_model(&dims, 1);
    cr_assert_not_null(model);
    for (uint64_t seed = 1; seed <= 30; seed++) {
        struct made *made = make(300 + 300 * (seed % 5), 1 + seed % 9, seed % 2 ? bent : honest,
                                 seed);
        if (seed % 3 == 0) /* many ties */
            for (size_t i = 0; i < made->data.count; i++)
                made->logits[i] = round(made->logits[i] * 4) / 4;
        struct shoal_calibration line = shoal_calibrate(made->logits, made->labels,
                                                        made->data.count, made->data.users_max);
        struct shoal_calibration_map *map = &model->calibration[SHOAL_buy_24h];
        cr_assert_eq(shoal_calibrate_curve(made->logits, made->labels, made->data.count,
                                           made->data.users_max, &line, map),
                     SHOAL_OK);
        struct shoal_message message = {.text = ""};
        cr_expect_eq(shoal_model_check(model, &message), SHOAL_OK, "seed %lu: %s",
                     (unsigned long)seed, message.text);
        float before = -INFINITY;
        for (int i = -400; i <= 400; i++) {
            float z = shoal_calibration_apply(map, (float)i / 50);
            cr_expect(z >= before, "seed %lu falls at %g", (unsigned long)seed, i / 50.0);
            before = z;
        }
        /* Different scores stay different: the order of users is what promotions go by. */
        for (uint32_t k = 1; k < map->knots; k++)
            cr_expect_gt(map->y[k], map->y[k - 1], "seed %lu, knot %u", (unsigned long)seed, k);
        free(made);
    }
    shoal_model_destroy(model);
}
