/* SPDX-License-Identifier: Apache-2.0 */
/* The distributions that tests of a difference need. Figures follow the definitions to about 1e-9, checked
 * against SciPy (tests/golden/make_lift.py). Arguments that make no sense give NaN. */
#ifndef SHOAL_LEARN_DISTRIBUTIONS_H
#define SHOAL_LEARN_DISTRIBUTIONS_H

/* P(Z ≤ z), and z for 0 < p < 1. */
double shoal_normal_cdf(double z);
double shoal_normal_quantile(double p);
/* P(|T| ≥ |t|) of Student's t with `freedom` > 0 degrees of freedom (need not be whole). */
double shoal_student_tails(double t, double freedom);
/* t such that P(T ≤ t) = p, for 0.5 ≤ p < 1. */
double shoal_student_quantile(double p, double freedom);
/* P(X ≥ x) of chi-square with one degree of freedom. */
double shoal_chi_square_tail(double x);
/* Fisher's exact test, two-sided: the probability of all tables with these margins that are no more probable
 * than this one. Counts are whole: `hits` of `count` in each group. */
double shoal_fisher_exact(double first_hits, double first_count, double second_hits,
                          double second_count);

#endif
