/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "stream/budgets.h"
#include "stream/event.h"

static const int64_t HOUR = 3600000, DAY = 86400000;
static struct shoal_promotion promotions[SHOAL_GRANTS_MAX];
static struct shoal_policy policy = {.promotions = promotions};
static struct shoal_budgets budgets;

static void make(size_t count, uint32_t budget)
{
    policy.count = count;
    for (size_t i = 0; i < count; i++) {
        promotions[i] = (struct shoal_promotion){.budget = budget, .max_score = 1};
        int size = snprintf(promotions[i].id, sizeof promotions[i].id, "p%zu", i);
        promotions[i].hash = shoal_promotion_hash(promotions[i].id, (size_t)size);
    }
    shoal_policy_settle(&policy);
    shoal_budgets_init(&budgets);
}

Test(budgets, shares_add_up_to_the_budget_on_every_day)
{
    const uint32_t amounts[] = {1, 2, 3, 7, 99, 100, 1000, 1000000000};
    const int32_t counts[] = {1, 2, 3, 4, 7, 16, 100, 1000};
    make(5, 0);
    for (size_t p = 0; p < 5; p++) {
        for (size_t a = 0; a < 8; a++) {
            promotions[p].budget = amounts[a];
            for (size_t c = 0; c < 8; c++) {
                for (int64_t day = 17000; day < 17020; day++) {
                    uint64_t sum = 0;
                    uint32_t least = UINT32_MAX, most = 0;
                    for (int32_t i = 0; i < counts[c]; i++) {
                        uint32_t share = shoal_budgets_share(&promotions[p], day, i, counts[c]);
                        sum += share;
                        least = share < least ? share : least;
                        most = share > most ? share : most;
                    }
                    cr_assert_eq(sum, amounts[a]);
                    cr_assert_leq(most - least, 1);
                }
            }
        }
    }
}

Test(budgets, the_remainder_goes_around_so_that_nobody_is_left_out_for_long)
{
    enum { PARTITIONS = 7 };
    make(3, 0);
    for (size_t p = 0; p < 3; p++) {
        for (uint32_t budget = 1; budget < 20; budget++) {
            promotions[p].budget = budget;
            for (int32_t i = 0; i < PARTITIONS; i++) {
                uint32_t sum = 0;
                for (int64_t day = 18000; day < 18000 + PARTITIONS; day++)
                    sum += shoal_budgets_share(&promotions[p], day, i, PARTITIONS);
                cr_assert_eq(sum, budget, "in so many days as partitions each has had the same");
            }
        }
    }
}

Test(budgets, a_day_deals_the_remainder_out_where_the_day_before_ended)
{
    enum { PARTITIONS = 7 };
    make(1, 3);
    for (int64_t day = 0; day < 30; day++) {
        for (int32_t i = 0; i < PARTITIONS; i++)
            cr_assert_leq(shoal_budgets_share(promotions, day, i, PARTITIONS) +
                              shoal_budgets_share(promotions, day + 1, i, PARTITIONS),
                          1, "two of seven are still to come before the first has its turn again");
    }
}

Test(budgets, the_order_of_offers_leaves_no_trace)
{
    struct shoal_buffer one = {0}, other = {0};
    make(10, 100);
    shoal_budgets_turn(&budgets, &policy, DAY);
    for (size_t i = 0; i < 10; i++)
        shoal_budgets_spend(&budgets, &policy, &promotions[i]);
    shoal_budgets_pack(&budgets, &one);
    shoal_budgets_turn(&budgets, &policy, DAY);
    for (size_t i = 10; i > 0; i--)
        shoal_budgets_spend(&budgets, &policy, &promotions[i - 1]);
    shoal_budgets_pack(&budgets, &other);
    cr_assert_eq(one.size, other.size);
    cr_assert_eq(memcmp(one.bytes, other.bytes, one.size), 0);
    shoal_buffer_finish(&one);
    shoal_buffer_finish(&other);
}

Test(budgets, promotions_begin_at_places_of_their_own)
{
    make(SHOAL_GRANTS_MAX, 1);
    unsigned first = 0;
    for (size_t p = 0; p < policy.count; p++)
        first += shoal_budgets_share(&promotions[p], 0, 0, 4);
    cr_assert(first >= 2 && first <= 16, "%u of 32 begin at partition 0", first);
}

Test(budgets, a_day_begins_at_local_midnight_and_forgets_what_was_spent)
{
    make(1, 1);
    policy.utc_offset_ms = 8 * HOUR;
    cr_assert(shoal_budgets_due(&budgets, &policy, 0));
    shoal_budgets_turn(&budgets, &policy, 100 * DAY);
    cr_assert_eq(shoal_budgets_left(&budgets, promotions, 0, 1), 1);
    shoal_budgets_spend(&budgets, &policy, promotions);
    cr_assert_eq(shoal_budgets_left(&budgets, promotions, 0, 1), 0);
    cr_assert_not(shoal_budgets_due(&budgets, &policy, 100 * DAY + 16 * HOUR - 1));
    cr_assert(shoal_budgets_due(&budgets, &policy, 100 * DAY + 16 * HOUR));
    cr_assert_not(shoal_budgets_due(&budgets, &policy, 99 * DAY), "time that goes back changes nothing");
    shoal_budgets_turn(&budgets, &policy, 100 * DAY + 16 * HOUR);
    cr_assert_eq(shoal_budgets_left(&budgets, promotions, 0, 1), 1);
}

