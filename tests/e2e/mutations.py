# SPDX-License-Identifier: Apache-2.0
"""Messages that went wrong on their way: good ones, mutated. Seeded, so always the same."""

import random

_WRONG = [b"null", b"true", b"[]", b"{}", b"-1", b"1e308", b"0.5", b'""', b'"\\u0000"', b'"\\ud800"',
          b"99999999999999999999", b'"' + b"9" * 65 + b'"', b'"' + b"x" * 5000 + b'"', b"[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]",
          b'{"a":{"b":{"c":1}}}', b'"2017-11-31T25:61:00Z"', b'"1970-01-01T00:00:00Z"', b"-9223372036854775808",
          "\"\u017e\u00fc\u4f60\U0001f6d2\"".encode(), b'"\xff\xfe"', b"NaN", b"1511658000000000000"]
_NAMES = [b"user_id", b"item_id", b"category_id", b"behavior", b"timestamp"]


def _flip(rng, line, _):
    at = rng.randrange(len(line))
    return line[:at] + bytes([line[at] ^ 1 << rng.randrange(8)]) + line[at + 1:]


def _flip_many(rng, line, other):
    for _ in range(rng.randrange(2, 9)):
        line = _flip(rng, line, other)
    return line


def _truncate(rng, line, _):
    return line[:rng.randrange(len(line))]


def _splice(rng, line, other):
    return line[:rng.randrange(len(line))] + other[rng.randrange(len(other)):]


def _repeat(rng, line, _):
    start, end = sorted((rng.randrange(len(line)), rng.randrange(len(line))))
    return line[:end] + line[start:]


def _cut_out(rng, line, _):
    start, end = sorted((rng.randrange(len(line)), rng.randrange(len(line))))
    return line[:start] + line[end:]


def _swap_names(rng, line, _):
    first, second = rng.sample(_NAMES, 2)
    return line.replace(first, b"\0").replace(second, first).replace(b"\0", second)


def _wrong_value(rng, line, _):
    name = rng.choice(_NAMES)
    start = line.index(b'"%s":' % name) + len(name) + 3
    end = line.index(b"}" if name == _NAMES[-1] else b',"', start)
    return line[:start] + rng.choice(_WRONG) + line[end:]


def _second_value(rng, line, _):
    return line[:-1] + b',"%s":%s}' % (rng.choice(_NAMES), rng.choice(_WRONG))


def _insert(rng, line, _):
    at = rng.randrange(len(line) + 1)
    return line[:at] + bytes(rng.randrange(256) for _ in range(rng.randrange(1, 12))) + line[at:]


def _noise(rng, *_):
    return bytes(rng.randrange(256) for _ in range(rng.randrange(1, 200)))


def _msgpack_head(rng, line, _):
    """Bytes that begin like a MessagePack map and are none."""
    return bytes([rng.choice([0x81, 0x85, 0x8F, 0xDE, 0xDF])]) + line


_ALL = [_flip, _flip_many, _truncate, _splice, _repeat, _cut_out, _swap_names, _wrong_value, _second_value,
        _insert, _noise, _msgpack_head]


def mutate(lines, count, seed):
    """`count` mutated copies of good lines, none of them with a line's end inside or empty."""
    rng = random.Random(seed)
    made = []
    while len(made) < count:
        line = rng.choice(_ALL)(rng, rng.choice(lines), rng.choice(lines))
        line = line.replace(b"\n", b"?").replace(b"\r", b"?")
        if line.strip(b" \t"):
            made.append(line)
    return made
