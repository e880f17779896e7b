#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The networks of tools/baselines and the whole command on made-up shoppers. SHOAL_SOURCE is the
source tree, SHOAL_PROGRAM is `shoal`. Only where PyTorch is."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import types
import unittest

import torch

FOLDER = pathlib.Path(os.environ["SHOAL_SOURCE"]) / "tools" / "baselines"
SHOAL = os.environ["SHOAL_PROGRAM"]
sys.path.insert(0, str(FOLDER))
import architectures  # noqa: E402
import networks  # noqa: E402

torch.set_num_threads(1)
MAKES = {
    "mlp": networks.CounterNetwork,
    "gru": lambda: networks.Recurrent("gru", True),
    "transformer": networks.Transformer,
    "sasrec": lambda: networks.Transformer(False, items_only=True),
    "tcn": networks.Tcn,
    **architectures.NETWORKS,
}


def made_up(batch, steps):
    return types.SimpleNamespace(
        item=torch.randint(networks.ITEMS, (batch, steps)),
        category=torch.randint(networks.CATEGORIES, (batch, steps)),
        behavior=torch.randint(networks.BEHAVIORS, (batch, steps)),
        numeric=torch.rand(batch, steps, networks.NUMERIC),
        counters=torch.randn(batch, steps, networks.COUNTERS))


def part(chunk, first, last):
    return types.SimpleNamespace(**{key: one[:, first:last] for key, one in vars(chunk).items()})


def ready(make):
    torch.manual_seed(1)
    network = make().eval()
    with torch.no_grad():  # heads begin at zero, which would hide everything
        for one in network.parameters():
            one.add_(torch.randn_like(one) * 0.1)
    return network


class Networks(unittest.TestCase):
    def test_no_event_sees_a_later_one(self):
        for name, make in MAKES.items():
            with self.subTest(name), torch.no_grad():
                network, chunk = ready(make), made_up(3, 20)
                before, _ = network(chunk, None)
                after, _ = network(types.SimpleNamespace(
                    **{key: torch.cat([one[:, :12], made_up(3, 8).__dict__[key]], 1)
                       for key, one in vars(chunk).items()}), None)
                torch.testing.assert_close(after[:, :12], before[:, :12])
                self.assertFalse(torch.allclose(after[:, 12:], before[:, 12:]))

    def test_the_state_carries_what_lies_before_a_chunk(self):
        # Sixty events: attention in two blocks is the same only within its window.
        for name, make in MAKES.items():
            with self.subTest(name), torch.no_grad():
                network, chunk = ready(make), made_up(3, 60)
                whole, _ = network(chunk, None)
                first, state = network(part(chunk, 0, 25), None)
                second, state = network(part(chunk, 25, 40), state)
                third, _ = network(part(chunk, 40, 60), state)
                torch.testing.assert_close(torch.cat([first, second, third], 1), whole,
                                           rtol=1e-4, atol=1e-5)

    def test_the_window_is_no_longer_than_it_says(self):
        with torch.no_grad():
            network, chunk = ready(networks.Tcn), made_up(2, 100)
            whole, _ = network(chunk, None)
            tail, _ = network(part(chunk, 99 - networks.CONTEXT, 100), None)
            torch.testing.assert_close(tail[:, -1], whole[:, -1], rtol=1e-4, atol=1e-5)


class Command(unittest.TestCase):
    def test_one_command_prints_one_table_and_keeps_the_scores(self):
        with tempfile.TemporaryDirectory() as folder:
            def run(*arguments):
                return subprocess.run(
                    [sys.executable, FOLDER / "run", "--shoal", SHOAL, "--work", "w",
                     "--epochs", "1", "--cut", "2025-03-08T00:00Z", "--json", "t.json",
                     *arguments], cwd=folder, text=True, capture_output=True, check=False)

            subprocess.run([SHOAL, "generate", "--users", "80", "--days", "7", "--seed", "3",
                            "--out", "e.jsonl"], cwd=folder, check=True, capture_output=True)
            names = ["prior", "regression", "lstm+counters", "shoal"]
            options = ["--events", "e.jsonl", "--only", ",".join(names), "--shoal-train",
                       "--epochs 1"]
            done = run(*options)
            self.assertEqual(done.returncode, 0, done.stderr)
            table = json.loads((pathlib.Path(folder) / "t.json").read_text())
            self.assertEqual(len(table["protocols"]), 2, "a later day and the folds")
            for protocol in table["protocols"]:
                self.assertEqual(list(protocol["predictors"]), names)
            rows = table["protocols"][0]["predictors"]
            self.assertEqual(rows["prior"]["event"]["roc_auc"], 0.5)
            self.assertEqual(rows["regression"]["event"]["less_regression"]["roc_auc"], [0, 0, 0])
            self.check_regression(folder, rows)
            again = run(*options)
            self.assertEqual(again.stderr, "", "everything was there")
            tables = [one.stdout.split("took ")[0] for one in (done, again)]
            self.assertEqual(tables[0], tables[1])
            few = run("--small-samples", "--events", "e.jsonl", "--only", "prior,regression")
            self.assertEqual(few.returncode, 0, few.stderr)
            other = run("--events", "e.jsonl", "--only", "nothing")
            self.assertEqual(other.returncode, 1)
            self.assertIn("no predictor is called nothing", other.stderr)

    def check_regression(self, folder, rows):
        """The regression here is the one of `shoal evaluate --baseline`."""
        subprocess.run([SHOAL, "train", "--events", "e.jsonl", "--epochs", "0", "--out", "m"],
                       cwd=folder, check=True, capture_output=True)
        theirs = json.loads(subprocess.run(
            [SHOAL, "evaluate", "--model", "m", "--events", "e.jsonl", "--from",
             "2025-03-08T00:00Z", "--baseline", "--json"], cwd=folder, check=True,
            capture_output=True).stdout)
        for key in ("roc_auc", "log_loss", "ece"):
            self.assertAlmostEqual(rows["regression"]["event"][key],
                                   theirs["baseline"]["regression"][key], places=3)


if __name__ == "__main__":
    unittest.main()
