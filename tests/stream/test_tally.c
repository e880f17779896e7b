/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/base/hash.h"
#include "stream/tally.h"
#include "stream/tally_clusters.h"
#include "tests/state/leaks.h"
#include "tests/state/random_record.h"

static const int64_t START = INT64_C(1512000000000), HOUR = 3600000;

static struct shoal_tally *empty(void)
{
    struct shoal_tally *tally = malloc(sizeof *tally);
    cr_assert_not_null(tally);
    shoal_tally_init(tally);
    return tally;
}

/* ---- users --------------------------------------------------------------------------------- */

Test(tally, users_at_a_level_are_those_who_came_less_those_who_left)
{
    struct shoal_tally *tally = empty();
    shoal_tally_move(tally, NULL, SHOAL_INTENT, 0, SHOAL_COLD);
    shoal_tally_move(tally, NULL, SHOAL_INTENT, 0, SHOAL_COLD);
    shoal_tally_move(tally, NULL, SHOAL_INTENT, SHOAL_COLD, SHOAL_HOT);
    shoal_tally_move(tally, NULL, SHOAL_NIGHT_ACTIVE, 0, SHOAL_YES);
    shoal_tally_move(tally, NULL, SHOAL_NIGHT_ACTIVE, SHOAL_YES, 0);
    cr_assert_eq(shoal_tally_at(tally, SHOAL_INTENT, SHOAL_COLD), 1);
    cr_assert_eq(shoal_tally_at(tally, SHOAL_INTENT, SHOAL_WARM), 0);
    cr_assert_eq(shoal_tally_at(tally, SHOAL_INTENT, SHOAL_HOT), 1);
    cr_assert_eq(shoal_tally_at(tally, SHOAL_NIGHT_ACTIVE, SHOAL_YES), 0);
    cr_assert_eq(shoal_tally_at(tally, SHOAL_INTENT, 200), 0, "no such level");
    cr_assert_eq(tally->moves[SHOAL_INTENT][SHOAL_COLD][SHOAL_HOT], 1);
    free(tally);
}

Test(tally, every_level_of_every_dimension_has_its_count)
{
    for (unsigned d = 0; d < SHOAL_DIMENSION_COUNT; d++) {
        if (d != SHOAL_CLUSTER)
            cr_assert_lt(shoal_level_count((enum shoal_dimension)d), SHOAL_TALLY_LEVELS);
    }
}

Test(tally, a_user_who_comes_and_goes_leaves_users_and_levels_as_they_were)
{
    struct shoal_tally *tally = empty();
    float hc[4];
    struct shoal_record record = {0};
    shoal_record_init(&record, 2, hc);
    record.standings[SHOAL_INTENT].level = SHOAL_WARM;
    record.standings[SHOAL_CLUSTER].level = 9;
    shoal_tally_come(tally, NULL, &record);
    cr_assert_eq(tally->users, 1);
    cr_assert_eq(shoal_tally_at(tally, SHOAL_INTENT, SHOAL_WARM), 1);
    cr_assert_eq(shoal_tally_at(tally, SHOAL_CLUSTER, 9), 1);
    shoal_tally_go(tally, NULL, &record);
    cr_assert_eq(tally->users, 0);
    cr_assert_eq(shoal_tally_at(tally, SHOAL_INTENT, SHOAL_WARM), 0);
    cr_assert_eq(shoal_tally_at(tally, SHOAL_CLUSTER, 9), 0);
    cr_assert_eq(tally->moves[SHOAL_INTENT][SHOAL_WARM][0], 1);
    free(tally);
}

/* Users at the clusters of a place, by the ways between places. */
static uint64_t at_place(const struct shoal_tally_clusters *clusters, unsigned place)
{
    uint64_t users = 0;
    for (unsigned i = 0; i < SHOAL_TALLY_PLACES; i++)
        users += clusters->moves[i][place] - clusters->moves[place][i];
    return users;
}

