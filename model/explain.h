/* SPDX-License-Identifier: Apache-2.0 */
/* Why a score is what it is: what every recent event, every kind of input and every counter adds to the logit of a
 * purchase within 24 hours, by integrated gradients (Sundararajan, Taly, Yan 2017, equation 1):
 *
 *   contribution_i = (x_i − b_i)·∫₀¹ ∂F/∂x_i (b + α·(x − b)) dα        Σ_i contribution_i = F(x) − F(b)
 *
 * F is the logit of the head as params.h has it, before its calibration, as a function of the inputs of all the
 * events that are explained (the state starts empty before the first) and of the counters. The integral is a sum
 * over `steps` points; how far Σ is from F(x) − F(b), the completeness error, is part of the result. On trained
 * models 32 points by Gauss–Legendre leave nothing but the rounding of single precision (relative 1e-6; the midpoint
 * rule needs hundreds); a state that jumps, from weights several times as large, may need more: the error says so.
 *
 * The baseline b: as many events, each of whose inputs is zero, and counters at their mean of the training.
 *   - A zero embedding is an item, category or behaviour of which nothing is known (the choice of the paper for
 *     text); zero numbers are: no gap, no hour and no weekday (the middle of their circles), no price, no repeat.
 *     So the base is what the model says of a user who did as much, of which nothing is known.
 *   - An input that is zero already has no contribution. A user's first event has no gap, so the gap adds nothing.
 *   - The counters enter linearly: their share is head_counters·standardised counter, exact, with no integral.
 *
 * In single precision; served states are rounded to half after every event, which moved no probability of 72,000
 * events of Taobao's by more than 3e-5 (test_explain.c measures it on random models). There is no attention in this
 * model, since it did not earn its bytes; where there is one, its weights are no reasons.
 *
 * Room is allocated once; explaining allocates nothing and cannot fail. One thread a room. */
#ifndef SHOAL_EXPLAIN_H
#define SHOAL_EXPLAIN_H

#include "model/features.h"
#include "model/model.h"
#include "model/quadrature.h"

/*  X(name, "what it is"): the inputs of an event, called as learn/permute.h calls them */
#define SHOAL_REASONS_LIST(X)                                                                      \
    X(behavior, "behaviour of the event")                                                          \
    X(item, "item")                                                                                \
    X(category, "category")                                                                        \
    X(gap, "time since the previous event")                                                        \
    X(hour, "hour of the day")                                                                     \
    X(weekday, "day of the week")                                                                  \
    X(price, "price level")                                                                        \
    X(repeats, "item or category seen lately")

enum shoal_reason {
#define X(name, text) SHOAL_REASON_##name,
    SHOAL_REASONS_LIST(X)
#undef X
        SHOAL_REASONS
};

enum {
    SHOAL_EXPLAIN_STEPS = 64,       /* default */
    SHOAL_EXPLAIN_STEPS_MAX = 1024,
    SHOAL_EXPLAIN_EVENTS_MAX = 16384,
};

struct shoal_explain_options {
    size_t events_max; /* 1 … SHOAL_EXPLAIN_EVENTS_MAX */
    size_t steps;      /* 1 … SHOAL_EXPLAIN_STEPS_MAX */
    enum shoal_quadrature rule;
};

/* Contributions to the logit. */
struct shoal_explained_event {
    double inputs[SHOAL_REASONS];
    double sum;
};

struct shoal_explanation {
    float logit, base_logit;             /* F(x), F(b) */
    float probability, base_probability; /* σ(calibration(F)); no online correction */
    /* What a contribution to the logit is worth in probability: (p(x) − p(b))/(F(x) − F(b)), the mean slope of the
     * calibrated curve between the two, so that contributions keep their order and sign and sum to p(x) − p(b). */
    double slope;
    double events;                       /* Σ over events */
    double inputs[SHOAL_REASONS];        /* each, Σ over events */
    double counters;                     /* Σ */
    double each_counter[SHOAL_COUNTERS];
    float standardised[SHOAL_COUNTERS];  /* (log1p(rate) − mean)/deviation */
    double error;                        /* events + counters − (F(x) − F(b)) */
    double relative_error;               /* |error|/|F(x) − F(b)|; NaN where that is zero */
};

struct shoal_explain;

/* INVALID for options out of range, NOMEM. The model must outlive it. */
enum shoal_status shoal_explain_create(const struct shoal_model *model,
                                       const struct shoal_explain_options *options,
                                       struct shoal_explain **explain) SHOAL_MUST_CHECK;
void shoal_explain_destroy(struct shoal_explain *explain);
/* features[count], oldest first, count ≤ events_max; rates[SHOAL_COUNTERS] (counters.h) after the last. Fills
 * events[count] and *explanation. The same input gives the same bits. */
void shoal_explain_run(struct shoal_explain *explain, const struct shoal_features *features,
                       size_t count, const float *rates, struct shoal_explained_event *events,
                       struct shoal_explanation *explanation);
/* The features of a ring as a rebuild of the state sees them: the first with no gap, repeats from within. */
void shoal_explain_ring(const struct shoal_dims *dims, const struct shoal_touch *ring, size_t count,
                        struct shoal_features *features);
/* The probability that a state gives, as the step that serves does: h[H] and rates[SHOAL_COUNTERS]. */
float shoal_explain_state(const struct shoal_model *model, const float *h, const float *rates);

/* Static. */
const char *shoal_reason_name(enum shoal_reason reason);
const char *shoal_reason_text(enum shoal_reason reason);

#endif
