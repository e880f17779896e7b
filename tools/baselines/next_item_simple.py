# SPDX-License-Identifier: Apache-2.0
"""Popularity and item-to-item co-occurrence: what is there without a network.

Each method is a class with learn(problem) and ranks(problem), made with settings; `SEARCH` says which
values of them `best_settings` tries on validation."""

import math

import numpy as np

from next_item_ranks import ndcg, ranks_of

BATCH_SCORES = 1 << 22  # scores in memory at a time
RECENT = 20
CO_OCCURRENCE = {"window": 8, "fade": 0.65, "balance": 0.25, "shrink": 16, "both": 0.5, "far": 1.0}


class Popularity:
    """How often an item was turned to; the count halves with every `half_life` (a share of the time
    that there is to learn from; 0: never)."""

    SEARCH = {"half_life": (0, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64)}

    def __init__(self, half_life):
        self.half_life = half_life

    def learn(self, problem):
        log, begin = problem.log, problem.begin
        weight = np.ones(begin)
        if self.half_life:
            span = max(problem.split - int(log.time[0]), 1)
            weight = 0.5 ** ((problem.split - log.time[:begin]) / (self.half_life * span))
        self.scores = np.bincount(log.item[:begin], weight, problem.known)
        return self

    def ranks(self, problem):
        order = np.sort(self.scores)
        return problem.known - np.searchsorted(order, self.scores[problem.item], "left") - 1


class CoOccurrence:
    """score_j = sum over the last items i of `fade`^k * s(i, j), k = 0 for the latest, where

        s(i, j) = c(i, j) / ((n_i + shrink)^(1 - balance) * (n_j + shrink)^balance)

    c(i, j): how often j came within `window` places after i, the d-th place counted d^-`far` (`both`:
    before it, too, with that weight); n_i the sum of c(i, .), n_j that of c(., j). balance 0 is a
    conditional probability, .5 a cosine. Of equal ones the more popular item is first. `repeat`: what
    an earlier item itself gets, beside what c(i, i) says; the plain method has none."""

    SEARCH = {"window": (1, 2, 4, 8, 16), "fade": (0.3, 0.5, 0.65, 0.8, 0.9, 1.0),
              "balance": (0.0, 0.25, 0.5), "shrink": (0, 1, 4, 16, 64), "both": (0.0, 0.5, 1.0),
              "far": (0.0, 0.5, 1.0)}

    def __init__(self, window, fade, balance, shrink, both, far, repeat=0.0):
        self.window, self.fade, self.balance, self.shrink = window, fade, balance, shrink
        self.both, self.far, self.repeat = both, far, repeat

    def learn(self, problem):
        known = problem.known
        pairs, weights = [], []
        place = np.arange(len(problem.sequence))
        end = np.repeat(problem.learned, np.diff(problem.first))
        for apart in range(1, self.window + 1):
            at = place[place + apart < end]
            i, j = problem.sequence[at], problem.sequence[at + apart]
            weight = np.full(len(at), float(apart) ** -self.far)
            pairs.append(i * known + j)
            weights.append(weight)
            if self.both:
                pairs.append(j * known + i)
                weights.append(weight * self.both)
        pair, where = np.unique(np.concatenate(pairs), return_inverse=True)
        count = np.bincount(where.reshape(-1), np.concatenate(weights), len(pair))
        i, self.to = pair // known, pair % known
        mass = np.bincount(i, count, known) + self.shrink
        inward = np.bincount(self.to, count, known) + self.shrink
        self.value = count / (mass[i] ** (1 - self.balance) * inward[self.to] ** self.balance)
        self.row = np.searchsorted(i, np.arange(known + 1))
        popular = np.bincount(problem.log.item[:problem.begin], minlength=known)
        self.tie = (1e-9 * popular / popular.max()).astype(np.float64)
        return self

    def scores(self, recent):
        """K x RECENT items, -1 for none -> K x N."""
        known = len(self.tie)
        fade = self.fade ** np.arange(recent.shape[1])
        target, k = np.nonzero(recent >= 0)
        item, weight = recent[target, k], fade[k]
        sizes = self.row[item + 1] - self.row[item]
        flat = np.repeat(self.row[item] - np.cumsum(sizes) + sizes, sizes) + np.arange(sizes.sum())
        cell = np.repeat(target, sizes) * known + self.to[flat]
        value = np.repeat(weight, sizes) * self.value[flat]
        if self.repeat:
            own = k > 0
            cell = np.concatenate([cell, target[own] * known + item[own]])
            value = np.concatenate([value, self.repeat * weight[own]])
        out = np.bincount(cell, value, len(recent) * known).reshape(len(recent), known)
        return out + self.tie

    def ranks(self, problem):
        recent = problem.recent(RECENT)
        step = max(1, BATCH_SCORES // problem.known)
        return np.concatenate([ranks_of(self.scores(recent[at:at + step]),
                                        problem.item[at:at + step])
                               for at in range(0, len(recent), step)])


class Returns(CoOccurrence):
    """With a constant for the return to an earlier item, beside the settings that CoOccurrence found."""

    SEARCH = {"repeat": (0.0, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0), "fade": CoOccurrence.SEARCH["fade"]}


def best_settings(make, problem, start, report):
    """The settings that are best on validation, found one setting after the other, two rounds, from
    `start` on; and how many were tried."""
    part = problem.validation()
    now, seen = dict(start), {}

    def tried(settings):
        key = tuple(sorted(settings.items()))
        if key not in seen:
            seen[key] = ndcg(make(**settings).learn(part).ranks(part))
        return seen[key]

    for _ in range(2):
        for name, values in make.SEARCH.items():
            now[name] = max(values, key=lambda one, name=name: tried({**now, name: one}))
        report(f"{now}: validation ndcg@20 {tried(now):.4f}")
    return now, len(seen)


def text_of(settings):
    return ", ".join(f"{name} {value:.3g}" for name, value in settings.items()
                     if not math.isclose(value, 0))