Test(tally, ways_between_clusters_follow_the_model_and_lose_nobody)
{
    static const uint8_t sets[][4] = {{1, 2, 3, 0}, {2, 3, 7, 255}, {3, 9}, {3, 10, 11}};
    static const uint8_t counts[] = {3, 4, 2, 3};
    struct shoal_tally *tally = empty();
    struct shoal_tally_clusters *clusters = &tally->clusters;
    uint8_t users[500] = {0};
    uint64_t seed = 11;
    for (unsigned round = 0; round < 40; round++) {
        shoal_tally_places(clusters, sets[round / 10], counts[round / 10]);
        for (unsigned i = 0; i < 50; i++) {
            unsigned user = (unsigned)(test_random(&seed) % 500);
            uint8_t to = sets[round / 10][test_random(&seed) % counts[round / 10]];
            shoal_tally_move(tally, NULL, SHOAL_CLUSTER, users[user], to);
            users[user] = to;
        }
        uint64_t expected[256] = {0}, others = 0;
        for (unsigned user = 0; user < 500; user++)
            expected[users[user]]++;
        for (unsigned id = 1; id < 256; id++) {
            uint8_t place = shoal_tally_place(clusters, (uint8_t)id);
            cr_assert_eq(shoal_tally_at(tally, SHOAL_CLUSTER, (uint8_t)id), expected[id]);
            if (place == SHOAL_TALLY_OTHERS)
                others += expected[id];
            else
                cr_assert_eq(at_place(clusters, place), expected[id]);
        }
        cr_assert_eq(at_place(clusters, SHOAL_TALLY_OTHERS), others);
    }
    free(tally);
}

Test(tally, ways_between_clusters_that_stay_are_kept_by_their_ids)
{
    static const uint8_t before[] = {1, 2, 3}, after[] = {2, 3, 4};
    struct shoal_tally *tally = empty();
    struct shoal_tally_clusters *clusters = &tally->clusters;
    shoal_tally_places(clusters, before, 3);
    shoal_tally_move(tally, NULL, SHOAL_CLUSTER, 2, 3);
    shoal_tally_move(tally, NULL, SHOAL_CLUSTER, 1, 3);
    shoal_tally_places(clusters, after, 3);
    cr_assert_eq(clusters->moves[1][2], 1, "2 to 3");
    cr_assert_eq(clusters->moves[SHOAL_TALLY_OTHERS][2], 1, "1, which is no more, to 3");
    free(tally);
}

/* ---- promotions ---------------------------------------------------------------------------- */

/* A policy of `count` promotions p0, p1, …; the last one's offers stand for three days. */
static struct shoal_policy make_policy(struct shoal_promotion *promotions, unsigned first, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        promotions[i] = (struct shoal_promotion){.offer_ms = i + 1 == count ? 72 * HOUR : HOUR};
        (void)snprintf(promotions[i].id, sizeof promotions[i].id, "p%u", first + (unsigned)i);
        promotions[i].hash = (uint32_t)shoal_hash(promotions[i].id, strlen(promotions[i].id));
    }
    return (struct shoal_policy){.promotions = promotions, .count = count};
}

static void decide(struct shoal_tally *tally, const struct shoal_policy *policy, size_t i,
                   enum shoal_turn turn, bool control)
{
    struct shoal_decision decision = {
        .policy = policy, .promotion = &policy->promotions[i], .turn = turn, .control = control};
    shoal_tally_decided(tally, &decision, 1);
}

static const struct shoal_tally_variant *counts_of(const struct shoal_tally *tally,
                                                   const struct shoal_policy *policy, size_t i,
                                                   enum shoal_variant variant)
{
    const struct shoal_tally_promotion *promotion =
        shoal_tally_promotion(tally, policy->promotions[i].hash);
    cr_assert_not_null(promotion);
    return &promotion->variants[variant];
}

