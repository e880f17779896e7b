# SPDX-License-Identifier: Apache-2.0
"""Redis servers that a scenario has for itself, on loopback: a cluster of masters and replicas, or a
master and its replica under a sentinel. They end with the scenario."""

import os
import random
import re
import socket

from processes import Process, check, wait_until
from redis_client import Redis, RedisError

SLOTS = 16384


def free_ports(count):
    """Below those that the kernel gives to clients: nobody takes them while a server restarts."""
    held = []
    while len(held) < count:
        one = socket.socket()
        try:
            one.bind(("127.0.0.1", random.randrange(12000, 30000)))
            held.append(one)
        except OSError:
            one.close()
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


def slot_of(key):
    """CRC16 of what stands in the key's braces, or of the whole."""
    found = re.search(r"\{([^}]+)\}", key)
    crc = 0
    for byte in (found.group(1) if found else key).encode():
        crc ^= byte << 8
        for _ in range(8):
            crc = (crc << 1 ^ 0x1021 if crc & 0x8000 else crc << 1) & 0xffff
    return crc % SLOTS


class Node:
    """One redis-server, durable but for the last second."""

    def __init__(self, folder, port, *options):
        self.folder, self.port, self.options = folder, port, options
        os.makedirs(folder, exist_ok=True)
        self.url = f"redis://127.0.0.1:{port}"
        self.login = None  # (user, password) of the test's own commands
        self._process = None

    def start(self):
        command = ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--dir", self.folder, "--save", "",
                   "--appendonly", "yes", "--appendfsync", "everysec", "--repl-diskless-sync-delay", "0", *self.options]
        self._process = Process(command, os.path.join(self.folder, "log"))
        wait_until(self.answers, 30, f"redis-server at {self.port} answers", 0.05)

    def move_to(self, port):
        """Where it starts from now on."""
        self.port = port
        self.url = f"redis://127.0.0.1:{port}"

    def answers(self):
        try:
            return self("PING") == b"PONG"
        except (OSError, RedisError):
            return False

    def kill(self):
        self._process.kill()

    def redis(self):
        redis = Redis(self.port)
        if self.login:
            redis("AUTH", *self.login)
        return redis

    def __call__(self, *words):
        with self.redis() as redis:
            return redis(*words)

    def info(self, section, name):
        found = re.search(rb"^%s:(.*?)\r?$" % name.encode(), self("INFO", section), re.M)
        return found and found.group(1).decode()

    def is_master(self):
        try:
            return self.info("replication", "role") == "master"
        except (OSError, RedisError):
            return False

    def cut_off(self):
        """As a replica: what the master writes from now on does not come here, for good."""
        self("CONFIG", "SET", "masterauth", "wrong")
        self("CLIENT", "KILL", "TYPE", "master")


class _Follower:
    """A client of the cluster as far as checkpoints need one: keyed commands, to the key's master."""

    def __init__(self, cluster):
        self._cluster = cluster

    def __enter__(self):
        return self

    def __exit__(self, *error):
        pass

    def __call__(self, *words):
        owner = self._cluster.owner(slot_of(words[1]))
        try:
            return owner(*words)
        except RedisError as error:
            found = re.match(r"ASK \d+ [^ ]*:(\d+)", str(error))
            if not found:
                raise
            with Redis(int(found.group(1))) as redis:
                redis("ASKING")
                return redis(*words)


