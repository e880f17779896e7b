#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`shoal report` on made-up shops: every count against one made here by definition, planted lifts, names that
attack the page, and files that are wrong. Prints TAP. SHOAL_PROGRAM is `shoal`, SHOAL_SOURCE the source
tree, SHOAL_DATA the folder of data (default: ../shared/data beside it)."""

import csv
import gzip
import html.parser
import json
import os
import re
import subprocess
import sys
import tempfile
import traceback

from promotion_shop import (DAY, HOUR, START, Shop, change, decision, event, expected_gain, expected_groups,
                            expected_period, iso, near, ratio, seconds, write)

SHOAL = os.environ["SHOAL_PROGRAM"]
EVIL = "</script><img src=x onerror=alert(1)>&\"'\u202e<!--"


def run(*words, code=0, events="e.jsonl", decisions="d.jsonl"):
    done = subprocess.run([SHOAL, "report", "--events", events, "--decisions", decisions, *words],
                          capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == code, f"exit {done.returncode}, wanted {code}\n{done.stdout}{done.stderr}"
    return done


def refuse_constant(name):
    raise AssertionError(f"{name} in JSON")


def report(*words, **more):
    done = run("--json", "r.json", "--out", "r.html", *words, **more)
    assert not re.search(r"\b(nan|inf)\b", done.stdout, re.I), done.stdout
    with open("r.json", encoding="utf-8") as f:
        return json.load(f, parse_constant=refuse_constant)


# ---- tests --------------------------------------------------------------------------------------


def alike(one, other):
    """The same but for the last digits: sums are over users in another order."""
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(alike(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(alike, one, other))
    return near(one, other) if isinstance(one, float) and other is not None else one == other


def test_who_was_forgotten_counts_from_then_on():
    shop = Shop(1, lift=0.2)
    shop.write()
    wanted = report()
    events, decisions, changes = [], [], []
    for user in [e["user_id"] for e in shop.events[:200:5]] + ["ghost"]:
        events += [event(user, START - DAY, "buy", price=1000), event(user, START - HOUR, "cart"), {"shoal_forget": user}]
        tombstone = {"id": "x", "user_id": user, "forgotten": True}
        for control in (True, False):
            decisions.append(decision(user, START - HOUR, "p", control, segments={"intent": "hot", "value": None},
                                      scores={"purchase_24h": 1, "prompted": None}))
        decisions.append(tombstone)
        changes += [change(user, START - HOUR, "intent", None, "hot"), tombstone]
    write("e2.jsonl", events + shop.events)
    write("d2.jsonl", decisions + shop.decisions)
    write("s2.jsonl", changes + shop.changes)
    told = report("--segments", "s2.jsonl", events="e2.jsonl", decisions="d2.jsonl")
    for key in ("promotions", "periods", "transitions"):
        assert alike(told[key], wanted[key]), (key, told[key], wanted[key])
    assert told["segments"] | {"unknown_users": 0} == wanted["segments"], told["segments"]
    assert told["decisions"]["crossed"] == 40, told["decisions"]  # within their former lives
    assert "ghost" not in json.dumps(told), told["notes"]


def test_groups_and_outcomes_are_those_of_the_definition():
    for seed, window in [(1, DAY), (2, 2 * HOUR), (3, 2 * DAY)]:
        shop = Shop(seed, lift=0.2)
        shop.write()
        one = report("--window", f"{window // HOUR}h")["promotions"][0]
        everyone = [(one, None)] + [(s, s["level"]) for s in one["segments"] if s["dimension"] == "intent"]
        assert len(everyone) == 4, everyone
        for entry, level in everyone:
            groups = expected_groups(shop, window, level)
            for key, (users, buyers, sales) in zip(["exposed", "control"], groups):
                assert (entry[key]["users"], entry[key]["buyers"]) == (users, buyers), (seed, level, key, entry[key])
                assert near(entry["conversion"][key], ratio(buyers, users))
                assert near(entry["sales"][key], ratio(sales, users)), (entry["sales"][key], sales, users)


def test_period_figures_are_those_of_the_definition():
    for seed, name, length, offset in [(4, "day", DAY, 0), (5, "week", 7 * DAY, 0), (6, "day", DAY, -9)]:
        shop = Shop(seed, users=150, days=15)
        shop.write()
        told = report("--period", name, "--utc-offset", f"{offset:+03d}:00")
        begin = START - offset * HOUR - (DAY if offset < 0 else 0)
        for number, period in enumerate(told["periods"]):
            assert seconds(period["from"]) == begin + number * length
            assert period["date"] == iso(begin + number * length + offset * HOUR)[:10]
            for row in period["rows"]:
                if row["dimension"] == "value" and row["level"] not in ("c1", "c10"):
                    continue
                want = expected_period(shop, begin + number * length, length, row["dimension"], row["level"],
                                       offset * HOUR)
                where = (seed, number, row, want)
                for key in ("active", "buyers", "purchases", "carts"):
                    assert row[key] == want[key], where
                if row["dimension"]:
                    assert row["size"] == want["size"], where
                assert near(row["sales"], want["sales"]), where
                assert near(row["penetration"], ratio(want["buyers"], want["active"])), where
                assert near(row["repeat_purchase"], ratio(want["repeaters"], want["buyers"])), where
                assert near(row["cart_abandonment"], ratio(want["abandoned"], want["carts"])), where
                following = number + 1 < len(told["periods"]) and told["periods"][number + 1]["whole"]
                assert near(row["retention"], ratio(want["retained"], want["active"]) if following else None), where
        whole = [period["rows"][0] for period in told["periods"] if period["whole"]]
        before, now = whole[:2]
        assert near(now["sales_growth"], now["sales"] / before["sales"] - 1)


def test_levels_stand_in_their_order_and_transitions_are_counted():
    shop = Shop(6)
    shop.write()
    told = report()
    levels = [(r["dimension"], r["level"]) for r in told["periods"][0]["rows"]]
    assert levels[:4] == [(None, None), ("intent", "cold"), ("intent", "warm"), ("intent", "hot")], levels
    assert [l for d, l in levels if d == "value"] == [f"c{i}" for i in range(1, 12)], levels
    want = {}
    for one in shop.changes:
        key = (one["dimension"], one["from"], one["to"])
        want[key] = want.get(key, 0) + 1
    got = {(m["dimension"], m["from"], m["to"]): m["count"] for m in told["transitions"]}
    assert got == want and ("night", "yes", None) in got
    only = report("--by", "value")
    assert {r["dimension"] for r in only["periods"][0]["rows"]} == {None, "value"}
    assert {m["dimension"] for m in only["transitions"]} == {"value"}


def test_a_planted_lift_is_found_and_none_is_not():
    for seed in range(3):
        Shop(10 + seed, users=3000, lift=0.25).write()
        one = report()["promotions"][0]
        assert one["conversion"]["verdict"] == "more" and one["says"].startswith("more purchases: surely"), one["says"]
        assert one["conversion"]["cuped"]["ci"][0] < 0.25 < one["conversion"]["cuped"]["ci"][1] + 0.1
        Shop(20 + seed, users=3000).write()
        one = report()["promotions"][0]
        assert one["conversion"]["verdict"] == "unknown" and one["says"].startswith("cannot be told"), one["says"]
        assert one["conversion"]["variance_reduced"] > 0


def test_the_gain_curve_follows_the_scores_and_ends_at_the_whole_effect():
    shop = Shop(30, users=2000, lift=0.3)
    shop.write()
    one = report()["promotions"][0]
    for at in (4, 10, 19):
        assert near(one["gains"][0]["points"][at]["extra_buyers"], expected_gain(shop, DAY, at)), at
    gain, = one["gains"]  # a score that is always null has none
    assert gain["score"] == "purchase_24h" and len(gain["points"]) == 21
    last, users = gain["points"][-1], one["exposed"]["users"] + one["control"]["users"]
    assert gain["users"] == users and near(last["extra_buyers"], one["conversion"]["plain"]["difference"] * users)
    assert near(last["at_random"], last["extra_buyers"]) and gain["points"][0]["extra_buyers"] == 0
    assert last["ci"][0] < last["extra_buyers"] < last["ci"][1]


def test_a_real_randomised_test_has_its_known_effect():
    """Hillstrom's e-mails of 2008 as events and decisions: visits and purchases in the two weeks after."""
    path = os.path.join(os.environ.get("SHOAL_DATA", os.path.join(os.environ["SHOAL_SOURCE"], "..", "shared", "data")),
                        "hillstrom_dev.csv.gz")
    if not os.path.exists(path):
        assert not os.environ.get("CI"), f"{path} is missing"
        return "data missing"
    events, decisions, groups = [], [], [[0, 0, 0.0], [0, 0, 0.0]]
    with gzip.open(path, "rt", encoding="utf-8") as f:
        for number, row in enumerate(csv.DictReader(f)):
            user, control = f"u{number}", row["segment"] == "No E-Mail"
            events.append(event(user, START - 30 * DAY * int(row["recency"]), "buy", price=float(row["history"])))
            events += [event(user, START + DAY, "pv")] * int(row["visit"])
            events += [event(user, START + DAY, "buy", price=float(row["spend"]))] * int(row["conversion"])
            decisions.append(decision(user, START, "e-mail", control, segments={"channel": row["channel"]}))
            for at, value in enumerate((1, int(row["conversion"]), float(row["spend"]))):
                groups[control][at] += value
    events.append(event("last", START + 14 * DAY, "pv"))
    write("e.jsonl", sorted(events, key=lambda e: e["timestamp"]))
    write("d.jsonl", decisions)
    one = report("--window", "14d", "--period", "week")["promotions"][0]
    shares = [buyers / users for users, buyers, _ in groups]
    spends = [amount / users for users, _, amount in groups]
    lift, sales = one["conversion"], one["sales"]
    assert [one[k]["users"] for k in ("exposed", "control")] == [g[0] for g in groups]
    assert near(lift["plain"]["difference"], shares[0] - shares[1]) and near(sales["exposed"], spends[0])
    assert near(sales["plain"]["difference"], spends[0] - spends[1])
    # The whole set: 0.0050 more buyers (0.57 % without an e-mail), 0.60 $ more a customer (Radcliffe 2008).
    assert lift["cuped"]["ci"][0] < 0.0050 < lift["cuped"]["ci"][1] and lift["cuped"]["p"] < 1e-4, lift
    assert sales["cuped"]["ci"][0] < 0.60 < sales["cuped"]["ci"][1] and sales["cuped"]["p"] < 0.01, sales
    assert one["says"] == "more purchases: surely" and lift["variance_reduced"] > 0
    assert lift["anytime_ci"][0] > 0
    return None


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.loads, self.scripts, self.attributes, self.inside = [], [], [], [], False
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [name for name, _ in attrs]
        self.loads += [v for k, v in attrs if k in ("src", "href") and not v.startswith("#")]
        self.inside = tag == "script"
        if self.inside:
            self.scripts.append([dict(attrs), ""])

    def handle_endtag(self, tag):
        self.inside = False

    def handle_data(self, data):
        if self.inside:
            self.scripts[-1][1] += data


