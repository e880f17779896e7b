# SPDX-License-Identifier: Apache-2.0
"""Logs of who turned to which item, and what is asked of a method that recommends the next one.

Items are numbered in the order in which they first appear. A log is in the order of time, so the items
that are known before any time are the numbers below some count, and no table of translation is
needed anywhere. README.md has the protocol; `shoal evaluate --task next-item` follows the same."""

import copy
import csv
import gzip
import hashlib
import pathlib

import numpy as np

# name -> from this time on (seconds since 1970) targets are judged
SPLITS = {"taobao_many_users_dev": 1512086400, "rees46_electronics_dev": 1613433600,
          "retailrocket_dev": 1438992000}
USER, ITEM, TIME = ("user_id", "session"), ("item_id", "item"), ("timestamp", "ts")
BEHAVIORS = {"pv": "pv", "view": "pv", "cart": "cart", "addtocart": "cart", "fav": "fav",
             "buy": "buy", "purchase": "buy", "transaction": "buy"}
VALIDATED = 5000
SHORT = 10  # a history of fewer events is short


class Log:
    """The events of a file. user, item: dense numbers; time: seconds; buy: is it a purchase."""

    def __init__(self, users, items, times, behaviors):
        order = np.argsort(np.asarray(times, np.int64), kind="stable")
        self.time = np.asarray(times, np.int64)[order]
        self.user_ids, self.user = _numbered([users[k] for k in order])
        self.item_ids, self.item = _numbered([items[k] for k in order])
        self.behavior = [behaviors[k] for k in order]
        self.buy = np.array([one == "buy" for one in self.behavior], bool)
        self.count = len(self.time)
        self.users_count, self.items_count = len(self.user_ids), len(self.item_ids)
        self._number_within_users()

    def _number_within_users(self):
        """by_user: events user by user, each in order of time; first[u]: where those of u begin;
        position[i]: how many of its user's come before event i; before[i]: the one directly before
        it, -1 where there is none; again[i]: has its user had the item before?"""
        self.by_user = np.argsort(self.user, kind="stable")
        self.first = np.searchsorted(self.user[self.by_user], np.arange(self.users_count + 1))
        self.position = np.empty(self.count, np.int64)
        self.position[self.by_user] = np.arange(self.count) - self.first[self.user[self.by_user]]
        self.before = np.full(self.count, -1)
        later = self.by_user[1:]
        self.before[later] = np.where(self.position[later] > 0, self.by_user[:-1], -1)
        pair = self.user * self.items_count + self.item
        earliest = np.unique(pair, return_index=True)[1]
        self.again = np.ones(self.count, bool)
        self.again[earliest] = False

    def fingerprint(self):
        digest = hashlib.sha256()
        for one in (self.user, self.item, self.time, self.buy):
            digest.update(one.tobytes())
        return digest.hexdigest()[:16]


def _numbered(ids):
    """Distinct ids in order of appearance, and the number of each."""
    numbers = {}
    dense = np.array([numbers.setdefault(one, len(numbers)) for one in ids], np.int64)
    return list(numbers), dense


def _column(header, names, path):
    for name in names:
        if name in header:
            return header.index(name)
    raise ValueError(f"{path}: no column is called {' or '.join(names)}")


def read_log(path):
    """A CSV file with a header, plain or gzip. ValueError with the line of what is wrong."""
    path = pathlib.Path(path)
    users, items, times, behaviors = [], [], [], []
    with gzip.open(path, "rt", encoding="utf-8", newline="") if path.suffix == ".gz" else \
            open(path, encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        header = next(rows, [])
        user, item, when, behavior = (_column(header, names, path)
                                      for names in (USER, ITEM, TIME, ("behavior",)))
        for number, row in enumerate(rows, 2):
            try:
                users.append(row[user])
                items.append(row[item])
                times.append(int(row[when]))
                behaviors.append(BEHAVIORS[row[behavior]])
            except (IndexError, KeyError, ValueError) as error:
                raise ValueError(f"{path}:{number}: {error}") from None
    if not users:
        raise ValueError(f"{path}: there are no events")
    return Log(users, items, times, behaviors)


class Problem:
    """Learn from the events before `split`; then find the target of each event in [split, end).

    `known` (N): how many items the catalogue has, those that appear before the split. A target
    is an event with an earlier one of its user, of another item than the one directly before, and of
    an item of the catalogue; what is left out for the last reason alone is counted (`unseen`)."""

    def __init__(self, log, split, end=None):
        self.log, self.split = log, split
        self.begin = int(np.searchsorted(log.time, split))
        stop = log.count if end is None else int(np.searchsorted(log.time, end))
        if self.begin == 0 or self.begin == stop:
            raise ValueError("the split leaves nothing to learn from or nothing to find")
        self.known = int(log.item[:self.begin].max()) + 1
        asked = np.arange(self.begin, stop)
        asked = asked[log.before[asked] >= 0]
        asked = asked[log.item[asked] != log.item[log.before[asked]]]
        there = log.item[asked] < self.known
        self.targets, self.unseen = asked[there], int((~there).sum())
        if len(self.targets) == 0:
            raise ValueError("no event from the split on is a target")
        self.item, self.user = log.item[self.targets], log.user[self.targets]
        self.history = log.position[self.targets]
        self.groups = {"all": np.ones(len(self.targets), bool), "buy": log.buy[self.targets],
                       "short": self.history < SHORT, "new": ~log.again[self.targets]}
        self._collapse()

    def _collapse(self):
        """The users' items as methods see them: of the catalogue, a repeat directly after itself
        once. `sequence`: user by user; learned[u], first[u]: where the part before the split ends and
        where u begins; reach[k]: the sequence up to there, from its user's first on, is the
        history of target k."""
        log = self.log
        at = log.by_user[log.item[log.by_user] < self.known]
        change = np.ones(len(at), bool)
        change[1:] = (log.item[at][1:] != log.item[at][:-1]) | (log.user[at][1:] != log.user[at][:-1])
        # How many of the collapsed come before each event of the log, within by_user's order.
        kept = np.zeros(log.count, np.int64)
        kept[at[change]] = 1
        ends = np.cumsum(kept[log.by_user])
        through = np.empty(log.count, np.int64)  # up to and with event i
        through[log.by_user] = ends
        self.sequence = log.item[at[change]]
        self.first = np.concatenate([[0], ends])[log.first]
        self.reach = through[log.before[self.targets]]
        before = np.bincount(log.user[at[change]][at[change] < self.begin],
                             minlength=log.users_count)
        self.learned = self.first[:-1] + before
        self.start = self.first[self.user]

    def validation(self):
        """The same question about the last tenth of what may be learned from, with at most about
        VALIDATED of its targets."""
        cut = int(self.log.time[self.begin * 9 // 10])
        return Problem(self.log, cut, self.split).thinned(VALIDATED)

    def thinned(self, count):
        """The same with about `count` of its targets, evenly spread."""
        other = copy.copy(self)
        every = slice(None, None, max(1, len(self.targets) // count))
        for name in ("targets", "item", "user", "history", "reach", "start"):
            setattr(other, name, getattr(self, name)[every])
        other.groups = {name: mask[every] for name, mask in self.groups.items()}
        return other

    def recent(self, count):
        """The last `count` items of each target's history, the latest first (K x count; -1: none)."""
        at = self.reach[:, None] - 1 - np.arange(count)[None, :]
        there = at >= self.start[:, None]
        return np.where(there, self.sequence[np.maximum(at, 0)], -1)
