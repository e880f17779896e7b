# SPDX-License-Identifier: Apache-2.0
"""Shoal's own rows: `shoal train` on what lies before the split, `shoal evaluate --task next-item` from
there on, and a check that it was asked for the very same targets."""

import csv
import datetime
import pathlib
import tempfile
import types

import numpy as np

from next_item_data import BEHAVIORS
from next_item_methods import processor_seconds
from next_item_ranks import MISS
from shoal_rows import Shoal, ShoalFailed

SHOAL, FOR_PURCHASES = "shoal", "shoal, for purchases"
COLUMNS = ["user_id", "timestamp", "item_id", "behavior", "history", "rank"]


def _seconds(text):
    """Of 1512086400, 1512086400000 or RFC 3339."""
    try:
        value = float(text)
        return int(value / 1000 if value > 1e11 else value)
    except ValueError:
        return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def _rank(text):
    return int(text) if text else MISS


def read_ranks(path, problem):
    """The ranks, and those among purchases' scores or None. ShoalFailed where a line is not about the
    target that it should be about."""
    log, ranks, buy_ranks = problem.log, [], []
    with open(path, encoding="utf-8", newline="") as lines:
        rows = csv.reader(lines)
        header = next(rows, [])
        if header[:6] != COLUMNS or header[6:] not in ([], ["rank_buy"]):
            raise ShoalFailed(f"{path}: the columns are {','.join(header)}")
        for number, row in enumerate(rows):
            if number == len(problem.targets):
                raise ShoalFailed(f"{path} has more than the {number} targets")
            at = problem.targets[number]
            wanted = (log.user_ids[log.user[at]], int(log.time[at]), log.item_ids[log.item[at]],
                      log.behavior[at], int(log.position[at]))
            try:
                is_there = (row[0], _seconds(row[1]), row[2], BEHAVIORS.get(row[3]), int(row[4]))
                ranks.append(_rank(row[5]))
                buy_ranks.append(_rank(row[6]) if len(header) > 6 else 0)
            except (ValueError, IndexError):
                raise ShoalFailed(f"{path}:{number + 2}: {','.join(row)}") from None
            if is_there != wanted:
                raise ShoalFailed(f"{path}:{number + 2}: target {is_there}, here it is {wanted}")
    if len(ranks) != len(problem.targets):
        raise ShoalFailed(f"{path} has {len(ranks)} targets, here they are {len(problem.targets)}")
    return np.array(ranks), np.array(buy_ranks) if len(header) > 6 else None


def ranks(program, options, path, problem, seed, report):
    """name -> ranks, note, seconds. What Shoal says when it is asked for purchases is a row of its own,
    for the targets that are purchases."""
    shoal = Shoal(program, options, seed)
    when = datetime.datetime.fromtimestamp(problem.split, datetime.timezone.utc).strftime(
        "%Y-%m-%dT%H:%M:%SZ")
    began = processor_seconds()
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        model, out = folder / "model.shoal", folder / "ranks.csv"
        report("shoal: train")
        shoal.train(path, when, model)
        report("shoal: evaluate")
        shoal.run("evaluate", "--task", "next-item", "--model", model, "--events", path,
                  "--from", when, "--json", "--ranks", out)
        found, of_buy = read_ranks(out, problem)
    about = {"note": " ".join(options), "seconds": processor_seconds() - began}
    rows = {SHOAL: types.SimpleNamespace(ranks=found, **about)}
    if of_buy is not None:
        rows[FOR_PURCHASES] = types.SimpleNamespace(ranks=of_buy, groups=("buy",), **about)
    return rows