def test_names_of_the_data_cannot_leave_the_data():
    shop = Shop(40, users=200)
    for one in shop.decisions:
        one["promotion"], one["segments"], one["scores"] = EVIL, {EVIL: EVIL}, {EVIL: 0.5}
    for one in shop.changes:
        one["dimension"] = EVIL + "2"
        for key in ("from", "to"):
            one[key] = one[key] and EVIL + one[key]
    shop.write()
    told = report()
    assert told["promotions"][0]["promotion"] == EVIL
    assert told["promotions"][0]["segments"][0]["level"] == EVIL
    with open("r.html", encoding="utf-8") as f:
        text = f.read()
    page = Page(text)
    assert "img" not in page.tags and not page.loads, (page.tags, page.loads)
    assert not [name for name in page.attributes if name.startswith("on")]
    assert len(page.scripts) == 3 and page.scripts[1][0] == {"type": "application/json", "id": "data"}
    data = page.scripts[1][1]
    assert not set("<>&") & set(data), "unescaped"
    assert json.loads(data, parse_constant=refuse_constant) == told
    assert "default-src 'none'" in text and "innerHTML" not in page.scripts[2][1]
    bell = {**shop.decisions[0], "promotion": "a\u001b[2Jb\u009b"}
    write("d.jsonl", [bell])
    assert "\x1b" not in run().stdout and "\u009b" not in run().stdout


