# SPDX-License-Identifier: Apache-2.0
"""States in a Redis Cluster and behind Sentinel: slots move, masters die, replicas take over with all of
the last writes or without them; subscribers see nothing of it."""

import os
import re
import time

from load import Feed
from processes import check, wait_until
from redis_nodes import Cluster, Node, Watched, free_ports, slot_of
from scenario_redis import SMALL_CACHE, _recovered
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
    before = wait_until(world.saved, seconds, "the states can be read")
    world.wait_saved(before + 1000, seconds)


def cluster_slots_move(world):
    """Slots with partitions go to other masters, a few keys at a time, one of them there and on."""
    def trouble(world, cluster):
        slots = _slots(world)
        for slot in (slots[0], slots[1], slots[0]):
            moved = cluster.move(slot, between=lambda: time.sleep(0.01))
            check(moved > 100, f"only {moved} keys were moved")
        _go_on(world)
    # No failover in the middle of it: a replica would not know that the slot is half moved.
    _under_load(world, Cluster(world.folder, timeout_ms=20000), trouble)


def cluster_master_killed(world):
    """Killed; its replica takes over; it comes back as a replica."""
    def trouble(world, cluster):
        slot = _slots(world)[0]
        master = cluster.owner(slot)
        master.kill()
        wait_until(lambda: cluster.is_elsewhere(slot, master), 30, "the replica has taken over")
        _go_on(world)
        master.start()
    _under_load(world, Cluster(world.folder), trouble)


def cluster_failover_loses_writes(world):
    """A replica that was cut off takes over while its master lives: processors are sent there in the middle of
    their work, with newer records at hand than it has. What it lacks comes from the log."""
    def trouble(world, cluster):
        slot = _slots(world)[0]
        master = cluster.owner(slot)
        replica = cluster.replica_of(master)
        replica.cut_off()
        world.wait_saved(world.saved() + 2000)
        replica("CLUSTER", "FAILOVER", "TAKEOVER")
        wait_until(lambda: cluster.is_elsewhere(slot, master), 30, "the replica has taken over")
        _go_on(world)
    _under_load(world, Cluster(world.folder), trouble)
    check("lost writes" in world.log("a") + world.log("b"), "nobody noticed that writes were lost")
    check(_recovered(world) > 0, f"at most {_recovered(world)} offsets of a partition came from the log")


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
        world.wait_saved(world.saved() + 2000)
        old.kill()
        wait_until(new.is_master, 30, "the replica is master")
        _go_on(world)
    _under_load(world, Watched(world.folder), trouble)
    # A quarter of what was saved without the replica, at least.
    check(_recovered(world) >= 500, f"at most {_recovered(world)} offsets of a partition came from the log")


def redis_login(world):
    """A user with the rights of deploy/redis.acl and no others, the password from a file and from the
    environment; what is wrong with a login is said, and no password ever."""
    secret, guess = "e2e-secret-7f3a", "e2e-guess-51c0"
    with open(os.path.join(world.bench.source, "deploy", "redis.acl"), encoding="utf-8") as file:
        acl = file.read().replace("shoal.events", world.topic("events")).replace("change-me", secret)
    with open(world.path("redis.acl"), "w", encoding="utf-8") as file:
        file.write(acl + "user default off\nuser test on nopass ~* &* +@all\n")
    node = Node(world.path("redis"), free_ports(1)[0], "--include", world.path("redis.acl"))
    node.login = ("test", "any")
    node.start()
    world.keep_states_in(node)
    world.settings["log.level"] = "debug"
    password = world.path("password")
    try:
        for content, words, settings in (
                (guess, ["WRONGPASS"], {"redis__user": "shoal"}),
                (None, ["NOAUTH", "redis.password_file"], {}),
                (secret, ["NOPERM", "deploy/redis.acl"], {"redis__user": "shoal", "topics__events": "shoal.other"}),
                ("", ["redis.password_file", "no password"], {"redis__user": "shoal"})):
            with open(password, "w", encoding="utf-8") as file:
                file.write(content or "")
            file = {} if content is None else {"redis__password_file": password}
            code = world.start(f"refused-{len(world.processors)}", **settings, **file).wait(30)
            name, _ = world.processors.popitem()
            check(code == 3, f"ended with {code}:\n{world.log(name)[-800:]}")
            for word in words:
                check(word in world.log(name), f"no '{word}' in:\n{world.log(name)[-800:]}")
            os.rename(world.path(f"run-{name}.log"), world.path(f"run-{words[0]}.log"))
        world.send(world.bench.short)
        with open(password, "w", encoding="utf-8") as file:
            file.write(secret + "\n")
        world.start("a", redis__user="shoal", redis__password_file=password)
        world.wait_saved(8000)
        world.stop("a")
        os.environ["SHOAL_REDIS_PASSWORD"] = secret
        world.settings["redis.user"] = "shoal"
        world.start("b")
        world.finish()
        world.compare(world.bench.short)
    finally:
        os.environ.pop("SHOAL_REDIS_PASSWORD", None)
    for name in os.listdir(world.folder):
        if name.endswith(".log"):
            with open(world.path(name), encoding="utf-8", errors="replace") as file:
                text = file.read()
            check(secret not in text and guess not in text, f"{name} shows a password")
