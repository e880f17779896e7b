# SPDX-License-Identifier: Apache-2.0
"""Event files for the scenarios: real shoppers, made awkward.

Real histories alone would not notice much: a repeat needs an event_id to be dropped, a
zero gap needs a late event, a dead letter needs a bad message. So some of each is mixed
in, always the same for the same seed.
"""

import gzip
import itertools
import json
import os
import random


def _rows(path, count):
    with gzip.open(path, "rt", encoding="utf-8") as file:
        for line in itertools.islice(file, count):
            user, item, category, behavior, seconds = line.rstrip("\n").split(",")
            yield {"user_id": user, "item_id": item, "category_id": category, "behavior": behavior,
                   "timestamp": int(seconds)}


def _interleaved(first, second):
    for pair in itertools.zip_longest(first, second):
        yield from (row for row in pair if row is not None)


def _order(row, rng):
    """A track call with several products: one message, several events."""
    return {"type": "track", "event": "Order Completed", "userId": row["user_id"],
            "messageId": f"m{rng.randrange(1 << 40):x}", "timestamp": row["timestamp"],
            "properties": {"products": [{"product_id": str(rng.randrange(1 << 20)),
                                         "category": row["category_id"], "price": 9.5, "quantity": n + 1}
                                        for n in range(rng.randrange(2, 6))]}}


def _awkward(rows, rng):
    recent = []
    for row in rows:
        luck = rng.random()
        if luck < 0.20:
            row["event_id"] = f"e{rng.randrange(1 << 40):x}"
            recent = recent[-7:] + [row]
        elif luck < 0.22 and recent:
            row = rng.choice(recent)  # delivered a second time
        elif luck < 0.24:
            row["timestamp"] -= rng.randrange(1, 100000)  # late
        elif luck < 0.25:
            row = _order(row, rng)
        elif luck < 0.26:
            row["behavior"] = "stare"  # a dead letter
        elif luck < 0.40:
            row["price"] = round(rng.lognormvariate(3, 1), 2)
        yield row


def write_awkward(path, data, count, seed):
    """`count` messages: half from users with whole histories, half from many users."""
    rng = random.Random(seed)
    rows = _interleaved(_rows(os.path.join(data, "taobao_dev.csv.gz"), count // 2),
                        _rows(os.path.join(data, "taobao_arrival_110k.csv.gz"), count - count // 2))
    with open(path, "w", encoding="utf-8") as file:
        for row in _awkward(rows, rng):
            file.write(json.dumps(row, separators=(",", ":")) + "\n")
    return path


def write_round(path, data, count, users):
    """Users that come round in turn: none is still in a small cache when seen again."""
    with open(path, "w", encoding="utf-8") as file:
        for number, row in enumerate(_rows(os.path.join(data, "taobao_dev.csv.gz"), count)):
            row["user_id"] = str(number % users)
            file.write(json.dumps(row, separators=(",", ":")) + "\n")


def _with_words(rows, rng):
    """Between a user's events now and then a word that ends what is kept of the user, or lets it begin again."""
    recent = []
    for row in rows:
        luck = rng.random()
        user = row.get("user_id") or row.get("userId")
        recent = recent[-99:] + [user]
        if luck < 0.02:
            yield {"shoal_forget": rng.choice(recent)}
        elif luck < 0.03 and "user_id" in row:
            row = {**row, "consent_processing": False}
        elif luck < 0.05 and "user_id" in row:
            row = {**row, "consent_processing": True}
        yield row


def write_forgetting(path, data, count, seed):
    """Awkward messages of users with whole histories, among them messages that have users forgotten, and users who
    decline to be processed, some for a while."""
    rng = random.Random(seed)
    with open(path, "w", encoding="utf-8") as file:
        for row in _with_words(_awkward(_rows(os.path.join(data, "taobao_dev.csv.gz"), count), rng), rng):
            file.write(json.dumps(row, separators=(",", ":")) + "\n")
    return path


def write_named(path, data, count, seed, name):
    """Awkward messages whose user ids cannot be mistaken for anything else: name(id)."""
    rng = random.Random(seed)
    with open(path, "w", encoding="utf-8") as file:
        for row in _awkward(_rows(os.path.join(data, "taobao_dev.csv.gz"), count), rng):
            key = "user_id" if "user_id" in row else "userId"
            row = {**row, key: name(row[key])}
            file.write(json.dumps(row, separators=(",", ":")) + "\n")
    return path


def write_later(path, data, count):
    """Whole histories dated a month later: after the days that the scenarios' models were trained on."""
    with open(path, "w", encoding="utf-8") as file:
        for row in _rows(os.path.join(data, "taobao_dev.csv.gz"), count):
            row["timestamp"] += 30 * 86400
            file.write(json.dumps(row, separators=(",", ":")) + "\n")
    return path


def write_silences(path, data, count):
    """The same histories with time running four times as fast and eight days of silence for a third of
    the users: hours and days without an event, a first purchase that is long ago."""
    with open(path, "w", encoding="utf-8") as file:
        rows = list(_rows(os.path.join(data, "taobao_dev.csv.gz"), count))
        start = rows[0]["timestamp"]
        for row in rows:
            row["timestamp"] = start + 4 * (row["timestamp"] - start)
            if int(row["user_id"]) % 3 == 0 and row["timestamp"] - start > 5 * 86400:
                continue
            file.write(json.dumps(row, separators=(",", ":")) + "\n")
    return path


def read_lines(path):
    """Lines as bytes, without their ends; an empty file has none."""
    with open(path, "rb") as file:
        lines = file.read().split(b"\n")
    return lines[:-1]
