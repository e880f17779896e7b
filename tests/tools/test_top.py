#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""`shoal top` against a server made for the test: what it prints once (beside top.txt), malformed text, a
token, a server that goes and comes back, and that the terminal is put back. Prints TAP. SHOAL_PROGRAM is
`shoal`, SHOAL_SOURCE the source tree, SHOAL_PRINT_TELEMETRY a program that prints made-up figures."""

import http.server
import os
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
import traceback

SHOAL = os.environ["SHOAL_PROGRAM"]
GOLDEN = os.path.join(os.environ["SHOAL_SOURCE"], "tests", "tools", "top.txt")
START = re.compile(r"^process_start_time_seconds .*$", re.M)


def figures(uptime):
    """The made-up figures of a process that began so long ago."""
    text = subprocess.run([os.environ["SHOAL_PRINT_TELEMETRY"]], capture_output=True, text=True, check=True,
                          timeout=60).stdout
    return START.sub(f"process_start_time_seconds {time.time() - uptime:.3f}", text)


class Server:
    def __init__(self, text, port=0, code=200, token=None):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                given = self.headers.get("Authorization")
                status = 401 if token and given != f"Bearer {token}" else code
                self.send_response(status if self.path == "/metrics" else 404)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.port = self.http.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self.http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


def top(*arguments, environment=None):
    base = {name: value for name, value in os.environ.items() if name not in ("SHOAL_TOKEN", "NO_COLOR")}
    return subprocess.run([SHOAL, "top", *arguments], capture_output=True, text=True, timeout=60, check=False,
                          stdin=subprocess.DEVNULL, env={**base, **(environment or {})})


def printed_once_it_is_what_was_looked_at_and_kept():
    with Server(figures(1000)) as server:
        done = top("--once", "--url", server.url)
    assert done.returncode == 0, done.stderr
    if os.environ.get("SHOAL_WRITE_GOLDEN"):
        open(GOLDEN, "w", encoding="utf-8").write(done.stdout)
    kept = open(GOLDEN, encoding="utf-8").read()
    assert done.stdout == kept, f"got:\n{done.stdout}\nkept:\n{kept}"


def where_the_output_is_no_terminal_it_prints_once():
    with Server(figures(1000)) as server:
        done = top("--url", server.url + "/metrics")
    assert done.returncode == 0 and "\033" not in done.stdout, done
    assert "1 of 1 processes" in done.stdout


def two_processes_are_added_up():
    with Server(figures(1000)) as a, Server(figures(1000)) as b:
        done = top("--once", "--url", a.url, "--url", b.url)
    assert "2 of 2 processes" in done.stdout and "500 messages" in done.stdout, done.stdout


def text_that_is_not_of_the_format_is_an_error_with_its_line():
    with Server("shoal_workers 1\n<h1>It works!</h1>\n") as server:
        done = top("--once", "--url", server.url)
    assert done.returncode == 1 and "line 2" in done.stderr, done
    with Server("", code=503) as server:
        done = top("--once", "--url", server.url)
    assert done.returncode == 1 and "503" in done.stderr, done


def an_address_where_nobody_listens_is_named():
    done = top("--once", "--url", "http://127.0.0.1:1")
    assert done.returncode == 1 and "127.0.0.1:1" in done.stderr, done
    assert top("--once", "--url", "gopher://x").returncode == 2
    assert top("--once", "--interval", "never").returncode == 2


def a_token_is_sent_and_never_shown():
    with Server(figures(1000), token="geheim") as server, tempfile.NamedTemporaryFile("w") as file:
        refused = top("--once", "--url", server.url)
        assert refused.returncode == 1 and "--token-file" in refused.stderr, refused
        wrong = top("--once", "--url", server.url, environment={"SHOAL_TOKEN": "falsch"})
        assert wrong.returncode == 1 and "falsch" not in wrong.stderr, wrong
        assert top("--once", "--url", server.url, environment={"SHOAL_TOKEN": "geheim"}).returncode == 0
        file.write("geheim\n")
        file.flush()
        assert top("--once", "--url", server.url, "--token-file", file.name).returncode == 0
    assert top("--once", "--token-file", "/nowhere").returncode == 3


class Terminal:
    """`shoal top` in a terminal of its own, `columns` wide."""

    def __init__(self, *arguments, columns=90, rows=40):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(NO_COLOR="1")
            os.execv("/bin/sh", ["sh", "-c", f"stty cols {columns} rows {rows}; stty -g; \"$@\"; "
                                 "echo \"code $?\"; stty -g", "sh", SHOAL, "top", *arguments])
        self.text = ""

    def until(self, pattern, seconds=20):
        deadline = time.monotonic() + seconds
        while not re.search(pattern, self.text, re.S):
            assert time.monotonic() < deadline, f"no {pattern} in:\n{self.text[-3000:]!r}"
            if select.select([self.fd], [], [], 0.1)[0]:
                try:
                    self.text += os.read(self.fd, 65536).decode(errors="replace")
                except OSError:
                    time.sleep(0.05)  # it has ended

    def forget(self):
        self.text = self.text[-1:]

    def end(self):
        self.until(r"code (\d+)\r\n\S+\r\n")
        os.close(self.fd)
        os.waitpid(self.pid, 0)
        return int(re.search(r"code (\d+)", self.text)[1])

    def child(self):
        """The process of `shoal top` itself."""
        with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as file:
            return int(file.read().split()[0])


def check_restored(terminal, first):
    assert "\033[?1049l" in terminal.text and "\033[?25h" in terminal.text, "the screen is put back"
    last = re.search(r"code \d+\r\n(\S+)\r\n", terminal.text)[1]
    assert first == last, f"stty: {first} before, {last} after"


def a_server_that_goes_is_named_and_comes_back_and_q_ends():
    with Server(figures(1000)) as server:
        terminal = Terminal("--interval", "100ms", "--url", server.url)
        terminal.until(r"1 of 1 processes")
        first = re.search(r"(\S+)\r\n", terminal.text)[1]
        port = server.port
        terminal.until(r"last \d+ ms")
    terminal.forget()
    terminal.until(r"0 of 1 processes")
    terminal.until(r"away +http://127.0.0.1")
    terminal.forget()
    with Server(figures(1000), port=port):
        terminal.until(r"1 of 1 processes")
        os.write(terminal.fd, b"q")
        assert terminal.end() == 0
    check_restored(terminal, first)


def a_signal_ends_it_and_the_terminal_is_put_back():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        with Server(figures(1000)) as server:
            terminal = Terminal("--interval", "100ms", "--url", server.url)
            terminal.until(r"1 of 1 processes")
            first = re.search(r"(\S+)\r\n", terminal.text)[1]
            os.kill(terminal.child(), number)
            assert terminal.end() == 0
            check_restored(terminal, first)


def lines_fit_the_terminal():
    with Server(figures(1000)) as server:
        terminal = Terminal("--interval", "100ms", "--url", server.url, columns=40, rows=10)
        terminal.until(r"1 of 1 processes.*\033\[J")
        os.write(terminal.fd, b"q")
        terminal.end()
    screen = terminal.text.split("\033[H")[1].split("\033[J")[0]
    lines = screen.replace("\033[K", "").replace("\r", "").split("\n")
    assert len(lines) <= 10 and max(map(len, lines)) <= 40, lines


TESTS = [
    printed_once_it_is_what_was_looked_at_and_kept,
    where_the_output_is_no_terminal_it_prints_once,
    two_processes_are_added_up,
    text_that_is_not_of_the_format_is_an_error_with_its_line,
    an_address_where_nobody_listens_is_named,
    a_token_is_sent_and_never_shown,
    a_server_that_goes_is_named_and_comes_back_and_q_ends,
    a_signal_ends_it_and_the_terminal_is_put_back,
    lines_fit_the_terminal,
]


def main():
    failed = 0
    print(f"1..{len(TESTS)}")
    for i, test in enumerate(TESTS):
        try:
            test()
            print(f"ok {i + 1} - {test.__name__}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {i + 1} - {test.__name__}", flush=True)
            print("# " + traceback.format_exc().replace("\n", "\n# "))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
