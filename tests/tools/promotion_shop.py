# SPDX-License-Identifier: Apache-2.0
"""Made-up shops for test_promotion_report.py, and the figures of `shoal report` by definition, without regard to
speed."""

import datetime
import json
import math
import random

HOUR, DAY = 3600, 86400
START = 1741564800  # 2025-03-10T00:00:00Z, a Monday


def iso(seconds):
    at = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return at.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def seconds(text):
    return int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp())


def event(user, at, behavior, **more):
    return {"user_id": user, "behavior": behavior, "item_id": "i1", "timestamp": at, **more}


def decision(user, at, promotion="p", control=False, eligible=True, segments=None, scores=None):
    return {"id": f"x/{user}/{at}", "user_id": user, "promotion": promotion, "eligible": eligible,
            "variant": "control" if control else "treatment", "reasons": [{"condition": "limit", "value": 0}],
            "scores": scores or {"purchase_24h": 0.5}, "segments": segments or {}, "model": "m",
            "event_time": iso(at), "expires_at": iso(at + HOUR) if eligible else None}


def change(user, at, dimension, before, after):
    return {"id": f"x/{user}/{at}/{dimension}", "user_id": user, "dimension": dimension, "from": before,
            "to": after, "score": 0.1, "event_time": iso(at), "model": "m"}


def write(path, lines):
    with open(path, "w", encoding="utf-8") as f:
        for line in lines:
            f.write((line if isinstance(line, str) else json.dumps(line, ensure_ascii=False)) + "\n")


class Shop:
    """Random users: events in order of time, an offer each of two promotions, segment changes."""

    def __init__(self, seed, users=400, days=6, lift=0.0, prices=True):
        draw = random.Random(seed)
        self.events, self.decisions, self.changes, self.end = [], [], [], START + days * DAY
        for number in range(users):
            self.add_user(draw, f"u{number}", lift, prices)
        self.events += [event("first", START, "pv"), event("last", self.end, "pv")]
        for rows in (self.events, self.decisions, self.changes):
            key = (lambda r: r["timestamp"]) if rows is self.events else (lambda r: r["event_time"])
            rows.sort(key=key)

    def add_user(self, draw, user, lift, prices):
        eager = draw.random()
        times = sorted(draw.randrange(START, self.end) for _ in range(draw.randint(3, 12)))
        for at in times:
            kind = "buy" if draw.random() < 0.3 * eager else draw.choice(["pv", "pv", "cart", "fav"])
            price = {"price": 5 * draw.randint(1, 40), "quantity": draw.randint(1, 3)} if prices else {}
            self.events.append(event(user, at, kind, **price))
        level = {"intent": None, "value": None, "night": None}
        for at in times[::2]:
            dimension = draw.choice(list(level))
            after = {"intent": draw.choice(["cold", "warm", "hot"]), "value": f"c{draw.randint(1, 11)}",
                     "night": "yes" if level["night"] is None else None}[dimension]
            if after != level[dimension]:
                self.changes.append(change(user, at, dimension, level[dimension], after))
                level[dimension] = after
        control = draw.random() < 0.3
        offered = times[draw.randrange(len(times))]
        for at in (offered, offered + 60):  # a repetition is no offer of its own
            self.decisions.append(decision(user, at, "p", control, segments={"intent": level["intent"], "value": None},
                                           scores={"purchase_24h": round(eager, 3), "prompted": None}))
        self.decisions.append(decision(user, offered - 60, "p", control, eligible=False))
        if not control and draw.random() < lift and offered + 1800 < self.end:
            price = {"price": 20} if prices else {}
            self.events.append(event(user, offered + 1800, "buy", **price))

    def write(self):
        write("e.jsonl", self.events)
        write("d.jsonl", self.decisions)
        write("segments.jsonl", self.changes)


# ---- the same figures by definition -------------------------------------------------------------


def by_user(rows):
    users = {}
    for row in rows:
        users.setdefault(row["user_id"], []).append(row)
    return users


