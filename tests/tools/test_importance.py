#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/importance on a small made-up log: the table, the bars in text, the page (sound, loads nothing), the
figures (those of `shoal evaluate`), and wrong input. Prints TAP. SHOAL_PROGRAM is `shoal`, SHOAL_SOURCE the
source tree."""

import html.parser
import json
import os
import subprocess
import sys
import tempfile
import traceback

SHOAL = os.environ["SHOAL_PROGRAM"]
SOURCE = os.environ["SHOAL_SOURCE"]
IMPORTANCE = os.path.join(SOURCE, "tools", "importance")
FROM = "2025-03-06T00:00:00Z"
VOID = {"meta", "link", "br", "hr", "img", "input"}
INPUTS = 22

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(SOURCE, "tools"))
from reporting import bars  # noqa: E402


def run(*words, code=0):
    done = subprocess.run(words, capture_output=True, text=True, timeout=250, check=False)
    assert done.returncode == code, f"{words[:3]}: exit {done.returncode}, wanted {code}\n{done.stderr}"
    return done


class Page(html.parser.HTMLParser):
    """Every element is closed in its order."""

    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.svgs, self.ids = [], [], 0, []
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        if tag not in VOID:
            self.open.append(tag)
        self.svgs += tag == "svg"
        self.links += [v for k, v in attrs if k in ("href", "src", "action")]
        self.ids += [v for k, v in attrs if k == "id"]

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-3:]}"
        self.open.pop()


class World:
    def __init__(self, folder):
        os.chdir(folder)
        run(SHOAL, "generate", "--users", "150", "--days", "7", "--seed", "3", "--out", "e.jsonl")
        run(SHOAL, "train", "--events", "e.jsonl", "--until", FROM, "--hidden", "16", "--epochs", "1", "--out",
            "m.shoal")
        self.told = run(IMPORTANCE, "--shoal", SHOAL, "--model", "m.shoal", "--events", "e.jsonl", "--from", FROM,
                        "--draws", "2", "--out", "i.html", "--json", "i.json")
        with open("i.html", encoding="utf-8") as f:
            self.text = f.read()
        with open("i.json", encoding="utf-8") as f:
            self.figures = json.load(f)


def the_figures_are_those_of_evaluate(world):
    evaluation = json.loads(run(SHOAL, "evaluate", "--model", "m.shoal", "--events", "e.jsonl", "--from", FROM,
                                "--permute", "counters,price", "--draws", "2", "--json").stdout)
    for entry in evaluation["importance"]:
        assert entry["draws"] == 2
        assert entry == next(e for e in world.figures["importance"] if e["input"] == entry["input"]), entry
    assert len(world.figures["importance"]) == INPUTS and world.figures["draws"] == 2
    counters = evaluation["importance"][0]["difference"]
    shown = f"{-counters['roc_auc']:+.4f} [{-counters['roc_auc_ci'][1]:+.4f}, {-counters['roc_auc_ci'][0]:+.4f}]"
    assert shown in world.told.stdout and shown in world.text, (shown, world.told.stdout)


def the_text_has_a_bar_for_every_input_and_measure(world):
    lines = [line for line in world.told.stdout.splitlines() if line.startswith("  ") and "[" in line]
    assert len(lines) == 2 * INPUTS, lines
    assert all(any(mark in line for mark in "│├┤┼") for line in lines)
    assert "Mean of 2 deals" in world.told.stdout
    assert "counters" in world.told.stdout and "without any effect" in world.told.stdout


def the_page_is_sound_and_loads_nothing(world):
    page = Page(world.text)
    assert page.svgs == 2 * INPUTS, page.svgs
    for link in page.links:
        assert link.startswith("#") and link[1:] in page.ids, link
    for outward in ("http:", "https:", "//www", "@import", "<script", "<link", "<img"):
        assert outward not in world.text, outward
    assert "prefers-color-scheme: dark" in world.text and "max-width: 42rem" in world.text
    assert "--permute all --draws 2" in world.text and "inputs of an event" in world.text


def bars_say_what_the_numbers_say(_):
    rows = [("idle", "", 0.0, 0.0, 0.0), ("sure", "", 0.5, 0.25, 1.0), ("not", "", -0.1, -0.3, 0.1)]
    idle, sure, unsure = (bars.text_bar(row, -0.5, 1.0, 31) for row in rows)
    assert idle == " " * 10 + "│", idle
    assert sure == " " * 10 + "█" * 5 + "├" + "▓" * 5 + "─" * 9 + "┤", sure
    assert unsure == " " * 4 + "├───▓▓┼─┤", unsure
    assert [bars.sure(row) for row in rows] == [False, True, False]
    text = bars.as_html([("<group>", [("a<b", "n\"ote", 0.5, 0.25, 1.0)])])
    assert "<group>" not in text and "a&lt;b" in text and 'title="n&quot;ote"' in text
    marks, digits = bars.ticks(-0.021, 0.11)
    assert [round(m, 3) for m in marks] == [0, 0.05, 0.1] and digits == 2, (marks, digits)


def without_a_model_one_is_trained(world):
    first = run(IMPORTANCE, "--shoal", SHOAL, "--events", "e.jsonl", "--from", FROM, "--draws", "1", "--out",
                "t.html")
    assert "shoal train --events e.jsonl" in first.stderr, first.stderr
    with open("t.html", encoding="utf-8") as f:
        assert "shoal train --events e.jsonl --until" in f.read()


def wrong_input_is_named_and_leaves_no_page(world):
    common = [IMPORTANCE, "--shoal", SHOAL, "--out", "no.html"]
    assert "--from" in run(*common, "--events", "e.jsonl", code=2).stderr
    assert "--draws" in run(*common, "--events", "e.jsonl", "--from", FROM, "--draws", "0", code=2).stderr
    done = run(*common, "--events", "none.jsonl", "--model", "m.shoal", "--from", FROM, code=1)
    assert "none.jsonl" in done.stderr and "ended with 5" in done.stderr, done.stderr
    done = run(*common, "--events", "e.jsonl", "--model", "none.shoal", "--from", FROM, code=1)
    assert "none.shoal" in done.stderr
    done = run(*common, "--data", "nowhere", code=1)
    assert "nowhere" in done.stderr
    done = run(IMPORTANCE, "--shoal", "nothing", "--events", "e.jsonl", "--from", FROM, code=1)
    assert "nothing: No such file" in done.stderr
    assert not os.path.exists("no.html")
    assert "Example:" in run(IMPORTANCE, "--help").stdout


def main():
    tests = [the_figures_are_those_of_evaluate, the_text_has_a_bar_for_every_input_and_measure,
             the_page_is_sound_and_loads_nothing, bars_say_what_the_numbers_say, without_a_model_one_is_trained,
             wrong_input_is_named_and_leaves_no_page]
    print(f"1..{len(tests)}", flush=True)
    bad = 0
    with tempfile.TemporaryDirectory(prefix="shoal-test-importance-") as folder:
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
