# SPDX-License-Identifier: Apache-2.0
"""Shoal's own rows, and everything else that its binary is asked for."""

import gzip
import hashlib
import json
import pathlib
import re
import subprocess

import numpy as np

import score


class ShoalFailed(Exception):
    """The binary refused; its last lines are the text."""


class Shoal:
    def __init__(self, program, train_options, seed):
        self.program = pathlib.Path(program).resolve()
        self.train_options = list(train_options)
        self.seed = seed
        digest = hashlib.sha256(self.program.read_bytes())
        digest.update(repr((self.train_options, seed)).encode())
        self.fingerprint = digest.hexdigest()[:16]

    def run(self, *arguments):
        done = subprocess.run([str(self.program), *map(str, arguments)], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, errors="replace", check=False)
        if done.returncode != 0:
            said = [line for line in done.stderr.strip().splitlines() if line] or ["no reason given"]
            raise ShoalFailed(said[-1])
        return done.stdout

    def features(self, events, folder):
        self.run("features", "--events", events, "--out", folder)

    def generate(self, users, days, seed, out):
        self.run("generate", "--users", users, "--days", days, "--seed", seed, "--out", out)

    def train(self, events, until, model):
        when = ["--until", until] if until else []
        return self.run("train", "--events", events, *when, "--out", model, "--seed", self.seed,
                         "--threads", 1, *self.train_options)

    def evaluate(self, model, events, since, scores):
        when = ["--from", since] if since else []
        self.run("evaluate", "--model", model, "--events", events, *when, "--scores", scores,
                  "--json")


def lines_of(path):
    opened = gzip.open(path, "rb") if str(path).endswith(".gz") else open(path, "rb")
    with opened as lines:
        yield from lines


def user_of(line):
    """The user id of a line of JSON or of the five columns without a header."""
    if line.lstrip().startswith(b"{"):
        return str(json.loads(line)["user_id"])
    return line.split(b",", 1)[0].decode()


def write_users(events_path, wanted, out_path):
    """Those lines whose user is wanted, in their order."""
    with open(out_path, "wb") as out:
        for line in lines_of(events_path):
            if user_of(line) in wanted:
                out.write(line)


def kept(summary):
    """How much of the network `shoal train` says that it kept beside the regression."""
    share = re.search(r"^ *network +([0-9.]+) of", summary, re.M)
    return f"network x {share.group(1)}" if share else ""


def shoal_scores(shoal, task, events_path, users, since, until, work):
    """Scores of all events of the data set by a model that has seen only `users` (a mask over the
    users; None: all) and nothing from `until` on; also what was kept. NaN where Shoal scores none."""
    events = task.events
    train_path = events_path
    if users is not None:
        train_path = work / "train.csv"
        write_users(events_path, {events.ids[k] for k in np.flatnonzero(users)}, train_path)
    model, scores = work / "model.shoal", work / "scores.csv"
    note = kept(shoal.train(train_path, until, model))
    shoal.evaluate(model, events_path, since, scores)
    sample = score.read_scores(scores)
    number = {one: k for k, one in enumerate(events.ids)}
    # Both files keep the data set's order: the scored events are those with a label, from `since` on.
    at = np.flatnonzero(task.scored_by_shoal)
    if len(at) != len(sample) or not np.array_equal(events.label[at], sample.labels) or \
            not np.array_equal(events.user[at],
                               np.array([number[one] for one in sample.ids])[sample.users]) or \
            [score.time_text(one) for one in events.time_ms[at]] != sample.times:
        raise ShoalFailed("`shoal evaluate` scored other events than `shoal features` described")
    out = np.full(events.count, np.nan, np.float32)
    out[at] = sample.scores
    for path in (model, scores, work / "train.csv"):
        path.unlink(missing_ok=True)
    return out, note
