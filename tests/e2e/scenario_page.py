# SPDX-License-Identifier: Apache-2.0
"""The dashboard that a running processor serves, in a real browser."""

import json
import os
import shutil
import subprocess

from http_client import Http
from processes import Unable, check

_PAGE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "page", "check_running.mjs")


def _compare_scores(http, lines):
    """Where a record keeps all of a user's events, the score computed anew after the last one is the served one."""
    compared = 0
    for state in map(json.loads, lines):
        if state["events"] > 8 or compared == 40:
            continue
        explained, user = http.user(state["user_id"], "/explain"), http.user(state["user_id"])
        check(explained["events_explained"] == explained["events_known"] == state["events"], f"{explained}")
        anew, served = explained["events"][-1]["score_after"], user["scores"]["purchase_24h"]
        check(abs(anew - served) < 2e-6, f"{state['user_id']}: {anew} computed anew, {served} served")
        compared += 1
    check(compared >= 10, f"only {compared} users have so few events")


def dashboard_of_a_running_processor(world):
    """Every view of the dashboard in Chromium, with states, history and a stream of a real processor."""
    world.follow_models()
    world.send(world.bench.short)
    world.start("a")
    http = Http.of(world, "a")
    http.wait_ready()
    world.wait_saved(sum(world.kafka.ends(world.topic("events"))))
    index = http.get("/")
    policy = index.headers.get("Content-Security-Policy", "")
    check("default-src 'self'" in policy and "unsafe" not in policy, f"the page's policy is {policy!r}")
    if not shutil.which("node"):
        raise Unable("no Node.js: run tools/setup")
    check(b"main.js" in index.body, "the dashboard was not built (run tools/setup)")
    _compare_scores(http, world.states())
    # Of the events kept of a user, some can be explained.
    user = max((json.loads(line) for line in world.states()), key=lambda state: state["events"])["user_id"]
    done = subprocess.run(["node", _PAGE, http.address.geturl(), user], capture_output=True, text=True, timeout=180,
                          check=False)
    check(done.returncode in (0, 77), done.stdout + done.stderr)
    world.finish()
    world.compare_swapped(world.bench.short)
    if done.returncode == 77:
        raise Unable(done.stdout)
