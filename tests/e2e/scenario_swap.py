# SPDX-License-Identifier: Apache-2.0
"""Another model is published while events come: every event is applied under one model, once, and a
replay with the same swap points writes the same bytes."""

import collections
import json
import os
import re
import signal
import time

from load import Feed
from processes import check, wait_until
from world import MODELS, PARTITIONS

RATE = 3000  # messages a second
QUICK = {"kafka.session.timeout.ms": 4000, "kafka.heartbeat.interval.ms": 500}
REFUSED = 3  # exit code
ASSIGNED = "reading from|recovering"  # logged for each partition


def _end(world, feed, **options):
    path = feed.finish()
    world.finish()
    world.compare_swapped(path, **options)


def _used(world):
    """How many outputs name each model."""
    return collections.Counter(json.loads(message.value)["model"] for name in ("segments", "decisions")
                               for message in world.output(name))


def _check_swaps(world, per_partition):
    """Every partition was swapped so often (its beginning counted), and each swap goes on where the one
    before ended."""
    by_partition = collections.defaultdict(list)
    for swap in map(json.loads, world.swaps()):
        by_partition[swap["partition"]].append(swap)
    check(len(by_partition) == PARTITIONS, f"swaps of {len(by_partition)} partitions were told")
    for partition, swaps in sorted(by_partition.items()):
        check(len(swaps) == per_partition, f"partition {partition} has {len(swaps)} swaps: {swaps}")
        before = None
        for swap in swaps:
            check(swap["previous"] == before, f"partition {partition}: {swap} comes after {before}")
            before = swap["model"]


def swapped_while_running(world):
    """To another model, to one of another H, and back to the first; two processes, two workers each."""
    first, second, small = world.follow_models()
    for name in "ab":
        world.start(name, workers=2)
    feed = Feed(world, RATE)
    for version in (second, small, first):
        world.wait_saved(world.saved() + 2500)
        world.publish(version)
        world.wait_served(version)
    world.wait_saved(world.saved() + 2500)
    path = feed.finish()
    world.finish()
    # The same bytes whatever the workers, the saves and the batches of the replay.
    world.compare_swapped(path, "--workers", "3", "--save-every", "997", "--set", "batch.events=50")
    _check_swaps(world, 4)
    used = _used(world)
    check(all(used[version] > 100 for version in (first, second, small)), f"outputs name {used}")


def swapped_at_least_once(world):
    """With delivery at least once, and a kill between the swap's commit and its use."""
    first, second, _ = world.follow_models()
    world.settings.update(QUICK, delivery="at_least_once")
    world.start("b")
    feed = Feed(world, RATE)
    world.wait_saved(2000)
    victim = world.start("a", crash="swap.committed:1")
    wait_until(lambda: re.search(ASSIGNED, world.log("a")), 30, "a has partitions")
    world.publish(second)
    code = victim.wait(30, "killed at swap.committed")
    check(code == -signal.SIGKILL, f"a was to die at swap.committed but ended with {code}")
    world.start("a")
    world.wait_served(second)
    world.publish(first)
    world.wait_served(first)
    _end(world, feed, repeats_allowed=True)


def _killed(world, *crashes, **settings):
    """Process a dies at one point after the other, each time while it takes the next model."""
    first, second, _ = world.follow_models()
    world.settings.update(QUICK)
    world.start("b")
    feed = Feed(world, RATE)
    world.wait_saved(1)
    for number, crash in enumerate(crashes):
        begun = len(re.findall(ASSIGNED, world.log("a"))) if number else 0
        victim = world.start("a", crash=crash, workers=2, **settings)
        # It may have a swap to make up for as soon as it has partitions.
        wait_until(lambda: len(re.findall(ASSIGNED, world.log("a"))) > begun or victim.code is not None, 30,
                   "a has partitions")
        time.sleep(0.3)
        world.publish((second, first)[number % 2])
        code = victim.wait(60, f"killed at {crash}")
        check(code == -signal.SIGKILL, f"a was to die at {crash} but ended with {code}:\n{world.log('a')[-1500:]}")
    world.start("a", workers=2)
    world.wait_served((second, first)[(len(crashes) - 1) % 2])
    _end(world, feed)


def killed_at_swap(world):
    """Before the swap is committed, after, and when the new model is in use; with the online correction,
    which belongs to a model."""
    world.settings["calibration.online"] = "on"
    _killed(world, "swap.before:1", "swap.committed:1", "swap.after:1")


def killed_in_commit_of_swap(world):
    """The only commit of a process is the swap's: killed around it, and in the middle of its saves."""
    _killed(world, "commit.before:1", "commit.after:1", "save.inside:1", commit__interval="1m")


