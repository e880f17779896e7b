# SPDX-License-Identifier: Apache-2.0
"""Runs `shoal evaluate` and reads what it, `shoal train --log` and others have written."""

import json
import os
import shlex
import subprocess
import tempfile

import numpy


class Trouble(Exception):
    """What keeps the report from being made, in words for the person at the terminal."""

    def __init__(self, text, code=1):
        super().__init__(text)
        self.code = code


class Scores:
    """Scored events: dense user numbers, labels, scores, in one array each."""

    def __init__(self, users, labels, scores):
        self.users = users
        self.labels = labels
        self.scores = scores
        self.users_count = int(users.max()) + 1 if len(users) else 0


def read_json(path, what):
    try:
        with open(path, encoding="utf-8") as f:
            return json.load(f)
    except OSError as error:
        raise Trouble(f"{path}: {error.strerror}") from error
    except (ValueError, UnicodeDecodeError) as error:
        raise Trouble(f"{path} is not {what}: {error}") from error


def read_train_log(path):
    log = read_json(path, "a log of shoal train")
    missing = [key for key in ("options", "epochs", "model", "data", "left_out") if key not in log] if isinstance(
        log, dict) else ["options"]
    if missing:
        raise Trouble(f"{path} is not a log of `shoal train --log`: it has no {missing[0]!r}")
    if not all("objectives" in epoch for epoch in log["epochs"]):
        raise Trouble(f"{path} is of an older `shoal train`: train again")
    return log


def read_scores(path):
    """user_id,timestamp,label,score; a user id may hold commas itself."""
    numbers, users, labels, scores = {}, [], [], []
    with open(path, encoding="utf-8", errors="replace") as f:
        next(f, None)
        for line in f:
            user, _, label, score = line.rstrip("\n").rsplit(",", 3)
            users.append(numbers.setdefault(user, len(numbers)))
            labels.append(int(label))
            scores.append(float(score))
    return Scores(numpy.array(users, dtype=numpy.int64), numpy.array(labels, dtype=numpy.int8),
                  numpy.array(scores))


def find_shoal(given):
    """The program, from --shoal or where a build puts it."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    places = [given] if given else [
        os.path.join(root, build, "tools", "shoal") for build in ("build", "build-test")]
    for place in places:
        if os.path.isfile(place) and os.access(place, os.X_OK):
            return place
    if given:
        raise Trouble(f"{given}: no program there")
    raise Trouble("no shoal at build/tools/shoal: build it (ninja -C build), or say where with "
                  "--shoal FILE")


def shown(words):
    """A command as a person would type it."""
    return " ".join(shlex.quote(word) for word in ["shoal"] + words)


def evaluate(shoal, model, events, start, until, seed, permute, online, say):
    """The evaluation (as shoal prints it), the scores, and the command."""
    words = ["evaluate", "--model", model, "--events", events, "--from", start]
    if until:
        words += ["--until", until]
    words += ["--baseline", "--by-segment", "--json", "--seed", str(seed)]
    if online:
        words += ["--online", str(online)]
    if permute:
        words += ["--permute", permute]
    with tempfile.TemporaryDirectory(prefix="shoal-report-") as folder:
        path = os.path.join(folder, "scores.csv")
        say("scoring: " + shown(words))
        done = subprocess.run([shoal] + words + ["--scores", path], stdout=subprocess.PIPE,
                              check=False)
        if done.returncode != 0:
            raise Trouble("shoal evaluate could not judge the model (see above)", 1)
        try:
            evaluation = json.loads(done.stdout)
        except ValueError as error:
            raise Trouble(f"{shoal} printed no JSON; is it another version? ({error})") from error
        scores = read_scores(path)
    for key in ("reliability", "segments", "model", "data"):
        if key not in evaluation:
            raise Trouble(f"{shoal} says nothing of {key!r}: it is older than this script")
    return evaluation, scores, shown(words + ["--scores", "scores.csv"])