Test(tally, offers_and_withdrawals_are_counted_by_variant_and_repetitions_are_not)
{
    struct shoal_promotion promotions[2];
    struct shoal_policy policy = make_policy(promotions, 0, 2);
    struct shoal_tally *tally = empty();
    decide(tally, &policy, 0, SHOAL_TURN_OFFERED, false);
    decide(tally, &policy, 0, SHOAL_TURN_OFFERED, false);
    decide(tally, &policy, 0, SHOAL_TURN_NONE, false);
    decide(tally, &policy, 0, SHOAL_TURN_WITHDRAWN, false);
    decide(tally, &policy, 0, SHOAL_TURN_OFFERED, true);
    decide(tally, &policy, 1, SHOAL_TURN_NONE, true);
    cr_assert_eq(counts_of(tally, &policy, 0, SHOAL_TREATMENT)->offers, 2);
    cr_assert_eq(counts_of(tally, &policy, 0, SHOAL_TREATMENT)->withdrawals, 1);
    cr_assert_eq(counts_of(tally, &policy, 0, SHOAL_CONTROL)->offers, 1);
    cr_assert_eq(counts_of(tally, &policy, 0, SHOAL_CONTROL)->withdrawals, 0);
    cr_assert_null(shoal_tally_promotion(tally, promotions[1].hash));
    free(tally);
}

/* A user with an open offer of promotion i made at START buys after so long: is it counted? */
static uint64_t conversions_after(const struct shoal_policy *policy, size_t i, int64_t after_ms,
                                  bool open)
{
    struct shoal_tally *tally = empty();
    float hc[4];
    struct shoal_record record;
    shoal_record_init(&record, 2, hc);
    struct shoal_grant *grant = shoal_record_grant(&record, policy->promotions[i].hash, true);
    grant->last_ms = START;
    grant->open = open;
    shoal_tally_bought(tally, policy, "u", 1, &record, START + after_ms);
    cr_assert_not(grant->open);
    shoal_tally_bought(tally, policy, "u", 1, &record, START + after_ms);
    const struct shoal_tally_promotion *counts =
        shoal_tally_promotion(tally, policy->promotions[i].hash);
    uint64_t conversions = counts ? counts->variants[SHOAL_TREATMENT].conversions : 0;
    cr_assert_eq(counts && counts->variants[SHOAL_CONTROL].conversions, 0);
    free(tally);
    return conversions;
}

Test(tally, the_first_purchase_within_a_day_or_while_the_offer_stands_answers_it_once)
{
    struct shoal_promotion promotions[2];
    struct shoal_policy policy = make_policy(promotions, 0, 2);
    cr_assert_eq(conversions_after(&policy, 0, 0, true), 1);
    cr_assert_eq(conversions_after(&policy, 0, 24 * HOUR, true), 1);
    cr_assert_eq(conversions_after(&policy, 0, 24 * HOUR + 1, true), 0);
    cr_assert_eq(conversions_after(&policy, 1, 72 * HOUR, true), 1);
    cr_assert_eq(conversions_after(&policy, 1, 72 * HOUR + 1, true), 0);
    cr_assert_eq(conversions_after(&policy, 0, 0, false), 0);
}

Test(tally, what_is_bought_while_a_promotion_is_not_in_the_policy_is_nobodys)
{
    struct shoal_promotion promotions[2], others[1];
    struct shoal_policy policy = make_policy(promotions, 0, 2), other = make_policy(others, 7, 1);
    struct shoal_tally *tally = empty();
    float hc[4];
    struct shoal_record record;
    shoal_record_init(&record, 2, hc);
    shoal_record_grant(&record, promotions[0].hash, true)->open = true;
    shoal_record_grant(&record, promotions[1].hash, true)->open = true;
    shoal_tally_bought(tally, &other, "u", 1, &record, HOUR);
    shoal_tally_bought(tally, &policy, "u", 1, &record, HOUR);
    cr_assert_eq(tally->promotions_count, 0);
    record.grants[0].open = true;
    shoal_tally_bought(tally, NULL, "u", 1, &record, HOUR);
    cr_assert_not(record.grants[0].open);
    free(tally);
}

