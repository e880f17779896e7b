# SPDX-License-Identifier: Apache-2.0
"""Programs that a test starts: none outlives it, none is waited for without a limit.

A process is signalled only through the Popen that started it, so never one that
merely has the same number or name.
"""

import os
import signal
import subprocess
import threading
import time

_running = set()
_lock = threading.Lock()


class Failure(Exception):
    """The scenario found something wrong; the text is the reason given in its report."""


class Unable(Exception):
    """The tests, or a part of this one, cannot run here; the text says why. In CI that is a failure."""


def check(condition, text):
    if not condition:
        raise Failure(text)


def wait_until(condition, seconds, what, step=0.1):
    """Waits until condition() is true and returns what it returned."""
    deadline = time.monotonic() + seconds
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise Failure(f"after {seconds} s still not: {what}")
        time.sleep(step)


def tail(path, lines=15):
    try:
        with open(path, "rb") as file:
            text = file.read()[-6000:].decode("utf-8", "replace")
    except OSError:
        return ""
    return "\n".join(text.splitlines()[-lines:])


def run(command, timeout, expect=0, data=None, env=None):
    """Runs to the end and returns (code, standard output, standard error as text). With
    `expect` another exit code is a failure; None takes any."""
    try:
        done = subprocess.run(command, input=data, stdin=subprocess.DEVNULL if data is None else None,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, env=env,
                              check=False)
    except subprocess.TimeoutExpired:
        raise Failure(f"{os.path.basename(command[0])} {command[1]} did not end within {timeout} s") from None
    errors = done.stderr.decode("utf-8", "replace")
    if expect is not None and done.returncode != expect:
        raise Failure(f"{' '.join(command)[:300]} ended with {done.returncode} instead of {expect}: "
                      f"{errors.strip()[-1500:]}")
    return done.returncode, done.stdout, errors


class Process:
    """A program in the background, its output in a file. `code` is as Popen has it: negative
    for the number of the signal that ended it."""

    def __init__(self, command, log, env=None):
        self.log = log
        self.command = command
        with open(log, "ab") as out:
            self.log_begins = out.tell()  # what stands before is of an earlier process
            self._popen = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                           env=env, start_new_session=True)
        with _lock:
            _running.add(self)

    @property
    def pid(self):
        return self._popen.pid

    @property
    def code(self):
        code = self._popen.poll()
        if code is not None:
            with _lock:
                _running.discard(self)
        return code

    def send(self, number):
        """The signal, unless the process has ended. True if it was sent."""
        if self.code is not None:
            return False
        self._popen.send_signal(number)
        return True

    def wait(self, timeout, what="ended"):
        try:
            self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise Failure(f"{os.path.basename(self.log)}: not {what} within {timeout} s; "
                          f"its log ends:\n{tail(self.log)}") from None
        return self.code

    def sleeps(self):
        """Stopped by SIGSTOP."""
        with open(f"/proc/{self._popen.pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(") ")[2][0] == "T"

    def resident_bytes(self):
        """Memory that it has in use."""
        with open(f"/proc/{self._popen.pid}/statm", encoding="utf-8") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def kill(self):
        """SIGKILL, and gone when this returns."""
        sent = self.send(signal.SIGKILL)
        if sent:
            self.wait(10)
        return sent

    def terminate(self, timeout=15):
        """SIGTERM; returns the exit code."""
        self.send(signal.SIGTERM)
        return self.wait(timeout, "ended after SIGTERM")

    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()


def kill_all():
    """Whatever is left at the end of a scenario or of the run."""
    with _lock:
        left = list(_running)
    for process in left:
        process.send(signal.SIGCONT)
        process.kill()
    return left