def test_a_split_that_is_not_as_configured_voids_the_lift():
    Shop(50, users=1500, lift=0.3).write()
    for share, broken in [("30%", False), ("10%", True)]:
        write("p.yaml", [f"promotions: [{{id: p, control: {share}}}]"])
        one = report("--promotions", "p.yaml")["promotions"][0]
        assert one["split"]["broken"] is broken, one["split"]
        assert ("split into groups is broken" in one["says"]) is broken, one["says"]
    assert report()["promotions"][0]["split"] == {"control_share": None, "p": None, "broken": None}


def small(controls, users=60, **more):
    write("e.jsonl", [event(f"u{i}", START, "pv") for i in range(users)] +
          [event(f"u{i}", START + HOUR, "buy") for i in range(0, users, 3)] + [event("last", START + 3 * DAY, "pv")])
    write("d.jsonl", [decision(f"u{i}", START, control=i < controls, **more) for i in range(users)])
    if os.path.exists("segments.jsonl"):
        os.remove("segments.jsonl")


def test_without_a_control_group_nothing_is_claimed():
    small(0)
    one = report()["promotions"][0]
    assert one["says"] == "cannot be told: no user in the control group", one["says"]
    assert one["conversion"]["plain"] == {"difference": None, "ci": None, "p": None}
    assert one["conversion"]["control"] is None and one["gains"] == [] and one["exposed"]["users"] == 60
    small(2)
    one = report()["promotions"][0]
    assert one["says"] == "cannot be told: only 2 users in the control group", one["says"]
    assert one["conversion"]["verdict"] == "too_few"
    small(60)
    assert "no user in the exposed group" in report()["promotions"][0]["says"]


