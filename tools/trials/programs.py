# SPDX-License-Identifier: Apache-2.0
"""The programs of a build, as scripts that compare models run them: train, evaluate, the time of a step, and
what a user takes in a Redis."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

GENERATED_FROM = "2025-03-09T00:00Z"  # the last days but one of what `generate` writes


def run(words, **options):
    done = subprocess.run(words, capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words)}\n{done.stderr[-2000:]}")
    return done.stdout


class Redis:
    """A server on a socket of its own, gone with the `with`."""

    def __init__(self, folder):
        self.socket = os.path.join(folder, "redis.sock")

    def __enter__(self):
        self.process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "", "--appendonly", "no"],
            stdout=subprocess.DEVNULL)
        for _ in range(200):
            if os.path.exists(self.socket):
                return self
            time.sleep(0.05)
        sys.exit("redis-server does not start")

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def ask(self, *words):
        return run(["redis-cli", "-s", self.socket, *words])

    def used(self):
        return int(next(line for line in self.ask("INFO", "memory").splitlines()
                        if line.startswith("used_memory:")).split(":")[1])


class Programs:
    """`shoal` and `bench_model` of a build folder; files go into `folder`."""

    def __init__(self, build, folder):
        self.folder = folder
        self.shoal = os.path.join(build, "tools", "shoal")
        self.timer = os.path.join(build, "tests", "bench_model")
        for program in (self.shoal, self.timer):
            if not os.access(program, os.X_OK):
                sys.exit(f"{program} is not there; build it: meson setup {build} --buildtype=release && "
                         f"ninja -C {build}")

    def events_of(self, events, start, users):
        """The events to work on and where their judging begins: those given, or generated ones."""
        if events:
            return events, start or sys.exit("--events needs --from")
        made = os.path.join(self.folder, "events.jsonl")
        run([self.shoal, "generate", "--users", str(users), "--days", "9", "--seed", "1", "--out", made])
        return made, GENERATED_FROM

    def train(self, events, start, model, seed, options):
        run([self.shoal, "train", "--events", events, "--until", start, "--out", model, "--seed", str(seed),
             *map(str, options)])

    def evaluate(self, events, start, model, options=()):
        return json.loads(run([self.shoal, "evaluate", "--model", model, "--events", events, "--from", start,
                               "--json", *options]))

    def step_us(self, hidden, items, categories, precision, batch=256):
        """Time of an event's step in batches of so many, a median on one core."""
        return json.loads(run([self.timer, "--step", str(hidden), str(items), str(categories), precision,
                               str(batch)]))["step_us"]

    def bytes_per_user(self, redis, model, events, precision):
        redis.ask("FLUSHALL")
        before = redis.used()
        out = tempfile.mkdtemp(dir=self.folder)
        run([self.shoal, "replay", "--model", model, "--events", events, "--out", out, "--redis",
             "--set", f"redis.url=unix:{redis.socket}", "--set", f"state.precision={precision}"])
        with open(os.path.join(out, "states.jsonl"), encoding="utf-8") as file:
            users = sum(1 for _ in file)
        shutil.rmtree(out)
        return (redis.used() - before) / users
