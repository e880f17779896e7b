# SPDX-License-Identifier: Apache-2.0
"""The processor as systemd starts it: the command line of the unit, its limits, an empty environment, and a
socket on which it says how far it is."""

import os
import re
import shlex
import signal
import socket
import threading
import time

from http_client import Http
from processes import Process, check, run, wait_until


def _unit(world):
    """{key: [values]} of the unit as it is installed from this build."""
    with open(os.path.join(world.bench.build, "deploy", "shoal.service"), encoding="utf-8") as file:
        pairs = re.findall(r"^([A-Za-z]+)=(.*)$", file.read(), re.M)
    unit = {}
    for key, value in pairs:
        unit.setdefault(key, []).append(value)
    return unit


class _Manager:
    """The other end of NOTIFY_SOCKET: all lines in order, and when the beats of the watchdog came."""

    def __init__(self, path):
        self.path, self.lines, self.beats = path, [], []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            for line in self.socket.recv(4096).decode().splitlines():
                if line == "WATCHDOG=1":
                    self.beats.append(time.monotonic())
                else:
                    self.lines.append(line)

    def silence(self, since):
        """The longest time without a beat from then to now."""
        times = [since, *(beat for beat in self.beats if beat > since), time.monotonic()]
        return max(after - before for before, after in zip(times, times[1:]))


def _hidden_proc(unit):
    """What ProcSubset leaves of /proc, where this user may mount it so."""
    check(unit["ProcSubset"] == ["pid"], "the unit is another one")
    mount = "mount -t proc -o subset=pid proc /proc"
    alone = ["unshare", "--mount", "/bin/bash", "-c"]
    if os.geteuid() or run([*alone, mount], 10, None)[0]:
        return []
    return [*alone, f'{mount}; exec "$@"', "bash"]


def _start(world, manager, name, env=None, **settings):
    """The unit's ExecStart, with the program, the configuration and the options of this test."""
    config = world.path(f"{name}.yaml")
    with open(config, "w", encoding="utf-8") as file:
        for key, value in {**world.settings, "instance.id": name, **settings}.items():
            file.write(f'{key}: "{value}"\n')
    unit = _unit(world)
    words = shlex.split(unit["ExecStart"][0])
    check(os.path.basename(words[0]) == "shoal" and words[-1] == "$SHOAL_OPTIONS", f"ExecStart is {words}")
    check("--config" in words, f"ExecStart is {words}")
    words = [world.bench.program, *words[1:-1], "--set", "workers=2"]
    words[words.index("--config") + 1] = config
    check(unit["Type"] == ["notify"] and unit["LimitCORE"] == ["0"], "the unit is another one")
    # setpriv: what NoNewPrivileges and the empty CapabilityBoundingSet leave of a process.
    shut_in = ["setpriv", "--no-new-privs", "--inh-caps=-all"]
    if os.geteuid() == 0:
        shut_in.append("--bounding-set=-all")
    limits = f"umask {unit['UMask'][0]}; ulimit -c 0 -n {unit['LimitNOFILE'][0]}; exec \"$@\""
    command = ["/bin/bash", "-c", limits, "bash", *_hidden_proc(unit), *shut_in, *words]
    return Process(command, world.path(f"run-{name}.log"), {"NOTIFY_SOCKET": manager.path, **(env or {})})


def service_manager_is_told(world):
    """Waiting, ready, stopping, each when it is so; ready is also what /readyz says."""
    manager = _Manager(world.path("notify"))
    process = _start(world, manager, "unit")
    world.processors["unit"] = process
    wait_until(lambda: "READY=1" in manager.lines, 60, "READY=1", 0.05)
    check(manager.lines[0].startswith("STATUS=waiting"), f"first came {manager.lines}")
    check("STOPPING=1" not in manager.lines, f"{manager.lines}")
    began = re.search(r"^process_start_time_seconds (\S+)$", Http.of(world, "unit").get("/metrics").body.decode(), re.M)
    check(0 <= time.time() - float(began[1]) < 120, f"says that it began at {began[1]}")
    world.send(world.bench.short)
    world.finish()
    check("STOPPING=1" in manager.lines, f"{manager.lines}")
    check(manager.lines.index("READY=1") < manager.lines.index("STOPPING=1"), f"{manager.lines}")
    check("capabilities cannot" not in world.log("unit"), world.log("unit"))
    world.compare(world.bench.short)


