/* SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target for promotions files. What is accepted must be sound: decisions can be made under it. What is
 * not says why, with the file's name. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "stream/decide.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_promotion(const struct shoal_promotion *p)
{
    size_t size = strlen(p->id);
    require(size >= 1 && size <= 64 && p->hash == shoal_promotion_hash(p->id, size));
    require(p->min_score >= 0 && p->min_score <= p->max_score && p->max_score <= 1);
    require(p->min_prompted >= 0 && p->min_prompted <= 1 && p->control >= 0 && p->control <= 0.5f);
    require(p->cooldown_ms >= 0 && p->offer_ms >= 1000 && p->valid_from_ms < p->valid_until_ms);
    require(p->quiet.from_min >= 0 && p->quiet.from_min <= SHOAL_DAY_MINUTES);
    require(p->quiet.until_min >= 0 && p->quiet.until_min <= SHOAL_DAY_MINUTES);
    require(!(p->consents & ~SHOAL_CONSENT_ALL) && (unsigned)p->kind < SHOAL_KIND_COUNT);
    require(!(p->triggers >> SHOAL_BEHAVIOR_COUNT) && !(p->timers >> SHOAL_TIMER_COUNT));
}

static void decide(const struct shoal_policy *policy)
{
    static struct shoal_decision decisions[SHOAL_GRANTS_MAX];
    static struct shoal_record record;
    struct shoal_event event = {.user = "u", .user_size = 1};
    struct shoal_change change = {.dimension = SHOAL_LIFECYCLE, .to = SHOAL_LAPSING};
    struct shoal_budgets budgets;
    memset(&record, 0, sizeof record);
    shoal_budgets_init(&budgets);
    for (int i = 0; i < 40; i++) {
        event.touch.time_ms = record.last_ms = INT64_C(1511539200000) + i * INT64_C(5000000);
        event.touch.behavior = (uint8_t)(i % SHOAL_BEHAVIOR_COUNT);
        struct shoal_occasion occasion = {.event = &event,
                                          .timer = i % 3 == 0,
                                          .timers = i % 3 == 0,
                                          .changes = &change,
                                          .changes_count = (size_t)(i % 2),
                                          .prompted = i % 4 ? 0.5f : NAN,
                                          .partitions = 4};
        if (shoal_budgets_due(&budgets, policy, event.touch.time_ms))
            shoal_budgets_turn(&budgets, policy, event.touch.time_ms);
        size_t count = shoal_decide(policy, &occasion, &record, &budgets, decisions);
        require(count <= policy->count);
        for (size_t d = 0; d < count; d++)
            require(decisions[d].reasons_count <= SHOAL_REASONS_MAX);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct shoal_policy *policy;
    struct shoal_message message = {.text = ""};
    enum shoal_status status =
        shoal_policy_parse((const char *)bytes, size, "p.yaml", &policy, &message);
    require(status == SHOAL_OK || (status == SHOAL_CONFIG && !policy &&
                                   strncmp(message.text, "p.yaml:", 7) == 0));
    if (status != SHOAL_OK)
        return 0;
    require(policy->count <= SHOAL_GRANTS_MAX);
    for (size_t i = 0; i < policy->count; i++)
        check_promotion(&policy->promotions[i]);
    require(shoal_policy_check(policy, "p.yaml", 1000, NULL, &message) == SHOAL_OK);
    decide(policy);
    shoal_policy_destroy(policy);
    return 0;
}
