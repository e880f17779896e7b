#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes lift.txt: what SciPy and statsmodels compute for differences of two groups.

One case a line, its kind first, then arguments, then results:

  tails T FREEDOM            P(|T| >= t) of Student's t
  student P FREEDOM          its quantile
  normal P                   quantile
  chi X                      upper tail of chi-square with one degree of freedom
  fisher K1 N1 K0 N0         Fisher's exact test, two-sided
  shares K1 N1 K0 N0         difference, Newcombe's interval, p (score test, or Fisher's where an expected
                             count is below 5), interval of the ratio less 1 (log method; nan: none)
  means N1 N0                the next N1 + N0 lines are units: outcome and three covariates; then a line
                             `is`: Welch's difference, interval, p; the same after CUPED with the three
  holm N P... CORRECTED...   Holm's correction

Run it with SciPy 1.11 or newer and statsmodels 0.14 or newer:  python3 make_lift.py > lift.txt
"""

import argparse
import sys

import numpy as np
from scipy import stats
from statsmodels.regression.linear_model import OLS
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.proportion import confint_proportions_2indep, proportions_ztest

SHARES = [(45, 300, 20, 280), (120, 1000, 30, 300), (3, 40, 0, 25), (0, 50, 0, 50), (5, 5, 1, 4),
          (50, 50, 48, 50), (2051, 18000, 190, 2000), (1, 2, 0, 2), (700, 120000, 60, 13000)]


def line(*values):
    print(*(repr(float(v)) if not isinstance(v, str) else v for v in values))


def write_shares():
    for k1, n1, k0, n0 in SHARES:
        low, high = confint_proportions_2indep(k1, n1, k0, n0, compare="diff", method="newcomb")
        pooled = (k1 + k0) / (n1 + n0)
        fisher = stats.fisher_exact([[k1, n1 - k1], [k0, n0 - k0]])[1]
        line("fisher", k1, n1, k0, n0, fisher)
        p = fisher
        if min(n1, n0) * min(pooled, 1 - pooled) >= 5:
            p = proportions_ztest([k1, k0], [n1, n0])[1]
        ratio = [float("nan")] * 2
        if k1 and k0:
            ratio = [r - 1 for r in confint_proportions_2indep(k1, n1, k0, n0, compare="ratio", method="log")]
        line("shares", k1, n1, k0, n0, k1 / n1 - k0 / n0, low, high, p, *ratio)


def welch(y1, y0):
    result = stats.ttest_ind(y1, y0, equal_var=False)
    interval = result.confidence_interval(0.95)
    return [np.mean(y1) - np.mean(y0), interval.low, interval.high, result.pvalue]


def write_means(seed, n1, n0, kind):
    random = np.random.default_rng(seed)
    n = n1 + n0
    x = np.round(random.normal(size=(n, 3)) * [1, 2, 0.5] + [5, 0, 1], 3)
    if kind == "copy":  # a covariate that says nothing new, and one that never varies
        x[:, 1] = 2 * x[:, 0]
        x[:, 2] = 1
    y = np.round(3 + 2 * x[:, 0] - x[:, 1] + random.normal(size=n) + 0.4 * (np.arange(n) < n1), 3)
    if kind == "amounts":
        y = np.round(np.where(random.random(n) < 0.5, 0, np.exp(4 + y / 4)), 2)
    exposed = np.arange(n) < n1
    centred_y, centred_x = y.copy(), x.copy()
    for group in (exposed, ~exposed):
        centred_y[group] -= y[group].mean()
        centred_x[group] -= x[group].mean(axis=0)
    theta = OLS(centred_y, centred_x).fit().params  # by pseudoinverse: copies share the weight
    adjusted = y - x @ theta
    line("means", n1, n0)
    for outcome, row in zip(y, x):
        line(outcome, *row)
    line("is", *welch(y[exposed], y[~exposed]), *welch(adjusted[exposed], adjusted[~exposed]))


def main():
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    for t, freedom in [(0, 3), (0.5, 1), (2.2, 4.7), (-1.96, 1e3), (3.3, 123456.7), (9, 8), (40, 2.5), (2, 1e9)]:
        line("tails", t, freedom, 2 * stats.t.sf(abs(t), freedom))
    for p, freedom in [(0.975, 1), (0.975, 3.3), (0.9, 30), (0.975, 5e4), (0.995, 1e8), (0.5, 7)]:
        line("student", p, freedom, stats.t.ppf(p, freedom))
    for p in [1e-12, 0.001, 0.2, 0.5, 0.8, 0.975, 0.999999]:
        line("normal", p, stats.norm.ppf(p))
    for x in [0, 0.3, 3.84, 10.83, 80]:
        line("chi", x, stats.chi2.sf(x, 1))
    write_shares()
    write_means(1, 30, 12, "plain")
    write_means(2, 25, 20, "copy")
    write_means(3, 40, 35, "amounts")
    p = [0.01, 0.04, 0.03, 0.005, 0.9]
    line("holm", len(p), *p, *multipletests(p, method="holm")[1])
    return 0


if __name__ == "__main__":
    sys.exit(main())
