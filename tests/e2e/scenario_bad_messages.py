# SPDX-License-Identifier: Apache-2.0
"""Messages that cannot be applied: each one ends in the dead-letter topic as it came, and the good
ones between them are applied as if nothing were."""

import json
import os
import random
import time
from collections import Counter

from events import read_lines, write_round
from mutations import mutate
from processes import check

MUTATED, GOOD = 10000, 10000


def _now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def mutated_messages(world):
    """Ten thousand mutated messages among ten thousand good ones."""
    good_path, path = world.path("good.jsonl"), world.path("mixed.jsonl")
    write_round(good_path, world.bench.data, GOOD, users=700)
    good = read_lines(good_path)
    mixed = good[1:] + mutate(good, MUTATED, seed=3)
    random.Random(4).shuffle(mixed)
    with open(path, "wb") as file:
        file.write(b"".join(line + b"\n" for line in good[:1] + mixed))
    world.send(path)
    world.start("a", workers=2)
    world.finish()
    # The Kafka timestamps are of now, and some mutants are dated in the future of that.
    world.compare(path, "--record-time", _now())

    total = sum(world.kafka.ends(world.topic("events")))
    letters = [message.value for message in world.output("deadletter")]
    states = [json.loads(line) for line in world.states()]
    applied = {state["user_id"]: state["events"] for state in states}
    check(total == GOOD + MUTATED, f"{total} messages in the topic, {GOOD + MUTATED} were sent")
    check(len(letters) + sum(applied.values()) == total,
          f"{len(letters)} dead letters and {sum(applied.values())} applied are not {total}")
    check(len(letters) > MUTATED // 3, f"only {len(letters)} dead letters: the mutations are too mild")
    check(not set(letters) & set(good), "a good message is among the dead letters")
    for user, count in Counter(json.loads(line)["user_id"] for line in good).items():
        check(applied.get(user, 0) >= count, f"user {user}: {applied.get(user, 0)} of {count} events applied")


def _write_messages(world, payloads):
    paths = []
    for number, payload in enumerate(payloads):
        paths.append(world.path(f"payload-{number}"))
        with open(paths[-1], "wb") as file:
            file.write(payload)
    return paths


def _wait_and_match(world):
    """Each message of the events topic is a dead letter with the same bytes, the same key and the
    headers that say where it came from."""
    world.finish()
    events = {(m.partition, m.offset): m for m in world.output("events")}
    letters = world.output("deadletter")
    check(len(letters) == len(events), f"{len(events)} bad messages, {len(letters)} dead letters")
    for letter in letters:
        headers = letter.headers
        check(headers.get("source_topic") == world.topic("events"), f"headers are {headers}")
        source = events.pop((int(headers["source_partition"]), int(headers["source_offset"])), None)
        check(source is not None, f"a dead letter of no message, or a second one: {headers}")
        check((source.value or b"") == (letter.value or b""), f"{headers}: the bytes were changed")
        check((source.key or b"") == (letter.key or b""), f"{headers}: the key was changed")
        check(headers["error_code"] and headers["error_text"], f"{headers}: no reason")
    return letters


def raw_bytes(world):
    """Binary messages with line ends and NULs, empty ones, keys that are not the user."""
    rng = random.Random(5)
    payloads = [rng.randbytes(rng.randrange(1, 4000)) for _ in range(150)]
    payloads += [b"\n", b"\0", b"\r\n\r\n", b"{", b"\x80", b"\xc1", b"{}\n", b"[1,2]", b"\xdf\xff\xff\xff\xff",
                 b"{" * 5000, b'{"user_id":' * 3000]
    world.shoal("send", "--events", os.devnull)  # makes the topics
    for is_null in (False, True):
        world.kafka.produce_nothing(world.topic("events"), is_null)
    world.kafka.produce(world.topic("events"), *_write_messages(world, payloads))
    good = read_lines(world.bench.awkward)[0]
    world.kafka.produce(world.topic("events"), *_write_messages(world, [good] * 3), key="somebody-else")
    world.start("a")
    letters = _wait_and_match(world)
    codes = Counter(letter.headers["error_code"] for letter in letters)
    check(codes["key_mismatch"] == 3, f"error codes are {dict(codes)}")


def largest_messages(world):
    """As large as the broker takes, and so not as large as the letter would be with its headers; and
    larger than Shoal's own limit."""
    world.shoal("send", "--events", os.devnull)
    topic = world.topic("events")
    sizes = (999_000, 1_000_000, 1_048_000, 1_048_400, 1_048_510)
    payloads = [random.Random(size).randbytes(size) for size in sizes]
    world.kafka.produce(topic, *_write_messages(world, payloads), options=("-X", "message.max.bytes=2000000"))
    world.start("a", event__max_bytes="64KiB")
    _wait_and_match(world)


def letter_too_large_for_its_topic(world):
    """An operator made the dead-letter topic too small: that is said, with the way out, and the
    message is neither lost nor skipped."""
    world.kafka.produce(world.topic("deadletter"), *_write_messages(world, [b"makes the topic"]))
    world.shoal("send", "--events", os.devnull)
    payloads = _write_messages(world, [random.Random(1).randbytes(1_048_510)])
    world.kafka.produce(world.topic("events"), *payloads, options=("-X", "message.max.bytes=2000000"))
    code = world.start("a").wait(30)
    check(code == 3, f"ended with {code}")
    check("max.message.bytes" in world.log("a"), f"no way out is named:\n{world.log('a')}")
    check(world.saved() == 0, "the message was skipped")
