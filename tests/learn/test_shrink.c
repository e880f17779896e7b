/* SPDX-License-Identifier: Apache-2.0 */
/* How much of a network is believed, by what the data say and how many users say it. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

#include "model/learn/random.h"
#include "model/learn/shrink.h"

enum { EVENTS_A_USER = 4 };

/* The truth is regression + share·delta; the network says regression + delta. */
struct sample {
    double *regression, *network;
    int8_t *labels;
    uint32_t *users;
    size_t count;
};

static struct sample draw(size_t users, double share, double size, uint64_t seed)
{
    size_t count = users * EVENTS_A_USER;
    struct sample s = {malloc(count * sizeof(double)), malloc(count * sizeof(double)),
                       malloc(count), malloc(count * sizeof(uint32_t)), count};
    cr_assert(s.regression && s.network && s.labels && s.users);
    for (size_t i = 0; i < count; i++) {
        double z = (double)shoal_random_uniform(seed, 3 * i) * 2 - 1.5;
        double delta = ((double)shoal_random_uniform(seed, 3 * i + 1) * 2 - 1) * size;
        double p = 1 / (1 + exp(-z - share * delta));
        s.regression[i] = z;
        s.network[i] = z + delta;
        s.labels[i] = (double)shoal_random_uniform(seed, 3 * i + 2) < p;
        s.users[i] = (uint32_t)(i / EVENTS_A_USER);
    }
    return s;
}

static struct shoal_shrink fit(const struct sample *s)
{
    return shoal_shrink_fit(s->regression, s->network, s->labels, s->users, s->count);
}

static void finish(struct sample *s)
{
    free(s->regression);
    free(s->network);
    free(s->labels);
    free(s->users);
}

Test(shrink, many_users_decide_by_themselves)
{
    const double shares[] = {0, 0.3, 1};
    for (int i = 0; i < 3; i++) {
        struct sample s = draw(50000, shares[i], 2, 11);
        struct shoal_shrink shrink = fit(&s);
        cr_expect_float_eq(shrink.share, shares[i], 0.03, "%g: %g", shares[i], shrink.share);
        cr_expect_lt(shrink.deviation, 0.02);
        finish(&s);
    }
}

Test(shrink, few_users_leave_it_near_one_half)
{
    struct sample s = draw(25, 1, 0.2, 12);
    struct shoal_shrink shrink = fit(&s);
    cr_expect_gt(shrink.deviation, 0.3);
    cr_expect_float_eq(shrink.share, 0.5, 0.25, "%g", shrink.share);
    finish(&s);
}

Test(shrink, events_of_one_user_that_repeat_each_other_count_as_one)
{
    struct sample s = draw(500, 0.5, 2, 13);
    for (size_t i = 0; i < s.count; i++) { /* every event of a user is its first one */
        size_t first = i / EVENTS_A_USER * EVENTS_A_USER;
        s.regression[i] = s.regression[first];
        s.network[i] = s.network[first];
        s.labels[i] = s.labels[first];
    }
    struct shoal_shrink together = fit(&s);
    for (size_t i = 0; i < s.count; i++)
        s.users[i] = (uint32_t)i;
    struct shoal_shrink apart = fit(&s);
    cr_expect_float_eq(together.estimate, apart.estimate, 1e-9);
    cr_expect_float_eq(together.deviation / apart.deviation, 2, 1e-6, "%g",
                       together.deviation / apart.deviation); /* √4 */
    finish(&s);
}

Test(shrink, two_that_say_the_same_are_the_regression)
{
    struct sample s = draw(100, 1, 0, 14);
    struct shoal_shrink shrink = fit(&s);
    cr_expect_eq(shrink.share, 0);
    cr_expect(isnan(shrink.estimate));
    finish(&s);
}

Test(shrink, the_error_of_a_paired_difference_is_taken_over_users)
{
    const double first[] = {1, 1, 3, 3, 5, 5}, second[] = {0, 0, 1, 1, 2, 2};
    const uint32_t users[] = {4, 4, 7, 7, 9, 9};
    /* Differences 1, 2, 3 of three users, two events each, mean 2: √(Σ (2·(d − 2))²)/6 = √8/6. */
    cr_expect_float_eq(shoal_paired_error(first, second, users, 6), sqrt(8) / 6, 1e-12);
    cr_expect_eq(shoal_paired_error(first, first, users, 6), 0);
}

Test(shrink, the_loss_at_a_share_is_that_of_the_blended_logit_with_its_intercept)
{
    const double regression[] = {-1, 2}, network[] = {1, 4};
    const int8_t labels[] = {1, 0};
    double losses[2];
    const struct shoal_shrink shrink = {.share = 0.25, .intercept = 1};
    double loss = shoal_shrink_loss(regression, network, labels, 2, &shrink, losses);
    cr_expect_float_eq(losses[0], log1p(exp(-0.5)), 1e-12);
    cr_expect_float_eq(losses[1], log1p(exp(3.5)), 1e-12);
    cr_expect_float_eq(loss, (losses[0] + losses[1]) / 2, 1e-12);
}
