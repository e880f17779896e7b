# SPDX-License-Identifier: Apache-2.0
"""Nothing goes wrong: what the processor writes is what a replay writes."""

import json
import os
import re

from events import read_lines, write_round
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
    """More workers than partitions, tiny micro-batches, saves every three seconds, a cache that has to evict."""
    world.shoal("send", "--events", world.bench.awkward)
    world.start("a", workers=5, batch__events=64, state__flush__interval="3s", state__cache=1024)
    world.finish()
    world.compare(world.bench.awkward)


def outputs_are_cloud_events(world):
    """Headers are CloudEvents in binary mode, the key is the user, ids are unique and made from the
    source event's coordinates."""
    world.send(world.bench.short)
    world.start("a")
    world.finish()
    ends = world.kafka.ends(world.topic("events"))
    types = {"segments": "shoal.segment.changed", "decisions": "shoal.promotion.decided"}
    for name, kind in types.items():
        seen = set()
        for message in world.output(name):
            value, headers = json.loads(message.value), message.headers
            wanted = {"ce_specversion": "1.0", "ce_id": value["id"], "ce_type": kind,
                      "ce_source": f"/shoal/{world.topic('events')}", "ce_time": value["event_time"],
                      "content-type": "application/json"}
            check(headers == wanted, f"{name}: headers {headers} instead of {wanted}")
            check(message.key == value["user_id"].encode(), f"{name}: key {message.key} of {message.value}")
            check(value["id"] not in seen, f"{name}: id {value['id']} stands there twice")
            seen.add(value["id"])
            found = re.fullmatch(re.escape(world.topic("events")) + r"/(\d+)/(\d+)(\.\d+)?(@\d+)?/[\w-]+", value["id"])
            check(found and int(found.group(2)) < ends[int(found.group(1))], f"{name}: id {value['id']}")
        check(seen, f"no {name}")


def input_in_transactions(world):
    """Events that were themselves produced in a transaction: its marker takes an offset at the end
    of each partition, and what was aborted is not read."""
    world.shoal("send", "--events", os.devnull)
    path = world.path("events.jsonl")
    write_round(path, world.bench.data, 3000, users=300)
    lines = b"".join(json.loads(line)["user_id"].encode() + b"\t" + line + b"\n" for line in read_lines(path))
    world.kafka.produce_in_transaction(world.topic("events"), lines)
    world.start("a")
    world.finish()
    ends = sum(world.kafka.ends(world.topic("events")))
    check(ends == 3000 + 4, f"{ends} offsets instead of 3000 and four markers")
    world.compare(path)
