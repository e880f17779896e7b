# SPDX-License-Identifier: Apache-2.0
"""The arrays that `shoal features` writes, and the splits of the protocol (README.md).

A task says which events may teach, which of them decide when to stop, and which are scored. The
split by time within the past is the one of model/learn/labels.h, so that a network here and Shoal
stop on the same events."""

import hashlib
import pathlib

import numpy as np

DAY_MS = 24 * 3600 * 1000
FOLDS = 5


class Events:
    """What a model sees of every event, grouped by user in order of arrival."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)

        def load(name):
            return np.load(folder / f"{name}.npy")

        self.ids = [one.decode() for one in load("users").tolist()]
        self.user = load("user").astype(np.int64)
        self.time_ms = load("time_ms")
        self.label = load("label")
        self.item_row = load("item_row").astype(np.int64)
        self.category_row = load("category_row").astype(np.int64)
        self.behavior = load("behavior").astype(np.int64)
        self.numeric = load("numeric")
        self.rates = load("rates")
        self.count = len(self.user)
        if self.count == 0:
            raise ValueError("there are no events")
        self.users_count = len(self.ids)
        self.first = np.searchsorted(self.user, np.arange(self.users_count + 1))
        self.first_ms, self.last_ms = int(self.time_ms.min()), int(self.time_ms.max())
        # One number that changes with anything a predictor reads.
        digest = hashlib.sha256()
        for name in ("users", "user", "time_ms", "label", "item_row", "numeric", "rates"):
            digest.update((folder / f"{name}.npy").read_bytes())
        self.fingerprint = digest.hexdigest()[:16]

    def fold_of_users(self, seed):
        """0 ... 4 for each user, by a hash of its id."""
        return np.array([int.from_bytes(hashlib.sha256(f"{seed}:{one}".encode()).digest()[:8],
                                        "little") % FOLDS for one in self.ids])


class Task:
    """One fit: `teach` (all labelled events that may be learned from), `early` and `stop` (two parts
    of it: learn from the first while the second decides when to stop), `score` (events to be
    scored). All are masks over the events. until_ms: nothing from there on may be looked at while
    learning."""

    def __init__(self, name, events, may_teach, end_ms, score):
        self.name, self.events, self.score = name, events, score
        self.until_ms = end_ms
        time = events.time_ms
        self.teach = may_teach & (events.label >= 0) & (time <= end_ms - DAY_MS)
        span = end_ms - DAY_MS - events.first_ms
        length = span // 5 if span < 5 * DAY_MS else max(span // 10, DAY_MS)
        valid_from = end_ms - DAY_MS - length
        self.early = self.teach & (time <= valid_from - DAY_MS)
        self.stop = self.teach & (time >= valid_from)

    def has_both_classes(self, mask):
        labels = self.events.label[mask]
        return bool((labels == 1).any() and (labels == 0).any())


def later_day(events, cut_ms, users=None):
    """Learn from what was known at the cut (of these users: a mask), score all from the cut on."""
    may_teach = np.ones(events.count, bool) if users is None else users[events.user]
    score = (events.label >= 0) & (events.time_ms >= cut_ms)
    if not score.any() or not (events.time_ms < cut_ms - DAY_MS).any():
        raise ValueError("the cut leaves nothing to learn from or nothing to score")
    return [Task("later", events, may_teach, cut_ms, score)]


def out_of_fold(events, seed):
    """Five tasks: learn from four folds' users, score every labelled event of the fifth's."""
    fold = events.fold_of_users(seed)
    return [Task(f"fold {k + 1}/{FOLDS}", events, fold[events.user] != k, events.last_ms,
                 (events.label >= 0) & (fold[events.user] == k)) for k in range(FOLDS)]


def first_users(events, records, before_ms):
    """Mask of the users that appear first and together have at least so many events before a time."""
    known = np.bincount(events.user, events.time_ms < before_ms, minlength=events.users_count)
    enough = np.searchsorted(np.cumsum(known), records) + 1
    mask = np.zeros(events.users_count, bool)
    mask[:enough] = True
    return mask, int(known[:enough].sum())
