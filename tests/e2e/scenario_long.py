# SPDX-License-Identifier: Apache-2.0
"""What shows only in a processor that has run for long: what piles up, what stays broken."""

import time
import urllib.parse

from http_client import Http
from processes import check, wait_until


def _delete(http, user="nobody", timeout=40):
    return http.ask(f"/v1/users/{urllib.parse.quote(user)}", "DELETE", timeout=timeout).status


def reports_that_nobody_reads_are_not_kept(world):
    """Each Kafka client reports on itself at times, and keeps the report until it is read: a year's in two minutes."""
    world.start("a", kafka__statistics__interval__ms=2)
    http = Http.of(world, "a")
    http.wait_ready()
    http.get("/v1/overview")  # with a client of its own, for the lag
    check(_delete(http) == 202, "the request was not taken")
    time.sleep(3)  # caches fill
    before = world.processors["a"].resident_bytes()
    time.sleep(8)
    grown = world.processors["a"].resident_bytes() - before
    check(grown < 8 << 20, f"{grown} bytes in 8 s in which nothing happened")
    world.stop_all()


def deleting_goes_on_after_a_broker_was_away(world):
    """A request that the broker did not get is refused, and those that come when it is back are not."""
    world.start("a", http__workers=1, kafka__message__timeout__ms=5000)
    http = Http.of(world, "a")
    http.wait_ready()
    check(_delete(http) == 202, "the request was not taken")
    world.servers.do("kill-kafka")
    check(_delete(http) == 503, "nobody can have it")
    world.servers.do("start-kafka")
    wait_until(lambda: _delete(http) == 202, 60, "requests are taken again", 0.5)
    http.wait_ready()
    world.stop_all()