def killed_in_recovery_across_swap(world):
    """Next to nothing is saved, so that recovery has to go through two swaps; killed there too."""
    first, second, _ = world.follow_models()
    rare = {"state__flush__interval": "1m"}
    world.settings.update(QUICK)
    world.start("a", **rare)
    feed = Feed(world, RATE)
    for version in (second, first):
        time.sleep(1.5)
        world.publish(version)
        world.wait_served(version)
    time.sleep(0.5)
    world.processors["a"].kill()
    world.servers.do("wipe-redis")
    code = world.start("a", crash="recovery.inside:2500", **rare).wait(60, "killed at recovery.inside")
    check(code == -signal.SIGKILL, f"a ended with {code}:\n{world.log('a')[-1500:]}")
    world.start("a", workers=2)
    _end(world, feed)


def redis_lost_after_swap(world):
    """Emptied under load after two swaps: all states are rebuilt under the history."""
    first, second, _ = world.follow_models()
    world.start("a", workers=2)
    feed = Feed(world, RATE)
    for version in (second, first):
        world.wait_saved(world.saved() + 1500)
        world.publish(version)
        world.wait_served(version)
    with world.servers.redis() as redis:
        redis("FLUSHALL")
    world.wait_saved(1)
    _end(world, feed)


def rebalanced_during_swap(world):
    """A process joins, and another leaves, while a model is taken."""
    first, second, _ = world.follow_models()
    world.settings.update(QUICK)
    for name in "ab":
        world.start(name)
    feed = Feed(world, RATE)
    world.wait_saved(2000)
    world.publish(second)
    world.start("c", workers=2)
    world.wait_served(second)
    world.publish(first)
    world.stop("a")
    world.wait_served(first)
    _end(world, feed)


def damaged_model_published(world):
    """Half a file, then no model at all: the one in service stays and that is said once; when the file is
    whole it is taken."""
    first, second, _ = world.follow_models()
    with open(world.bench.versions()[second], "rb") as file:
        whole = file.read()
    world.start("a")
    feed = Feed(world, RATE)
    world.wait_saved(1000)
    world.place(second, whole[:len(whole) // 2])
    world.point_to(second)
    wait_until(lambda: "refused" in world.log("a"), 15, "the half file is refused")
    time.sleep(2.5)  # it is looked at every second
    said = re.findall(rf"warning.*{second}.*refused.*{first} stays in service", world.log("a"))
    check(len(said) == 1, f"it was said {len(said)} times:\n{world.log('a')[-1500:]}")
    world.point_to("not-a-version")
    wait_until(lambda: "no version of a model" in world.log("a"), 15, "the link is refused")
    told = {json.loads(swap)["model"] for swap in world.swaps()}
    check(told == {first}, f"swaps to {told} were told")
    world.place(second)
    world.point_to(second)
    world.wait_served(second)
    _end(world, feed)
    _check_swaps(world, 2)


def restarted_with_another_file(world):
    """model.path is a file, and another one after a restart: the swap is where the group stood."""
    first, second, _ = world.follow_models()
    files = world.bench.versions()
    world.place(second)
    half = [world.bench.pieces[0], world.bench.pieces[1]]
    world.send(half[0])
    world.start("a", model__path=files[first])
    world.wait_saved(sum(world.kafka.ends(world.topic("events"))))
    middle = world.kafka.ends(world.topic("events"))
    world.stop("a")
    world.start("a", model__path=files[second])
    world.wait_served(second)
    world.send(half[1])
    world.finish()
    world.compare_swapped(",".join(half))
    swaps = [swap for swap in map(json.loads, world.swaps()) if swap["model"] == second]
    found = [swap["offset"] for swap in sorted(swaps, key=lambda swap: swap["partition"])]
    check(found == middle, f"swaps at {found}, the group stood at {middle}")


def model_of_the_past_is_gone(world):
    """Recovery needs a model that was deleted: it is refused with the reason, or goes on under the next
    one, saying for which events."""
    first, second, _ = world.follow_models()
    path = world.bench.pieces[0]
    world.send(path)
    # All is committed, and the first save does not succeed.
    victim = world.start("a", "--exit-at-end", crash="save.inside:1", state__flush__interval="1h")
    code = victim.wait(60, "killed at its first save")
    check(code == -signal.SIGKILL, f"a was to die at its first save but ended with {code}")
    world.publish(second)
    os.remove(os.path.join(world.path(MODELS), f"{first}.shoal"))
    code = world.start("a", recovery__model_missing="refuse").wait(30)
    world.processors.pop("a")
    check(code == REFUSED, f"ended with {code}:\n{world.log('a')[-1500:]}")
    check(first in world.log("a") and "recovery.model_missing" in world.log("a"),
          f"the reason is not named:\n{world.log('a')[-1500:]}")
    world.start("a")
    world.wait_served(second)
    world.finish()
    said = re.findall(rf"warning.*partition \d.*from offset 0 .*{first}.*now under {second}", world.log("a"))
    check(len(said) == PARTITIONS, f"it was said {len(said)} times:\n{world.log('a')[-1500:]}")
    world.replay(path, "--model", world.bench.versions()[second])
    with open(os.path.join(world.path("replay"), "states.jsonl"), "rb") as file:
        check(file.read().split(b"\n")[:-1] == world.states(), "states differ from those under the next model")
