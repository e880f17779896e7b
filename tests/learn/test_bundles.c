/* SPDX-License-Identifier: Apache-2.0 */
/* Items bought together, against figures worked out by hand. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/learn/bundles.h"
#include "model/learn/random.h"

enum { BASKETS = 40, LINES = 50 };

/* By a few lines of Python from the definition, customer by customer. */
static const double LOW_ALONE = 1.699356503104235, P_ALONE = 1.8347536832127555e-05,
                    LOW_PAIRED = 1.4519619766970122, HIGH_PAIRED = 4.528095132486588;

/* Ten baskets with the items 0 and 1, two with 0, three with 1, 25 with 2; `each` baskets a customer. */
static void fill(struct shoal_bought lines[LINES], uint32_t each)
{
    size_t count = 0;
    for (uint32_t b = 0; b < BASKETS; b++) {
        if (b < 12)
            lines[count++] = (struct shoal_bought){b / each, b, 0};
        if (b < 10 || (b >= 12 && b < 15))
            lines[count++] = (struct shoal_bought){b / each, b, 1};
        if (b >= 15)
            lines[count++] = (struct shoal_bought){b / each, b, 2};
    }
    cr_assert_eq(count, LINES);
}

static void assert_near(double value, double wanted)
{
    cr_assert(fabs(value - wanted) < 1e-9 * fabs(wanted), "%.12g, not %.12g", value, wanted);
}

Test(bundles, figures_are_those_worked_out_by_hand)
{
    struct shoal_bought lines[LINES];
    struct shoal_bundles found;
    fill(lines, 1);
    cr_assert_eq(shoal_bundles_find(lines, LINES, 10, &found), SHOAL_OK);
    cr_assert_eq(found.baskets, 40);
    cr_assert_eq(found.customers, 40);
    cr_assert_eq(found.items, 3);
    cr_assert_eq(found.frequent, 3);
    cr_assert_eq(found.tested, 3);
    cr_assert_eq(found.supported, 1);
    cr_assert_eq(found.count, 1);
    const struct shoal_bundle *bundle = &found.list[0];
    cr_assert(bundle->first == 0 && bundle->second == 1);
    cr_assert_eq(bundle->support, 10);
    cr_assert_eq(bundle->customers, 10);
    assert_near(bundle->confidence, 10.0 / 12);
    assert_near(bundle->confidence_back, 10.0 / 13);
    assert_near(bundle->lift, 40.0 * 10 / (12 * 13));
    /* 1/10 − 1/12 − 1/13 + (2L − 1)/40, times 40/39 */
    double error = sqrt((0.1 - 1.0 / 12 - 1.0 / 13 + (2 * 400.0 / 156 - 1) / 40) * 40 / 39);
    assert_near(bundle->interval.low, 400.0 / 156 * exp(-1.959963984540054 * error));
    assert_near(bundle->interval.high, 400.0 / 156 * exp(1.959963984540054 * error));
    assert_near(bundle->interval.low, LOW_ALONE);
    /* one of three pairs: the p-value times three */
    assert_near(bundle->q_value, 3 * P_ALONE);
    shoal_bundles_finish(&found);
}

Test(bundles, baskets_of_one_customer_say_less_than_those_of_many)
{
    struct shoal_bought lines[LINES];
    struct shoal_bundles found;
    fill(lines, 2);
    cr_assert_eq(shoal_bundles_find(lines, LINES, 10, &found), SHOAL_OK);
    cr_assert_eq(found.customers, 20);
    cr_assert_eq(found.count, 1);
    cr_assert_eq(found.list[0].customers, 5);
    assert_near(found.list[0].interval.low, LOW_PAIRED);
    assert_near(found.list[0].interval.high, HIGH_PAIRED);
    shoal_bundles_finish(&found);
    fill(lines, BASKETS); /* all of one: nothing is known of others */
    cr_assert_eq(shoal_bundles_find(lines, LINES, 10, &found), SHOAL_OK);
    cr_assert_eq(found.supported, 1);
    cr_assert_eq(found.count, 0);
    shoal_bundles_finish(&found);
}