def spent(one):
    return one.get("price", 0) * one.get("quantity", 1)


def expected_groups(shop, window, level=None):
    """[users, buyers, sales] of exposed and control."""
    events, groups = by_user(shop.events), [[0, 0, 0.0], [0, 0, 0.0]]
    for user, rows in by_user([d for d in shop.decisions if d["eligible"]]).items():
        first = min(rows, key=lambda r: r["event_time"])
        at = seconds(first["event_time"])
        if at + window > shop.end or (level and first["segments"].get("intent") != level):
            continue
        bought = [e for e in events[user] if at < e["timestamp"] <= at + window and e["behavior"] == "buy"]
        group = groups[first["variant"] == "control"]
        group[0] += 1
        group[1] += bool(bought)
        group[2] += sum(spent(e) for e in bought)
    return groups


def standing(changes, user, dimension, at):
    rows = [c for c in changes.get(user, []) if c["dimension"] == dimension and seconds(c["event_time"]) <= at]
    return rows[-1]["to"] if rows else None


def expected_period(shop, begin, length, dimension=None, level=None, offset=0):
    """The row of one period, by the words of deploy/formats.md."""
    events, changes = by_user(shop.events), by_user(shop.changes)
    end = begin + length
    row = dict.fromkeys(["active", "retained", "buyers", "repeaters", "purchases", "carts", "abandoned", "size"], 0)
    row["sales"] = 0.0
    for user, rows in events.items():
        row["size"] += dimension is not None and standing(changes, user, dimension, end - 1) == level
        inside = [e for e in rows if begin <= e["timestamp"] < end]
        if not inside or (dimension and standing(changes, user, dimension, inside[0]["timestamp"]) != level):
            continue
        row["active"] += 1
        row["retained"] += any(end <= e["timestamp"] < end + length for e in rows)
        bought = [e for e in inside if e["behavior"] == "buy"]
        days = {(e["timestamp"] + offset) // DAY for e in rows if e["behavior"] == "buy" and e["timestamp"] < end}
        row["buyers"] += bool(bought)
        row["repeaters"] += bool(bought) and len(days) >= 2
        row["purchases"] += len(bought)
        row["sales"] += sum(spent(e) for e in bought)
        opened = None
        for e in rows:
            at = e["timestamp"]
            if opened is not None and at > opened + DAY:
                opened = None
            if e["behavior"] == "buy":
                opened = None
            elif e["behavior"] == "cart" and opened is None:
                opened = at
                if begin <= at < end and at + DAY <= shop.end:
                    row["carts"] += 1
                    row["abandoned"] += not any(f["behavior"] == "buy" and at <= f["timestamp"] <= at + DAY
                                                and rows.index(f) > rows.index(e) for f in rows)
    return row


def near(a, b):
    return (a is None) == (b is None) and (a is None or math.isclose(a, b, rel_tol=1e-5, abs_tol=1e-9))


def ratio(part, whole):
    return part / whole if whole else None


def expected_gain(shop, window, twentieths):
    """Extra buyers among the users of the highest scores; of equal scores in the order of the events."""
    order = {user: at for at, user in enumerate(dict.fromkeys(e["user_id"] for e in shop.events))}
    events, ranked = by_user(shop.events), []
    for user, rows in by_user([d for d in shop.decisions if d["eligible"]]).items():
        first = min(rows, key=lambda r: r["event_time"])
        at = seconds(first["event_time"])
        if at + window <= shop.end:
            bought = any(at < e["timestamp"] <= at + window and e["behavior"] == "buy" for e in events[user])
            ranked.append((-first["scores"]["purchase_24h"], order[user], first["variant"] == "control", bought))
    top = sorted(ranked)[:len(ranked) * twentieths // 20]
    rates = [ratio(sum(b for _, _, c, b in top if c == group), sum(c == group for _, _, c, _ in top))
             for group in (False, True)]
    return (rates[0] - rates[1]) * len(top)
