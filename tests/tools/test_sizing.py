#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/sizing: the page in deploy/ is what it prints, and its figures are those of the formulas, reckoned here by
hand. Prints TAP. SHOAL_SOURCE is the source tree."""

import json
import os
import subprocess
import sys

SOURCE = os.environ["SHOAL_SOURCE"]


def run(*words, code=0):
    done = subprocess.run([sys.executable, os.path.join(SOURCE, "tools", "sizing"), *words], capture_output=True,
                          text=True, timeout=20, check=False)
    assert done.returncode == code, f"exit {done.returncode}, wanted {code}: {done.stderr}"
    return done.stdout if code == 0 else done.stderr


def page_is_what_the_script_prints():
    with open(os.path.join(SOURCE, "deploy", "sizing.md"), encoding="utf-8") as file:
        assert file.read() == run("--markdown"), "write it anew: tools/sizing --markdown > deploy/sizing.md"


def figures_are_those_of_the_formulas():
    found = json.loads(run("--users", "100M", "--rate", "200k", "--json"))
    wanted = {"shoal_cores": 1.68, "workers": 2, "redis_gb": 78.5, "redis_primaries": 4, "redis_processes": 8,
              "partitions": 8, "broker_cores": 1.08, "redis_mb_s": 314, "shoal_hosts": 2, "broker_hosts": 3,
              "kafka_in_mb_s": 170.8, "kafka_disk_tb": 123.961}
    for name, value in wanted.items():
        assert abs(found[name] - value) < 1e-3 * value, f"{name} is {found[name]}, by hand {value}"
    found = json.loads(run("--users", "1000", "--rate", "10M", "--shoal-us", "8", "--host-cores", "10", "--json"))
    assert found["workers"] == 160 and found["shoal_hosts"] == 16 and found["partitions"] == 1024, found
    assert found["redis_primaries"] == 17, found


def what_is_not_understood_is_refused():
    for words in (["--users", "1"], ["--users", "x", "--rate", "1"], ["--users", "1", "--rate", "-1"], ["--bogus", "1"],
                  ["--users"], ["10M"]):
        assert "sizing:" in run(*words, code=2)


TESTS = [page_is_what_the_script_prints, figures_are_those_of_the_formulas, what_is_not_understood_is_refused]


def main():
    failed = 0
    print(f"1..{len(TESTS)}")
    for number, test in enumerate(TESTS, 1):
        try:
            test()
            print(f"ok {number} - {test.__name__}")
        except (AssertionError, OSError, ValueError) as error:
            failed += 1
            print(f"not ok {number} - {test.__name__}: {error}")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
