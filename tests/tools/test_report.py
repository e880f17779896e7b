#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tools/report on a small made-up data set: its sections, what it says, that it is HTML that loads
nothing, and what it does with wrong input. Prints TAP. SHOAL_PROGRAM is `shoal`, SHOAL_SOURCE the
source tree."""

import html.parser
import json
import os
import re
import subprocess
import sys
import tempfile
import traceback

SHOAL = os.environ["SHOAL_PROGRAM"]
SOURCE = os.environ["SHOAL_SOURCE"]
REPORT = os.path.join(SOURCE, "tools", "report")
UNTIL = "2025-03-07T00:00:00Z"
VOID = {"meta", "link", "br", "hr", "img", "input"}
SECTIONS = ["summary", "learning", "ranking", "calibration", "scores", "importance", "ablation", "data",
            "model"]


class Page(html.parser.HTMLParser):
    """Every element is closed in its order; collects ids, links and texts by section."""

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.links, self.svgs = [], [], [], 0
        self.section, self.texts = None, {}
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag not in VOID:
            self.open.append(tag)
        self.ids += [attrs["id"]] if "id" in attrs else []
        self.links += [v for k, v in attrs.items() if k in ("href", "src", "xlink:href", "action")]
        self.svgs += tag == "svg"
        if tag == "section":
            self.section = attrs["id"]
            self.texts[self.section] = ""

    def handle_startendtag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids += [attrs["id"]] if "id" in attrs else []
        self.links += [v for k, v in attrs.items() if k in ("href", "src", "xlink:href", "action")]

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()

    def handle_data(self, data):
        if self.section:
            self.texts[self.section] += data


def run(*words, code=0):
    done = subprocess.run(words, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == code, f"{words[:2]}: exit {done.returncode}, wanted {code}\n{done.stderr}"
    return done


class World:
    """One small training for all tests."""

    def __init__(self, folder):
        os.chdir(folder)
        run(SHOAL, "generate", "--users", "150", "--days", "7", "--seed", "3", "--out", "e.jsonl")
        with open("e.jsonl", "a", encoding="utf-8") as f:
            f.write('{"neither": 1}\n')
            f.write("not JSON\n")
        run(SHOAL, "train", "--events", "e.jsonl", "--until", UNTIL, "--hidden", "16", "--epochs", "2",
            "--item-buckets", "64", "--min-records", "3", "--objectives", "behavior:0.1", "--out",
            "m.shoal", "--log", "train.json")
        rows = [{"part": "all <of it>", "roc_auc": 0.625, "roc_auc_ci": [0.5, 0.75]}]
        with open("ablation.json", "w", encoding="utf-8") as f:
            json.dump({"title": "Ablation of the test", "rows": rows}, f)
        run(REPORT, "--shoal", SHOAL, "--model", "m.shoal", "--events", "e.jsonl", "--train-log",
            "train.json", "--ablation", "ablation.json", "--resamples", "30", "--online", "4",
            "--out", "r.html")
        with open("r.html", encoding="utf-8") as f:
            self.text = f.read()
        self.page = Page(self.text)
        self.evaluation = json.loads(run(
            SHOAL, "evaluate", "--model", "m.shoal", "--events", "e.jsonl", "--from", UNTIL, "--json",
            "--by-segment", "--baseline", "--permute", "price,counters").stdout)
        with open("train.json", encoding="utf-8") as f:
            self.log = json.load(f)


def the_page_has_every_section_and_its_drawings(world):
    assert list(world.page.texts) == SECTIONS, list(world.page.texts)
    assert world.page.svgs >= 10, world.page.svgs


def the_page_is_sound_and_loads_nothing(world):
    assert world.text.startswith("<!DOCTYPE html>")
    assert len(set(world.page.ids)) == len(world.page.ids), "an id twice"
    for link in world.page.links:
        assert link.startswith("#") and link[1:] in world.page.ids, link
    for link in re.findall(r"url\(([^)]*)\)", world.text):
        assert link.startswith("#") and link[1:] in world.page.ids, link
    for outward in ("http:", "https:", "//www", "@import", "<script", "<link", "<img"):
        assert outward not in world.text, outward
    assert "prefers-color-scheme: dark" in world.text and 'name="viewport"' in world.text


def the_figures_are_those_of_evaluate(world):
    summary = world.page.texts["summary"]
    for name in ("roc_auc", "pr_auc", "log_loss", "ece"):
        shown = "{:.4f} [{:.4f}, {:.4f}]".format(world.evaluation[name],
                                                 *world.evaluation[name + "_ci"])
        assert shown in summary, (shown, summary)
    assert "corrected online" in summary
    assert "buy_1h" in summary and "events_24h" in summary
    difference = next(e for e in world.evaluation["importance"] if e["input"] == "counters")
    assert f"{difference['difference']['roc_auc']:+.4f}" in world.page.texts["importance"]


def data_and_what_was_left_out_are_shown(world):
    data = world.page.texts["data"]
    assert f"{world.evaluation['data']['events']:,}" in data
    assert world.evaluation["data"]["refused"] == 2, world.evaluation["data"]
    assert "a required field is missing" in data and "neither JSON nor MessagePack" in data, data
    assert world.log["data"]["fingerprint"] in data
    assert world.log["left_out"]["few"] > 0 and "of users with too few records" in data
    mix = world.evaluation["data"]["behaviors"]
    assert sum(mix.values()) == world.evaluation["data"]["events"]


def model_and_options_are_shown(world):
    model = world.page.texts["model"]
    for shown in (world.log["model"]["version"], "--item-buckets", "--until", UNTIL):
        assert shown in model, shown
    assert "shoal train --events e.jsonl" in world.page.texts["learning"]
    assert "--permute all" in world.page.texts["importance"]


def an_ablation_is_a_table_and_its_text_is_escaped(world):
    ablation = world.page.texts["ablation"]
    assert "Ablation of the test" in ablation and "0.6250 [0.5000, 0.7500]" in ablation, ablation
    assert "all <of it>" in ablation and "<of it>" not in world.text


def segments_part_the_events(world):
    for dimension in ("intent", "lifecycle"):
        of = [s for s in world.evaluation["segments"] if s["dimension"] == dimension]
        assert len(of) == {"intent": 3, "lifecycle": 5}[dimension]
        assert sum(s["n"] for s in of) == world.evaluation["n"], dimension
        positives = sum(s["n"] * (s["base_rate"] or 0) for s in of)
        assert abs(positives / world.evaluation["n"] - world.evaluation["base_rate"]) < 1e-5
    warm, hot = world.evaluation["model"]["warm"], world.evaluation["model"]["hot"]
    for segment in world.evaluation["segments"]:
        for each in segment["reliability"]["bins"] if segment["dimension"] == "intent" else []:
            level = segment["level"]
            assert (each["low"] >= hot) == (level == "hot") and (each["high"] < warm) == (level == "cold")
    bins = world.evaluation["reliability"]["bins"]
    ece = sum(b["n"] * abs(b["mean_score"] - b["observed"]) for b in bins) / world.evaluation["n"]
    assert abs(ece - world.evaluation["ece"]) < 1e-4, (ece, world.evaluation["ece"])


def the_log_has_every_epoch(world):
    epochs = [e for e in world.log["epochs"] if not e["refit"] and not e["pretraining"]]
    assert [e["epoch"] for e in epochs] == list(range(len(epochs))) and len(epochs) == 3
    assert epochs[0]["train_loss"] is None and epochs[1]["train_loss"] > 0
    assert all(e["valid_loss"] > 0 and 0 < e["valid_auc"] < 1 for e in epochs)
    assert all(e["objectives"]["behavior"] > 0 for e in epochs[1:])
    assert world.log["options"]["hidden"] == "16" and world.log["options"]["no-refit"] is False
    assert world.log["model"]["version"] == world.evaluation["model"]["version"]


def wrong_input_is_named_and_leaves_no_page(world):
    common = ["--shoal", SHOAL, "--model", "m.shoal", "--events", "e.jsonl", "--out", "no.html"]
    done = run(REPORT, *common, code=2)
    assert "--from TIME" in done.stderr
    done = run(REPORT, *common, "--train-log", "e.jsonl", code=1)
    assert "e.jsonl is not a log of shoal train" in done.stderr, done.stderr
    done = run(REPORT, *common, "--train-log", "ablation.json", code=1)
    assert "is not a log of `shoal train --log`" in done.stderr, done.stderr
    done = run(REPORT, *common, "--from", "2035-01-01T00:00:00Z", "--no-importance", code=1)
    assert "can be scored" in done.stderr and "could not judge" in done.stderr, done.stderr
    done = run(REPORT, *common[2:], "--shoal", "nowhere", "--from", UNTIL, code=1)
    assert "nowhere: no program there" in done.stderr
    done = run(SHOAL, "evaluate", "--model", "m.shoal", "--events", "e.jsonl", "--permute", "prize",
               code=2)
    assert "no input is called 'prize'" in done.stderr and "price" in done.stderr
    assert not os.path.exists("no.html")
    assert "Example:" in run(REPORT, "--help").stdout


def events_of_the_training_are_marked(world):
    run(REPORT, "--shoal", SHOAL, "--model", "m.shoal", "--events", "e.jsonl", "--from",
        "2025-03-06T00:00:00Z", "--no-importance", "--resamples", "20", "--out", "early.html")
    with open("early.html", encoding="utf-8") as f:
        text = f.read()
    assert "the figures flatter.</p>" in text.split("<nav>")[0]
    assert "the figures flatter" not in world.text.split("<nav>")[0]
    assert "Left out (--no-importance)" in text and "No log of the training was given" in text
    Page(text)


def main():
    tests = [
        the_page_has_every_section_and_its_drawings, the_page_is_sound_and_loads_nothing,
        the_figures_are_those_of_evaluate, data_and_what_was_left_out_are_shown,
        model_and_options_are_shown, an_ablation_is_a_table_and_its_text_is_escaped,
        segments_part_the_events, the_log_has_every_epoch, wrong_input_is_named_and_leaves_no_page,
        events_of_the_training_are_marked]
    if subprocess.run(["/usr/bin/python3", "-c", "import numpy, matplotlib"], check=False,
                      stderr=subprocess.DEVNULL).returncode != 0:
        print("1..1\nok - report # SKIP python3-numpy or python3-matplotlib is not installed")
        return 77
    print(f"1..{len(tests)}", flush=True)
    bad = 0
    with tempfile.TemporaryDirectory(prefix="shoal-test-report-") as folder:
        world = World(folder)
        for test in tests:
            try:
                test(world)
                print(f"ok - {test.__name__}", flush=True)
            except Exception:  # pylint: disable=broad-except
                bad += 1
                traceback.print_exc()
                print(f"not ok - {test.__name__}", flush=True)
        os.chdir("/")
    return bad > 0


if __name__ == "__main__":
    sys.exit(main())
