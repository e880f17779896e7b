#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes value.txt: what the published formulas of BG/NBD and Gamma-Gamma give in 60 digits.

One line a case, 17 digits each:

  r alpha a b p q v   x t_x T m   t   log_likelihood alive expected mean_spend log_likelihood_of_m

with E[Y(t) | x, t_x, T] by equation 10 of Fader, Hardie, Lee (2005), which has Gauss's hypergeometric
function, and not by the sum that model/bgnbd.c computes.

Needs mpmath:  python3 make_value_golden.py > value.txt
"""

import argparse

from mpmath import gamma, hyp2f1, log, loggamma, mp, mpf

mp.dps = 60

PARAMETERS = [
    # r alpha a b p q v: CDNOW's published ones; one near the pole a = 1; a + b < 1; many alike; leavers
    ["0.2426", "4.4135", "0.7929", "2.4258", "6.25", "3.74", "15.44"],
    ["0.5", "2", "1.000001", "3", "1", "1.5", "200"],
    ["0.9", "0.3", "0.2", "0.3", "0.2", "20", "1000"],
    ["80", "300", "0.01", "40", "50", "2", "0.1"],
    ["1.5", "6", "8", "2", "3", "4", "50"],
]
CUSTOMERS = [
    # x t_x T m
    ["0", "0", "38.857142857142857", "0"],
    ["0", "0", "0", "0"],
    ["1", "2.5", "3", "0.01"],
    ["2", "30.4375", "38.857142857142857", "22.35"],
    ["7", "10", "38", "300"],
    ["40", "50", "50", "12"],
    ["400", "99", "100", "75000"],
]
WEEKS = ["0.25", "4.25", "39"]


def log_likelihood(r, alpha, a, b, x, t_x, age):
    """Equation 6 of Fader, Hardie, Lee (2005) in its second form."""
    first = (loggamma(b + x) - loggamma(a + b + x) + loggamma(a + b) - loggamma(b)
             + loggamma(r + x) - loggamma(r) + r * log(alpha))
    stays = (alpha + age) ** -(r + x)
    leaves = a / (b + x - 1) * (alpha + t_x) ** -(r + x) if x > 0 else 0
    return first + log(stays + leaves)


def alive(r, alpha, a, b, x, t_x, age):
    if x == 0:
        return mpf(1)
    return 1 / (1 + a / (b + x - 1) * ((alpha + age) / (alpha + t_x)) ** (r + x))


def expected(r, alpha, a, b, x, t_x, age, t):
    z = t / (alpha + age + t)
    f = hyp2f1(r + x, b + x, a + b + x - 1, z)
    power = ((alpha + age) / (alpha + age + t)) ** (r + x)
    return (a + b + x - 1) / (a - 1) * (1 - power * f) * alive(r, alpha, a, b, x, t_x, age)


def spend_log_likelihood(p, q, v, x, m):
    if x == 0:
        return mpf(0)
    return (log(gamma(p * x + q)) - log(gamma(p * x)) - log(gamma(q)) + q * log(v)
            + (p * x - 1) * log(m) + p * x * log(x) - (p * x + q) * log(v + x * m))


def main():
    argparse.ArgumentParser(description=__doc__,
                            formatter_class=argparse.RawDescriptionHelpFormatter).parse_args()
    for parameters in PARAMETERS:
        r, alpha, a, b, p, q, v = map(mpf, parameters)
        for customer in CUSTOMERS:
            x, t_x, age, m = map(mpf, customer)
            for weeks in WEEKS:
                buying = (r, alpha, a, b, x, t_x, age)
                results = [
                    log_likelihood(*buying),
                    alive(*buying),
                    expected(*buying, mpf(weeks)),
                    p * (v + x * m) / (p * x + q - 1),
                    spend_log_likelihood(p, q, v, x, m),
                ]
                print(*parameters, *customer, weeks, *(mp.nstr(value, 17) for value in results))


if __name__ == "__main__":
    main()