Test(tally, promotions_that_are_no_longer_in_the_policy_make_room_whatever_the_order)
{
    static struct shoal_promotion first[SHOAL_GRANTS_MAX], second[SHOAL_GRANTS_MAX];
    struct shoal_policy one = make_policy(first, 0, SHOAL_GRANTS_MAX);
    struct shoal_policy two = make_policy(second, 20, SHOAL_GRANTS_MAX);
    struct shoal_buffer bytes[2] = {{0}, {0}};
    for (unsigned order = 0; order < 2; order++) {
        struct shoal_tally *tally = empty();
        for (size_t i = 0; i < SHOAL_GRANTS_MAX; i++)
            decide(tally, &one, i, SHOAL_TURN_OFFERED, false);
        cr_assert_eq(tally->promotions_count, SHOAL_GRANTS_MAX);
        for (size_t i = 0; i < SHOAL_GRANTS_MAX - 3; i++)
            decide(tally, &two, order ? SHOAL_GRANTS_MAX - 4 - i : i, SHOAL_TURN_OFFERED, true);
        cr_assert_eq(tally->promotions_count, SHOAL_GRANTS_MAX - 3);
        cr_assert_null(shoal_tally_promotion(tally, first[0].hash), "it left the policy");
        cr_assert_eq(counts_of(tally, &two, 0, SHOAL_TREATMENT)->offers, 1, "it stayed: p20");
        shoal_tally_pack(tally, &bytes[order]);
        free(tally);
    }
    cr_assert_eq(bytes[0].size, bytes[1].size);
    cr_assert_eq(memcmp(bytes[0].bytes, bytes[1].bytes, bytes[0].size), 0);
    shoal_buffer_finish(&bytes[0]);
    shoal_buffer_finish(&bytes[1]);
    test_no_leaks();
}

/* ---- sums and bytes ------------------------------------------------------------------------ */

static struct shoal_tally *random_tally(uint64_t seed)
{
    static struct shoal_promotion promotions[SHOAL_GRANTS_MAX];
    struct shoal_policy policy = make_policy(promotions, (unsigned)(seed % 3), 12);
    struct shoal_tally *tally = empty();
    uint8_t ids[8];
    for (uint8_t i = 0; i < 8; i++)
        ids[i] = (uint8_t)(1 + i * (1 + seed % 5));
    shoal_tally_places(&tally->clusters, ids, 8);
    tally->users = test_random(&seed) % 100000;
    tally->events = test_random(&seed);
    for (unsigned i = 0; i < 5000; i++) {
        enum shoal_dimension d =
            (enum shoal_dimension)(test_random(&seed) % SHOAL_DIMENSION_COUNT);
        if (d == SHOAL_CLUSTER)
            shoal_tally_move(tally, NULL, d, ids[test_random(&seed) % 8], ids[test_random(&seed) % 8]);
        else
            shoal_tally_move(tally, NULL, d, (uint8_t)(test_random(&seed) % 6),
                             (uint8_t)(test_random(&seed) % 6));
        decide(tally, &policy, test_random(&seed) % 12, (enum shoal_turn)(test_random(&seed) % 3),
               test_random(&seed) % 2);
    }
    return tally;
}

static void assert_same_bytes(const struct shoal_tally *a, const struct shoal_tally *b)
{
    struct shoal_buffer one = {0}, two = {0};
    shoal_tally_pack(a, &one);
    shoal_tally_pack(b, &two);
    cr_assert_eq(one.size, two.size);
    cr_assert_eq(memcmp(one.bytes, two.bytes, one.size), 0);
    shoal_buffer_finish(&one);
    shoal_buffer_finish(&two);
}

Test(tally, bytes_come_back_and_are_few)
{
    for (uint64_t seed = 1; seed < 20; seed++) {
        struct shoal_tally *tally = random_tally(seed), *back = empty();
        struct shoal_buffer bytes = {0};
        struct shoal_unpack in;
        shoal_tally_pack(tally, &bytes);
        cr_assert_lt(bytes.size, 3000, "%zu", bytes.size);
        shoal_unpack_init(&in, bytes.bytes, bytes.size);
        shoal_tally_unpack(&in, back);
        cr_assert_eq(in.status, SHOAL_OK);
        cr_assert_eq(in.position, bytes.size);
        assert_same_bytes(tally, back);
        cr_assert_eq(memcmp(&tally->clusters, &back->clusters, sizeof back->clusters), 0);
        shoal_buffer_finish(&bytes);
        free(tally);
        free(back);
    }
    test_no_leaks();
}

