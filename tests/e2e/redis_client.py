# SPDX-License-Identifier: Apache-2.0
"""A Redis client of two dozen lines: replies as bytes, numbers, lists and None."""

import socket


class RedisError(Exception):
    pass


class Redis:
    def __init__(self, where, timeout=10):
        """`where`: the path of a socket, or a port on loopback."""
        tcp = isinstance(where, int)
        self._socket = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX)
        self._socket.settimeout(timeout)
        self._socket.connect(("127.0.0.1", where) if tcp else where)
        self._file = self._socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()
        self._socket.close()

    def __call__(self, *words):
        words = [w if isinstance(w, bytes) else str(w).encode() for w in words]
        self._socket.sendall(b"*%d\r\n" % len(words) +
                             b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words))
        return self._reply()

    def _reply(self):
        line = self._file.readline()
        if not line:
            raise RedisError("connection closed")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise RedisError(rest.decode())
        if kind == b":":
            return int(rest)
        if kind == b"+":
            return rest
        if int(rest) < 0:
            return None
        if kind == b"*":
            return [self._reply() for _ in range(int(rest))]
        return self._file.read(int(rest) + 2)[:-2]
