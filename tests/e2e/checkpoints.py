# SPDX-License-Identifier: Apache-2.0
"""How far the states in Redis are, read without the processor: the checkpoint is a
MessagePack array whose second element is the next offset (state/checkpoint.c)."""

import struct

from redis_client import RedisError


def _integer(data, at):
    """The MessagePack integer at `at`: (value, what is behind it)."""
    first = data[at]
    if first < 0x80:
        return first, at + 1
    if first >= 0xE0:
        return first - 256, at + 1
    size = 1 << (first & 3)  # cc cd ce cf: unsigned, d0 d1 d2 d3: signed
    value = int.from_bytes(data[at + 1:at + 1 + size], "big", signed=first >= 0xD0)
    return value, at + 1 + size


def next_offset(data):
    if data is None:
        return None
    _, at = _integer(data, 1)  # the version, behind the array's head
    return _integer(data, at)[0]


def _array(data, at):
    """Elements of the array at `at`, and where the first one is."""
    if data[at] == 0xdc:
        return struct.unpack(">H", data[at + 1:at + 3])[0], at + 3
    return data[at] & 15, at + 1


def _skip(data, at):
    """Where the value at `at` ends: an array of integers and booleans, or one of these."""
    if data[at] in (0xc2, 0xc3):
        return at + 1
    if data[at] & 0xf0 != 0x90 and data[at] != 0xdc:
        return _integer(data, at)[1]
    count, at = _array(data, at)
    for _ in range(count):
        at = _skip(data, at)
    return at


def correction(data):
    """The delta of the online correction in a partition's state (stream/partition_state.h): behind
    version, watermark and budgets, and there behind version, model, from and hour."""
    _, at = _array(data, 0)
    for _ in range(3):
        at = _skip(data, at)
    at += {0xc4: 2, 0xc5: 3}[data[at]]
    _, at = _array(data, at)
    for _ in range(4):
        at = _skip(data, at)
    return struct.unpack(">f", data[at + 1:at + 5])[0]


def saved(servers, topic, partitions):
    """The saved offset of every partition, None where there is none or Redis is away."""
    try:
        with servers.redis() as redis:
            return [next_offset(redis("GET", f"{{{topic}/{p}}}#checkpoint")) for p in range(partitions)]
    except (OSError, RedisError):
        return [None] * partitions
