# SPDX-License-Identifier: Apache-2.0
"""ROC and precision-recall curves with 95 % bands by bootstrap over users."""

import numpy

GRID = numpy.linspace(0, 1, 201)


class Curve:
    def __init__(self, x, y, low, high):
        self.x, self.y, self.low, self.high = x, y, low, high


class Ranking:
    """Scores sorted once, highest first; events of one score make one threshold."""

    def __init__(self, scores):
        order = numpy.argsort(-scores.scores, kind="stable")
        ranked = scores.scores[order]
        self.users = scores.users[order]
        self.positive = scores.labels[order] == 1
        self.users_count = scores.users_count
        self.ends = numpy.append(numpy.flatnonzero(ranked[1:] != ranked[:-1]), len(ranked) - 1)

    def counts(self, weights):
        """True and false positives down to each threshold, users counted `weights` times."""
        each = weights[self.users].astype(float)
        true = numpy.cumsum(each * self.positive)[self.ends]
        every = numpy.cumsum(each)[self.ends]
        return true, every - true


def roc(true, false):
    """True positive rate on the grid of false positive rates."""
    if true[-1] == 0 or false[-1] == 0:
        return None
    return numpy.interp(GRID, numpy.append(0, false / false[-1]), numpy.append(0, true / true[-1]))


def precision_recall(true, false):
    """Precision at the first threshold whose recall reaches each point of the grid."""
    if true[-1] == 0:
        return None
    recall = true / true[-1]
    at = numpy.minimum(numpy.searchsorted(recall, GRID, side="left"), len(recall) - 1)
    # Thresholds before the first positive reach a recall of 0 with a precision of 0.
    at[GRID == 0] = numpy.argmax(true > 0)
    return true[at] / (true[at] + false[at])


def draw(scores, seed, resamples):
    """(ROC, PR), None each where one class is missing."""
    if len(scores.scores) == 0:
        return None, None
    ranking = Ranking(scores)
    counts = ranking.counts(numpy.ones(ranking.users_count, dtype=numpy.int64))
    points = [make(*counts) for make in (roc, precision_recall)]
    if points[0] is None:
        return None, None
    random = numpy.random.default_rng(seed)
    many = [[], []]
    for _ in range(resamples):
        drawn = random.integers(0, ranking.users_count, ranking.users_count)
        counts = ranking.counts(numpy.bincount(drawn, minlength=ranking.users_count))
        for kept, make in zip(many, (roc, precision_recall)):
            line = make(*counts)
            if line is not None:
                kept.append(line)
    curves = []
    for line, kept in zip(points, many):
        low, high = numpy.quantile(kept, [0.025, 0.975], axis=0) if kept else (line, line)
        curves.append(Curve(GRID, line, low, high))
    return curves[0], curves[1]
