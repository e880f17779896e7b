# SPDX-License-Identifier: Apache-2.0
"""What all scenarios of a run share: the program, the servers, a model, event files."""

import os
import re
import shutil

from events import write_awkward, write_round
from load import split
from processes import Failure, Unable, run
from schemas import Schemas
from servers import Servers


# Decisions about a recommendation carry items: a small catalogue is enough, some of whose items users turn to.
ITEMS = ("--items", "2000")


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
        self.schemas = Schemas(self.source)
        self._versions = self._first = None

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
        self._make_model()
        write_awkward(self.awkward, self.data, 60000, seed=1)
        self.pieces = split(self.awkward)
        write_awkward(self.short, self.data, 24000, seed=2)
        write_round(self.round, self.data, 30000, users=10000)
        self.round_pieces = split(self.round)

    def start_servers(self, lane):
        """Those of one lane of scenarios, which kill them as they please."""
        self.servers = Servers(self.source, os.path.join(self.folder, f"services-{lane}"))
        self.servers.start()

    def _make_model(self):
        self._first = self._train(self.model, "2017-12-02", "--seed", "1", *ITEMS)

    def _train(self, path, until, *options):
        """A short training: the scenarios need models with a spread of scores, not good ones. Returns the
        version."""
        events = os.path.join(self.data, "taobao_dev.csv.gz")
        said = run([self.program, "train", "--events", events, "--until", f"{until}T00:00+08:00", "--epochs", "2",
                    "--no-refit", *options, "--out", path], 300)
        return re.search(r"^model\s+([0-9a-f]{16})\b", said[1].decode() + said[2], re.M).group(1)

    def versions(self):
        """{version: file} of three models, in this order: that of all scenarios, another of its shape, and one of
        another H, without a catalogue of items. Each has learnt from other days, so that their scores differ too."""
        if not self._versions:
            self._versions = {self._first: self.model}
            for number, options in enumerate((("2017-12-01", "--seed", "2", *ITEMS),
                                              ("2017-11-30", "--seed", "3", "--hidden", "32")), 1):
                path = os.path.join(self.folder, f"model-{number}.shoal")
                self._versions[self._train(path, *options)] = path
        return self._versions

    def refresh(self):
        """Each scenario begins with both servers up and an empty Redis."""
        self.servers.do("start")
        with self.servers.redis() as redis:
            redis("FLUSHALL")

    def tear_down(self):
        if self.servers:
            self.servers.stop()
