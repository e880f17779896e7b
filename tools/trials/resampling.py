# SPDX-License-Identifier: Apache-2.0
"""Measures of scores under resamples of the users: the first row of weights is the sample itself, the others are
drawn from the users with replacement, the same for whatever is compared (paired). Needs numpy."""

import numpy as np

RESAMPLES = 200


def read_scores(path):
    """users, labels and scores of a file of `shoal evaluate --scores`."""
    users, labels, values = [], [], []
    with open(path, encoding="utf-8") as file:
        next(file)
        for line in file:
            user, _, label, value = line.rstrip("\n").rsplit(",", 3)
            users.append(user)
            labels.append(int(label))
            values.append(float(value))
    return np.array(users), np.array(labels), np.array(values)


def measures(labels, scores, weights):
    """ROC-AUC and log loss under each row of weights (resamples x events)."""
    order = np.argsort(scores, kind="stable")
    y, ranked, w = labels[order], scores[order], weights[:, order]
    negatives = np.cumsum(w * (1 - y), axis=1)
    # Equal scores count half: a score's negatives are those below it and half of its equals.
    ends = np.append(np.flatnonzero(np.diff(ranked)), len(ranked) - 1)
    starts = np.append(0, ends[:-1] + 1)
    below = np.where(starts[None] > 0, negatives[:, starts - 1], 0)
    group = np.repeat((below + negatives[:, ends]) / 2, ends - starts + 1, axis=1)
    positive = w * y
    auc = (positive * group).sum(1) / (positive.sum(1) * negatives[:, -1])
    p = np.clip(scores, 1e-7, 1 - 1e-7)
    loss = -np.where(labels == 1, np.log(p), np.log1p(-p))
    return auc, (weights @ loss) / weights.sum(1)


def resamples(users):
    _, index = np.unique(users, return_inverse=True)
    count = index.max() + 1
    random = np.random.RandomState(1)
    draws = [np.ones(count)] + [random.multinomial(count, np.full(count, 1 / count))
                                for _ in range(RESAMPLES)]
    return np.array(draws, dtype=np.float32)[:, index]


def interval(values):
    """The value of the sample, and the 95 % interval."""
    low, high = np.quantile(values[1:], [0.025, 0.975])
    return [float(values[0]), float(low), float(high)]
