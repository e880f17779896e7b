# SPDX-License-Identifier: Apache-2.0
"""Two processes under load, killed with SIGKILL: at every labelled point of the commit and of
the recovery (model/base/crash.h), and at random moments."""

import random
import signal
import time

import checkpoints
from events import write_later
from load import Feed, split
from processes import check
from world import PARTITIONS

RATE = 3000  # messages a second
RANDOM_KILLS = 30
LATER = 60000  # messages: six days, of which outcomes are known after one
# Outputs of a transaction wait for its commit to be sent; here they are to be with the broker before.
AT_ONCE = {"kafka.linger.ms": 0}
QUICK = {"kafka.session.timeout.ms": 4000, "kafka.heartbeat.interval.ms": 500}


def _die(world, name, crash, **settings):
    """Starts the process armed, and waits until it has killed itself."""
    code = world.start(name, crash=crash, **settings).wait(60, f"killed at {crash}")
    check(code == -signal.SIGKILL, f"{name} was to die at {crash} but ended with {code}:\n"
                                   f"{world.log(name)[-1500:]}")


def _aborted(world):
    """Outputs that were produced and never committed: a subscriber must not see them."""
    return sum(len(world.output(name, "read_uncommitted")) - len(world.output(name))
               for name in ("segments", "decisions"))


def _crash(world, *crashes, pieces=None, **settings):
    """Process a dies at one point after the other while b goes on; then a runs in peace."""
    world.settings.update(QUICK)
    world.start("b", **settings)
    feed = Feed(world, RATE, pieces)
    world.wait_saved(1)
    for crash in crashes:
        _die(world, "a", crash, **settings)
    world.start("a", **settings)
    path = feed.finish()
    world.finish()
    world.compare(path)


def killed_after_produce(world):
    """Outputs are in an open transaction."""
    world.settings.update(AT_ONCE)
    _crash(world, "produce.after:5", "produce.after:9", "produce.after:14")
    check(_aborted(world) > 0, "no output was ever aborted: the crash did not hit an open transaction")


def killed_before_commit(world):
    """Outputs and offsets are in an open transaction."""
    world.settings.update(AT_ONCE)
    _crash(world, "commit.before:2", "commit.before:4", "commit.before:7")
    check(_aborted(world) > 0, "no output was ever aborted: the crash did not hit an open transaction")


def killed_after_commit(world):
    """Kafka has committed, the states are not saved."""
    _crash(world, "commit.after:3", "commit.after:5", "commit.after:9")


def killed_inside_save(world):
    """A part of the records is on its way to Redis, the transaction is not."""
    _crash(world, "save.inside:2", "save.inside:5", "save.inside:9")


def killed_after_save(world):
    """Everything is done, and nobody told."""
    _crash(world, "save.after:2", "save.after:5", "save.after:9")


def killed_in_recovery(world):
    """Saves are rare, so much is to be recovered: killed when a partition was just taken over, and
    in the middle of the replay, again and again."""
    _crash(world, "commit.after:8", "recovery.acquired:1", "recovery.inside:150", "recovery.acquired:2",
           "recovery.inside:300", state__flush__interval="2s")


def killed_while_correcting_online(world):
    """Scores depend on the outcomes of others: what is kept of them must be as exact as the states."""
    later = split(write_later(world.path("later.jsonl"), world.bench.data, LATER))
    _crash(world, "commit.after:5", "save.inside:6", "commit.after:8", "recovery.inside:200", pieces=later,
           state__flush__interval="1s")
    with world.servers.redis() as redis:
        kept = [redis("GET", f"{{{world.topic('events')}/{p}}}:") for p in range(PARTITIONS)]
    check(all(kept), f"no correction is kept of some partition: {[bool(k) for k in kept]}")
    deltas = [checkpoints.correction(data) for data in kept]
    check(all(deltas), f"some partition's scores were never corrected: {deltas}")


def killed_at_random(world):
    """Thirty times, one of two processes at a random moment."""
    rng = random.Random(7)
    world.settings.update(QUICK)
    for name in "ab":
        world.start(name, state__flush__interval="300ms")
    feed = Feed(world, 2000)
    for _ in range(RANDOM_KILLS):
        time.sleep(rng.uniform(0.1, 1.4))
        name = rng.choice("ab")
        check(world.processors[name].kill(), f"{name} ended by itself:\n{world.log(name)[-1500:]}")
        world.start(name, state__flush__interval="300ms")
    path = feed.finish()
    world.finish()
    world.compare(path)
