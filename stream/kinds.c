/* SPDX-License-Identifier: Apache-2.0 */
/* Kinds of promotions; see kinds.h. */
#include "stream/kinds.h"

#include "model/touch.h"
#include "stream/timers.h"

const struct shoal_kind_info *shoal_kind_info(enum shoal_kind kind)
{
    static const struct shoal_kind_info infos[] = {
#define X(NAME, name, triggers, timers, offer, cooldown, text)                                     \
    {name, triggers, timers, offer, cooldown, text},
        SHOAL_KIND_LIST(X)
#undef X
    };
    return &infos[kind];
}
