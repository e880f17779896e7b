/* SPDX-License-Identifier: Apache-2.0 */
/* What each promotion brought: its offers joined with what their users bought afterwards.
 *
 *      pre-period: all before   │ first offer of the promotion │ window         │
 *      covariates (CUPED)       └───────── t < purchases ≤ t + window ──────────┘
 *
 * Exposed are the users who were offered it, control those who were only watched, from the same moment on.
 * An offer whose window the events do not cover is left out and counted, in both groups alike. */
#ifndef SHOAL_REPORT_EFFECTS_H
#define SHOAL_REPORT_EFFECTS_H

#include "model/learn/lift.h"
#include "stream/policy.h"
#include "tools/report_rows.h"

enum { SHOAL_GAIN_POINTS = 21 }; /* 0 %, 5 % … 100 % of the users */

/* Outcomes of one promotion in one row, by group: [0] exposed, [1] control. */
struct shoal_effect {
    struct shoal_arm bought[2], spent[2];
    struct shoal_lift purchases, sales; /* sales: of zeroed arms where the events have no prices */
};

/* Extra buyers if only the users of the highest scores were offered it. */
struct shoal_gain {
    uint16_t score;
    size_t users;
    double extra[SHOAL_GAIN_POINTS];              /* NaN: a group is empty up to here */
    struct shoal_interval intervals[SHOAL_GAIN_POINTS];
};

struct shoal_promotion_effect {
    uint16_t promotion;
    uint64_t open, outside;       /* offers left out: window not over yet; before the first event or after the last */
    uint64_t shown[2], clicked[2], redeemed[2]; /* users with such a contact within the window, by group */
    double share, split_p;        /* of control by the policy, and how probable the split is; NaN: not known */
    double holm_p;                /* p-value of purchases, corrected for the number of promotions */
    struct shoal_effect *effects; /* owned; one a row */
    struct shoal_gain gains[SHOAL_REPORT_SCORES];
    size_t gains_count;
};

struct shoal_effects {
    struct shoal_promotion_effect *promotions; /* owned, by number of the name */
    size_t count;
    bool has_amounts;
    uint64_t amounts_missing; /* purchases without a price where others have one; they count as 0 */
};

struct shoal_effects_options {
    int64_t window_ms;
    const struct shoal_policy *policy; /* for the control share; or NULL */
};

void shoal_effects_finish(struct shoal_effects *effects);
/* The data set is grouped. Finished by the caller, also after a failure. NOMEM. */
enum shoal_status shoal_effects_make(const struct shoal_dataset *dataset,
                                     const struct shoal_report_names *names,
                                     const struct shoal_offers *offers,
                                     const struct shoal_report_rows *rows,
                                     const struct shoal_effects_options *options,
                                     struct shoal_effects *effects) SHOAL_MUST_CHECK;

#endif
