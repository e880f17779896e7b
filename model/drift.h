/* SPDX-License-Identifier: Apache-2.0 */
/* Whether recent events are distributed as those that a model was trained on.
 *
 * Population stability index over the bins of a reference distribution, q its shares, p the recent
 * ones:
 *
 *   PSI = Σ_b (p_b − q_b)·ln(p_b/q_b) ≈ Σ_b (p_b − q_b)²/π_b   while p and q are near one π
 *
 * Two samples of the same distribution differ too. For independent events Var(p_b − q_b) =
 * π_b(1 − π_b)(1/n + 1/m), so that without any change
 *
 *   E[PSI] ≈ (B − 1)(1/n + 1/m),   PSI/(1/n + 1/m) ~ χ² with B − 1 degrees of freedom.
 *
 * Events of one user depend on each other, so n is not the number of events but the effective one
 * (first-order correction of Rao and Scott 1981): with c_ub events of user u in bin b, n_u in all,
 * U users,
 *
 *   V_b = U/(U − 1) · Σ_u (c_ub − n_u p_b)²/n²   the variance of p_b as a ratio over users
 *   n_effective = (B − 1)/Σ_b V_b/p_b            n where every user has one event
 *
 * The reference keeps its shares and K, the number of equally busy users (n²/Σ n_u², Kish), not
 * c_ub: its effective size is taken to be K times that of the recent events for each of their own K
 * users. A longer window has more days for each user, so this is too small rather than too large.
 *
 * Drifted: PSI is above what chance gives in one of a hundred looks at all distributions together
 * (Bonferroni), and PSI − E[PSI] ≥ 0.1, the customary mark of a moderate shift: with millions of
 * events every difference is sure, also one that matters to nobody. */
#ifndef SHOAL_DRIFT_H
#define SHOAL_DRIFT_H

#include <stdbool.h>
#include <stdint.h>

#include "model/reference.h"

#define SHOAL_DRIFT_SHIFT 0.1

enum { SHOAL_DRIFT_SAMPLES_MIN = 1000 };

/* Running sums over users. Zeroed to begin with. */
struct shoal_drift_count {
    uint64_t counts[SHOAL_REFERENCE_BINS]; /* Σ c_ub */
    uint64_t samples, users;
    double squares[SHOAL_REFERENCE_BINS]; /* Σ c_ub² */
    double cross[SHOAL_REFERENCE_BINS];   /* Σ c_ub·n_u */
    double sizes;                         /* Σ n_u² */
};

struct shoal_drift {
    char name[SHOAL_REFERENCE_NAME];
    uint32_t bins;
    uint64_t samples;
    double effective; /* of the recent events */
    double psi;
    double noise;     /* E[PSI] without a change */
    double threshold; /* chance alone passes it in 1 of 100 looks at all distributions */
    bool drifted;
};

struct shoal_drift_report {
    uint32_t count; /* distributions; 0: the model has no reference */
    uint64_t samples, users;
    int64_t from_ms, until_ms;
    bool judged;  /* ≥ SHOAL_DRIFT_SAMPLES_MIN on both sides; else no verdict */
    bool drifted; /* any of them */
    struct shoal_drift drifts[SHOAL_REFERENCES_MAX];
};

/* Bin of a value; NaN is in the first. */
uint32_t shoal_drift_bin(const struct shoal_distribution *distribution, float value);
/* Adds one user's events by bin; a user without events is not counted. */
void shoal_drift_add_user(struct shoal_drift_count *count,
                          const uint32_t in_bins[SHOAL_REFERENCE_BINS]);
/* n_effective, at least 1 and at most the samples; 0 without samples. */
double shoal_drift_effective(const struct shoal_drift_count *count, uint32_t bins);
/* K, rounded: n²/Σ n_u². */
uint64_t shoal_drift_equal_users(const struct shoal_drift_count *count);
/* Measures one distribution of `reference` against recent counts. `looks`: how many are looked at
 * together. drift->drifted is false where there are too few samples. */
void shoal_drift_measure(const struct shoal_reference *reference, uint32_t distribution,
                         const struct shoal_drift_count *count, uint32_t looks,
                         struct shoal_drift *drift);
/* The value that a χ² variable with k ≥ 1 degrees of freedom exceeds with probability `tail` > 0.
 */
double shoal_chi_square_quantile(uint32_t k, double tail);

#endif
