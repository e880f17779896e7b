/* SPDX-License-Identifier: Apache-2.0 */
/* A policy that a test fills, one user, and what shoal_decide says at an event of that user. setup is a suite's
 * .init. */
#ifndef TEST_DECIDE_FIXTURE_H
#define TEST_DECIDE_FIXTURE_H

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "stream/bundle_offer.h"
#include "stream/consent.h"
#include "stream/decide.h"

static const int64_t MIN = 60000, HOUR = 3600000, DAY = 86400000;
static struct shoal_promotion promotions[SHOAL_GRANTS_MAX];
static struct shoal_policy policy;
static struct shoal_record record;
static struct shoal_decision decisions[SHOAL_GRANTS_MAX];
static struct shoal_budgets *budgets;
static float prompted;

static inline struct shoal_promotion *add(const char *id)
{
    struct shoal_promotion *p = &promotions[policy.count++];
    *p = (struct shoal_promotion){
        .max_score = 1, .valid_from_ms = INT64_MIN, .valid_until_ms = INT64_MAX, .offer_ms = HOUR};
    strcpy(p->id, id);
    p->hash = shoal_promotion_hash(id, strlen(id));
    return p;
}

static inline size_t contact(int64_t time_ms, enum shoal_behavior behavior, const char *promotion,
                      enum shoal_exposure exposure)
{
    struct shoal_event event = {.user = "u1", .user_size = 2, .exposure = (uint8_t)exposure};
    event.touch.time_ms = time_ms;
    event.touch.behavior = (uint8_t)behavior;
    if (promotion)
        event.promotion = shoal_promotion_hash(promotion, strlen(promotion));
    if (time_ms > record.last_ms)
        record.last_ms = time_ms;
    struct shoal_occasion occasion = {.event = &event, .prompted = prompted, .partitions = 1};
    shoal_policy_settle(&policy);
    return shoal_decide(&policy, &occasion, &record, budgets, decisions);
}

static inline size_t event(int64_t time_ms, enum shoal_behavior behavior)
{
    return contact(time_ms, behavior, NULL, SHOAL_EXPOSURE_NONE);
}

static inline void setup(void)
{
    policy = (struct shoal_policy){.promotions = promotions};
    memset(&record, 0, sizeof record);
    budgets = NULL;
    prompted = NAN;
    record.score = 0.5f;
    record.standings[SHOAL_INTENT].level = SHOAL_WARM;
    record.standings[SHOAL_LIFECYCLE].level = SHOAL_ACTIVE;
}

static inline const struct shoal_reason *reason(size_t i, enum shoal_condition condition)
{
    for (size_t j = 0; j < decisions[i].reasons_count; j++) {
        if (decisions[i].reasons[j].condition == condition)
            return &decisions[i].reasons[j];
    }
    return NULL;
}

#endif
