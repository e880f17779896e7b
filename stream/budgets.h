/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of the promotions' budgets in one partition.
 *
 * A budget (offers a day) is leased to the partitions: each has a fixed share for each day, and counts its
 * own offers in its own state, which is saved with its users' records. So a budget is never overrun,
 * whatever is killed when; a replay spends it in the same way; and no partition waits for another. */
#ifndef SHOAL_BUDGETS_H
#define SHOAL_BUDGETS_H

#include "state/record.h"
#include "stream/policy.h"

struct shoal_budgets {
    int64_t day;  /* of the policy's time zone, days since 1970; −1: none yet */
    uint32_t count;
    struct shoal_spent {
        uint32_t promotion; /* hash of its id */
        uint32_t offers;    /* made in the partition on that day */
    } list[SHOAL_GRANTS_MAX];
};

void shoal_budgets_init(struct shoal_budgets *budgets);
/* True if an event at this watermark (the partition's event time) begins another day: everything before it
 * in the log must have been decided, and turn be called, before it is. */
bool shoal_budgets_due(const struct shoal_budgets *budgets, const struct shoal_policy *policy,
                       int64_t watermark_ms);
void shoal_budgets_turn(struct shoal_budgets *budgets, const struct shoal_policy *policy,
                        int64_t watermark_ms);
/* Offers that partition `partition` of `partitions` may still make today; UINT32_MAX without a budget. */
uint32_t shoal_budgets_left(const struct shoal_budgets *budgets,
                            const struct shoal_promotion *promotion, int32_t partition,
                            int32_t partitions);
void shoal_budgets_spend(struct shoal_budgets *budgets, const struct shoal_promotion *promotion);
/* The least of what is left of those budgets that are not used up; UINT32_MAX if there is none. As long as
 * no more events than this are decided together, their order does not matter. */
uint32_t shoal_budgets_scarcest(const struct shoal_budgets *budgets,
                                const struct shoal_policy *policy, int32_t partition,
                                int32_t partitions);

/* A MessagePack array [day, promotion, offers …]. */
void shoal_budgets_pack(const struct shoal_budgets *budgets, struct shoal_buffer *out);
/* Fails the reader on anything else. */
void shoal_budgets_unpack(struct shoal_unpack *in, struct shoal_budgets *budgets);

#endif
