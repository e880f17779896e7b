# SPDX-License-Identifier: Apache-2.0
"""A real Prometheus that scrapes a running processor, with the alerts and the dashboard's queries that are shipped."""

import json
import os
import re
import shutil
import socket
import time
import urllib.parse
import urllib.request

from http_client import Http
from processes import Process, check, wait_until

# Outcomes count from a day after what the model has learnt from, and its training ends after the scenario's events.
QUIET_PANELS = {"Purchase within 24 hours: predicted and observed"}


def _source(world, *path):
    with open(os.path.join(world.bench.source, "deploy", *path), encoding="utf-8") as file:
        return file.read()


class _Prometheus:
    """Evaluates the shipped rules each second; `for` is left as it is."""

    def __init__(self, world, targets):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        rules = os.path.join(world.bench.source, "deploy", "prometheus", "alerts.yml")
        config = {"global": {"scrape_interval": "1s", "evaluation_interval": "1s"}, "rule_files": [rules],
                  "scrape_configs": [{"job_name": "shoal", "static_configs": [{"targets": targets}]}]}
        with open(world.path("prometheus.yml"), "w", encoding="utf-8") as file:
            json.dump(config, file)  # which YAML is, too
        Process(["prometheus", f"--config.file={world.path('prometheus.yml')}",
                 f"--storage.tsdb.path={world.path('prometheus')}", f"--web.listen-address=127.0.0.1:{port}"],
                world.path("prometheus.log"))
        wait_until(self._answers, 30, "Prometheus answers", 0.2)

    def _answers(self):
        try:
            return self.ask("rules")
        except OSError:
            return None

    def ask(self, what, **parameters):
        with urllib.request.urlopen(f"{self.url}/api/v1/{what}?{urllib.parse.urlencode(parameters)}",
                                    timeout=10) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        """[(labels, value)]"""
        return [(one["metric"], float(one["value"][1])) for one in self.ask("query", query=expression)["result"]]

    def alert(self, name):
        """inactive, pending or firing."""
        rule, = [rule for group in self.ask("rules")["groups"] for rule in group["rules"] if rule["name"] == name]
        check(rule["health"] != "err", f"{name}: {rule.get('lastError')}")
        return rule["state"]


def _panels(world):
    """[(title, expression)] of the dashboard, as Grafana would ask."""
    dashboard = json.loads(_source(world, "grafana", "shoal.json"))
    for panel in dashboard["panels"]:
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"].replace("$__rate_interval", "30s").replace("$instance", ".*")


def _selectors(world):
    """{alert: [name{labels} of what its expression asks for]}"""
    parts = re.split(r"^ +- alert: (\w+)$", _source(world, "prometheus", "alerts.yml"), flags=re.M)
    for name, rule in zip(parts[1::2], parts[2::2]):
        expression = re.search(r"expr: (.*?)\n +for:", rule, re.S)[1]
        yield name, re.findall(r"\b(?:up|(?:shoal|process)_[a-z0-9_]+)(?:\{[^}]*\})?", expression)


def dashboard_and_alerts_find_what_they_ask_for(world):
    """Each panel shows something, each alert asks for series that there are, and without Redis alerts begin."""
    check(shutil.which("prometheus") or not os.environ.get("CI"), "there is no prometheus (tools/setup installs it)")
    if not shutil.which("prometheus"):
        return
    world.start("a")
    http = Http.of(world, "a")
    http.wait_ready()
    prometheus = _Prometheus(world, [f"{http.address.hostname}:{http.address.port}"])
    sender = world.start_send(world.bench.awkward, 6000)
    time.sleep(5)
    for _ in range(2):  # a session ends, partitions come anew
        world.servers.do("kill-redis")
        time.sleep(1)
        world.servers.do("start-redis")
        time.sleep(2)
    world.finish_send(sender)
    time.sleep(6)  # statistics of librdkafka come every five seconds
    missing = [f"{name} asks for {one}" for name, selectors in _selectors(world) for one in selectors
               if not prometheus.query(one)]
    empty = {f"{title}: {expression}" for title, expression in _panels(world)
             if title not in QUIET_PANELS and not any(value == value for _, value in prometheus.query(expression))}
    check(not empty and not missing, "\n  ".join([*sorted(empty), *missing]))
    check(prometheus.alert("ShoalDown") == "inactive", "it answers")
    world.servers.do("kill-redis")
    wait_until(lambda: prometheus.alert("ShoalRedisAway") != "inactive", 30, "ShoalRedisAway begins", 0.5)
    world.servers.do("start-redis")
    world.finish()
    wait_until(lambda: prometheus.alert("ShoalDown") != "inactive", 30, "ShoalDown begins", 0.5)
    world.compare(world.bench.awkward)
