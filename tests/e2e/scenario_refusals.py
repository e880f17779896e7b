# SPDX-License-Identifier: Apache-2.0
"""What the processor must refuse, and what it must wait for: exit codes, words, nothing lost."""

import os
import re
import time

from admin import Admin
from events import read_lines
from processes import check, wait_until

REFUSED, USAGE, DATA = 3, 2, 5
QUICK = {"kafka.session.timeout.ms": 3000, "kafka.heartbeat.interval.ms": 500}


def _file(world, name, content):
    path = world.path(name)
    with open(path, "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())
    return path


def _refused(world, words, *options, code=REFUSED, command="run", **settings):
    """The command must end at once with this code, and say these words."""
    _, _, errors = world.shoal(command, *options, timeout=20, expect=code, **settings)
    for word in words:
        check(word in errors, f"{command} {' '.join(options)} {settings}: no '{word}' in: {errors.strip()}")
    check(len(errors.splitlines()) <= 3, f"{settings}: not one reason but a page: {errors}")


def bad_configuration(world):
    """Broken YAML, unknown keys, ill-typed values: the line and the nearest known key are named."""
    cases = [
        ("kafka: [1, 2\nworkers: 2\n", ["bad.yaml:2", "not YAML"]),
        ("model:\n  path: x\ncommit:\n  intervall: 100ms\n", ["bad.yaml:4", "commit.intervall",
                                                             "did you mean 'commit.interval'?"]),
        ("workers: many\n", ["bad.yaml:1", "workers", "'many'"]),
        ("commit.interval: 100\n", ["bad.yaml:1", "commit.interval", "unit"]),
        ("workers: 1\nworkers: 2\n", ["bad.yaml:2", "workers"]),
        ("delivery: twice\n", ["bad.yaml:1", "exactly_once"]),
        ("\0\0\0", ["bad.yaml"]),
    ]
    for content, words in cases:
        _refused(world, words, "--config", _file(world, "bad.yaml", content))
    _refused(world, ["none.yaml", "No such file"], "--config", "none.yaml")
    _refused(world, ["comit.interval", "did you mean 'commit.interval'?"], "--set", "comit.interval=1s")
    _refused(world, ["nonsense"], "--set", "kafka.nonsense=1")
    _refused(world, ["group.id"], "--set", "kafka.group.id=other")
    _refused(world, ["redis.url", "unix:/path"], redis__url="http://127.0.0.1")
    _refused(world, ["--bogus"], "--bogus", code=USAGE)


def bad_model_or_promotions(world):
    """Missing, damaged, cut off, or something else altogether."""
    with open(world.bench.model, "rb") as file:
        model = file.read()
    flipped = bytearray(model)
    flipped[len(model) // 2] ^= 4
    _refused(world, ["none.shoal", "No such file"], model__path="none.shoal")
    _refused(world, ["model"], model__path="")
    _refused(world, ["damaged"], model__path=_file(world, "cut.shoal", model[:1000]))
    _refused(world, ["damaged"], model__path=_file(world, "flipped.shoal", bytes(flipped)))
    _refused(world, ["not a Shoal model"], model__path=world.bench.promotions)
    _refused(world, ["not a Shoal model"], model__path=_file(world, "empty.shoal", b""))
    promotions = [
        ("promotions:\n  - id: a\n    triger: [pv]\n", ["p.yaml:3", "triger", "did you mean 'triggers'?"]),
        ("promotions:\n  - id: a\n    segments: {intent: [boiling]}\n", ["p.yaml:3", "boiling"]),
        ("promotions:\n  - id: a\n  - id: a\n", ["p.yaml:3", "'a'"]),
        ("promotions: {{{\n", ["p.yaml"]),
    ]
    for content, words in promotions:
        _refused(world, words, promotions__path=_file(world, "p.yaml", content))
    _refused(world, ["nope.yaml", "No such file"], promotions__path="nope.yaml")


def bad_events_file(world):
    """A replay of a file that is not there, or into a folder that cannot be."""
    out = world.path("out")
    _refused(world, ["none.csv"], "--events", "none.csv", "--out", out, command="replay", code=DATA)
    _refused(world, ["/proc/x"], "--events", world.bench.short, "--out", "/proc/x", command="replay", code=DATA)
    broken = _file(world, "cut.csv.gz", open(os.path.join(world.bench.data, "taobao_dev.csv.gz"), "rb").read()[:9000])
    _refused(world, ["cut.csv.gz"], "--events", broken, "--out", out, command="replay", code=DATA)


def user_ids_of_64_and_65_bytes(world):
    """The longest is applied, a longer one is a dead letter, and so is one that is no text."""
    event = b'{"user_id":"%s","item_id":"1","behavior":"pv","timestamp":1511658000}'
    lines = [event % (b"u" * 64), event % (b"u" * 65), event % b"", event % b"\xff\xfe",
             event % ("\u00fc" * 32).encode(), event % ("\u00fc" * 33).encode()]
    path = _file(world, "events.jsonl", b"".join(line + b"\n" for line in lines))
    world.send(path)
    world.start("a")
    world.finish()
    world.compare(path)
    check(len(world.states()) == 2, f"{len(world.states())} users instead of 2")
    codes = [m.headers["error_code"] for m in world.output("deadletter")]
    check(codes == ["bad_user"] * 4, f"error codes are {codes}")


def broker_unreachable(world):
    """It says so once, keeps trying, and ends in peace; or goes on when the broker comes."""
    world.send(world.bench.short)
    world.servers.do("stop-kafka")
    world.start("a")
    world.start("b")
    time.sleep(8)
    world.wait_running()
    world.stop("a", timeout=10)
    said = world.log("a").count("still trying")
    check(said == 1, f"said {said} times in 8 s that no broker answers:\n{world.log('a')}")
    world.servers.do("start-kafka")
    world.finish()
    world.compare(world.bench.short)


def redis_comes_late(world):
    """The same for Redis; and SIGTERM while it is away still ends in peace."""
    world.send(world.bench.short)
    world.servers.do("kill-redis")
    world.start("a")
    time.sleep(4)
    world.stop("a")
    check(len(re.findall("warning.*Redis", world.log("a"))) == 1, f"it said:\n{world.log('a')}")
    world.start("b")
    time.sleep(2)
    world.servers.do("start-redis")
    world.finish()
    world.compare(world.bench.short)


def partitions_changed(world):
    """A topic that has grown, while running and at a start: refused, with both numbers and the way
    out."""
    world.send(world.bench.short)
    world.start("a", kafka__topic__metadata__refresh__interval__ms=1000)
    world.wait_saved(24000)
    with Admin(world.servers.kafka) as admin:
        admin.grow(world.topic("events"), 6)
    code = world.processors.pop("a").wait(30)
    check(code == REFUSED, f"the running processor ended with {code}:\n{world.log('a')[-800:]}")
    code = world.start("b").wait(30)
    check(code == REFUSED, f"the new processor ended with {code}:\n{world.log('b')[-800:]}")
    for name in "ab":
        for word in ("4 partitions", "6", "shoal repartition"):
            check(word in world.log(name), f"{name}: no '{word}' in:\n{world.log(name)[-800:]}")
    wanted = read_lines(os.path.join(world.replay(world.bench.short), "states.jsonl"))
    check(world.states() == wanted, "states have changed")


def _moved_back(world):
    """All of the file is done; then somebody moves the group's offset of partition 1 to 1000."""
    world.settings.update(QUICK)
    world.send(world.bench.short)
    world.start("a")
    world.finish()
    end = world.kafka.ends(world.topic("events"))[1]
    # A static member that has left keeps its place until its session ends.
    with Admin(world.servers.kafka, world.settings["group.id"]) as admin:
        wait_until(lambda: admin.commit(world.topic("events"), 1, 1000) is None, 30,
                   "the group is empty and its offset can be moved", 0.5)
    world.start("b")
    code = world.processors.pop("b").wait(30)
    check(code == REFUSED, f"ended with {code}:\n{world.log('b')[-800:]}")
    for word in ("partition 1", "1000", str(end), "follow_states", "reset_states"):
        check(word in world.log("b"), f"no '{word}' in:\n{world.log('b')[-800:]}")


def offsets_moved_back_follow_states(world):
    """Refused, with both offsets and both ways out; then go on where the states are: nothing comes
    again, and the next start has nothing to refuse."""
    _moved_back(world)
    world.start("c", recovery__offsets_moved="follow_states")
    wait_until(lambda: "partition 1: reading from" in world.log("c"), 30, "partition 1 is assigned")
    time.sleep(1)
    world.stop("c")
    world.start("d")
    wait_until(lambda: "partition 1: reading from" in world.log("d"), 30, "partition 1 is assigned again")
    world.stop("d")
    world.compare(world.bench.short)


def offsets_moved_back_reset_states(world):
    """The other way out: states are rebuilt from the log, outputs come again from the offset that
    the group was moved to, the same bytes under the same ids."""
    _moved_back(world)
    count = len(world.output("segments"))
    world.start("c", recovery__offsets_moved="reset_states")
    wait_until(lambda: "states reset" in world.log("c"), 30, "states are reset")
    world.finish()
    check(len(world.output("segments")) > count, "no output came again")
    world.compare(world.bench.short, repeats_allowed=True)


def events_past_retention(world):
    """Redis lost everything, and the log no longer begins at 0: refused with the number of events
    that are gone; when told to, it goes on and says how many are missing."""
    world.settings.update(QUICK)
    world.send(world.bench.short)
    world.start("a")
    world.finish()
    count = len(world.output("segments"))
    with Admin(world.servers.kafka) as admin:
        admin.delete_before(world.topic("events"), 2, 777)
    with world.servers.redis() as redis:
        redis("FLUSHALL")
    code = world.start("b").wait(40)
    check(code == REFUSED, f"ended with {code}:\n{world.log('b')[-800:]}")
    world.processors.pop("b")
    for word in ("partition 2", "777", "recovery.events_gone"):
        check(word in world.log("b"), f"no '{word}' in:\n{world.log('b')[-800:]}")
    world.start("c", recovery__events_gone="continue")
    world.finish()
    check("777 events are past retention" in world.log("c"), f"not said how many:\n{world.log('c')[-800:]}")
    check(len(world.output("segments")) == count, "recovery has written outputs again")
