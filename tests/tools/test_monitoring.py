#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""deploy/prometheus and deploy/grafana beside the metrics that there are: promtool accepts metrics, rules and
dashboard's queries, each alert has a case in which it fires and one in which it does not, and every metric that
is asked for exists. Prints TAP. SHOAL_PROGRAM is `shoal`, SHOAL_SOURCE the source tree, SHOAL_PRINT_TELEMETRY a
program that prints made-up figures. Without promtool what needs it is skipped; with CI set it fails."""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import traceback

SOURCE = os.environ["SHOAL_SOURCE"]
PROMETHEUS = os.path.join(SOURCE, "deploy", "prometheus")
DASHBOARD = os.path.join(SOURCE, "deploy", "grafana", "shoal.json")
NAME = re.compile(r"\b(?:shoal|process)_[a-z0-9_]+\b")
ROWS = ["Flow", "Delay", "Lag", "Segments", "Decisions", "Model", "Redis", "Kafka", "Process"]


class Skip(Exception):
    pass


def read(*path):
    with open(os.path.join(*path), encoding="utf-8") as file:
        return file.read()


def promtool(*arguments, text=None):
    if not shutil.which("promtool"):
        raise Skip("promtool is not there (Debian package prometheus)")
    done = subprocess.run(["promtool", *arguments], input=text, capture_output=True, text=True, timeout=120,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def metrics():
    """{name: (type, labels)} of the list, with the series of histograms."""
    page = subprocess.run([os.environ["SHOAL_PROGRAM"], "top", "--list"], capture_output=True, text=True,
                          check=True, timeout=60).stdout
    found = {}
    for name, kind, labels in re.findall(r"^\| `(\S+)` \| (\w+) \| ([^|]*) \|", page, re.M):
        labels = set(re.findall(r"`(\w+)`", labels)) | {"job", "instance"}
        if kind == "histogram":
            for end in ("_bucket", "_sum", "_count"):
                found[name + end] = ("counter", labels | {"le"} if end == "_bucket" else labels)
        else:
            found[name] = (kind, labels)
    assert len(found) > 50, "the list is read"
    return found


def check_expression(expression, known, where):
    """Names exist, labels are theirs, and only counters are asked for their rate."""
    names = NAME.findall(expression)
    for name in names:
        assert name in known, f"{where}: there is no metric {name}"
    for name, selector in re.findall(r"\b((?:shoal|process)_[a-z0-9_]+)\{([^}]*)\}", expression):
        for label in re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector):
            assert label in known[name][1], f"{where}: {name} has no label {label}"
    for name in re.findall(r"\b(?:rate|increase)\(((?:shoal|process)_[a-z0-9_]+)", expression):
        assert known[name][0] == "counter", f"{where}: {name} is no counter"
    for labels in re.findall(r"\bby \(([^)]*)\)", expression):
        for label in re.findall(r"\w+", labels):
            assert not names or any(label in known[name][1] for name in names), f"{where}: no label {label}"
    return names


def alerts():
    """[(name, text of the rule)] of alerts.yml."""
    parts = re.split(r"^ +- alert: (\w+)$", read(PROMETHEUS, "alerts.yml"), flags=re.M)
    return list(zip(parts[1::2], parts[2::2]))


def metrics_as_promtool_wants_them():
    text = subprocess.run([os.environ["SHOAL_PRINT_TELEMETRY"]], capture_output=True, text=True, check=True,
                          timeout=60).stdout
    said = promtool("check", "metrics", text=text)
    assert not said.strip(), said  # it also complains without failing


def rules_are_accepted():
    assert f"{len(alerts())} rules found" in promtool("check", "rules", os.path.join(PROMETHEUS, "alerts.yml"))
    promtool("check", "config", os.path.join(PROMETHEUS, "prometheus.yml"))


def rules_do_what_their_tests_say():
    assert "SUCCESS" in promtool("test", "rules", os.path.join(PROMETHEUS, "alerts_test.yml"))


def each_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not():
    tests = read(PROMETHEUS, "alerts_test.yml")
    for name, _ in alerts():
        fires = re.search(rf"alertname: {name}\n +exp_alerts:\n +- exp_labels", tests)
        assert fires, f"{name} never fires in alerts_test.yml"
        assert re.search(rf"alertname: {name}, exp_alerts: \[\]", tests), f"{name} always fires"


def each_alert_says_what_to_do():
    page = os.path.join(SOURCE, "deploy", "runbook.md")
    names = [name for name, _ in alerts()]
    assert len(names) == len(set(names)) and len(names) >= 9
    runbook = read(page).lower() if os.path.exists(page) else None
    for name, rule in alerts():
        for part in ("summary: ", "description: ", "severity: ", "for: ", f"runbook.md#{name.lower()}\n"):
            assert part in rule, f"{name} has no {part}"
        if runbook is not None:
            assert re.search(rf"^#+ {name.lower()}$|name=\"{name.lower()}\"|id=\"{name.lower()}\"", runbook,
                             re.M), f"deploy/runbook.md has no section {name}"


def every_metric_of_the_alerts_exists():
    known, used = metrics(), set()
    for name, rule in alerts():
        expression = re.search(r"expr: (.*?)\n +for:", rule, re.S)[1]
        used.update(check_expression(expression, known, name))
    assert len(used) >= 9, used


def panels(dashboard):
    return dashboard["panels"]


def the_dashboard_is_whole():
    dashboard = json.loads(read(DASHBOARD))
    ids = [panel["id"] for panel in panels(dashboard)]
    assert len(ids) == len(set(ids)) and len(ids) > 20
    assert [panel["title"] for panel in panels(dashboard) if panel["type"] == "row"] == ROWS
    taken = set()
    for panel in panels(dashboard):
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        assert not cells & taken and place["x"] + place["w"] <= 24, f"{panel['title']} overlaps"
        taken |= cells
        if panel["type"] != "row":
            letters = [target["refId"] for target in panel["targets"]]
            assert letters and len(letters) == len(set(letters)), panel["title"]


def queries(dashboard):
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            yield panel["title"], target["expr"]
    for note in dashboard["annotations"]["list"]:
        yield note["name"], note["expr"]


def every_metric_of_the_dashboard_exists():
    dashboard, known, used = json.loads(read(DASHBOARD)), metrics(), set()
    for title, expression in queries(dashboard):
        names = check_expression(expression, known, title)
        assert names or "up{" in expression, f"{title} asks for no metric"
        used.update(names)
    for variable in dashboard["templating"]["list"]:
        check_expression(variable["query"], known, variable["name"])
    assert len(used) >= 30, used


def the_dashboards_queries_can_be_parsed():
    rules = ["groups:", "  - name: dashboard", "    rules:"]
    for i, (_, expression) in enumerate(queries(json.loads(read(DASHBOARD)))):
        expression = expression.replace("$__rate_interval", "1m").replace("$instance", ".*")
        rules += [f"      - record: panel_{i}", f"        expr: {json.dumps(expression)}"]
    with tempfile.NamedTemporaryFile("w", suffix=".yml") as file:
        file.write("\n".join(rules) + "\n")
        file.flush()
        promtool("check", "rules", file.name)


TESTS = [
    metrics_as_promtool_wants_them,
    rules_are_accepted,
    rules_do_what_their_tests_say,
    each_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not,
    each_alert_says_what_to_do,
    every_metric_of_the_alerts_exists,
    the_dashboard_is_whole,
    every_metric_of_the_dashboard_exists,
    the_dashboards_queries_can_be_parsed,
]


def main():
    failed = 0
    print(f"1..{len(TESTS)}")
    for i, test in enumerate(TESTS):
        try:
            test()
            print(f"ok {i + 1} - {test.__name__}", flush=True)
        except Skip as why:
            failed += "CI" in os.environ
            word = "not ok" if "CI" in os.environ else "ok"
            print(f"{word} {i + 1} - {test.__name__} # SKIP {why}", flush=True)
        except Exception:  # pylint: disable=broad-except
            failed += 1
            print(f"not ok {i + 1} - {test.__name__}", flush=True)
            print("# " + traceback.format_exc().replace("\n", "\n# "))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
