/* SPDX-License-Identifier: Apache-2.0 */
/* What is left of the promotions' budgets in one partition.
 *
 * A budget (offers a day) is leased to the partitions: each has a fixed share for each day, and counts its
 * own offers in its own state, which is saved with its users' records. So a budget is never overrun,
 * whatever is killed when; a replay spends it in the same way; and no partition waits for another.
 *
 * Why fixed shares: a share that moved from an idle partition to a busy one would have to be agreed on
 * between owners, in a transaction that spans both, and what is left would depend on who asked when, so that
 * a replay could not repeat it. The price is that what a partition does not use on a day is not offered.
 *
 * The share is budget / partitions, and the remainder goes to as many partitions that follow each other,
 * beginning where the day before ended (and, on the first day, at a place of the promotion's own): within as
 * many days as there are partitions each has had the same, also of a budget that is smaller than their
 * number, and small budgets of several promotions do not all go to partition 0.
 *
 * Users of the control group are stopped by a budget that is used up, as everybody is, but use up nothing
 * of it: so the two groups stay comparable, and the budget is the number of offers really made. */
#ifndef SHOAL_BUDGETS_H
#define SHOAL_BUDGETS_H

#include "state/record.h"
#include "stream/policy.h"

struct shoal_budgets {
    int64_t day;  /* of the policy's time zone, days since 1970; −1: none yet */
    uint32_t count;
    /* by rising hash, so that the same offers in another order are the same bytes */
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
/* Offers that a partition of so many may make on a day; the shares of all add up to the budget. */
uint32_t shoal_budgets_share(const struct shoal_promotion *promotion, int64_t day,
                             int32_t partition, int32_t partitions);
/* Offers that partition `partition` of `partitions` may still make today; UINT32_MAX without a budget. */
uint32_t shoal_budgets_left(const struct shoal_budgets *budgets,
                            const struct shoal_promotion *promotion, int32_t partition,
                            int32_t partitions);
/* Counts an offer of one of the policy's promotions. */
void shoal_budgets_spend(struct shoal_budgets *budgets, const struct shoal_policy *policy,
                         const struct shoal_promotion *promotion);
/* A MessagePack array [day, promotion, offers …], promotions rising. */
void shoal_budgets_pack(const struct shoal_budgets *budgets, struct shoal_buffer *out);
/* Fails the reader on anything else. */
void shoal_budgets_unpack(struct shoal_unpack *in, struct shoal_budgets *budgets);

#endif