def test_what_the_events_do_not_cover_is_left_out_and_said():
    small(30)
    rows = [decision("u1", START - DAY), decision("u2", START + 9 * DAY), decision("u3", START + 3 * DAY - HOUR),
            decision("stranger", START)]
    write("d.jsonl", rows)
    told = report()
    assert told["promotions"][0]["left_out"] == {"window_open": 1, "outside_events": 2}
    assert told["decisions"]["unknown_users"] == 1 and told["promotions"][0]["exposed"]["users"] == 0
    notes = " ".join(told["notes"])
    assert "stranger" in notes and "no prices" in notes and "--segments" in notes, notes
    assert "no offer with a whole window" in told["promotions"][0]["says"]
    assert all(r["sales"] is None and r["size"] is None for p in told["periods"] for r in p["rows"])
    write("d.jsonl", [decision("u1", START), decision("u1", START + 5, control=True)])
    told = report()
    assert told["decisions"]["crossed"] == 1 and told["promotions"][0]["control"]["users"] == 0


def test_empty_decisions_are_a_report_without_promotions():
    small(30)
    write("d.jsonl", [])
    told = report()
    assert told["promotions"] == [] and "no offer" in " ".join(told["notes"]) and told["periods"]
    write("segments.jsonl", [])
    assert report()["transitions"] == []


