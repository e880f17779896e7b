# SPDX-License-Identifier: Apache-2.0
"""States in a Redis Cluster and behind Sentinel: slots move, masters die, replicas take over with all of
the last writes or without them; subscribers see nothing of it."""

import time

from load import Feed
from processes import check, wait_until
from redis_nodes import Cluster, Watched, slot_of
from scenario_redis import SMALL_CACHE
from world import PARTITIONS


def _under_load(world, stores, trouble, rate=3000, after=3000):
    """As in scenario_redis.py, with the states in `stores`; trouble(world, stores)."""
    world.settings.update(SMALL_CACHE)
    world.keep_states_in(stores.start())
    for name in "ab":
        world.start(name)
    feed = Feed(world, rate)
    world.wait_saved(after)
    trouble(world, stores)
    path = feed.finish()
    world.finish()
    world.compare(path)


def _slots(world):
    return [slot_of(f"{{{world.topic('events')}/{p}}}#checkpoint") for p in range(PARTITIONS)]


def _go_on(world, seconds=30):
    """Until further messages are in the states."""
    before = world.saved()
    world.wait_saved(before + 1000, seconds)


def cluster_slots_move(world):
    """Slots with partitions go to other masters, a few keys at a time, one of them there and on."""
    def trouble(world, cluster):
        slots = _slots(world)
        for slot in (slots[0], slots[1], slots[0]):
            moved = cluster.move(slot, between=lambda: time.sleep(0.01))
            check(moved > 100, f"only {moved} keys were moved")
        _go_on(world)
    _under_load(world, Cluster(world.folder), trouble)


def cluster_master_killed(world):
    """Killed; its replica takes over; it comes back as a replica."""
    def trouble(world, cluster):
        slot = _slots(world)[0]
        master = cluster.owner(slot)
        master.kill()
        wait_until(lambda: _other_owner(cluster, slot, master), 30, "the replica has taken over")
        _go_on(world)
        master.start()
    _under_load(world, Cluster(world.folder), trouble)


def _other_owner(stores, slot, master):
    try:
        return stores.owner(slot) is not master
    except Exception:  # nobody serves at the moment
        return False


def cluster_failover_loses_writes(world):
    """The replica was cut off for a second before its master died: what it lacks comes from the log."""
    def trouble(world, cluster):
        slot = _slots(world)[0]
        master = cluster.owner(slot)
        cluster.replica_of(master).cut_off()
        before = world.saved()
        world.wait_saved(before + 2000)
        master.kill()
        wait_until(lambda: _other_owner(cluster, slot, master), 30, "the replica has taken over")
        _go_on(world)
    _under_load(world, Cluster(world.folder), trouble)
    logs = world.log("a") + world.log("b")
    check("lost writes" in logs or "recovering" in logs, "nobody noticed that writes were lost")


def cluster_restarted(world):
    """All nodes killed at once and started again, without the last writes of some."""
    def trouble(world, cluster):
        for node in cluster.nodes:
            node.kill()
        time.sleep(1)
        world.wait_running()
        for node in cluster.nodes:
            node.start()
        cluster.wait_whole()
        _go_on(world)
    _under_load(world, Cluster(world.folder), trouble)


def sentinel_failover(world):
    """The master dies, the sentinel makes its replica master; the replica had lost the last second."""
    def trouble(world, watched):
        old, new = watched.nodes
        new.cut_off()
        before = world.saved()
        world.wait_saved(before + 2000)
        old.kill()
        wait_until(new.is_master, 30, "the replica is master")
        _go_on(world)
    _under_load(world, Watched(world.folder), trouble)
    logs = world.log("a") + world.log("b")
    check("lost writes" in logs or "recovering" in logs, "nobody noticed that writes were lost")
