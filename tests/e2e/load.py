# SPDX-License-Identifier: Apache-2.0
"""Load that lasts as long as a scenario needs it, however slow the machine is: pieces of a file,
sent one after the other until it is enough."""

import itertools
import threading

from processes import Failure, check

PIECE = 3000  # messages
TRIES = 15  # of some seconds each
PIECES_MAX = 60  # a replay takes so many files


def split(path):
    """The file in pieces; their paths in order."""
    with open(path, "rb") as file:
        lines = file.readlines()
    pieces = []
    for start in range(0, len(lines), PIECE):
        pieces.append(f"{path}.{start // PIECE:02}.jsonl")
        with open(pieces[-1], "wb") as file:
            file.writelines(lines[start:start + PIECE])
    return pieces


class Feed(threading.Thread):
    """Sends pieces at `rate` messages a second in the background, from the beginning again if they
    do not suffice."""

    def __init__(self, world, rate, pieces=None):
        super().__init__(daemon=True)
        self._world, self._rate, self._pieces = world, rate, pieces or world.bench.pieces
        self._enough = threading.Event()
        self._failure = None
        self._sent = []
        self.start()

    def run(self):
        try:
            for piece in itertools.islice(itertools.cycle(self._pieces), PIECES_MAX):
                if self._enough.is_set():
                    return
                self._sent.append(piece)
                self._send(piece)
        except (Failure, OSError) as failure:
            self._failure = failure

    def _send(self, piece):
        """A sender that finds no broker to ask for the topic has sent nothing, and may try again."""
        for _ in range(TRIES):
            sender = self._world.start_send(piece, self._rate)
            if sender.wait(180) == 0 or "no broker answers" not in sender.text():
                break
        self._world.finish_send(sender)

    def finish(self):
        """Ends with the present piece; returns what was sent, as a list of files for a replay."""
        ran_out = not self.is_alive() and not self._failure
        self._enough.set()
        self.join(180)
        check(not self.is_alive(), "the sender hangs")
        if self._failure:
            raise Failure(str(self._failure))
        check(not ran_out, "the load ran out before the trouble was over")
        return ",".join(self._sent)
