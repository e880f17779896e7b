/* SPDX-License-Identifier: Apache-2.0 */
/* Budgets of a partition; see budgets.h. */
#include "stream/budgets.h"

static const int64_t DAY_MS = INT64_C(86400000);

static int64_t day_of(const struct shoal_policy *policy, int64_t time_ms)
{
    int64_t local_ms = time_ms + policy->utc_offset_ms;
    return local_ms > 0 ? local_ms / DAY_MS : 0; /* nothing happens before 1970 but for its time zone */
}

void shoal_budgets_init(struct shoal_budgets *budgets)
{
    *budgets = (struct shoal_budgets){.day = -1};
}

bool shoal_budgets_due(const struct shoal_budgets *budgets, const struct shoal_policy *policy,
                       int64_t watermark_ms)
{
    return policy && policy->has_budgets && day_of(policy, watermark_ms) > budgets->day;
}

void shoal_budgets_turn(struct shoal_budgets *budgets, const struct shoal_policy *policy,
                        int64_t watermark_ms)
{
    budgets->day = day_of(policy, watermark_ms);
    budgets->count = 0;
}

uint32_t shoal_budgets_share(const struct shoal_promotion *promotion, int64_t day,
                             int32_t partition, int32_t partitions)
{
    uint64_t n = (uint64_t)partitions, rest = promotion->budget % n;
    /* both modulo n, so that no product overflows */
    uint64_t first = (promotion->hash + (uint64_t)(day > 0 ? day : 0) % n * rest) % n;
    uint64_t place = ((uint64_t)partition % n + n - first) % n;
    return promotion->budget / (uint32_t)partitions + (place < rest);
}

static struct shoal_spent *find(struct shoal_budgets *budgets, uint32_t promotion)
{
    for (uint32_t i = 0; i < budgets->count; i++) {
        if (budgets->list[i].promotion == promotion)
            return &budgets->list[i];
    }
    return NULL;
}

uint32_t shoal_budgets_left(const struct shoal_budgets *budgets,
                            const struct shoal_promotion *promotion, int32_t partition,
                            int32_t partitions)
{
    if (promotion->budget == 0)
        return UINT32_MAX;
    uint32_t share = shoal_budgets_share(promotion, budgets->day, partition, partitions);
    for (uint32_t i = 0; i < budgets->count; i++) {
        if (budgets->list[i].promotion != promotion->hash)
            continue;
        /* more than the share: the budget was larger earlier on this day */
        return budgets->list[i].offers < share ? share - budgets->list[i].offers : 0;
    }
    return share;
}

/* Those of promotions that are no longer in the policy make room. */
static void drop_foreign(struct shoal_budgets *budgets, const struct shoal_policy *policy)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < budgets->count; i++) {
        bool ours = false;
        for (size_t j = 0; j < policy->count && !ours; j++)
            ours = policy->promotions[j].hash == budgets->list[i].promotion;
        if (ours)
            budgets->list[kept++] = budgets->list[i];
    }
    budgets->count = kept;
}

void shoal_budgets_spend(struct shoal_budgets *budgets, const struct shoal_policy *policy,
                         const struct shoal_promotion *promotion)
{
    struct shoal_spent *spent = find(budgets, promotion->hash);
    if (promotion->budget == 0)
        return;
    if (!spent && budgets->count == SHOAL_GRANTS_MAX)
        drop_foreign(budgets, policy);
    if (!spent) {
        uint32_t at = budgets->count++;
        for (; at > 0 && budgets->list[at - 1].promotion > promotion->hash; at--)
            budgets->list[at] = budgets->list[at - 1];
        spent = &budgets->list[at];
        *spent = (struct shoal_spent){.promotion = promotion->hash};
    }
    spent->offers++;
}

void shoal_budgets_pack(const struct shoal_budgets *budgets, struct shoal_buffer *out)
{
    shoal_pack_array(out, 1 + 2 * budgets->count);
    shoal_pack_int(out, budgets->day);
    for (uint32_t i = 0; i < budgets->count; i++) {
        shoal_pack_uint(out, budgets->list[i].promotion);
        shoal_pack_uint(out, budgets->list[i].offers);
    }
}

void shoal_budgets_unpack(struct shoal_unpack *in, struct shoal_budgets *budgets)
{
    shoal_budgets_init(budgets);
    uint32_t count = shoal_unpack_array(in, 1 + 2 * SHOAL_GRANTS_MAX);
    if (count % 2 == 0)
        shoal_unpack_fail(in);
    budgets->day = shoal_unpack_int(in, -1, SHOAL_TIME_MAX_MS / DAY_MS + 1);
    for (uint32_t i = 0; i < count / 2; i++) {
        struct shoal_spent *spent = &budgets->list[budgets->count];
        uint32_t promotion = (uint32_t)shoal_unpack_uint(in, UINT32_MAX);
        uint32_t offers = (uint32_t)shoal_unpack_uint(in, UINT32_MAX);
        if (i > 0 && promotion <= spent[-1].promotion)
            shoal_unpack_fail(in);
        *spent = (struct shoal_spent){.promotion = promotion, .offers = offers};
        budgets->count++;
    }
    if (in->status != SHOAL_OK)
        shoal_budgets_init(budgets);
}
