# SPDX-License-Identifier: Apache-2.0
"""What happens because nothing happens: timers that fall due while processors are killed, Redis forgets
and a processor joins, and in a partition to which no event comes."""

import collections
import json
import os
import re
import signal
import time

from compare import difference
from events import read_lines, write_silences
from load import Feed, split
from processes import check, wait_until
from scenario_crash import QUICK
from world import PARTITIONS

MESSAGES = 40000
RATE = 3000
QUIET = "hush"  # of partition 0, where a replay puts lines without a user, as ticks are
SOON = {"segments.first_time_buyer.for": "5d"}


def _silences(world):
    return split(write_silences(world.path("silences.jsonl"), world.bench.data, MESSAGES))


def _fell_due(world):
    """What came out because time passed, by dimension and level or promotion."""
    found = collections.Counter()
    for name, subject in (("segments", "to"), ("decisions", "promotion")):
        for message in world.output(name):
            value = json.loads(message.value)
            if "@" in value["id"]:
                found[value.get("dimension", "decision"), value[subject]] += 1
    return found


def _check_kinds(found):
    for kind in (("lifecycle", "active"), ("lifecycle", "lapsing"), ("lifecycle", "inactive"),
                 ("intent", "cold"), ("first_time_buyer", None)):
        check(found[kind] > 0, f"nothing fell due of {kind}: {dict(found)}")


def _one_timer_a_user(world):
    """The index of each partition names each user at most once, and only users."""
    with world.servers.redis() as redis:
        for partition in range(PARTITIONS):
            slot = f"{{{world.topic('events')}/{partition}}}"
            members = redis("ZRANGE", f"{slot}#timers", "0", "-1")
            check(members, f"no user of partition {partition} has a timer")
            check(len(members) == len(set(members)), "a user stands twice in an index")
            for member in members[:50]:
                check(redis("EXISTS", slot.encode() + b":" + member) == 1, f"a timer of nobody: {member}")


def _ended_well(world, path):
    world.finish()
    world.compare(path)
    _check_kinds(_fell_due(world))
    _one_timer_a_user(world)


def killed_while_timers_fall_due(world):
    """Weeks of event time with silences in them; killed at every point of the commit and in recovery."""
    world.settings.update(QUICK | SOON)
    world.start("b", state__flush__interval="2s")
    feed = Feed(world, RATE, _silences(world))
    world.wait_saved(1)
    for crash in ("produce.after:6", "commit.before:5", "save.inside:3", "save.after:3", "commit.after:8",
                  "recovery.inside:150"):
        code = world.start("a", crash=crash, state__flush__interval="2s").wait(60, f"killed at {crash}")
        check(code == -signal.SIGKILL, f"a was to die at {crash} but ended with {code}")
    world.start("a", state__flush__interval="2s")
    _ended_well(world, feed.finish())


def redis_forgets_timers(world):
    """Emptied under load: all timers come back with the states."""
    world.settings.update(QUICK | SOON)
    world.start("a")
    feed = Feed(world, RATE, _silences(world))
    for _ in range(2):
        world.wait_saved(6000)
        with world.servers.redis() as redis:
            redis("FLUSHALL")
        time.sleep(2)
    _ended_well(world, feed.finish())


def quiet_partition_is_told_the_time(world):
    """A cart of ten minutes ago, and nothing since: the timer falls due by the clock, once, also across a
    restart, and a replay of the topic does the same."""
    started = int(time.time())
    path = world.path("quiet.jsonl")
    with open(path, "w", encoding="utf-8") as file:
        for number, behavior in enumerate(("pv", "cart")):
            file.write(json.dumps({"user_id": QUIET, "item_id": 1, "behavior": behavior,
                                   "timestamp": started - 600 + number}) + "\n")
    world.settings.update({"timers.cart": "1m", "timers.idle": "1s", "segments.lifecycle.new": "2m"})
    world.start("a")
    world.send(path)

    def due():
        world.wait_running()
        return _fell_due(world)[("lifecycle", "active")] == 1
    wait_until(due, 30, "a quiet user is no longer new", 0.3)
    world.stop("a")
    world.start("a")
    time.sleep(4)
    check(_fell_due(world)[("lifecycle", "active")] == 1, "it fell due twice")
    world.stop_all()
    log = world.path("log.jsonl")
    messages = world.kafka.read(world.topic("events"))
    check(any(b"shoal_tick" in message.value for message in messages), "nobody told the time")
    check({message.partition for message in messages} == {0}, "the time was told where nothing is due")
    check(len(messages) < 40, f"the time was told {len(messages)} times")
    with open(log, "wb") as file:
        file.writelines(message.value + b"\n" for message in messages)
    out = world.replay(log)
    places = {message.offset: place for place, message in enumerate(messages)}
    for name in ("segments", "decisions"):
        wanted = read_lines(os.path.join(out, f"{name}.jsonl"))
        # The ends of transactions take offsets too, which a file does not have.
        found = [re.sub(rb"(?<=/0/)[0-9]+", lambda offset: b"%d" % places[int(offset.group())], message.value, count=1)
                 for message in world.output(name)]
        problem = difference(name, wanted, found)
        check(wanted and not problem, problem or f"a replay writes no {name}")
