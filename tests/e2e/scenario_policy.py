# SPDX-License-Identifier: Apache-2.0
"""The promotions file is changed while events come: every event is decided under one policy, once, and a
replay with the same swap points writes the same bytes."""

import collections
import json
import os
import re
import signal
import time

from load import Feed
from processes import check, wait_until
from world import PARTITIONS

RATE = 3000  # messages a second
QUICK = {"kafka.session.timeout.ms": 4000, "kafka.heartbeat.interval.ms": 500}
ASSIGNED = "reading from|recovering"  # logged for each partition

# Much is offered, budgets run out, and promotions exclude each other.
GENEROUS = """
timezone: "+08:00"
promotions:
  - {id: cart, triggers: [cart, fav], budget: 40, group: a, priority: 1, offer: 10m}
  - {id: view, triggers: [pv], score: {min: 0.1}, limit: 3, cooldown: 10m, offer: 20m, group: a}
  - {id: silent, segments: {lifecycle: [active]}, cooldown: 1h, offer: 30m, budget: 100}
"""
# The same promotions on other terms: users' histories go on.
STRICT = """
timezone: "+08:00"
quiet: {from: 23:00, until: 07:00}
promotions:
  - {id: cart, triggers: [cart], budget: 7, limit: 2, cooldown: 1d, offer: 2h, active_hours: yes}
  - {id: bought, kind: social, cooldown: 0, offer: 5m}
  - {id: silent, segments: {lifecycle: [active]}, cooldown: 2h, offer: 30m, budget: 20}
"""
WRONG = "promotions:\n  - id: a\n    limit: many\n"


def _check_history(world, *wanted):
    """The policies of every partition, in their order."""
    by_partition = collections.defaultdict(list)
    for swap in map(json.loads, world.swaps()):
        by_partition[swap["partition"]].append(swap)
    check(len(by_partition) == PARTITIONS, f"policies of {len(by_partition)} partitions were told")
    for partition, swaps in sorted(by_partition.items()):
        found = [swap["policy"] for swap in swaps]
        check(found == list(wanted), f"partition {partition} had the policies {found}, not {wanted}")
        before = None
        for swap in swaps:
            check(swap["previous_policy"] == before, f"partition {partition}: {swap} comes after {before}")
            before = swap["policy"]


def _end(world, feed, *options):
    path = feed.finish()
    world.finish()
    world.compare_swapped(path, *options)


def promotions_changed_while_running(world):
    """To other promotions, to a file that is wrong, and back; two processes, two workers each."""
    first = world.put_promotions(GENEROUS)
    for name in "ab":
        world.start(name, workers=2)
    feed = Feed(world, RATE)
    world.wait_saved(2500)
    second = world.put_promotions(STRICT)
    world.wait_policy(second)
    world.put_promotions(WRONG)
    wait_until(lambda: all("promotions are refused" in world.log(name) for name in "ab"), 15,
               "the wrong file is refused")
    check("promotions.yaml:3: limit" in world.log("a"), f"line and reason:\n{world.log('a')[-1500:]}")
    world.wait_saved(world.saved() + 2500)
    world.put_promotions(GENEROUS)
    world.wait_policy(first)
    world.wait_saved(world.saved() + 2500)
    # The same bytes whatever the workers, the saves and the batches of the replay.
    _end(world, feed, "--workers", "3", "--save-every", "997", "--set", "batch.events=50")
    _check_history(world, first, second, first)
    used = collections.Counter(json.loads(message.value)["policy"] for message in world.output("decisions"))
    check(set(used) == {first, second} and min(used.values()) > 100, f"decisions name {used}")


def killed_at_change_of_promotions(world):
    """Before the swap is committed, after, and when the new policy is in use; in its commit and its save."""
    versions = (world.put_promotions(STRICT), world.put_promotions(GENEROUS))
    world.settings.update(QUICK)
    world.start("b")
    feed = Feed(world, RATE)
    world.wait_saved(1)
    crashes = ("swap.before:1", "swap.committed:1", "swap.after:1", "commit.after:1", "save.inside:1")
    for number, crash in enumerate(crashes):
        begun = len(re.findall(ASSIGNED, world.log("a"))) if number else 0
        rare = {"commit__interval": "1m"} if number > 2 else {}
        victim = world.start("a", crash=crash, workers=2, **rare)
        wait_until(lambda: len(re.findall(ASSIGNED, world.log("a"))) > begun or victim.code is not None, 30,
                   "a has partitions")
        time.sleep(0.3)
        version = world.put_promotions((STRICT, GENEROUS)[number % 2])
        check(version == versions[number % 2], f"version {version}")
        code = victim.wait(60, f"killed at {crash}")
        check(code == -signal.SIGKILL, f"a was to die at {crash} but ended with {code}:\n{world.log('a')[-1500:]}")
    world.start("a", workers=2)
    world.wait_policy(versions[(len(crashes) - 1) % 2])
    _end(world, feed)


def redis_lost_after_change_of_promotions(world):
    """Emptied after two changes, and the processor killed: all states, grants and budgets are rebuilt under
    the policies of the history."""
    first = world.put_promotions(GENEROUS)
    world.settings.update(QUICK)
    world.start("a", workers=2)
    feed = Feed(world, RATE)
    for text in (STRICT, GENEROUS):
        world.wait_saved(world.saved() + 2000)
        world.wait_policy(world.put_promotions(text))
    world.processors["a"].kill()
    world.servers.do("wipe-redis")
    world.put_promotions(STRICT)
    world.start("a", workers=2)
    world.wait_saved(1)
    _end(world, feed)
    told = [json.loads(swap)["policy"] for swap in world.swaps()]
    check(told.count(first) >= 2 and os.path.isdir(world.path("policies")), f"policies {told}")


def policy_of_the_past_is_gone(world):
    """Recovery needs a policy that was deleted: it is refused with the reason, or goes on under the next one,
    saying so."""
    first = world.put_promotions(GENEROUS)
    world.send(world.bench.pieces[0])
    victim = world.start("a", "--exit-at-end", crash="save.inside:1", state__flush__interval="1h")
    code = victim.wait(60, "killed at its first save")
    check(code == -signal.SIGKILL, f"a was to die at its first save but ended with {code}")
    second = world.put_promotions(STRICT)
    os.remove(os.path.join(world.path("policies"), f"{first}.yaml"))
    code = world.start("a", recovery__model_missing="refuse").wait(30)
    world.processors.pop("a")
    check(code == 3, f"ended with {code}:\n{world.log('a')[-1500:]}")
    check(f"under policy {first}" in world.log("a") and "recovery.model_missing" in world.log("a"),
          f"the reason is not named:\n{world.log('a')[-1500:]}")
    world.start("a")
    world.wait_policy(second)
    world.finish()
    check(re.search(f"under policy {first} and are now under {second}", world.log("a")), world.log("a")[-1500:])
