/* SPDX-License-Identifier: Apache-2.0 */
/* Challenger against incumbent on a sealed window, and what is to be done with the challenger.
 *
 * Both models score the same events, which neither was trained on, each from the same past. Δ is
 * the mean log loss of the challenger less that of the incumbent; its 95 % interval comes from
 * resamples of the users in which both see the same users. Log loss, because it is the one measure
 * that a wrong order and wrong probabilities both show in, and decisions are taken on
 * probabilities.
 *
 *   refuse   the whole interval of Δ lies above 0: surely worse
 *   refuse   the same of challenger − prior: surely worse than giving everyone the base rate of what
 *            was known before the window; unless the whole interval of Δ lies below 0, when the
 *            incumbent is worse still. The only bar where no incumbent can be scored
 *   keep     Δ itself is above margin × the incumbent's log loss: it could be chance, but what
 *            evidence there is speaks against a change. Without this bar a folder retrained every
 *            day would take each step down that is too small to be proved
 *   publish  otherwise: no harm is seen, and the challenger knows the newer days
 *
 * To ask for proof that the challenger is better would be the wrong rule: two models of
 * neighbouring weeks hardly differ, so it would keep the older one for ever.
 *
 * What no comparison can tell: that the sealed window itself is wrong (a tracker that has lost
 * purchases up to the very end). The incumbent is then the one that looks bad; drift.h may show it.
 */
#ifndef SHOAL_LEARN_COMPARE_H
#define SHOAL_LEARN_COMPARE_H

#include <stdbool.h>

#include "model/learn/dataset.h"
#include "model/learn/metrics.h"
#include "model/learn/score.h"

/* What a sealed window needs at least: fewer users than this and resampling users says nothing. */
enum {
    SHOAL_SEALED_EVENTS_MIN = 100,
    SHOAL_SEALED_CLASS_MIN = 10,
    SHOAL_SEALED_USERS_MIN = 20,
};

#define SHOAL_MARGIN_DEFAULT 0.01

struct shoal_compare_options {
    int64_t from_ms, until_ms;      /* the sealed window */
    double margin;                  /* share of the incumbent's log loss */
    uint64_t seed;                  /* of the bootstrap */
    shoal_score_progress *progress; /* or NULL */
    void *context;
};

struct shoal_rival {
    bool there;
    struct shoal_metrics event_level, user_level;
    /* challenger − rival on the same resamples, event level */
    double difference[SHOAL_MEASURE_COUNT];
    struct shoal_interval intervals[SHOAL_MEASURE_COUNT];
};

enum shoal_verdict { SHOAL_VERDICT_PUBLISH, SHOAL_VERDICT_KEEP, SHOAL_VERDICT_REFUSE };

struct shoal_comparison {
    struct shoal_metrics event_level, user_level; /* of the challenger */
    struct shoal_rival incumbent, prior;
    bool incumbent_saw_window; /* it was trained on days of the window: it looks better than it is */
    enum shoal_verdict verdict;
    struct shoal_message reason;
};

/* Whether the window can be used, before hours are spent on a training: TOO_FEW with what is there
 * and what is needed. NOMEM. */
enum shoal_status shoal_compare_check(const struct shoal_dataset *dataset, int64_t from_ms,
                                      int64_t until_ms,
                                      struct shoal_message *message) SHOAL_MUST_CHECK;
/* incumbent may be NULL. The data set is grouped and reaches 24 h past the window; events before
 * the window warm up the states. TOO_FEW, NOMEM. */
enum shoal_status
shoal_compare(const struct shoal_model *challenger, const struct shoal_model *incumbent,
              const struct shoal_dataset *dataset, const struct shoal_compare_options *options,
              struct shoal_comparison *comparison, struct shoal_message *message) SHOAL_MUST_CHECK;
/* The rule alone: sets verdict and reason from the figures. */
void shoal_compare_judge(struct shoal_comparison *comparison, double margin);

#endif