Test(tally, sums_do_not_depend_on_the_order)
{
    struct shoal_tally *one = empty(), *two = empty();
    static const uint8_t ids[] = {1, 2, 3, 5, 9};
    shoal_tally_places(&one->clusters, ids, 5);
    shoal_tally_places(&two->clusters, ids, 5);
    for (uint64_t seed = 0; seed < 6; seed++) {
        struct shoal_tally *up = random_tally(seed), *down = random_tally(5 - seed);
        shoal_tally_add(one, up);
        shoal_tally_add(two, down);
        free(up);
        free(down);
    }
    assert_same_bytes(one, two);
    uint64_t users = 0;
    for (uint64_t seed = 0; seed < 6; seed++) {
        struct shoal_tally *tally = random_tally(seed);
        users += tally->users;
        free(tally);
    }
    cr_assert_eq(one->users, users);
    free(one);
    free(two);
}

Test(tally, a_sum_without_clusters_takes_those_that_it_meets)
{
    struct shoal_tally *sum = empty(), *tally = random_tally(3);
    shoal_tally_add(sum, tally);
    assert_same_bytes(sum, tally);
    free(sum);
    free(tally);
}

static void assert_refused(const char *bytes, size_t size, const char *what)
{
    struct shoal_tally *tally = random_tally(1);
    struct shoal_unpack in;
    shoal_unpack_init(&in, bytes, size);
    shoal_tally_unpack(&in, tally);
    cr_assert_neq(in.status, SHOAL_OK, "%s", what);
    cr_assert_eq(tally->users, 0, "%s", what);
    free(tally);
}

Test(tally, what_no_tally_writes_is_refused)
{
    static const struct {
        const char *bytes, *what;
        size_t size;
    } cases[] = {
        {"\x99\0\0\0\0\0\x90\xc4\0\x90\x90", "a field too few", 11},
        {"\x9a\xff\0\0\0\0\x90\xc4\0\x90\x90\x90", "less than nobody", 12},
        {"\x9a\0\0\0\0\0\x91\0\xc4\0\x90\x90\x90", "half a move", 13},
        {"\x9a\0\0\0\0\0\x92\0\0\xc4\0\x90\x90\x90", "no move counted", 14},
        {"\x9a\0\0\0\0\0\x94\2\1\2\1\xc4\0\x90\x90\x90", "the same move twice", 16},
        {"\x9a\0\0\0\0\0\x92\xcd\1\x68\1\xc4\0\x90\x90\x90", "a move too far", 16},
        {"\x9a\0\0\0\0\0\x90\xc4\2\2\1\x90\x90\x90", "ids that fall", 14},
        {"\x9a\0\0\0\0\0\x90\xc4\1\0\x90\x90\x90", "a cluster without id", 13},
        {"\x9a\0\0\0\0\0\x90\xc4\1\1\x92\0\1\x90\x90", "users of no cluster", 15},
        {"\x9a\0\0\0\0\0\x90\xc4\1\1\x90\x92\2\1\x90", "a place that is not there", 15},
        {"\x9a\0\0\0\0\0\x90\xc4\0\x90\x90\x91\1", "a piece of a promotion", 13},
        {"\x9a\0\0\0\0\0\x90\xc4\0\x90\x90\x9e\1\0\0\0\0\0\0\1\0\0\0\0\0\0", "a promotion twice", 26},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_refused(cases[i].bytes, cases[i].size, cases[i].what);
    struct shoal_tally *tally = empty();
    struct shoal_unpack in;
    shoal_unpack_init(&in, "\x9a\0\0\0\0\0\x90\xc4\1\1\x90\x92\1\1\x90", 15);
    shoal_tally_unpack(&in, tally);
    cr_assert_eq(in.status, SHOAL_OK, "one that is well formed");
    free(tally);
    test_no_leaks();
}
