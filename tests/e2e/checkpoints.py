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


def correction(data):
    """The delta of an online correction (model/correction.h): behind version, model, from and hour."""
    at = 1
    for _ in range(4):
        _, at = _integer(data, at)
    return struct.unpack(">f", data[at + 1:at + 5])[0]


def saved(servers, topic, partitions):
    """The saved offset of every partition, None where there is none or Redis is away."""
    try:
        with servers.redis() as redis:
            return [next_offset(redis("GET", f"{{{topic}/{p}}}#checkpoint")) for p in range(partitions)]
    except (OSError, RedisError):
        return [None] * partitions
