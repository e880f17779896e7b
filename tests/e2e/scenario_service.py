# SPDX-License-Identifier: Apache-2.0
"""The processor as systemd starts it: the command line of the unit, its limits, an empty environment, and a
socket on which it says how far it is."""

import os
import re
import shlex
import signal
import socket

from processes import Process, check, wait_until


def _unit(world):
    """{key: [values]} of the unit as it is installed from this build."""
    with open(os.path.join(world.bench.build, "deploy", "shoal.service"), encoding="utf-8") as file:
        pairs = re.findall(r"^([A-Za-z]+)=(.*)$", file.read(), re.M)
    unit = {}
    for key, value in pairs:
        unit.setdefault(key, []).append(value)
    return unit


class _Manager:
    """The other end of NOTIFY_SOCKET, all lines in order."""

    def __init__(self, path):
        self.path, self.lines = path, []
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(path)
        self.socket.setblocking(False)

    def told(self):
        try:
            while True:
                self.lines += self.socket.recv(4096).decode().splitlines()
        except BlockingIOError:
            return self.lines


def _start(world, manager, name, **settings):
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
    command = ["/bin/bash", "-c", limits, "bash", *shut_in, *words]
    return Process(command, world.path(f"run-{name}.log"), {"NOTIFY_SOCKET": manager.path})


def service_manager_is_told(world):
    """Waiting, ready, stopping, each when it is so; ready is also what /readyz says."""
    manager = _Manager(world.path("notify"))
    process = _start(world, manager, "unit")
    world.processors["unit"] = process
    wait_until(lambda: "READY=1" in manager.told(), 60, "READY=1", 0.05)
    check(manager.lines[0].startswith("STATUS=waiting"), f"first came {manager.lines}")
    check("STOPPING=1" not in manager.lines, f"{manager.lines}")
    world.send(world.bench.short)
    world.finish()
    check("STOPPING=1" in manager.told(), f"{manager.lines}")
    check(manager.lines.index("READY=1") < manager.lines.index("STOPPING=1"), f"{manager.lines}")
    check("capabilities cannot" not in world.log("unit"), world.log("unit"))
    world.compare(world.bench.short)


def service_is_not_ready_without_a_broker(world):
    """The unit stays in its start, and ends in peace when it is stopped."""
    manager = _Manager(world.path("notify"))
    process = _start(world, manager, "unit", **{"kafka.bootstrap.servers": "127.0.0.1:1"})
    wait_until(lambda: any("still trying" in line for line in process.text().splitlines()), 60, "it waits", 0.1)
    check(manager.told() and "READY=1" not in manager.lines, f"{manager.lines}")
    process.send(signal.SIGTERM)
    check(process.wait(30) == 0, f"ended with {process.code}")
    unit = _unit(world)
    check(unit["TimeoutStartSec"] == ["infinity"], "systemd would not wait as long")
    check({"2", "3", "4"} == set(unit["RestartPreventExitStatus"][0].split()), "what is refused stays refused")
