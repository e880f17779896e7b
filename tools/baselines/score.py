#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The one scorer: files of `user_id,timestamp,label,score` in, figures out.

Every predictor, Shoal's included, meets the others here. The measures are those of
model/learn/metrics.h to the last detail (ties, bins, resamples), so that the figures of
`shoal evaluate --json` and of this program are the same:

  roc_auc   probability that a positive is scored above a negative, ties half
  pr_auc    average precision over the distinct scores, highest first
  log_loss  mean of -ln p(label), p held within 1e-7 ... 1 - 1e-7
  ece       sum over 15 bins of equal mass of |mean p - mean label|, weighted by mass

Intervals: 95 %, from 1000 resamples of the users. A resample draws as many users as there are,
by Shoal's counter-based random numbers; the same seed draws the same users for every predictor,
which is what makes differences paired.
"""

import argparse
import json
import sys

import numpy as np

MEASURES = ("roc_auc", "pr_auc", "log_loss", "ece")
BINS = 15
RESAMPLES = 1000
CHUNK_BYTES = 8 << 20  # of one array of a resampling step


# ---- files ----------------------------------------------------------------------------------


class Sample:
    """Scored events in the order of the file, which keeps each user's events together.

    ids[k] is the id of user k; users[i], labels[i], scores[i] belong to event i."""

    def __init__(self, ids, users, times, labels, scores):
        self.ids = ids
        self.users = np.asarray(users, np.int64)
        self.times = times
        self.labels = np.asarray(labels, np.int8)
        self.scores = np.asarray(scores, np.float32)
        if len(self.scores) and not np.isfinite(self.scores).all():
            raise ValueError("a score is not a finite number")
        if len(self.labels) and not np.isin(self.labels, (0, 1)).all():
            raise ValueError("a label is neither 0 nor 1")

    def __len__(self):
        return len(self.scores)

    def last_of_users(self):
        """One event a user: its last."""
        last = np.ones(len(self), bool)
        last[:-1] = self.users[1:] != self.users[:-1]
        times = [self.times[i] for i in np.flatnonzero(last)]
        return Sample(self.ids, self.users[last], times, self.labels[last], self.scores[last])

    def same_events(self, other):
        return (self.ids == other.ids and np.array_equal(self.users, other.users)
                and self.times == other.times and np.array_equal(self.labels, other.labels))


def read_scores(path):
    numbers, ids, users, times, labels, scores = {}, [], [], [], [], []
    previous = None
    with open(path, encoding="utf-8") as lines:
        if next(lines, "").strip() != "user_id,timestamp,label,score":
            raise ValueError(f"{path}: the first line must be user_id,timestamp,label,score")
        for number, line in enumerate(lines, 2):
            # A user id may hold a comma; the other three cannot.
            fields = line.rstrip("\n").rsplit(",", 3)
            if len(fields) != 4:
                raise ValueError(f"{path}:{number}: not four fields")
            user, time, label, score = fields
            if user != previous:
                if user in numbers:
                    raise ValueError(f"{path}:{number}: the events of user {user} are not together")
                numbers[user] = len(ids)
                ids.append(user)
                previous = user
            users.append(numbers[user])
            times.append(time)
            labels.append(int(label))
            scores.append(float(score))
    try:
        return Sample(ids, users, times, labels, scores)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def time_text(time_ms):
    """RFC 3339 with milliseconds, as Shoal prints it."""
    return str(np.datetime64(int(time_ms), "ms")) + "Z"


def write_scores(path, ids, times_ms, labels, scores):
    with open(path, "w", encoding="utf-8") as out:
        out.write("user_id,timestamp,label,score\n")
        for user, time, label, score in zip(ids, times_ms, labels, scores):
            out.write(f"{user},{time_text(time)},{int(label)},{float(score):.9g}\n")


# ---- measures -------------------------------------------------------------------------------


class Ranking:
    """A sample sorted once, by falling score; a resample is a weight a user."""

    def __init__(self, sample):
        order = np.argsort(-sample.scores, kind="stable")
        score = sample.scores[order].astype(np.float64)
        self.count = len(order)
        present, dense = np.unique(sample.users, return_inverse=True)
        self.users_count = len(present)
        self.user = dense.reshape(-1)[order]
        self.positive = sample.labels[order] == 1
        # Ends of the groups of equal scores.
        self.end = np.flatnonzero(np.append(score[1:] != score[:-1], True)) if self.count else \
            np.zeros(0, np.int64)
        start = np.concatenate([[0], self.end[:-1] + 1]) if self.count else self.end
        middle = start + (self.end - start) // 2
        sizes = self.end - start + 1
        bins = np.repeat(middle * BINS // max(self.count, 1), sizes)
        p = np.clip(score, 1e-7, 1 - 1e-7)
        loss = -np.log(np.where(self.positive, p, 1 - p)).astype(np.float32).astype(np.float64)
        users = max(self.users_count, 1)
        self.events_of = np.bincount(self.user, minlength=users).astype(np.float64)
        self.loss_of = np.bincount(self.user, loss, minlength=users)
        self.excess_of = np.bincount(bins * users + self.user, score - self.positive,
                                     minlength=BINS * users).reshape(BINS, users)

    def measure(self, weights):
        """weights[r, user]: copies of each user -> values[r, measure]; NaN where not defined."""
        weights = np.asarray(weights, np.float64)
        out = np.full((len(weights), len(MEASURES)), np.nan)
        total = weights @ self.events_of
        with np.errstate(invalid="ignore", divide="ignore"):
            out[:, 2] = weights @ self.loss_of / total
            out[:, 3] = np.abs(weights @ self.excess_of.T).sum(1) / total
        step = max(1, CHUNK_BYTES // (8 * max(self.count, 1)))
        for first in range(0, len(weights), step):
            out[first:first + step, :2] = self.areas(weights[first:first + step])
        return out

    def areas(self, weights):
        """roc_auc, pr_auc."""
        each = weights[:, self.user]
        whole = np.cumsum(each, 1)[:, self.end]
        each *= self.positive
        positive = np.cumsum(each, 1)[:, self.end]
        del each
        gained = np.diff(positive, axis=1, prepend=0)
        lost = np.diff(whole, axis=1, prepend=0) - gained
        positives = positive[:, -1] if self.count else np.zeros(len(weights))
        negatives = whole[:, -1] - positives if self.count else positives
        pairs = (lost * (positive - gained / 2)).sum(1)
        with np.errstate(invalid="ignore", divide="ignore"):
            precision = np.where(whole > 0, positive / whole, 0)
            both = (positives > 0) & (negatives > 0)
            auc = np.where(both, pairs / (positives * negatives), np.nan)
            area = np.where(both, (gained * precision).sum(1) / positives, np.nan)
        return np.stack([auc, area], 1)

    def estimate(self):
        return self.measure(np.ones((1, max(self.users_count, 1))))[0]

    def replicates(self, seed, resamples=RESAMPLES):
        """values[r, measure] of `resamples` draws of users; the same seed, the same users."""
        return resample(self.measure, self.users_count, self.count, seed, resamples)


class PartedRanking:
    """ROC-AUC over the pairs of events of the same part. Of scores from several fits, one a part: what
    one fit calls .3 and another .35 may be the same, and does not count here."""

    def __init__(self, sample, part_of_users):
        self.users_count = len(np.unique(sample.users))
        self.count, self.parts = len(sample), []
        dense = np.unique(sample.users, return_inverse=True)[1].reshape(-1)
        part = np.asarray(part_of_users)[sample.users]
        for one in np.unique(part):
            at = part == one
            ranking = Ranking(Sample(sample.ids, sample.users[at], [], sample.labels[at],
                                     sample.scores[at]))
            positives = np.bincount(ranking.user, ranking.positive, ranking.users_count)
            self.parts.append((np.unique(dense[at]), ranking, positives))

    def measure(self, weights):
        """weights[r, user] -> values[r, 1]."""
        right, pairs = np.zeros(len(weights)), np.zeros(len(weights))
        for users, ranking, positives_of in self.parts:
            own = np.asarray(weights[:, users], np.float64)
            positives = own @ positives_of
            possible = positives * (own @ ranking.events_of - positives)
            right += possible * np.nan_to_num(ranking.areas(own)[:, 0])
            pairs += possible
        with np.errstate(invalid="ignore", divide="ignore"):
            return (right / pairs)[:, None]


def resample(measure, users_count, events_count, seed, resamples):
    """measure(weights) of `resamples` draws of the users, some at a time."""
    step = max(1, CHUNK_BYTES // (8 * max(events_count, users_count, 1)))
    out = []
    for first in range(0, resamples, step):
        rows = range(first, min(first + step, resamples))
        out.append(measure(draw_users(seed, rows, users_count)))
    return np.concatenate(out)


def _mix(z):
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def draw_users(seed, resamples, users_count):
    """How often each user is drawn in each of `resamples` (a range): model/learn/random.h, the
    stream of the bootstrap (4)."""
    golden = np.uint64(0x9E3779B97F4A7C15)
    with np.errstate(over="ignore"):
        key = _mix(_mix(np.array([seed], np.uint64) + golden) ^ np.uint64(4 << 56))
        index = np.arange(resamples.start * users_count, resamples.stop * users_count,
                          dtype=np.uint64)
        drawn = _mix(key + (index + np.uint64(1)) * golden) >> np.uint64(32)
        user = (drawn * np.uint64(users_count)) >> np.uint64(32)
    row = np.repeat(np.arange(len(resamples)), users_count)
    counts = np.bincount(row * users_count + user.astype(np.int64),
                         minlength=len(resamples) * users_count)
    return counts.reshape(len(resamples), users_count)


def interval(values):
    """The 2.5 % and 97.5 % quantiles of those that are numbers; NaN if most are not."""
    kept = np.sort(values[~np.isnan(values)])
    if len(kept) == 0 or len(kept) < len(values) // 2:
        return [float("nan")] * 2
    last = len(kept) - 1
    return [float(kept[int(np.floor(0.025 * last))]), float(kept[int(np.ceil(0.975 * last))])]


class Judged:
    """Estimates and replicates of one predictor on one sample. With `parts` (a number for each user)
    also roc_auc_within, the ROC-AUC over pairs of the same part."""

    def __init__(self, sample, seed=1, resamples=RESAMPLES, parts=None):
        ranking = Ranking(sample)
        self.names = MEASURES
        self.count, self.users_count = ranking.count, ranking.users_count
        self.base_rate = float(ranking.positive.mean()) if ranking.count else float("nan")
        self.values = ranking.estimate()
        self.replicates = ranking.replicates(seed, resamples)
        if parts is not None:
            parted = PartedRanking(sample, parts)
            self.names += ("roc_auc_within",)
            whole = parted.measure(np.ones((1, parted.users_count)))
            self.values = np.append(self.values, whole[0])
            self.replicates = np.hstack([self.replicates, resample(
                parted.measure, parted.users_count, parted.count, seed, resamples)])

    def figures(self):
        """The keys of `shoal evaluate --json`, without user_level."""
        out = {"n": self.count, "users": self.users_count, "base_rate": self.base_rate}
        for k, name in enumerate(self.names):
            out[name] = float(self.values[k])
            low, high = interval(self.replicates[:, k])
            if name == "ece":  # biased upwards by a resample's noise: let it hold the estimate
                low, high = min(low, out[name]), max(high, out[name])
            out[name + "_ci"] = [low, high]
        return out

    def less(self, other):
        """self - other with the paired interval, measure by measure."""
        return {name: [float(self.values[k] - other.values[k]),
                       *interval(self.replicates[:, k] - other.replicates[:, k])]
                for k, name in enumerate(self.names)}


def without_nan(value):
    """JSON has no NaN."""
    if isinstance(value, dict):
        return {key: without_nan(one) for key, one in value.items()}
    if isinstance(value, list):
        return [without_nan(one) for one in value]
    return None if isinstance(value, float) and value != value else value


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="+", metavar="FILE",
                        help="scores of the same events; further files are compared with the first")
    parser.add_argument("--seed", type=int, default=1, help="of the bootstrap (default 1)")
    args = parser.parse_args()
    first, events, users, out = None, None, None, []
    for path in args.files:
        try:
            sample = read_scores(path)
        except (OSError, ValueError) as error:
            sys.exit(f"score.py: {error}")
        if first is not None and not first.same_events(sample):
            sys.exit(f"score.py: {path} holds other events than {args.files[0]}")
        event_level = Judged(sample, args.seed)
        user_level = Judged(sample.last_of_users(), args.seed)
        figures = event_level.figures()
        figures["user_level"] = user_level.figures()
        if first is None:
            first, events, users = sample, event_level, user_level
        else:
            figures["less_first"] = event_level.less(events)
            figures["user_level"]["less_first"] = user_level.less(users)
        out.append(without_nan({"file": path, **figures}))
    json.dump(out, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
