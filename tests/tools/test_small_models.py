#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tools/trials by their definitions, and tools/small_models on a few made-up shoppers. SHOAL_SOURCE is the
source tree, SHOAL_BUILD the build folder. Exit code 77 where there is no numpy or no redis-server."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
except ImportError:
    print("numpy is not there (Debian: python3-numpy)")
    sys.exit(77)
if not shutil.which("redis-server"):
    print("redis-server is not there")
    sys.exit(77)

SOURCE = pathlib.Path(os.environ["SHOAL_SOURCE"])
sys.path.insert(0, str(SOURCE / "tools"))
from trials import resampling  # noqa: E402


def by_definition(labels, scores):
    positive, negative = scores[labels == 1], scores[labels == 0]
    auc = np.mean([(p > n) + (p == n) / 2 for p in positive for n in negative])
    return auc, -np.mean(np.where(labels == 1, np.log(scores), np.log(1 - scores)))


class Resampling(unittest.TestCase):
    def setUp(self):
        random = np.random.default_rng(3)
        self.users = np.array([f"u{k}" for k in np.sort(random.integers(0, 9, 60))])
        self.labels = random.integers(0, 2, 60)
        self.scores = random.integers(1, 8, 60) / 8  # many ties

    def test_the_first_row_is_the_sample(self):
        weights = resampling.resamples(self.users)
        auc, loss = resampling.measures(self.labels, self.scores, weights)
        np.testing.assert_allclose([auc[0], loss[0]], by_definition(self.labels, self.scores), rtol=1e-5)

    def test_a_weight_is_so_many_copies_of_a_user(self):
        weights = resampling.resamples(self.users)
        auc, loss = resampling.measures(self.labels, self.scores, weights)
        for row in (1, 7):
            copies = np.repeat(np.arange(60), weights[row].astype(int))
            np.testing.assert_allclose([auc[row], loss[row]],
                                       by_definition(self.labels[copies], self.scores[copies]), rtol=1e-5)
            of_user = {user: set(weights[row][self.users == user]) for user in self.users}
            self.assertTrue(all(len(one) == 1 for one in of_user.values()))


class Table(unittest.TestCase):
    def test_every_model_has_its_row(self):
        with tempfile.TemporaryDirectory() as folder:
            out = os.path.join(folder, "t.json")
            done = subprocess.run(
                [sys.executable, str(SOURCE / "tools" / "small_models"), "--build", os.environ["SHOAL_BUILD"],
                 "--generated", "200", "--seeds", "1", "--epochs", "1", "--json", out],
                capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(out, encoding="utf-8") as file:
                rows = {row["name"]: row for row in json.load(file)["rows"]}
        teacher, small = rows["H 64 (teacher)"], rows["H 16, taught"]
        for name, row in rows.items():
            self.assertIn(name, done.stdout)
            value, low, high = row["roc_auc"]
            self.assertTrue(low <= value <= high, row)
        self.assertEqual(teacher["roc_auc_difference"], [0, 0, 0])
        self.assertLess(small["bytes_per_user"], teacher["bytes_per_user"] - 100)
        self.assertLess(small["step_us_256"], teacher["step_us_256"])
        self.assertLess(rows["H 16, taught, small tables"]["model_bytes"], small["model_bytes"] / 4)
        self.assertEqual(len(rows), 8)


if __name__ == "__main__":
    unittest.main(verbosity=2)
