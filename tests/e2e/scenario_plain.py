# SPDX-License-Identifier: Apache-2.0
"""Nothing goes wrong: what the processor writes is what a replay writes."""

import os

from processes import check


def _arrival(world):
    return os.path.join(world.bench.data, "taobao_arrival_110k.csv.gz")


def run_equals_replay(world):
    """All of the arrival file, two workers, to the end of the topic."""
    world.send(_arrival(world))
    code = world.start("a", "--exit-at-end", workers=2).wait(120)
    check(code == 0, f"shoal run --exit-at-end ended with {code}: {world.log('a')[-1500:]}")
    world.compare(_arrival(world))


def run_equals_replay_at_least_once(world):
    world.send(_arrival(world))
    code = world.start("a", "--exit-at-end", workers=2, delivery="at_least_once").wait(120)
    check(code == 0, f"shoal run --exit-at-end ended with {code}: {world.log('a')[-1500:]}")
    world.compare(_arrival(world))  # undisturbed, nothing comes twice either


def small_batches_rare_saves(world):
    """Four workers, tiny micro-batches, saves every three seconds, a cache that has to evict."""
    world.shoal("send", "--events", world.bench.awkward)
    world.start("a", workers=4, batch__events=64, state__flush__interval="3s", state__cache=1024)
    world.finish()
    world.compare(world.bench.awkward)
