# SPDX-License-Identifier: Apache-2.0
"""The events topic grows: the states follow it by `shoal run --drain` and `shoal repartition`, whatever is
killed when, and a loss of all states after it is recovered from bit for bit."""

import json
import os
import signal
import time

from admin import Admin
from events import read_lines
from load import split
from processes import Process, check, wait_until
from redis_nodes import Cluster, slot_of

REFUSED, DATA = 3, 5
GROWN, DOUBLED = 6, 8
QUICK = {"kafka.session.timeout.ms": 3000, "kafka.heartbeat.interval.ms": 500}
# One within each step of the move; the copy is of several chunks only with many users.
CRASHES = ("repartition.begun", "repartition.copied:2", "repartition.spread:1", "repartition.spread:4",
           "repartition.recorded", "repartition.deleted:2", "repartition.before_end")
# What a record says of its user alone: neither where it is kept, nor what other users had a part in (the time
# of the partition, by which timers fall due; its budgets; its online correction).
OWN = ("user_id", "model", "events", "first_time", "last_time", "counters", "h", "c", "ring", "ids", "purchases")


def _start_repartition(world, *options, crash=None, sleep=None):
    env = {key: value for key, value in os.environ.items() if key not in ("SHOAL_CRASH", "SHOAL_STOP")}
    if crash:
        env["SHOAL_CRASH"] = crash
    if sleep:
        env["SHOAL_STOP"] = sleep
    world.numbers["repartition"] += 1
    log = world.path(f"repartition-{world.numbers['repartition']}.log")
    return Process([world.bench.program, "repartition", *world._sets({}), *options], log, env)


def _try_repartition(world, *options, crash=None):
    """Exit code, output and errors of the command."""
    process = _start_repartition(world, *options, crash=crash)
    return process.wait(120), process.text()


def _repartition(world, *options, expect=0, crash=None):
    """Output and errors of the command, which must end with this code."""
    code, said = _try_repartition(world, *options, crash=crash)
    check(code == expect, f"repartition {options} {crash} ended with {code}, not {expect}:\n{said[-1500:]}")
    return said


def _drain(world, name):
    code = world.start(name, "--drain").wait(60)
    world.processors.pop(name)
    check(code == 0, f"the drain ended with {code}:\n{world.log(name)[-1500:]}")


def _own(lines):
    """Of each user what is its own, sorted."""
    return sorted(json.dumps({key: record[key] for key in OWN}) for record in map(json.loads, lines))


def _check_timers(world, lines, partitions):
    """A partition's index of timers names users of that partition only, and some in each."""
    with world.stores.redis() as redis:
        for partition in range(partitions):
            users = {record["user_id"] for record in lines if record["partition"] == partition}
            timers = redis("ZRANGE", f"{{{world.topic('events')}/{partition}}}#timers", "0", "-1")
            strange = [user for user in timers if user.decode() not in users]
            check(timers and not strange, f"partition {partition}: {len(timers)} timers, {len(strange)} of others")


def _grow(world, pieces, drained):
    """The first half is sent and processed in part, or wholly; the topic grows; the second half is sent."""
    world.settings.update(QUICK)
    half = len(pieces) // 2
    for piece in pieces[:half]:
        world.send(piece)
    world.start("a")
    if drained:
        world.finish()
    else:
        world.wait_saved(1)
        world.stop("a")
    with Admin(world.servers.kafka) as admin:
        admin.grow(world.topic("events"), GROWN)
    for piece in pieces[half:]:
        world.send(piece)


def _check_against_replay(world, path, partitions=GROWN):
    """Users' own states, and one record a user."""
    wanted = read_lines(os.path.join(world.replay(path), "states.jsonl"))
    found = world.states()
    check(len(found) == len(wanted), f"{len(found)} records instead of {len(wanted)}")
    wanted, found = _own(wanted), _own(found)
    other = [pair for pair in zip(wanted, found) if pair[0] != pair[1]]
    check(not other, f"{len(other)} of {len(wanted)} users differ, the first:\n{other[:1]}")
    lines = [json.loads(line) for line in world.states()]
    check(len({line["partition"] for line in lines}) == partitions, "no user is in some partition")
    _check_timers(world, lines, partitions)


def _lose_everything(world):
    """Redis forgets; the same two commands and a start bring back every bit, and write nothing again."""
    before, told = world.states(), [len(world.output(name)) for name in ("segments", "decisions")]
    with world.servers.redis() as redis:
        redis("FLUSHALL")
    code = world.start("lost").wait(40)
    world.processors.pop("lost")
    check(code == REFUSED, f"ended with {code}:\n{world.log('lost')[-800:]}")
    for word in ("states are lost", "--drain", "shoal repartition", "recovery.events_gone"):
        check(word in world.log("lost"), f"no '{word}' in:\n{world.log('lost')[-800:]}")
    _drain(world, "rebuild")
    _repartition(world)
    world.start("again")
    world.finish()
    found = world.states()
    other = [pair for pair in zip(before, found) if pair[0] != pair[1]]
    check(found == before, f"{len(found)} of {len(before)} states, {len(other)} differ, the first:\n{other[:1]}")
    check(told == [len(world.output(name)) for name in ("segments", "decisions")], "outputs were written again")