def test_wrong_files_are_refused_with_their_line():
    small(30)
    good = json.dumps(decision("u1", START))
    for line, why in [("{}", '"user_id" is not there'), ("nonsense", "not a JSON object"), ("[1]", "not a JSON object"),
                      (good[:40], "has no end"), (good + "}", "JSON"), (good + good, "more after"),
                      (good.replace("true", "1"), '"eligible"'), (good.replace('"treatment"', "5"), '"variant"'),
                      (good.replace("2025", "yesterday"), '"event_time"'), (good.replace('"p"', '""'), "promotion"),
                      (good.replace('"segments": {}', '"segments": {"a": 5}'), '"segments"'),
                      (json.dumps(event("u1", START, "pv")), '"event_time"'), ('{"user_id"}', "no value")]:
        write("d.jsonl", [good, "", line, good])
        done = run(code=5)
        assert "d.jsonl:3: " in done.stderr and why in done.stderr, (line, done.stderr)
    write("d.jsonl", [good])
    write("s.jsonl", [change("u1", START, "intent", None, "cold"), '{"user_id":"u1","event_time":"2025-03-10"}'])
    assert 's.jsonl:2: "dimension"' in run("--segments", "s.jsonl", code=5).stderr
    run("--segments", "missing.jsonl", code=5)
    run(decisions="missing.jsonl", code=5)
    run(events="missing.jsonl", code=5)
    write("empty.jsonl", [])
    assert "has no events" in run(events="empty.jsonl", code=5).stderr
    write("d.jsonl", [decision(f"u{i % 60}", START, f"p{i}") for i in range(300)])
    assert "d.jsonl:257: more than 256 different names of a promotion" in run(code=5).stderr
    write("e2.jsonl", [event("u1", 86400, "pv"), event("u1", START, "pv")])
    write("d.jsonl", [good])
    assert "periods, more than 4000" in run(events="e2.jsonl", code=5).stderr


def test_a_last_line_that_is_cut_off_is_left_out():
    small(30)
    with open("d.jsonl", "a", encoding="utf-8") as f:
        f.write(json.dumps(decision("u1", START, "q"))[:100])
    told = report()
    assert told["decisions"]["lines"] == 60 and "cut off" in " ".join(told["notes"])


def test_files_may_be_many_and_compressed_and_in_any_order():
    shop = Shop(60, lift=0.1)
    shop.write()
    want = report()
    half = len(shop.decisions) // 2
    write("d2.jsonl", reversed(shop.decisions[:half]))
    with gzip.open("d1.jsonl.gz", "wt", encoding="utf-8") as f:
        f.writelines(json.dumps(one) + "\n" for one in shop.decisions[half:] + shop.decisions[half:half + 9])
    got = report(decisions="d1.jsonl.gz,d2.jsonl")
    assert got["promotions"] == want["promotions"] and got["periods"] == want["periods"]


def test_escapes_in_user_ids_and_repeated_changes():
    write("e.jsonl", [event('a"\\\u00e9', START, "pv"), event("z", START + 3 * DAY, "pv")])
    one = json.dumps(decision('a"\\\u00e9', START))
    assert "\\u00e9" in one
    write("d.jsonl", [one])
    rows = [change('a"\\\u00e9', START, "intent", None, "cold"),
            change('a"\\\u00e9', START + 9, "intent", "warm", "hot")]
    write("segments.jsonl", [rows[0], rows[0], rows[1]])
    told = report()
    assert told["promotions"][0]["exposed"]["users"] == 1
    assert told["segments"] == {"given": True, "changes": 2, "repeated": 1, "unknown_users": 0, "broken": 1}
    assert "compacted" in " ".join(told["notes"])


def test_wrong_options_are_named():
    small(30, segments={"intent": "cold"})
    assert "--window: 'soon'" in run("--window", "soon", code=2).stderr
    run("--window", "0", code=2)
    assert "day, week" in run("--period", "month", code=2).stderr
    for offset in ("8", "+25:00", "+08:00Z", "Z", "+8"):
        assert "no offset such as" in run("--utc-offset", offset, code=2).stderr
    assert "no dimension of these files (intent)" in run("--by", "intnet", code=2).stderr
    assert "missing/r" in run("--out", "missing/r", code=1).stderr
    assert "No space" in run("--json", "/dev/full", code=1).stderr
    assert json.loads(run("--json", "-").stdout)["command"] == "report"


def main():
    tests = [(n, f) for n, f in globals().items() if n.startswith("test_")]
    print(f"1..{len(tests)}")
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name, test in tests:
            try:
                skipped = test()
                print(f"ok - {name[5:]}" + (f" # SKIP {skipped}" if skipped else ""))
            except Exception:
                failed += 1
                traceback.print_exc()
                print(f"not ok - {name[5:]}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
