# SPDX-License-Identifier: Apache-2.0
"""The broker and the consumer group under load: the broker goes and comes back, members sleep,
join and leave."""

import random
import re
import signal
import time

from load import Feed
from processes import check, wait_until
from world import PARTITIONS

FENCED = 4  # exit code

QUICK = {"kafka.session.timeout.ms": 4000, "kafka.heartbeat.interval.ms": 500}


def _end(world, feed):
    path = feed.finish()
    world.finish()
    world.compare(path)


def broker_restarted(world):
    """Stopped in peace and started, under load."""
    world.settings.update(QUICK)
    for name in "ab":
        world.start(name)
    feed = Feed(world, 3000)
    world.wait_saved(3000)
    world.servers.do("restart-kafka")
    _end(world, feed)


def broker_killed(world):
    """Killed, away for some seconds, started."""
    world.settings.update(QUICK)
    for name in "ab":
        world.start(name)
    feed = Feed(world, 3000)
    world.wait_saved(3000)
    world.servers.do("kill-kafka")
    time.sleep(5)
    world.wait_running()
    world.servers.do("start-kafka")
    _end(world, feed)


def sleeper_wakes_up(world):
    """Stopped (SIGSTOP) for longer than the session lasts; another takes over; both go on."""
    world.settings.update(QUICK)
    for name in "ab":
        world.start(name)
    feed = Feed(world, 3000)
    world.wait_saved(6000)
    world.processors["a"].send(signal.SIGSTOP)
    before = world.saved()
    time.sleep(8)
    check(world.saved() > before, "nobody went on while the sleeper slept")
    world.processors["a"].send(signal.SIGCONT)
    time.sleep(2)
    world.wait_running()
    _end(world, feed)


def sleeper_wakes_up_in_commit(world):
    """The same, stopped again and again at random moments of a commit, too short and long enough to
    lose its partitions."""
    world.settings.update(QUICK)
    for name in "ab":
        world.start(name)
    feed = Feed(world, 2500)
    world.wait_saved(3000)
    for number, seconds in enumerate((0.3, 5.5, 1.0, 6.0)):
        time.sleep(1.03 + 0.017 * number)
        victim = world.processors["ab"[number % 2]]
        victim.send(signal.SIGSTOP)
        time.sleep(seconds)
        victim.send(signal.SIGCONT)
    _end(world, feed)


def _asleep_at(world, point):
    """Process a falls asleep at that very point of a commit, b takes its partitions over, then a wakes
    up and goes on with what it was about to do."""
    world.settings.update(QUICK)
    world.start("b")
    feed = Feed(world, 1500)
    world.wait_saved(1000)
    sleeper = world.start("a", sleep=point)
    wait_until(sleeper.sleeps, 30, f"a sleeps at {point}", 0.02)
    takes = len(re.findall("partition", world.log("b")))
    wait_until(lambda: len(re.findall("partition", world.log("b"))) >= takes + PARTITIONS, 60, "b has taken over")
    time.sleep(1)
    sleeper.send(signal.SIGCONT)
    _end(world, feed)


def asleep_before_commit(world):
    """Its offsets are already in the open transaction."""
    _asleep_at(world, "commit.before:5")


def asleep_after_commit(world):
    """Between Kafka's commit and the save."""
    _asleep_at(world, "commit.after:5")


def asleep_inside_save(world):
    """In the middle of writing to Redis."""
    _asleep_at(world, "save.inside:5")


def asleep_in_recovery(world):
    """With a partition just taken over and nothing read yet."""
    _asleep_at(world, "recovery.acquired:1")


def two_processes_of_one_name(world):
    """They fence each other until one of them ends and says why; the other goes on."""
    world.settings.update(QUICK)
    first = world.start("a")
    feed = Feed(world, 2000)
    world.wait_saved(2000)
    second = world.start("b", instance__id="a")
    wait_until(lambda: first.code is not None or second.code is not None, 60, "one of the two has given up", 0.2)
    name = "a" if first.code is not None else "b"
    code = world.processors.pop(name).code
    check(code == FENCED, f"{name} ended with {code}:\n{world.log(name)[-800:]}")
    check("instance.id" in world.log(name), f"the reason is not named:\n{world.log(name)[-800:]}")
    _end(world, feed)


def stopped_while_broker_is_away(world):
    """SIGTERM ends a processor that cannot finish its commit; what it had not committed is done by
    the next."""
    for name in "ab":
        world.start(name)
    feed = Feed(world, 3000)
    world.wait_saved(3000)
    world.servers.do("kill-kafka")
    time.sleep(1)
    world.stop_all(timeout=60)  # a transaction may wait for half of that
    world.servers.do("start-kafka")
    for name in "cd":
        world.start(name)
    _end(world, feed)


def everything_at_once(world):
    """Half a minute of kills, sleeps, a Redis that forgets and a broker that restarts."""
    world.settings.update(QUICK)
    rng = random.Random(11)
    for name in "abc":
        world.start(name, workers=2, state__flush__interval="400ms")
    feed = Feed(world, 2000)
    world.wait_saved(2000)

    def kill():
        name = rng.choice("abc")
        world.processors[name].kill()
        world.start(name, workers=2, state__flush__interval="400ms")

    def sleep():
        victim = world.processors[rng.choice("abc")]
        victim.send(signal.SIGSTOP)
        time.sleep(rng.uniform(0.5, 6))
        victim.send(signal.SIGCONT)

    troubles = [kill] * 6 + [sleep] * 2 + [lambda: world.servers.do("rollback-redis"),
                                           lambda: world.servers.do("wipe-redis"),
                                           lambda: world.servers.do("restart-kafka")]
    rng.shuffle(troubles)
    world.servers.do("snapshot-redis")
    for trouble in troubles:
        trouble()
        time.sleep(rng.uniform(0.2, 1.5))
    _end(world, feed)


def _join_and_leave(world, **settings):
    world.settings.update(QUICK)
    world.start("a", **settings)
    feed = Feed(world, 3500)
    world.wait_saved(6000)
    world.start("b", **settings)
    time.sleep(4)
    world.stop("a")
    time.sleep(1)
    world.start("c", **settings)
    time.sleep(2)
    world.start("d", **settings)
    _end(world, feed)


def members_join_and_leave(world):
    """A second process joins, the first leaves on SIGTERM, two more join. Static membership."""
    _join_and_leave(world)


def dynamic_members_join_and_leave(world):
    """The same without names in the group."""
    _join_and_leave(world, instance__id="none")


def dynamic_member_killed(world):
    """Nobody comes back under its name to end its transaction: that takes the transaction's
    timeout, and then others go on."""
    world.settings.update(QUICK)
    world.start("a", instance__id="none", crash="commit.before:6")
    world.start("b", instance__id="none")
    feed = Feed(world, 3000)
    code = world.processors.pop("a").wait(60, "killed at commit.before")
    check(code == -signal.SIGKILL, f"a was to die at commit.before but ended with {code}")
    _end(world, feed)


def instance_slots_of_one_host(world):
    """Processes without instance.id share out names by themselves; a restarted one gets its own
    again, and goes on without a wait."""
    world.settings["kafka.session.timeout.ms"] = 180000  # who waits for its end does not pass, however slow all is
    for name in "ab":
        world.start(name, instance__id="")
    feed = Feed(world, 3000)
    world.wait_saved(3000)
    world.processors["b"].kill()
    ends = world.kafka.ends(world.topic("events"))
    world.start("b", instance__id="")
    wait_until(lambda: all((at or 0) >= end for at, end in zip(world.offsets(), ends)), 90, "b has its partitions again")
    _end(world, feed)
