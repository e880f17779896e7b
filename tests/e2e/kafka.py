# SPDX-License-Identifier: Apache-2.0
"""Topics as a subscriber sees them, read with kcat.

kcat's own default is read_committed too; it is named everywhere all the same, since the
whole point is the difference to read_uncommitted.
"""

import re
import time
from typing import NamedTuple

from processes import Failure, run, wait_until


TRIES = 20


class Message(NamedTuple):
    partition: int
    offset: int
    key: bytes
    value: bytes
    headers: dict


class Kafka:
    def __init__(self, address):
        self.address = address

    def _kcat(self, *options, timeout=60, data=None):
        return run(["kcat", "-b", self.address, *options], timeout, data=data)[1]

    def _try(self, *options):
        return run(["kcat", "-b", self.address, *options], 60, expect=None)

    def partitions(self, topic):
        text = self._try("-L", "-t", topic)[1].decode()
        found = re.search(rf'topic "{re.escape(topic)}" with (\d+) partitions', text)
        return int(found.group(1)) if found else 0

    def ends(self, topic, isolation="read_uncommitted"):
        """The offset behind the last message of each partition; with read_committed, behind
        the last one that is decided."""
        for _ in range(TRIES):  # a broker that has just started leads nothing yet
            count = self.partitions(topic)
            asked = [word for p in range(count) for word in ("-t", f"{topic}:{p}:-1")]
            _, out, errors = self._try("-Q", "-X", f"isolation.level={isolation}", *asked)
            found = re.findall(r"\[(\d+)\] offset (-?\d+)", out.decode())
            if count and len(found) == count:
                break
            time.sleep(1)
        else:
            raise Failure(f"kcat -Q of {topic} answered: {out!r} {errors}")
        return [int(offset) for _, offset in sorted(found, key=lambda one: int(one[0]))]

    def wait_decided(self, topic, seconds=45):
        """Until no transaction is open on the topic: a subscriber sees to its end."""
        wait_until(lambda: self.ends(topic) == self.ends(topic, "read_committed"), seconds,
                   f"all transactions on {topic} are committed or aborted", 0.5)

    def read(self, topic, isolation="read_committed"):
        """All messages of the topic, in order within each partition."""
        if isolation == "read_committed":
            self.wait_decided(topic)
        out = self._kcat("-C", "-t", topic, "-o", "beginning", "-e", "-q", "-X",
                         f"isolation.level={isolation}", "-f", "%p %o %K %S\\n%k%s\\n%h\\n", timeout=120)
        messages, at = [], 0
        while at < len(out):
            line_end = out.index(b"\n", at)
            partition, offset, key_size, size = (int(n) for n in out[at:line_end].split())
            at = line_end + 1
            key = out[at:at + key_size] if key_size >= 0 else None
            at += max(key_size, 0)
            value = out[at:at + size] if size >= 0 else None
            at += max(size, 0) + 1
            line_end = out.index(b"\n", at)
            headers = _headers(out[at:line_end].decode("utf-8", "replace"))
            at = line_end + 1
            messages.append(Message(partition, offset, key, value, headers))
        return messages

    def produce(self, topic, *paths, key=None, options=()):
        """The bytes of each file as one message."""
        keyed = ["-k", key] if key else []
        self._kcat("-P", "-t", topic, *keyed, *options, *paths)

    def produce_in_transaction(self, topic, lines):
        """Lines of key, tab, value, to the partitions that a Java producer would choose."""
        self._kcat("-P", "-t", topic, "-K", "\t", "-X", f"transactional.id={topic}", "-X",
                   "topic.partitioner=murmur2_random", data=lines)

    def produce_nothing(self, topic, is_null):
        """A message with an empty value, or with none."""
        self._kcat("-P", "-t", topic, "-K", "\t", *(["-Z"] if is_null else []), data=b"key\t\n")


def _headers(text):
    """kcat joins headers with commas; a comma begins the next one if a name and = follow."""
    parts = re.split(r"(?:^|,)([A-Za-z_-]+)=", text)
    return dict(zip(parts[1::2], parts[2::2]))
