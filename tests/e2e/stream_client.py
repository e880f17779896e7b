# SPDX-License-Identifier: Apache-2.0
"""A client of GET /v1/stream: reads server-sent events in a thread."""

import json
import socket
import threading


class Stream(threading.Thread):
    """Follows the stream of one processor (http_client.Http) until stopped or cut off."""

    def __init__(self, http, query=""):
        super().__init__(daemon=True)
        self.events = []  # (name, id or None, data) as they came
        self.beats = 0
        self.ended = False
        self._connection = http.connect(60)
        headers = {"Authorization": f"Bearer {http.token}"} if http.token else {}
        self._connection.request("GET", "/v1/stream" + (f"?{query}" if query else ""), headers=headers)
        self._answer = self._connection.getresponse()
        self.status = self._answer.status
        self._socket = self._connection.sock
        self.start()

    def run(self):
        name, identity, data = "message", None, []
        try:
            for line in self._answer:
                line = line.rstrip(b"\n")
                field, _, value = line.partition(b": ")
                if not line and data:
                    self.events.append((name, identity, b"\n".join(data)))
                    name, identity, data = "message", None, []
                elif field == b"event":
                    name = value.decode()
                elif field == b"id":
                    identity = value.decode()
                elif field == b"data":
                    data.append(value)
                elif line.startswith(b":"):
                    self.beats += 1
        except (OSError, ValueError, AttributeError):
            pass
        self.ended = True

    def of(self, name):
        return [(identity, data) for event, identity, data in list(self.events) if event == name]

    def skipped(self):
        return sum(json.loads(data)["messages"] for _, data in self.of("skipped"))

    def stop(self):
        if self._socket:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.join(10)
        self._connection.close()


def deaf(http, query="rate=1000"):
    """A client that asks for the stream and never reads: its socket."""
    client = socket.create_connection((http.address.hostname, http.address.port), 10)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sendall(f"GET /v1/stream?{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    return client
