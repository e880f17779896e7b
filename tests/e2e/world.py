# SPDX-License-Identifier: Apache-2.0
"""What one scenario works with: its own topics, group and folder, the processors it runs,
and the comparison with a replay at the end."""

import collections
import json
import os
import re
import signal
import time

import checkpoints
from compare import difference, order_difference
from events import read_lines
from kafka import Kafka
from processes import Failure, Process, check, run, wait_until

PARTITIONS = 4
OUTPUTS = ("segments", "decisions", "deadletter")
MODELS = "models"


class World:
    def __init__(self, name, bench):
        """`bench`: what the run has for all scenarios (program, servers, model, files)."""
        self.bench = bench
        self.servers = bench.servers
        self.stores = bench.servers  # whose redis() has the states
        self.partitions = PARTITIONS  # of the states
        self.kafka = Kafka(bench.servers.kafka)
        self.folder = os.path.join(bench.folder, name)
        os.makedirs(self.folder)
        self.prefix = f"{name}.{os.getpid()}"
        self.settings = {
            "kafka.bootstrap.servers": bench.servers.kafka,
            "redis.url": f"unix:{bench.servers.redis_path}",
            "model.path": bench.model,
            "promotions.path": bench.promotions,
            "promotions.history": self.path("policies"),
            "group.id": self.prefix,
            "stats.interval": "1s",
        }
        for topic in ("events", *OUTPUTS, MODELS):
            self.settings[f"topics.{topic}"] = self.topic(topic)
        self.processors = collections.OrderedDict()
        self.numbers = collections.Counter()

    def topic(self, output):
        return f"{self.prefix}.{output}"

    def path(self, name):
        return os.path.join(self.folder, name)

    def _sets(self, settings):
        merged = {**self.settings, **settings}
        return [word for key, value in merged.items() for word in ("--set", f"{key}={value}")]

    def shoal(self, command, *options, timeout=120, expect=0, **settings):
        """A command to its end; settings have __ for a dot."""
        sets = self._sets({key.replace("__", "."): value for key, value in settings.items()})
        return run([self.bench.program, command, *sets, *options], timeout, expect)

    def keep_states_in(self, stores):
        """In another Redis than the one that all scenarios share: something with url and redis()."""
        self.stores = stores
        self.settings["redis.url"] = stores.url

    # --- load ---------------------------------------------------------------

    def send(self, path, rate=None):
        """All of a file into the events topic, to the end."""
        self.start_send(path, rate).wait(300)

    def start_send(self, path, rate=None):
        """The same in the background. It outlives a broker that is away for a while."""
        self.numbers["send"] += 1
        options = ["--rate", str(rate)] if rate else []
        sets = self._sets({"kafka.message.timeout.ms": 120000})
        return Process([self.bench.program, "send", *sets, "--events", path, *options],
                       self.path(f"send-{self.numbers['send']}.log"))

    def finish_send(self, sender, timeout=180):
        code = sender.wait(timeout)
        check(code == 0, f"shoal send ended with {code}: {sender.text()[-800:]}")

    # --- processors ---------------------------------------------------------

    def start(self, name, *options, crash=None, sleep=None, **settings):
        """A `shoal run` of the instance name `name`. `crash` and `sleep` arm a crash point."""
        env = {key: value for key, value in os.environ.items() if key not in ("SHOAL_CRASH", "SHOAL_STOP")}
        if crash:
            env["SHOAL_CRASH"] = crash
        if sleep:
            env["SHOAL_STOP"] = sleep
        merged = {"instance.id": name, **{key.replace("__", "."): value for key, value in settings.items()}}
        process = Process([self.bench.program, "run", *self._sets(merged), *options],
                          self.path(f"run-{name}.log"), env)
        self.processors[name] = process
        return process

    def stop(self, name, timeout=20):
        """SIGTERM; it must finish, commit, leave and say that all is well."""
        code = self.processors.pop(name).terminate(timeout)
        check(code == 0, f"processor {name} ended with {code} after SIGTERM:\n{self.log(name)[-1500:]}")

    def stop_all(self, timeout=20):
        for process in self.processors.values():
            process.send(signal.SIGTERM)
        for name in list(self.processors):
            self.stop(name, timeout)

    def log(self, name):
        with open(self.path(f"run-{name}.log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def wait_running(self):
        """Nobody has given up."""
        for name, process in self.processors.items():
            check(process.code is None, f"processor {name} ended by itself with {process.code}:\n"
                                        f"{self.log(name)[-1500:]}")

    # --- progress -----------------------------------------------------------

    def saved(self):
        """Offsets of all partitions that are in the states, as one number."""
        return sum(max(offset or 0, 0) for offset in self.offsets())

    def offsets(self):
        """The offset of each partition that is in the states; None where there is none."""
        return checkpoints.saved(self.stores, self.topic("events"), self.partitions)

    def wait_saved(self, count, seconds=60):
        """Until that many messages are in the states."""
        def enough():
            self.wait_running()
            return self.saved() >= count
        wait_until(enough, seconds, f"{count} messages in the states", 0.05)

    def finish(self, seconds=120):
        """Waits until all that was sent is in the states, then ends all processors in peace."""
        ends = self.kafka.ends(self.topic("events"))
        began = time.monotonic()
        # A partition that never had a message may never have been saved.
        while [0 if offset == -1 and end == 0 else offset for offset, end in zip(self.offsets(), ends)] != ends:
            self.wait_running()
            if time.monotonic() - began > seconds:
                found = self.offsets()
                logs = "\n".join(f"--- {name}\n{self.log(name)[-1500:]}" for name in self.processors)
                raise Failure(f"after {seconds} s the states are at {found}, the events end at {ends}\n{logs}")
            time.sleep(0.1)
        self.stop_all()

    # --- models -------------------------------------------------------------

    def follow_models(self):
        """From now on the processor follows a folder of models; the first of the three versions is in
        service. Returns the three."""
        self.settings["model.path"] = self.path(MODELS)
        os.makedirs(self.path(MODELS))
        versions = list(self.bench.versions())
        self.publish(versions[0])
        return versions

    def place(self, version, data=None):
        """A version's file, as it is published: written beside and renamed. `data` instead of its bytes."""
        path = os.path.join(self.path(MODELS), f"{version}.shoal")
        if data is None:
            with open(self.bench.versions()[version], "rb") as file:
                data = file.read()
        with open(path + ".new", "wb") as file:
            file.write(data)
        os.rename(path + ".new", path)

    def point_to(self, version):
        """`current` names this version."""
        link = os.path.join(self.path(MODELS), "current")
        os.symlink(f"{version}.shoal", link + ".new")
        os.rename(link + ".new", link)

    def publish(self, version):
        self.place(version)
        self.point_to(version)

    def swaps(self):
        """What was told of models, as text lines in the order of each partition."""
        return [message.value for message in self.output(MODELS)]

    def wait_served(self, version, seconds=30):
        """Until the last thing told of every partition is that this version serves it."""
        def served():
            self.wait_running()
            last = {swap["partition"]: swap["model"] for swap in map(json.loads, self.swaps())}
            return set(last.values()) == {version} and len(last) == PARTITIONS
        wait_until(served, seconds, f"all partitions are served by {version}", 0.2)

    # --- promotions ---------------------------------------------------------

    def put_promotions(self, text):
        """The processor's promotions, written beside and renamed. Returns the version."""
        path = self.path("promotions.yaml")
        with open(path + ".new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(path + ".new", path)
        self.settings["promotions.path"] = path
        said = run([self.bench.program, "promotions", "check", path, "--json"], 20, None)[1]
        return json.loads(said).get("policy")

    def wait_policy(self, version, seconds=30):
        """Until the last thing told of every partition is that this policy holds there."""
        def holds():
            self.wait_running()
            last = {swap["partition"]: swap["policy"] for swap in map(json.loads, self.swaps())}
            return set(last.values()) == {version} and len(last) == PARTITIONS
        wait_until(holds, seconds, f"policy {version} holds in all partitions", 0.2)

    # --- comparison ---------------------------------------------------------

    def replay(self, path, *options):
        out = self.path("replay")
        self.shoal("replay", "--events", path, "--out", out, "--partitions", str(PARTITIONS), *options,
                   timeout=180)
        return out

    def output(self, name, isolation="read_committed"):
        """What a subscriber sees of a topic, checked against what deploy/schemas promises."""
        messages = self.kafka.read(self.topic(name), isolation)
        if name in (*OUTPUTS, MODELS):
            self.bench.schemas.check(name, messages)
        return messages

    def states(self):
        return self.shoal("inspect", "--all")[1].split(b"\n")[:-1]

    def partition_lines(self):
        return self.shoal("inspect", "--partitions")[1].split(b"\n")[:-1]

    def compare_swapped(self, path, *options, repeats_allowed=False):
        """The same against a replay that makes the swaps that were told; and the swaps themselves."""
        swaps = self.path("swaps.jsonl")
        lines = self.swaps()
        with open(swaps, "wb") as file:
            file.writelines(line + b"\n" for line in lines)
        models = ["--models", self.path(MODELS)] if os.path.isdir(self.path(MODELS)) else []
        self.compare(path, "--swaps", swaps, *models, *options,
                     repeats_allowed=repeats_allowed)
        wanted = read_lines(os.path.join(self.path("replay"), "models.jsonl"))
        problem = difference(MODELS, wanted, list(dict.fromkeys(lines)) if repeats_allowed else lines)
        check(not problem, problem)

    def compare(self, path, *options, repeats_allowed=False):
        """Topics and states against an uninterrupted replay of the same file. With
        `repeats_allowed` (at least once) a line may stand there twice, and in any order."""
        out = self.replay(path, *options)
        check(os.path.getsize(os.path.join(out, "segments.jsonl")), "a replay writes nothing: nothing is compared")
        problems = [self._compare_output(out, name, repeats_allowed) for name in OUTPUTS]
        self.bench.schemas.check_events(self.output("events"), self.output("deadletter"))
        problems.append(difference("states", read_lines(os.path.join(out, "states.jsonl")), self.states()))
        problems.append(difference("partitions", read_lines(os.path.join(out, "partitions.jsonl")), self.partition_lines()))
        problems = [problem for problem in problems if problem]
        check(not problems, "\n  ".join(problems))

    def _compare_output(self, out, name, repeats_allowed):
        wanted = read_lines(os.path.join(out, f"{name}.jsonl"))
        messages = self.output(name)
        if name == "deadletter":
            return self._compare_letters(out, wanted, messages, repeats_allowed)
        found = [_line(message) for message in messages]
        if repeats_allowed:
            return difference(name, wanted, list(dict.fromkeys(found)))
        return difference(name, wanted, found) or order_difference(name, wanted, found)

    def _compare_letters(self, out, wanted, messages, repeats_allowed):
        """Dead letters with what their headers say."""
        errors = [json.loads(line) for line in read_lines(os.path.join(out, "deadletter.errors.jsonl"))]
        want = [_letter(value, {k: str(v) for k, v in error.items()}) for value, error in zip(wanted, errors)]
        found = [_letter(message.value or b"", message.headers) for message in messages]
        if repeats_allowed:
            found = list(dict.fromkeys(found))
        return difference("deadletter", want, found)


def _line(message):
    """A message as a replay writes it: a file has no keys, so that a line says whose tombstone it is."""
    if message.value is not None:
        return message.value
    said = {"id": message.headers["ce_id"], "user_id": message.key.decode(), "forgotten": True}
    return json.dumps(said, separators=(",", ":"), ensure_ascii=False).encode()


def _letter(value, headers):
    """The errors of a replay are written in plain ASCII, headers as they are; and a replay does not
    know when its messages were sent."""
    text = "".join(c if " " <= c <= "~" and c not in '"\\' else "?" for c in headers["error_text"])
    text = re.sub(r"in a record of \S+", "in a record of some time", text)
    words = [headers[key] for key in ("source_topic", "source_partition", "source_offset", "error_code")]
    return " ".join(words + [text]).encode() + b" " + value