Test(bundles, repeats_and_order_change_nothing)
{
    struct shoal_bought lines[2 * LINES];
    struct shoal_bundles found, again;
    fill(lines, 2);
    memcpy(lines + LINES, lines, LINES * sizeof *lines);
    for (size_t i = 0; i < LINES; i++) { /* back to front */
        struct shoal_bought line = lines[i];
        lines[i] = lines[2 * LINES - 1 - i];
        lines[2 * LINES - 1 - i] = line;
    }
    cr_assert_eq(shoal_bundles_find(lines, 2 * LINES, 10, &found), SHOAL_OK);
    fill(lines, 2);
    cr_assert_eq(shoal_bundles_find(lines, LINES, 10, &again), SHOAL_OK);
    cr_assert_eq(found.count, 1);
    cr_assert_arr_eq(found.list, again.list, sizeof *found.list);
    shoal_bundles_finish(&found);
    shoal_bundles_finish(&again);
}

Test(bundles, less_support_than_asked_for_is_not_found)
{
    struct shoal_bought lines[LINES];
    struct shoal_bundles found;
    fill(lines, 1);
    cr_assert_eq(shoal_bundles_find(lines, LINES, 11, &found), SHOAL_OK);
    cr_assert_eq(found.tested, 3);
    cr_assert_eq(found.supported, 0);
    cr_assert_eq(found.count, 0);
    shoal_bundles_finish(&found);
    cr_assert_eq(shoal_bundles_find(lines, LINES, 1000, &found), SHOAL_OK);
    cr_assert_eq(found.tested, 0);
    shoal_bundles_finish(&found);
    cr_assert_eq(shoal_bundles_find(lines, 0, 1, &found), SHOAL_TOO_FEW);
    shoal_bundles_finish(&found);
}

/* Random baskets with one pair planted in them. */
static size_t shop(struct shoal_bought *lines, uint32_t baskets, uint32_t items, bool planted,
                   uint64_t seed)
{
    size_t count = 0, drawn = 0;
    for (uint32_t b = 0; b < baskets; b++) {
        for (int i = 0; i < 8; i++)
            lines[count++] =
                (struct shoal_bought){b / 3, b, shoal_random_below(seed, drawn++, items)};
        if (planted && b % 20 == 0) {
            lines[count++] = (struct shoal_bought){b / 3, b, 3};
            lines[count++] = (struct shoal_bought){b / 3, b, 17};
        }
    }
    return count;
}

Test(bundles, what_was_planted_is_found_and_what_is_chance_is_not)
{
    enum { SHOP_BASKETS = 3000, SHOP_ITEMS = 200 };
    struct shoal_bought *lines = malloc((size_t)SHOP_BASKETS * 10 * sizeof *lines);
    struct shoal_bundles found;
    size_t chance = 0;
    cr_assert_not_null(lines);
    for (uint64_t seed = 1; seed <= 5; seed++) {
        size_t count = shop(lines, SHOP_BASKETS, SHOP_ITEMS, true, seed);
        cr_assert_eq(shoal_bundles_find(lines, count, 5, &found), SHOAL_OK);
        cr_assert_geq(found.count, 1);
        cr_assert(found.list[0].first == 3 && found.list[0].second == 17);
        chance += found.count - 1;
        shoal_bundles_finish(&found);
        count = shop(lines, SHOP_BASKETS, SHOP_ITEMS, false, seed);
        cr_assert_eq(shoal_bundles_find(lines, count, 5, &found), SHOAL_OK);
        cr_assert_gt(found.supported, 1000); /* there was much to be mistaken about */
        chance += found.count;
        shoal_bundles_finish(&found);
    }
    cr_assert_leq(chance, 2, "%zu", chance);
    free(lines);
}