Test(budgets, without_a_budget_nothing_is_due_and_nothing_is_counted)
{
    make(2, 0);
    cr_assert_not(shoal_budgets_due(&budgets, &policy, 100 * DAY));
    cr_assert_not(shoal_budgets_due(&budgets, NULL, 100 * DAY));
    shoal_budgets_spend(&budgets, &policy, promotions);
    cr_assert_eq(budgets.count, 0);
    cr_assert_eq(shoal_budgets_left(&budgets, promotions, 0, 4), UINT32_MAX);
}

Test(budgets, a_smaller_budget_on_the_same_day_ends_at_zero)
{
    make(1, 10);
    shoal_budgets_turn(&budgets, &policy, DAY);
    for (int i = 0; i < 6; i++)
        shoal_budgets_spend(&budgets, &policy, promotions);
    promotions[0].budget = 5;
    cr_assert_eq(shoal_budgets_left(&budgets, promotions, 0, 1), 0);
    promotions[0].budget = 20;
    cr_assert_eq(shoal_budgets_left(&budgets, promotions, 0, 1), 14);
}

Test(budgets, only_what_may_ask_for_a_promotion_may_spend_its_budget)
{
    make(4, 10);
    promotions[0].triggers = 1u << SHOAL_CART;
    shoal_levels_add(&promotions[1].enters[SHOAL_LIFECYCLE], SHOAL_LAPSING);
    shoal_levels_add(&promotions[2].enters[SHOAL_FREQUENT_BUYER], SHOAL_YES);
    promotions[3].triggers = 1u << SHOAL_FAV;
    promotions[3].budget = 0;
    shoal_policy_settle(&policy);
    cr_assert_eq(policy.spent_at[SHOAL_PV], 0);
    cr_assert_eq(policy.spent_at[SHOAL_CART], 1);
    cr_assert_eq(policy.spent_at[SHOAL_FAV], 0, "no budget");
    cr_assert_eq(policy.spent_at[SHOAL_BUY], 4);
    cr_assert_eq(policy.spent_at[SHOAL_BEHAVIOR_COUNT], 2);
    promotions[0].triggers = 0;
    shoal_policy_settle(&policy);
    for (int kind = 0; kind <= SHOAL_BEHAVIOR_COUNT; kind++)
        cr_assert(policy.spent_at[kind] & 1, "without a trigger everything asks");
}

Test(budgets, what_is_packed_comes_back_and_anything_else_is_refused)
{
    struct shoal_buffer bytes = {0};
    struct shoal_unpack in;
    struct shoal_budgets back;
    make(SHOAL_GRANTS_MAX, 1000000000);
    shoal_budgets_turn(&budgets, &policy, 20000 * DAY);
    for (size_t i = 0; i < policy.count; i++)
        for (size_t j = 0; j <= i; j++)
            shoal_budgets_spend(&budgets, &policy, &promotions[i]);
    shoal_budgets_pack(&budgets, &bytes);
    shoal_unpack_init(&in, bytes.bytes, bytes.size);
    shoal_budgets_unpack(&in, &back);
    cr_assert_eq(in.status, SHOAL_OK);
    cr_assert_eq(in.position, bytes.size);
    cr_assert_eq(memcmp(&back, &budgets, sizeof back), 0);
    for (size_t size = 0; size < bytes.size; size++) {
        shoal_unpack_init(&in, bytes.bytes, size);
        shoal_budgets_unpack(&in, &back);
        cr_assert_neq(in.status, SHOAL_OK, "cut at %zu", size);
        cr_assert_eq(back.day, -1);
    }
    shoal_buffer_clear(&bytes);
    shoal_pack_array(&bytes, 5);
    shoal_pack_int(&bytes, 3);
    for (int i = 0; i < 4; i++)
        shoal_pack_uint(&bytes, 7); /* promotion 7 twice */
    shoal_unpack_init(&in, bytes.bytes, bytes.size);
    shoal_budgets_unpack(&in, &back);
    cr_assert_neq(in.status, SHOAL_OK);
    shoal_buffer_finish(&bytes);
}

Test(budgets, promotions_of_the_past_make_room)
{
    make(SHOAL_GRANTS_MAX, 10);
    shoal_budgets_turn(&budgets, &policy, DAY);
    for (size_t i = 0; i < policy.count; i++)
        shoal_budgets_spend(&budgets, &policy, &promotions[i]);
    promotions[0].hash = 12345; /* another one in its place */
    shoal_budgets_spend(&budgets, &policy, &promotions[0]);
    cr_assert_eq(budgets.count, SHOAL_GRANTS_MAX);
    cr_assert_eq(shoal_budgets_left(&budgets, &promotions[0], 0, 1), 9);
    cr_assert_eq(shoal_budgets_left(&budgets, &promotions[1], 0, 1), 9);
}
