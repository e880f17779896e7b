# SPDX-License-Identifier: Apache-2.0
"""Ranks in, figures out: hr, ndcg and mrr by full ranking, means over targets, with intervals by a
bootstrap over users whose resamples are the same for every method, so that differences are paired."""

import numpy as np

import score
from next_item_ranks import MEASURES, gains

GROUPS = ("all", "buy", "short", "new")


class Judged:
    """One method on one problem. values[group], replicates[group]: MEASURES; NaN for no targets.
    groups: those that the ranks are about."""

    def __init__(self, ranks, problem, seed=1, resamples=score.RESAMPLES, groups=GROUPS):
        self.groups = groups
        each = gains(ranks)
        _, user = np.unique(problem.user, return_inverse=True)
        user = user.reshape(-1)
        users = int(user.max()) + 1
        self.values, self.replicates, self.counts, sums = {}, {}, {}, []
        for name in GROUPS:
            mask = problem.groups[name]
            self.counts[name] = int(mask.sum())
            sums.append(np.stack([np.bincount(user[mask], mask[mask], users)]
                                 + [np.bincount(user[mask], column[mask], users)
                                    for column in each.T], 1))
        sums = np.concatenate(sums, 1)

        def measure(weights):
            return (weights.astype(np.float64) @ sums).reshape(len(weights), len(GROUPS), -1)

        whole = measure(np.ones((1, users)))
        drawn = score.resample(measure, users, users, seed, resamples)
        with np.errstate(invalid="ignore", divide="ignore"):
            for k, name in enumerate(GROUPS):
                self.values[name] = whole[0, k, 1:] / whole[0, k, 0]
                self.replicates[name] = drawn[:, k, 1:] / drawn[:, k, :1]

    def figures(self):
        """group -> measure -> [mean, low, high]."""
        return {name: {"targets": self.counts[name],
                       **{one: [float(self.values[name][k]),
                                *score.interval(self.replicates[name][:, k])]
                          for k, one in enumerate(MEASURES)}} for name in self.groups}

    def less(self, other):
        """self - other, paired; group -> measure -> [difference, low, high]."""
        return {name: {one: [float(self.values[name][k] - other.values[name][k]),
                             *score.interval(self.replicates[name][:, k]
                                             - other.replicates[name][:, k])]
                       for k, one in enumerate(MEASURES)}
                for name in self.groups if name in other.groups}
