#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""deploy/runbook.md says only what is so: commands and options exist, metrics and alerts are those that there are,
log lines that it quotes are in the source, links lead somewhere. Prints TAP. SHOAL_PROGRAM is `shoal`,
SHOAL_SOURCE the source tree."""

import glob
import os
import re
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import main, run  # noqa: E402

SOURCE = os.environ["SHOAL_SOURCE"]
SHOAL = os.environ["SHOAL_PROGRAM"]


def read(*path):
    with open(os.path.join(SOURCE, *path), encoding="utf-8") as file:
        return file.read()


RUNBOOK = read("deploy", "runbook.md")


def sources():
    paths = [path for layer in ("model", "state", "stream", "tools")
             for path in glob.glob(f"{SOURCE}/{layer}/**/*.[ch]", recursive=True)]
    # Adjacent string literals are one.
    return "\n".join(re.sub(r'"\s*\n\s*"', "", read(path)) for path in paths)


def every_alert_has_a_part_and_every_part_of_this_kind_an_alert():
    alerts = re.findall(r"- alert: (\w+)", read("deploy", "prometheus", "alerts.yml"))
    parts = re.findall(r"^## (Shoal\w+)$", RUNBOOK, re.M)
    assert len(alerts) > 5 and set(alerts) == set(parts), set(alerts) ^ set(parts)


def every_metric_is_one():
    known = set(re.findall(r'"(shoal_\w+)"', read("stream", "metrics_list.h")))
    named = set(re.findall(r"\b(shoal_[a-z_]+)\b", RUNBOOK)) - {"shoal_forget", "shoal_tick"}
    named = {re.sub(r"_(bucket|sum|count)$", "", name) for name in named}
    assert len(named) > 8 and named <= known, named - known


def every_command_and_option_is_there():
    commands = set(re.findall(r"^  ([a-z][a-z-]*)\b", run(SHOAL, "--help").stdout.split("Commands:")[1], re.M))
    used = re.findall(r"\bshoal (help )?([a-z]+)((?: [^`\n|;#]*)?)", "\n".join(
        re.findall(r"`(shoal [^`]*)`", RUNBOOK) + re.findall(r"^    (shoal .*)$", RUNBOOK, re.M)))
    assert len(used) > 10, used
    for _, command, rest in used:
        assert command in commands, f"shoal {command}"
        page = run(SHOAL, command, "--help").stdout
        for option in re.findall(r"(?<= )--[a-z-]+", rest):
            assert re.search(rf"^  {option}\b", page, re.M), f"shoal {command} {option}"


def every_key_of_the_configuration_is_one():
    keys = set(re.findall(r"^([a-z_.]+): ", run(SHOAL, "config").stdout, re.M))
    named = set(re.findall(r"`((?:recovery|commit|state|event|redis|calibration|promotions|http|instance)(?:\.[a-z_]+)+)",
                           RUNBOOK))
    assert len(named) > 8 and named <= keys, named - keys


def what_is_quoted_from_the_log_is_written_there():
    text = re.sub(r'"\s*PRI\w+\s*"', "d", sources())
    for quoted in ("starting over from the last commit", "offsets into the states", "do two processes have one instance.id?",
                   "then move the states with shoal repartition", "and have to be again", "but the states hold all events up to",
                   "recovery needs the events from offset", "but the log begins at", "format version is not supported",
                   "changed tokens are refused", "a changed certificate is refused"):
        assert quoted in RUNBOOK, f"not in the runbook: {quoted}"
        assert quoted in text, f"not in the source: {quoted}"


def codes_of_dead_letters_are_those_that_there_are():
    codes = set(re.findall(r'X\([A-Z_]+, SKIP, "([a-z_]+)"', read("model", "base", "status.h")))
    part = RUNBOOK[RUNBOOK.index("## ShoalDeadLetters"):RUNBOOK.index("## ShoalRedisAway")]
    named = {code for row in re.findall(r"^\| (`.*?) \|", part, re.M) for code in re.findall(r"`([a-z_]+)`", row)}
    assert named - {"error_code"} == codes - {"bad_csv"}, (named ^ codes)


def links_lead_somewhere():
    anchors = {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
               for title in re.findall(r"^#+ (.*)$", RUNBOOK, re.M)}
    for link in re.findall(r"\]\(#([^)]*)\)", RUNBOOK):
        assert link in anchors, link
    for path in re.findall(r"`(deploy/[a-z/.-]+)`", RUNBOOK):
        assert os.path.exists(os.path.join(SOURCE, path)), path


if __name__ == "__main__":
    sys.exit(main([every_alert_has_a_part_and_every_part_of_this_kind_an_alert, every_metric_is_one,
                   every_command_and_option_is_there, every_key_of_the_configuration_is_one,
                   what_is_quoted_from_the_log_is_written_there, codes_of_dead_letters_are_those_that_there_are,
                   links_lead_somewhere]))
