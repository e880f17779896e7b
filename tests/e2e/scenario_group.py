# SPDX-License-Identifier: Apache-2.0
"""The broker and the consumer group under load: the broker goes and comes back, members sleep,
join and leave."""

import signal
import time

from processes import check

QUICK = {"kafka.session.timeout.ms": 4000, "kafka.heartbeat.interval.ms": 500}


def _end(world, sender, path):
    world.finish_send(sender)
    world.finish()
    world.compare(path)


def broker_restarted(world):
    """Stopped in peace and started, under load."""
    world.settings.update(QUICK)
    for name in "ab":
        world.start(name)
    sender = world.start_send(world.bench.short, 3000)
    world.wait_saved(3000)
    world.servers.do("restart-kafka")
    _end(world, sender, world.bench.short)


def broker_killed(world):
    """Killed, away for some seconds, started."""
    world.settings.update(QUICK)
    for name in "ab":
        world.start(name)
    sender = world.start_send(world.bench.short, 3000)
    world.wait_saved(3000)
    world.servers.do("kill-kafka")
    time.sleep(5)
    world.wait_running()
    world.servers.do("start-kafka")
    _end(world, sender, world.bench.short)


def sleeper_wakes_up(world):
    """Stopped (SIGSTOP) for longer than the session lasts; another takes over; both go on."""
    world.settings.update(QUICK)
    path = world.bench.awkward
    for name in "ab":
        world.start(name)
    sender = world.start_send(path, 3000)
    world.wait_saved(6000)
    world.processors["a"].send(signal.SIGSTOP)
    before = world.saved()
    time.sleep(8)
    check(world.saved() > before, "nobody went on while the sleeper slept")
    world.processors["a"].send(signal.SIGCONT)
    time.sleep(2)
    world.wait_running()
    _end(world, sender, path)


def sleeper_wakes_up_in_commit(world):
    """The same, stopped again and again at random moments of a commit, too short and long enough to
    lose its partitions."""
    world.settings.update(QUICK)
    path = world.bench.awkward
    for name in "ab":
        world.start(name)
    sender = world.start_send(path, 2500)
    world.wait_saved(3000)
    for number, seconds in enumerate((0.3, 5.5, 1.0, 6.0)):
        time.sleep(1.03 + 0.017 * number)
        victim = world.processors["ab"[number % 2]]
        victim.send(signal.SIGSTOP)
        time.sleep(seconds)
        victim.send(signal.SIGCONT)
    _end(world, sender, path)


def _join_and_leave(world, **settings):
    world.settings.update(QUICK)
    path = world.bench.awkward
    world.start("a", **settings)
    sender = world.start_send(path, 3500)
    world.wait_saved(6000)
    world.start("b", **settings)
    time.sleep(4)
    began = time.monotonic()
    world.stop("a")
    took = time.monotonic() - began
    check(took < 6, f"SIGTERM took {took:.1f} s under load")
    time.sleep(1)
    world.start("c", **settings)
    time.sleep(2)
    world.start("d", **settings)
    _end(world, sender, path)


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
    sender = world.start_send(world.bench.short, 3000)
    code = world.processors.pop("a").wait(60, "killed at commit.before")
    check(code == -signal.SIGKILL, f"a was to die at commit.before but ended with {code}")
    _end(world, sender, world.bench.short)


def instance_slots_of_one_host(world):
    """Processes without instance.id share out names by themselves; a restarted one gets its own
    again, and goes on without a wait."""
    path = world.bench.short
    for name in "ab":
        world.start(name, instance__id="")
    sender = world.start_send(path, 3000)
    world.wait_saved(3000)
    world.processors["b"].kill()
    began = time.monotonic()
    before = world.saved()
    world.start("b", instance__id="")
    world.wait_saved(before + 6000, 30)
    check(time.monotonic() - began < 9, "the restarted process waited for its own session to end")
    _end(world, sender, path)
