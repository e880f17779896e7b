# SPDX-License-Identifier: Apache-2.0
"""What operators and accidents do to the nodes of a Redis Cluster, one after the other under one load:
subscribers see nothing of it, and every event is in the states once."""

import time

from processes import check, wait_until
from redis_nodes import Cluster, free_ports
from scenario_cluster import _go_on, _slots, _under_load


def _node_of(world, cluster, partition=0):
    return cluster.owner(_slots(world)[partition])


def _replicas_gone(world, cluster):
    """Nobody is left to take over, and nothing more happens."""
    replicas = [node for node in cluster.nodes if not node.is_master()]
    for node in replicas:
        node.kill()
    _go_on(world)
    for node in replicas:
        node.start()
    cluster.wait_in_step()


def _slow(world, cluster):
    """Every node answers a second late, several times."""
    for _ in range(2):
        for node in cluster.masters_now():
            node("DEBUG", "SLEEP", "1")
    _go_on(world)


def _silent(world, cluster):
    """A node takes commands and answers later than anybody waits."""
    node = _node_of(world, cluster)
    node("CLIENT", "PAUSE", "4000", "ALL")
    _go_on(world)


def _connections_cut(world, cluster):
    for _ in range(20):
        for node in cluster.masters_now():
            node("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        time.sleep(0.1)
    _go_on(world)


def _small_answers(world, cluster):
    """Answers of more than some kilobytes cost the connection."""
    node = _node_of(world, cluster)
    node("CONFIG", "SET", "client-output-buffer-limit", "normal 1000 0 0")
    time.sleep(3)
    world.wait_running()
    node("CONFIG", "SET", "client-output-buffer-limit", "normal 0 0 0")
    _go_on(world)


def _full(world, cluster):
    """One node is out of memory."""
    node = _node_of(world, cluster)
    node("CONFIG", "SET", "maxmemory", "1mb")
    time.sleep(3)
    world.wait_running()
    node("CONFIG", "SET", "maxmemory", "0")
    _go_on(world)


def _emptied(world, cluster):
    _node_of(world, cluster)("FLUSHALL")
    _go_on(world)


def _handed_over(world, cluster):
    """A replica takes over in peace, and the old master becomes its replica."""
    for partition in (0, 1):
        slot = _slots(world)[partition]
        node = cluster.owner(slot)
        cluster.replica_of(node)("CLUSTER", "FAILOVER")
        wait_until(lambda s=slot, n=node: cluster.is_elsewhere(s, n), 30, "the replica has taken over")
        _go_on(world)
    cluster.wait_in_step()


def _readdressed(world, cluster):
    """A master comes back at another port, before anybody took it for dead."""
    node = _node_of(world, cluster)
    node.kill()
    node.move_to(free_ports(1)[0])
    node.start()
    cluster.wait_whole()
    _go_on(world)


def _unreachable(world, cluster):
    """The cluster sends everybody to an address where nobody is."""
    node = _node_of(world, cluster)
    node("CONFIG", "SET", "cluster-announce-port", free_ports(1)[0])
    time.sleep(3)
    node("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
    time.sleep(2)
    world.wait_running()
    node("CONFIG", "SET", "cluster-announce-port", node.port)
    wait_until(lambda: all(cluster.knows(other, node) for other in cluster.nodes), 30, "the address is right again")
    _go_on(world)


def _reset(world, cluster):
    """A node is thrown out of the cluster with all that it had, its replica goes on with nothing."""
    slot = _slots(world)[1]
    node = cluster.owner(slot)
    replica = cluster.replica_of(node)
    node("FLUSHALL")
    node("CLUSTER", "RESET", "HARD")
    replica("CLUSTER", "FAILOVER", "TAKEOVER")
    cluster.nodes.remove(node)
    cluster.wait_whole()
    _go_on(world)
    node.kill()


def _back_and_forth(world, cluster):
    for _ in range(2):
        for slot in _slots(world)[:2]:
            cluster.move(slot, step=50)
    _go_on(world)


def _many_users(node, slot):
    """Keys of users there, if they are many: none while the partition is being built anew."""
    keys = node("CLUSTER", "GETKEYSINSLOT", slot, 10000)
    users = [key for key in keys if b"#" not in key and key[-1:] != b":"]
    return users if len(users) > 50 else None


def _move_half(world, cluster):
    """Half of a partition's keys go to another master, and not its checkpoint. Returns (slot, source, target)."""
    slot = _slots(world)[0]
    source = cluster.owner(slot)
    users = wait_until(lambda: _many_users(source, slot), 30, f"there are users in slot {slot}")
    target = next(node for node in cluster.masters_now() if node is not source)
    target("CLUSTER", "SETSLOT", slot, "IMPORTING", source("CLUSTER", "MYID"))
    source("CLUSTER", "SETSLOT", slot, "MIGRATING", target("CLUSTER", "MYID"))
    source("MIGRATE", "127.0.0.1", target.port, "", 0, 5000, "KEYS", *users[::2])
    source("WAIT", 1, 5000)
    return slot, source, target


def _noticed(world, times):
    logs = world.log("a") + world.log("b")
    check(logs.count("lost a part of its states") >= times, "nobody noticed that users were lost")


def _half_moved_and_dead(world, cluster):
    """The replica that takes over does not know that the slot is half moved."""
    slot, source, target = _move_half(world, cluster)
    source.kill()
    wait_until(lambda: cluster.is_elsewhere(slot, source), 30, "the replica has taken over")
    # Until then the node to which it was moving holds the dead one for the slot's owner, and serves nothing.
    target("CLUSTER", "SETSLOT", slot, "STABLE")
    _go_on(world)
    source.start()
    cluster.wait_in_step()
    _noticed(world, 1)


def _half_moved_and_handed_over(world, cluster):
    """The same while the old master lives and sends everybody on."""
    slot, source, target = _move_half(world, cluster)
    cluster.replica_of(source)("CLUSTER", "FAILOVER")
    wait_until(lambda: cluster.is_elsewhere(slot, source), 30, "the replica has taken over")
    target("CLUSTER", "SETSLOT", slot, "STABLE")
    _go_on(world)
    cluster.wait_in_step()
    _noticed(world, 2)


def _partly_covered(world, cluster):
    """A third of the slots has nobody, and the others are to go on."""
    for node in cluster.nodes:
        node("CONFIG", "SET", "cluster-require-full-coverage", "no")
    node = _node_of(world, cluster)
    replica = cluster.replica_of(node)
    replica.kill()
    node.kill()
    time.sleep(4)
    world.wait_running()
    node.start()
    replica.start()
    cluster.wait_whole()
    for node in cluster.nodes:
        node("CONFIG", "SET", "cluster-require-full-coverage", "yes")
    _go_on(world)


_TROUBLES = (_replicas_gone, _slow, _silent, _connections_cut, _small_answers, _full, _emptied, _handed_over,
             _half_moved_and_dead, _half_moved_and_handed_over, _partly_covered, _readdressed, _unreachable,
             _back_and_forth, _reset)


def cluster_abused(world):
    def trouble(world, cluster):
        for one in _TROUBLES:
            one(world, cluster)
            world.wait_running()
    world.settings["redis.timeout"] = "1s"  # less than some of the pauses
    cluster = Cluster(world.folder, timeout_ms=3000, options=("--enable-debug-command", "local"))
    _under_load(world, cluster, trouble, rate=1000)
    logs = world.log("a") + world.log("b")
    for words in ("did not answer in time", "OOM", "lost writes", "has taken over from another node"):
        check(words in logs, f"nobody said '{words}'")