def topic_grows(world):
    """Nobody moves states before the old partitions are drained; then all events are in each user's state
    once, also after a loss of everything."""
    _grow(world, split(world.bench.short), drained=False)
    code = world.start("refused").wait(30)
    world.processors.pop("refused")
    check(code == REFUSED, f"ended with {code}:\n{world.log('refused')[-800:]}")
    said = _repartition(world, "--dry-run")
    check(f"from 4 to {GROWN} partitions, by the partitioner murmur2" in said, said)
    said = _repartition(world, expect=REFUSED)
    for word in ("events of users who move", "shoal run --drain"):
        check(word in said, f"no '{word}' in: {said}")
    said = _repartition(world, "--partitioner", "consistent", expect=REFUSED)
    check("another of 4 partitions than the partitioner consistent" in said, said)
    _drain(world, "drain")
    said = _repartition(world)
    check("users from 4 to 6 partitions" in said, said)
    world.partitions = GROWN
    check("nothing to move" in _repartition(world), "a second move was not refused")
    world.start("b")
    world.finish()
    _check_against_replay(world, world.bench.short)
    _lose_everything(world)


def topic_grows_and_the_move_is_killed(world):
    """In each of its steps, one after the other: the processor refuses in between, and in the end the states
    are those of a move that went well, bit for bit."""
    _grow(world, split(world.bench.short), drained=True)
    _drain(world, "drain")
    for crash in CRASHES:
        _repartition(world, expect=-signal.SIGKILL, crash=crash)
        code = world.start("early").wait(30)
        world.processors.pop("early")
        check(code == REFUSED, f"after {crash} ended with {code}:\n{world.log('early')[-800:]}")
        check("finish it with shoal repartition" in world.log("early"), world.log("early")[-800:])
    _repartition(world)
    moved = world.states()
    with world.servers.redis() as redis:
        redis("FLUSHALL")
    _drain(world, "drain-again")
    _repartition(world)
    check(world.states() == moved, "a move in peace comes to other states")
    world.partitions = GROWN
    world.start("b")
    world.finish()
    _check_against_replay(world, world.bench.short)


def topic_doubles_under_load(world):
    """To a multiple of its partitions while a processor is at work; a producer that knows of them sends all the
    time, while the old partitions are drained and the states are moved."""
    refresh = {"kafka.topic.metadata.refresh.interval.ms": 500}
    world.settings.update(QUICK)
    world.settings.update(refresh)
    world.start("a")
    lines = read_lines(world.bench.short)
    halves = [world.path(f"half-{number}.jsonl") for number in range(2)]
    for number, half in enumerate((lines[:12000], lines[12000:])):
        with open(halves[number], "wb") as file:
            file.writelines(line + b"\n" for line in half)
    world.send(halves[0])
    world.wait_saved(1000)
    with Admin(world.servers.kafka) as admin:
        admin.grow(world.topic("events"), DOUBLED)
    code = world.processors.pop("a").wait(40)
    check(code == REFUSED, f"ended with {code}:\n{world.log('a')[-800:]}")
    sender = world.start_send(halves[1], rate=1500)
    for number in range(10):  # until the sender knows of the new partitions
        _drain(world, f"drain-{number}")
        code, said = _try_repartition(world)
        if code == 0:
            break
        check(code == REFUSED and "events of users who move" in said, said)
        time.sleep(0.5)
    check(code == 0, said)
    world.partitions = DOUBLED
    world.start("b")
    world.finish_send(sender)
    wait_until(lambda: "reading from" in world.log("b"), 30, "partitions are assigned")
    world.finish()
    ends = world.kafka.ends(world.topic("events"))
    check(all(ends[4:]), f"nothing came into a new partition, {ends}")
    _check_against_replay(world, world.bench.short, DOUBLED)


def nothing_to_repartition(world):
    """Without states, or without growth, it says so."""
    said = _repartition(world, expect=DATA)
    check("there is no topic" in said, said)
    world.send(world.bench.pieces[0])
    check("nothing to move" in _repartition(world, expect=DATA), "moved nothing silently")
    world.settings.update(QUICK)
    world.start("a")
    world.finish()
    check("nothing to move" in _repartition(world), "moved nothing silently")
    _drain(world, "drain")
    check("nothing to drain" in world.log("drain"), world.log("drain")[-500:])


def topic_grows_while_a_master_dies(world):
    """The states are in a cluster. A move stands still behind some of its copies, and a replica that lacks them
    takes over: the move goes no further on what it believes is there, and is taken up again."""
    cluster = Cluster(world.folder, timeout_ms=3000)
    world.keep_states_in(cluster.start())
    _grow(world, split(world.bench.short), drained=True)
    _drain(world, "drain")
    slot = slot_of(f"{{{world.topic('events')}/{GROWN - 1}}}#checkpoint")
    master = cluster.owner(slot)
    cluster.replica_of(master).cut_off()
    move = _start_repartition(world, sleep="repartition.copied:2")
    wait_until(move.sleeps, 30, "the move stands still")
    check(master("CLUSTER", "COUNTKEYSINSLOT", slot) > 2, "nothing was copied")
    master.kill()
    wait_until(lambda: cluster.is_elsewhere(slot, master), 30, "the replica has taken over")
    cluster.wait_whole(but=master)
    move.send(signal.SIGCONT)
    code = move.wait(60)
    check(code != 0, f"a move ended well that has lost copies:\n{move.text()[-800:]}")
    check("Redis" in move.text() or "lost writes" in move.text(), move.text()[-800:])
    _repartition(world)
    world.partitions = GROWN
    world.start("b")
    world.finish()
    _check_against_replay(world, world.bench.short)
