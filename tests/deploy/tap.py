# SPDX-License-Identifier: Apache-2.0
"""Tests as functions, reported as TAP. One that cannot run here raises Skip; in CI a skip is a failure."""

import shutil
import subprocess
import sys
import traceback


class Skip(Exception):
    """Why a test cannot run here."""


def need(program):
    """The program's path; without it the test is skipped."""
    path = shutil.which(program)
    if not path:
        raise Skip(f"{program} is not installed")
    return path


def run(*words, code=0, timeout=120, **more):
    """A command to its end; `code` None takes any."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=timeout, check=False, **more)
    assert code is None or done.returncode == code, \
        f"{' '.join(words[:6])}: exit {done.returncode}, wanted {code}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    return done


def main(tests, world=None):
    """Runs them in order; the exit code."""
    print(f"1..{len(tests)}", flush=True)
    bad = 0
    for test in tests:
        try:
            test(world) if world is not None else test()
            print(f"ok - {test.__name__}", flush=True)
        except Skip as skip:
            print(f"ok - {test.__name__} # SKIP {skip}", flush=True)
        except Exception:  # pylint: disable=broad-except
            bad += 1
            traceback.print_exc()
            sys.stderr.flush()
            print(f"not ok - {test.__name__}", flush=True)
    return bad > 0