def service_is_not_ready_without_a_broker(world):
    """The unit stays in its start, and ends in peace when it is stopped."""
    manager = _Manager(world.path("notify"))
    process = _start(world, manager, "unit", **{"kafka.bootstrap.servers": "127.0.0.1:1"})
    wait_until(lambda: any("still trying" in line for line in process.text().splitlines()), 60, "it waits", 0.1)
    check(manager.lines and "READY=1" not in manager.lines, f"{manager.lines}")
    process.send(signal.SIGTERM)
    check(process.wait(30) == 0, f"ended with {process.code}")
    unit = _unit(world)
    check(unit["TimeoutStartSec"] == ["infinity"], "systemd would not wait as long")
    check({"2", "3", "4"} == set(unit["RestartPreventExitStatus"][0].split()), "what is refused stays refused")


def _watchdog_ms(world):
    """How long the unit lets a processor be silent."""
    text = _unit(world)["WatchdogSec"][0]
    minutes = re.fullmatch(r"(\d+)min", text)
    check(minutes, f"WatchdogSec is {text}")
    return int(minutes[1]) * 60000


def watchdog_hears_of_waiting_processors(world):
    """Beats come while there is work, while there is none, and while Redis or Kafka is away: waiting is no hang."""
    # So short that the time between two beats is that between two turns of the slowest worker.
    env = {"WATCHDOG_USEC": "80000"}
    manager = _Manager(world.path("notify"))
    process = _start(world, manager, "unit", env)
    world.processors["unit"] = process
    wait_until(lambda: "READY=1" in manager.lines, 60, "READY=1", 0.05)
    worst = {}
    began = time.monotonic()

    def note(what, seconds):
        """A beat came, and this was the longest silence since the last note."""
        nonlocal began
        time.sleep(seconds)
        wait_until(lambda: manager.beats and manager.beats[-1] > began, 60, f"a beat: {what}")
        worst[what], began = manager.silence(began), time.monotonic()

    sender = world.start_send(world.bench.short, 1000)
    note("work", 4)
    world.servers.do("kill-redis")
    note("without Redis", 6)
    world.servers.do("start-redis")
    note("Redis is back", 4)
    world.servers.do("stop-kafka")
    note("without Kafka", 12)
    world.servers.do("start-kafka")
    world.finish_send(sender)
    note("Kafka is back", 0)
    note("nothing to do", 3)
    text = ", ".join(f"{what} {1000 * silence:.0f} ms" for what, silence in worst.items())
    check(max(worst.values()) * 1000 < _watchdog_ms(world) / 3, text)
    world.finish()
    world.compare(world.bench.short)


def watchdog_hears_of_no_worker_that_hangs(world):
    """One of two workers stands still in the middle of a commit: the process lives on, its beats end."""
    manager = _Manager(world.path("notify"))
    process = _start(world, manager, "unit", {"WATCHDOG_USEC": "80000", "SHOAL_HANG": "produce.after:50"})
    world.processors["unit"] = process
    wait_until(lambda: manager.beats, 60, "a beat", 0.05)
    wait_until(lambda: time.monotonic() - manager.beats[-1] > 15, 60, "no beats for a while")
    check(process.code is None and "STOPPING=1" not in manager.lines, "it ended by itself")
    check("Restart=on-failure" in [f"Restart={value}" for value in _unit(world)["Restart"]], "nobody starts it again")
    process.send(signal.SIGABRT)  # what systemd does
    check(process.wait(10) == -signal.SIGABRT, f"ended with {process.code}")
    world.processors.pop("unit")
    world.send(world.bench.short)
    world.start("unit")
    world.finish()
    world.compare(world.bench.short)
