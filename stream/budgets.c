/* SPDX-License-Identifier: Apache-2.0 */
/* Budgets of a partition; see budgets.h. */
#include "stream/budgets.h"

void shoal_budgets_init(struct shoal_budgets *budgets)
{
    *budgets = (struct shoal_budgets){.day = -1};
}

bool shoal_budgets_due(const struct shoal_budgets *budgets, const struct shoal_policy *policy,
                       int64_t watermark_ms)
{
    return false;
}

void shoal_budgets_turn(struct shoal_budgets *budgets, const struct shoal_policy *policy,
                        int64_t watermark_ms)
{
}

uint32_t shoal_budgets_left(const struct shoal_budgets *budgets,
                            const struct shoal_promotion *promotion, int32_t partition,
                            int32_t partitions)
{
    return UINT32_MAX;
}

void shoal_budgets_spend(struct shoal_budgets *budgets, const struct shoal_promotion *promotion)
{
}

uint32_t shoal_budgets_scarcest(const struct shoal_budgets *budgets,
                                const struct shoal_policy *policy, int32_t partition,
                                int32_t partitions)
{
    return UINT32_MAX;
}

void shoal_budgets_pack(const struct shoal_budgets *budgets, struct shoal_buffer *out)
{
    shoal_pack_array(out, 1);
    shoal_pack_int(out, budgets->day);
}

void shoal_budgets_unpack(struct shoal_unpack *in, struct shoal_budgets *budgets)
{
    shoal_budgets_init(budgets);
    if (shoal_unpack_array(in, 1) == 1)
        budgets->day = shoal_unpack_int(in, -1, INT64_MAX);
    else
        shoal_unpack_fail(in);
}
