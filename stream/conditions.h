/* SPDX-License-Identifier: Apache-2.0 */
/* The conditions of a promotion, one by one, as reasons of a decision. Internal to decide.c. */
#ifndef SHOAL_CONDITIONS_H
#define SHOAL_CONDITIONS_H

#include "stream/decide.h"

/* What one promotion is decided from. */
struct shoal_asking {
    const struct shoal_policy *policy;
    const struct shoal_promotion *promotion;
    const struct shoal_occasion *occasion;
    const struct shoal_record *record;
    const struct shoal_grant *grant;       /* NULL: nothing offered so far */
    const struct shoal_budgets *budgets;   /* NULL: none are kept */
    const struct shoal_promotion *standing; /* of its group; NULL: none */
    bool outdone; /* `standing` was offered on this occasion, before it */
    int64_t now_ms;
};

/* Conditions that a standing offer must still fulfil. Begins the decision: eligible if all hold. */
void shoal_conditions_standing(const struct shoal_asking *asking, struct shoal_decision *decision);
/* What a new offer needs besides. */
void shoal_conditions_new(const struct shoal_asking *asking, struct shoal_decision *decision);
void shoal_conditions_add(struct shoal_decision *decision, enum shoal_condition condition, bool met,
                          double value, double limit);

#endif
