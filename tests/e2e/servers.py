# SPDX-License-Identifier: Apache-2.0
"""The real Kafka and Redis that all scenarios of a run share, by tools/services."""

import os

from processes import run
from redis_client import Redis

START_SECONDS = 300


class Servers:
    """A broker and a Redis of our own, whatever the environment names: scenarios kill them."""

    def __init__(self, source, folder):
        self._script = os.path.join(source, "tools", "services")
        self._folder = folder
        self.env = {k: v for k, v in os.environ.items() if k not in ("SHOAL_KAFKA", "SHOAL_REDIS")}
        self.env["SHOAL_KAFKA_HEAP"] = os.environ.get("SHOAL_KAFKA_HEAP", "512m")
        # A broker that lives for minutes does not earn back what the second compiler costs: a third of its start.
        self.env.setdefault("JAVA_TOOL_OPTIONS", "-XX:TieredStopAtLevel=1")
        self.kafka = self.redis_path = None

    def do(self, verb, *options):
        """kill-redis, start-kafka and so on; returns when it is done and the server answers."""
        run([self._script, verb, "--dir", self._folder, *options], START_SECONDS, env=self.env)

    def start(self):
        self.do("start", "--secure")
        with open(os.path.join(self._folder, "env"), encoding="utf-8") as file:
            found = dict(line.rstrip("\n").split("=", 1) for line in file)
        self.kafka = found["SHOAL_KAFKA"]
        self.redis_path = found["SHOAL_REDIS"].removeprefix("unix:")

    def secure(self):
        """The broker's other door: address, password of the user `shoal`, the certificate to trust, and one
        that is of nobody."""
        folder = os.path.join(self._folder, "kafka", "secure")
        with open(os.path.join(self._folder, "kafka", "ports"), encoding="utf-8") as file:
            port = file.read().split()[2]
        with open(os.path.join(folder, "password"), encoding="utf-8") as file:
            password = file.read().strip()
        return {"address": f"127.0.0.1:{port}", "password": password, "ca": os.path.join(folder, "ca.pem"),
                "other_ca": os.path.join(folder, "other.pem")}

    def stop(self):
        self.do("stop", "--remove")

    def redis(self):
        return Redis(self.redis_path)
