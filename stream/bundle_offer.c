/* SPDX-License-Identifier: Apache-2.0 */
/* Bundles and recent events; see bundle_offer.h. */
#include "stream/bundle_offer.h"

struct shoal_bundle_look shoal_bundle_look(const struct shoal_promotion *promotion,
                                           const struct shoal_record *record)
{
    struct shoal_bundle_look look = {.anchor = -1};
    uint32_t bought = 0;
    for (size_t i = 0; i < record->ring_count; i++) {
        const struct shoal_touch *touch = &record->ring[i];
        for (unsigned j = 0; j < promotion->bundle_count; j++) {
            if (promotion->bundle[j].hash != touch->item)
                continue;
            bool buys = touch->behavior == SHOAL_BUY;
            if (buys || !bought)
                look.anchor = (int)j;
            bought |= buys ? UINT32_C(1) << j : 0;
        }
    }
    look.bought = (unsigned)__builtin_popcount(bought);
    look.carried = ~bought & ((UINT32_C(1) << promotion->bundle_count) - 1);
    if (look.anchor >= 0)
        look.carried &= ~(UINT32_C(1) << look.anchor);
    return look;
}
