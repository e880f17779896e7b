# SPDX-License-Identifier: Apache-2.0
"""What all scenarios of a run share: the program, the servers, a model, event files."""

import os
import shutil

from events import write_awkward, write_round
from load import split
from processes import Failure, run
from servers import Servers


class Unable(Exception):
    """The tests cannot run here; the text says why."""


class Bench:
    def __init__(self, build):
        self.source = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
        self.build = os.path.abspath(build)
        self.program = os.path.join(self.build, "tools", "shoal")
        self.folder = os.path.join(self.build, "e2e")
        self.data = os.environ.get("SHOAL_DATA") or os.path.join(os.path.dirname(self.source), "shared", "data")
        self.promotions = os.path.join(self.source, "deploy", "promotions.yaml")
        self.model = os.path.join(self.folder, "model.shoal")
        self.awkward = os.path.join(self.folder, "awkward.jsonl")
        self.short = os.path.join(self.folder, "short.jsonl")
        self.round = os.path.join(self.folder, "round.jsonl")
        self.pieces = self.round_pieces = None
        self.servers = None

    def set_up(self):
        if os.environ.get("SHOAL_NO_KAFKA"):
            raise Unable("no Kafka server could be had (SHOAL_NO_KAFKA)")
        for tool in ("kcat", "redis-server"):
            if not shutil.which(tool):
                raise Unable(f"{tool} is not installed: run tools/setup")
        if not os.path.isfile(os.path.join(self.data, "taobao_dev.csv.gz")):
            raise Unable(f"no real events in {self.data} (SHOAL_DATA)")
        if not os.path.isfile(self.program):
            raise Failure(f"{self.program} is not built")
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.servers = Servers(self.source, os.path.join(self.folder, "services"))
        self.servers.start()
        self._make_model()
        write_awkward(self.awkward, self.data, 60000, seed=1)
        self.pieces = split(self.awkward)
        write_awkward(self.short, self.data, 24000, seed=2)
        write_round(self.round, self.data, 30000, users=10000)
        self.round_pieces = split(self.round)

    def _make_model(self):
        """A short training: the scenarios need a model with a spread of scores, not a good one."""
        events = os.path.join(self.data, "taobao_dev.csv.gz")
        run([self.program, "train", "--events", events, "--until", "2017-12-02T00:00+08:00", "--epochs", "2",
             "--no-refit", "--seed", "1", "--out", self.model], 300)

    def refresh(self):
        """Each scenario begins with both servers up and an empty Redis."""
        self.servers.do("start")
        with self.servers.redis() as redis:
            redis("FLUSHALL")

    def tear_down(self):
        if self.servers:
            self.servers.stop()
