/* SPDX-License-Identifier: Apache-2.0 */
/* Timers; see timers.h. */
#include "stream/timers.h"

const char *shoal_timer_name(enum shoal_timer timer)
{
    static const char *const names[] = {
#define X(NAME, name, text) name,
        SHOAL_TIMER_LIST(X)
#undef X
    };
    return names[timer];
}
