#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the single tests behind a meson test log.

Meson sees one result for each executable; a person wants one for each test. A
Criterion executable run with CRITERION_OUTPUTS=tap:/dev/stdout reports every test
as a TAP line, which meson keeps in testlog.json. Nothing may fall through:

- tests that TAP's plan promised and that never reported count as failed;
- an executable that ends badly though all its tests passed (a leak found at exit,
  a timeout) counts as one more failure;
- a Criterion executable that reports no test at all counts as one failure;
- anything else (a script, a fuzz target) is one test, judged by its exit status.

Standard output: one line "PASSED FAILED SKIPPED", then one line for each test that
did not pass: "failed NAME - reason" or "skipped NAME - reason".
"""

import argparse
import json
import re
import sys

TAP_LINE = re.compile(r"^(not ok|ok)\b[ \d]*- (.*)$")
TAP_PLAN = re.compile(r"^1\.\.(\d+)\s*$")
TIMING = re.compile(r"\s*\(\d+[.,]\d+s\)\s*$")


def is_criterion(command):
    try:
        with open(command[-1] if len(command) == 1 else command[0], "rb") as f:
            return b"libcriterion.so" in f.read()
    except OSError:
        return False


def count(entry, label):
    """Returns (passed, [(name, reason)] failed, [(name, reason)] skipped)."""
    name = label + entry["name"].split(" / ")[-1]
    passed, failed, skipped, planned = 0, [], [], None
    for line in entry.get("stdout", "").splitlines():
        plan = TAP_PLAN.match(line)
        if plan:
            planned = int(plan.group(1))
        test = TAP_LINE.match(line)
        if not test:
            continue
        what, _, reason = test.group(2).partition("# SKIP")
        test_name = f"{name}: {TIMING.sub('', what).strip()}"
        if "# SKIP" in line:
            skipped.append((test_name, reason.strip()))
        elif test.group(1) == "ok":
            passed += 1
        else:
            short, _, crash = test_name.partition(" unexpected ")
            failed.append((short, "crashed: unexpected " + crash if crash else "assertion failed"))

    seen = passed + len(failed) + len(skipped)
    result = entry["result"]
    bad = result not in ("OK", "SKIP", "EXPECTEDFAIL")
    how = f"{result.lower()}, exit status {entry.get('returncode')}"
    if planned is not None:
        for _ in range(seen, planned):
            failed.append((name, f"a test never reported ({how})"))
        if planned == 0:
            failed.append((name, "it holds no test"))
        elif bad and not failed:
            failed.append((name, f"every test passed, but the executable did not ({how})"))
    elif result == "SKIP":
        skipped.append((name, "it says that it cannot run here (exit status 77)"))
    elif bad:
        failed.append((name, how))
    elif is_criterion(entry["command"]):
        failed.append((name, "it reported no test"))
    else:
        passed += 1
    return passed, failed, skipped


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("log", help="meson-logs/testlog.json of a build folder")
    parser.add_argument("--label", default="", help="put before every name, e.g. 'asan '")
    args = parser.parse_args()

    passed, failed, skipped = 0, [], []
    with open(args.log, encoding="utf-8", errors="replace") as log:
        for line in log:
            one = count(json.loads(line), args.label)
            passed += one[0]
            failed += one[1]
            skipped += one[2]
    print(passed, len(failed), len(skipped))
    for name, reason in failed:
        print(f"failed {name} - {reason}")
    for name, reason in skipped:
        print(f"skipped {name} - {reason}")


if __name__ == "__main__":
    sys.exit(main())
