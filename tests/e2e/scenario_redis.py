# SPDX-License-Identifier: Apache-2.0
"""Redis fails under load, in every way in which a cache may: what it lost is rebuilt from the
log, and subscribers see nothing of it."""

import os
import re
import time

from load import Feed
from processes import check, wait_until

SMALL_CACHE = {"batch.events": 64, "state.cache": 1024}  # so that states are read again and again


def _under_load(world, trouble, rate=3000, pieces=None, after=3000, repeats_allowed=False, **settings):
    """Two processes, a sender; trouble(world) when a part is done; then all that was sent must be
    as if nothing had happened."""
    world.settings.update(SMALL_CACHE)
    for name in "ab":
        world.start(name, **settings)
    feed = Feed(world, rate, pieces)
    world.wait_saved(after)
    trouble(world)
    path = feed.finish()
    world.finish()
    world.compare(path, repeats_allowed=repeats_allowed)


def _recovered(world):
    """The longest way that a partition came from the log, in offsets."""
    logs = "".join(world.log(name) for name in "ab")
    return max(map(int, re.findall(r"recovering (\d+) offsets", logs)), default=0)


def redis_killed(world):
    """Killed and started twice, its data kept."""
    def trouble(world):
        for _ in range(2):
            world.servers.do("kill-redis")
            time.sleep(0.5)
            world.servers.do("start-redis")
            time.sleep(1.5)
    _under_load(world, trouble)


def redis_killed_at_least_once(world):
    """The same with delivery at least once: repeats carry the same ids, nothing is missing."""
    def trouble(world):
        world.servers.do("kill-redis")
        world.servers.do("start-redis")
        world.processors["a"].kill()
        world.start("a")
    world.settings["delivery"] = "at_least_once"
    _under_load(world, trouble, repeats_allowed=True)


def redis_loses_seconds(world):
    """Back to a state that is two seconds old, twice."""
    def trouble(world):
        for _ in range(2):
            world.servers.do("snapshot-redis")
            time.sleep(2)
            world.servers.do("rollback-redis")
    _under_load(world, trouble)
    check(_recovered(world) > 0, "nothing was lost, or nobody noticed")


def redis_loses_everything(world):
    """Killed, emptied, started."""
    _under_load(world, lambda world: world.servers.do("wipe-redis"))
    check(_recovered(world) > 0, "nobody noticed that everything was lost")


def redis_flushed_behind_our_back(world):
    """Emptied while the connections stand: a state that is gone must not pass for a user who was
    never seen."""
    def trouble(world):
        for _ in range(3):
            with world.servers.redis() as redis:
                redis("FLUSHALL")
            time.sleep(1)
    _under_load(world, trouble, pieces=world.bench.round_pieces, rate=4000, after=12000)
    check(_recovered(world) > 0, "nobody noticed that everything was lost")


def redis_away(world):
    """Away for twenty seconds: processors wait, say so once, and go on."""
    def trouble(world):
        world.servers.do("kill-redis")
        time.sleep(20)
        world.wait_running()
        world.servers.do("start-redis")
    _under_load(world, trouble, rate=1000)
    for name in "ab":
        said = len(re.findall(r"warning.*Redis at", world.log(name)))
        check(1 <= said <= 3, f"{name} said {said} times in 20 s that Redis is away:\n{world.log(name)[-1500:]}")


def redis_full(world):
    """Out of memory, as with a full disk: nothing is lost, and all goes on when there is room."""
    def trouble(world):
        with world.servers.redis() as redis:
            redis("CONFIG", "SET", "maxmemory", "1mb")
            time.sleep(4)
            world.wait_running()
            redis("CONFIG", "SET", "maxmemory", "0")
    _under_load(world, trouble)
    logs = world.log("a") + world.log("b")
    check("OOM" in logs, "nobody said that Redis is out of memory")


def redis_cannot_write(world):
    """Snapshots fail, so Redis refuses writes (MISCONF): the disk under it is full."""
    def trouble(world):
        with world.servers.redis() as redis:
            # A folder where the snapshot should be put: as bad as a full disk.
            folder = redis("CONFIG", "GET", "dir")[1].decode()
            redis("CONFIG", "SET", "save", "3600 1")
            os.makedirs(os.path.join(folder, "dump.rdb", "in-the-way"))
            redis("BGSAVE")
            wait_until(lambda: b"rdb_last_bgsave_status:err" in redis("INFO", "persistence"), 10,
                       "the snapshot has failed")
            time.sleep(3)
            world.wait_running()
            redis("CONFIG", "SET", "save", "")
    _under_load(world, trouble)
    logs = world.log("a") + world.log("b")
    check("MISCONF" in logs, "nobody said that Redis refuses to write")
