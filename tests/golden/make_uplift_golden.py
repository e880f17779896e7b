#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes uplift.txt beside it: rows of two arms and what scikit-uplift 0.5.1 says of them.

Usage: pip install scikit-uplift==0.5.1 && python3 make_uplift_golden.py

A case: "case N", N lines "score treated outcome", then "want qini auuc uplift10 uplift30 uplift40"."""
import os
import sys

import numpy as np
from sklift.metrics import qini_auc_score, uplift_at_k, uplift_auc_score

if len(sys.argv) > 1:
    print(__doc__)
    sys.exit(0 if sys.argv[1] in ("-h", "--help") else 2)

# rows, share treated, distinct scores (0: all), outcome rate of control, rate added by the score
CASES = [(200, 0.5, 0, 0.2, 0.4), (300, 0.3, 0, 0.5, -0.3), (250, 0.7, 7, 0.1, 0.3), (400, 0.5, 2, 0.3, 0.0),
         (120, 0.5, 0, 0.8, 0.15), (150, 0.2, 4, 0.05, 0.6)]
random = np.random.RandomState(20250301)
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "uplift.txt"), "w") as out:
    for rows, share, levels, base, added in CASES:
        x = random.uniform(size=rows)
        treated = (random.uniform(size=rows) < share).astype(int)
        outcome = (random.uniform(size=rows) < np.clip(base + added * x * treated, 0, 1)).astype(int)
        score = np.round(x + random.normal(scale=0.4, size=rows), 6)
        if levels:
            score = np.round(np.floor(x * levels) / levels, 6)
        out.write("case %d\n" % rows)
        for s, t, y in zip(score, treated, outcome):
            out.write("%.6f %d %d\n" % (s, t, y))
        figures = [qini_auc_score(outcome, score, treated), uplift_auc_score(outcome, score, treated)]
        figures += [uplift_at_k(outcome, score, treated, "overall", k) for k in (0.1, 0.3, 0.4)]
        out.write("want " + " ".join("%.15g" % f for f in figures) + "\n")