class Cluster:
    """`masters` masters with a replica each; nodes[masters + i] follows nodes[i] at the start. A node that
    says nothing for `timeout_ms` counts as dead: on a busy machine it may live all the same."""

    def __init__(self, folder, masters=3, timeout_ms=1500, options=()):
        ports = free_ports(4 * masters)
        self.masters = masters
        self.nodes = [Node(os.path.join(folder, f"redis-{i}"), ports[2 * i], "--cluster-enabled", "yes", "--cluster-port",
                           str(ports[2 * i + 1]), "--cluster-node-timeout", str(timeout_ms),
                           "--cluster-replica-validity-factor", "0", *options)
                      for i in range(2 * masters)]
        self._bus = ports[1]
        self.url = "redis+cluster://" + ",".join(f"127.0.0.1:{node.port}" for node in self.nodes[:masters])

    def start(self):
        for node in self.nodes:
            node.start()
        ids = [node("CLUSTER", "MYID") for node in self.nodes]
        for i, node in enumerate(self.nodes[:self.masters]):
            node("CLUSTER", "ADDSLOTSRANGE", SLOTS * i // self.masters, SLOTS * (i + 1) // self.masters - 1)
            node("CLUSTER", "SET-CONFIG-EPOCH", i + 1)
        for node in self.nodes[1:]:
            node("CLUSTER", "MEET", "127.0.0.1", self.nodes[0].port, self._bus)
        self._wait(lambda node: b"cluster_known_nodes:%d" % len(ids) in node("CLUSTER", "INFO") and
                   b"cluster_slots_assigned:%d" % SLOTS in node("CLUSTER", "INFO"), "know each other")
        for i, node in enumerate(self.nodes[self.masters:]):
            node("CLUSTER", "REPLICATE", ids[i])
        self.wait_whole()
        self.wait_in_step()
        return self

    def wait_in_step(self):
        self._wait(lambda node: node.is_master() or node.info("replication", "master_link_status") == "up",
                   "are in step")

    def _wait(self, condition, what):
        for node in self.nodes:
            wait_until(lambda n=node: condition(n), 30, f"all nodes {what}", 0.05)

    def wait_whole(self, but=None):
        """All nodes, `but` one that is dead."""
        self._wait(lambda node: node is but or b"cluster_state:ok" in node("CLUSTER", "INFO"),
                   "say that the cluster is whole")

    def redis(self):
        return _Follower(self)

    def owner(self, slot):
        """The master of a slot, as most of the living see it."""
        for node in self.nodes:
            try:
                ranges = node("CLUSTER", "SLOTS")
            except (OSError, RedisError):
                continue
            for first, last, master, *_ in ranges:
                if first <= slot <= last:
                    owner = next(n for n in self.nodes if n.port == master[1])
                    if owner.is_master():
                        return owner
        raise RedisError(f"nobody serves slot {slot}")

    def is_elsewhere(self, slot, master):
        """Has somebody else taken the slot over?"""
        try:
            return self.owner(slot) is not master
        except RedisError:  # nobody serves at the moment
            return False

    def masters_now(self):
        return [node for node in self.nodes if node.is_master()]

    @staticmethod
    def knows(node, other):
        """Has `node` the address of `other`?"""
        return b":%d@" % other.port in node("CLUSTER", "NODES")

    def replica_of(self, master):
        ids = master("CLUSTER", "MYID")
        lines = wait_until(lambda: master("CLUSTER", "REPLICAS", ids), 10, f"the master at {master.port} has a replica")
        port = int(re.match(rb"\S+ [^ ]*:(\d+)@", lines[0]).group(1))
        return next(node for node in self.nodes if node.port == port)

    def move(self, slot, step=20, between=lambda: None):
        """The slot to another master, `step` keys at a time."""
        source = self.owner(slot)
        masters = self.masters_now()
        target = masters[(masters.index(source) + 1) % len(masters)]
        target("CLUSTER", "SETSLOT", slot, "IMPORTING", source("CLUSTER", "MYID"))
        source("CLUSTER", "SETSLOT", slot, "MIGRATING", target("CLUSTER", "MYID"))
        moved = 0
        while True:
            keys = source("CLUSTER", "GETKEYSINSLOT", slot, step)
            if not keys:
                break
            # A move that was broken off may have left older copies there.
            source("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "REPLACE", "KEYS", *keys)
            moved += len(keys)
            between()
        for node in [target, source, *masters]:
            node("CLUSTER", "SETSLOT", slot, "NODE", target("CLUSTER", "MYID"))
        # A slot that comes back before all know the epoch of its last move is claimed by two, and the loser deletes it.
        wait_until(lambda: len({re.search(rb"cluster_current_epoch:(\d+)", node("CLUSTER", "INFO")).group(1)
                                for node in self.nodes}) == 1, 30, "all nodes know of the move", 0.05)
        check(self.owner(slot) is target, f"slot {slot} has not moved")
        return moved


class Watched:
    """A master and its replica under one sentinel, which knows them as "shop"."""

    def __init__(self, folder):
        ports = free_ports(3)
        self.nodes = [Node(os.path.join(folder, "redis-0"), ports[0]),
                      Node(os.path.join(folder, "redis-1"), ports[1], "--replicaof", "127.0.0.1", str(ports[0]))]
        self._folder, self._port = folder, ports[2]
        self.url = f"redis+sentinel://127.0.0.1:{ports[2]}/shop"

    def start(self):
        for node in self.nodes:
            node.start()
        wait_until(lambda: self.nodes[1].info("replication", "master_link_status") == "up", 30, "the replica is in step")
        path = os.path.join(self._folder, "sentinel.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"port {self._port}\nbind 127.0.0.1\ndir {self._folder}\n"
                       f"sentinel monitor shop 127.0.0.1 {self.nodes[0].port} 1\n"
                       "sentinel down-after-milliseconds shop 1000\nsentinel failover-timeout shop 5000\n")
        Process(["redis-server", path, "--sentinel"], os.path.join(self._folder, "sentinel.log"))
        wait_until(self._sees_replica, 30, "the sentinel knows the replica", 0.1)
        return self

    def _sees_replica(self):
        try:
            with Redis(self._port) as sentinel:
                return len(sentinel("SENTINEL", "REPLICAS", "shop")) == 1
        except (OSError, RedisError):
            return False

    def master(self):
        return next((node for node in self.nodes if node.is_master()), None)

    def redis(self):
        master = self.master()
        if not master:
            raise RedisError("there is no master at the moment")
        return Redis(master.port)
