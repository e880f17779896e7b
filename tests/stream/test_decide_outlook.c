/* SPDX-License-Identifier: Apache-2.0 */
/* What a look-up says would be decided is what is decided when somebody asks. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "stream/decide.h"
#include "tests/state/random_record.h"

enum { PROMOTIONS = SHOAL_BEHAVIOR_COUNT, STEPS = 400 };
static const int64_t MINUTE = 60000, HOUR = 3600000, START = INT64_C(1741000000000);

/* One promotion a behaviour, so that an event asks for one alone. */
static void make_policy(struct shoal_policy *policy, struct shoal_promotion *promotions, uint64_t *seed)
{
    *policy = (struct shoal_policy){.promotions = promotions, .count = PROMOTIONS};
    for (unsigned i = 0; i < PROMOTIONS; i++) {
        struct shoal_promotion *p = &promotions[i];
        *p = (struct shoal_promotion){
            .triggers = 1u << i,
            .max_score = 1,
            .valid_from_ms = INT64_MIN,
            .valid_until_ms = INT64_MAX,
            .offer_ms = (int64_t)(1 + test_random(seed) % 90) * MINUTE,
            .cooldown_ms = (int64_t)(test_random(seed) % 3) * HOUR,
            .limit = (uint16_t)(test_random(seed) % 8),
            .control = 0.3f,
            .min_score = test_random(seed) % 2 ? 0.4f : 0,
            .priority = (int32_t)(test_random(seed) % 3),
        };
        if (test_random(seed) % 2)
            shoal_levels_add(&p->levels[SHOAL_INTENT], (uint8_t)(1 + test_random(seed) % 3));
        if (test_random(seed) % 3)
            strcpy(p->group, "nudges");
        snprintf(p->id, sizeof p->id, "promotion-%u", i);
        p->hash = shoal_promotion_hash(p->id, strlen(p->id));
    }
    shoal_policy_settle(policy);
}

static const struct shoal_decision *answer_of(const struct shoal_decision *decisions, size_t count,
                                              const struct shoal_promotion *promotion)
{
    for (size_t i = 0; i < count; i++) {
        if (decisions[i].promotion == promotion)
            return &decisions[i];
    }
    return NULL;
}

static void expect_same(const struct shoal_outlook *outlook, const struct shoal_decision *made,
                        unsigned long round, int step)
{
    const struct shoal_decision *said = &outlook->decision;
    cr_assert_eq(said->eligible, made->eligible, "round %lu, step %d", round, step);
    cr_assert_eq(said->control, made->control);
    cr_assert_eq(said->expires_ms, made->expires_ms, "round %lu, step %d", round, step);
    cr_assert_eq(said->reasons_count, made->reasons_count, "round %lu, step %d", round, step);
    for (size_t i = 0; i < said->reasons_count; i++) {
        cr_assert_eq(said->reasons[i].condition, made->reasons[i].condition);
        cr_assert_eq(said->reasons[i].met, made->reasons[i].met);
        cr_assert_eq(said->reasons[i].other, made->reasons[i].other);
    }
}

static bool repeats_offer(const struct shoal_decision *decision)
{
    return decision->reasons_count > 0 &&
           decision->reasons[decision->reasons_count - 1].condition == SHOAL_CONDITION_OFFER;
}

Test(decide_outlook, what_is_foreseen_is_decided)
{
    uint64_t seed = 11;
    unsigned offers = 0, refusals = 0, repeats = 0;
    for (unsigned long round = 0; round < 60; round++) {
        struct shoal_promotion promotions[PROMOTIONS];
        struct shoal_policy policy;
        struct shoal_decision decisions[SHOAL_GRANTS_MAX];
        struct shoal_outlook outlooks[PROMOTIONS];
        struct shoal_record record = {0};
        int64_t now_ms = START;
        make_policy(&policy, promotions, &seed);
        for (int step = 0; step < STEPS; step++) {
            now_ms += (int64_t)(test_random(&seed) % 40) * MINUTE;
            struct shoal_event event = {.user = "u1", .user_size = 2, .touch.time_ms = now_ms};
            struct shoal_occasion look = {.event = &event, .timer = true, .prompted = NAN, .partitions = 1};
            struct shoal_occasion occasion = {.event = &event, .prompted = NAN, .partitions = 1};
            event.touch.behavior = (uint8_t)(test_random(&seed) % PROMOTIONS);
            record.score = (float)(test_random(&seed) % 100) / 100;
            record.standings[SHOAL_INTENT].level = (uint8_t)(1 + test_random(&seed) % 3);
            record.last_ms = now_ms;
            struct shoal_record before = record;
            shoal_decide_outlook(&policy, &look, &record, NULL, outlooks);
            cr_assert_eq(memcmp(&before, &record, sizeof record), 0, "a look changed the record");
            size_t count = shoal_decide(&policy, &occasion, &record, NULL, decisions);
            const struct shoal_promotion *asked = &promotions[event.touch.behavior];
            const struct shoal_decision *made = answer_of(decisions, count, asked);
            cr_assert_not_null(made);
            const struct shoal_outlook *said = &outlooks[event.touch.behavior];
            /* What stands and is asked for again may be made anew, if nothing but the standing offer was in the way. */
            if (said->standing && made->eligible && !repeats_offer(made))
                continue;
            expect_same(said, made, round, step);
            offers += made->eligible && !said->standing;
            refusals += !made->eligible;
            repeats += made->eligible && said->standing;
        }
    }
    cr_assert_gt(offers, 500, "%u", offers);
    cr_assert_gt(refusals, 500, "%u", refusals);
    cr_assert_gt(repeats, 100, "%u", repeats);
}
