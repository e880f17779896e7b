#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""GRU4Rec and SASRec of tools/baselines/next_item and the whole command, on planted sequences.
SHOAL_SOURCE is the source tree. Only where PyTorch is."""

import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

import numpy as np
import torch

SOURCE = pathlib.Path(os.environ["SHOAL_SOURCE"])
sys.path[:0] = [str(SOURCE / "tools" / "baselines"), str(SOURCE / "tests" / "tools")]
import next_item_fit as fit  # noqa: E402
import next_item_networks as networks  # noqa: E402
import next_item_ranks as ranks  # noqa: E402
import next_item_simple as simple  # noqa: E402
from test_baselines_next_item import planted  # noqa: E402

torch.set_num_threads(1)
SETTINGS = {"width": 32, "dropout": 0.1, "rate": 1e-2}


def ready(name, items=50):
    torch.manual_seed(1)
    return networks.NETWORKS[name](items, 16, 0.5).eval()


class Networks(unittest.TestCase):
    def test_no_position_sees_a_later_one(self):
        for name in networks.NETWORKS:
            with self.subTest(name), torch.no_grad():
                network, items = ready(name), torch.randint(50, (3, 20))
                before = network(items)
                items[:, 12:] = (items[:, 12:] + 1) % 50
                after = network(items)
                torch.testing.assert_close(after[:, :12], before[:, :12])
                self.assertFalse(torch.allclose(after[:, 12:], before[:, 12:]))

    def test_gradients_of_the_softmax_are_those_of_cross_entropy(self):
        torch.manual_seed(2)
        hidden, table, bias = (torch.randn(*shape, dtype=torch.float64, requires_grad=True)
                               for shape in ((5, 4), (9, 4), (9,)))
        target = torch.tensor([0, 8, 3, 3, 1])
        ours = networks.Softmax.apply(hidden, table, bias, target)
        theirs = torch.nn.functional.cross_entropy(hidden @ table.T + bias, target)
        torch.testing.assert_close(ours, theirs)
        for one, other in zip(torch.autograd.grad(3 * ours, (hidden, table, bias)),
                              torch.autograd.grad(3 * theirs, (hidden, table, bias))):
            torch.testing.assert_close(one, other)

    def test_a_sample_of_all_items_gives_the_loss_over_all(self):
        # But for the others' weight, which is then (N - 1) / N.
        torch.manual_seed(3)
        network, hidden = networks.Gru4Rec(3000, 8, 0.0), torch.randn(6, 8)
        target = torch.randint(3000, (6,))
        wanted = network.loss(hidden, target)
        torch.testing.assert_close(network.sampled_loss(hidden, target), wanted, rtol=0, atol=1e-3)

    def test_a_sample_is_corrected_for_its_size(self):
        torch.manual_seed(4)
        network, hidden = networks.Gru4Rec(3000, 8, 0.0), torch.randn(64, 8)
        target = torch.randint(3000, (64,))
        before, networks.SAMPLES = networks.SAMPLES, 300
        try:
            with torch.no_grad():
                mean = sum(float(network.sampled_loss(hidden, target)) for _ in range(50)) / 50
        finally:
            networks.SAMPLES = before
        self.assertAlmostEqual(mean, float(network.loss(hidden, target)), delta=0.05)


class Windows(unittest.TestCase):
    def test_every_item_but_a_users_first_is_a_target_once(self):
        problem = planted(users=6, length=180)
        begin, end = fit.windows(problem)
        self.assertLessEqual((end - begin).max(), networks.LENGTH + 1)
        asked = np.sort(np.concatenate([np.arange(a + 1, b) for a, b in zip(begin, end)]))
        wanted = np.concatenate([np.arange(a + 1, b) for a, b in
                                 zip(problem.first, problem.learned) if b > a])
        np.testing.assert_array_equal(asked, wanted)

    def test_steps_take_every_window_once(self):
        begin, end = fit.windows(planted())
        groups = fit.steps_of(begin, end, np.random.default_rng(1))
        np.testing.assert_array_equal(np.sort(np.concatenate(groups)), np.arange(len(begin)))
        self.assertGreater(len(groups), 3)


class Fits(unittest.TestCase):
    def taught(self, name, problem, seed, epochs=20):
        run = fit.Run(name, problem, SETTINGS, seed)
        for _ in range(epochs):
            run.teach()
        return fit.ranks(run.network, problem)

    def test_planted_sequences_are_learned(self):
        problem = planted()
        popular = ranks.ndcg(simple.Popularity(0).learn(problem).ranks(problem))
        for name in networks.NETWORKS:
            with self.subTest(name):
                found = ranks.ndcg(self.taught(name, problem, 1))
                self.assertGreater(found, popular + 0.25)

    def test_a_seed_gives_equal_ranks_and_another_does_not(self):
        problem = planted()
        for name in networks.NETWORKS:
            with self.subTest(name):
                first = self.taught(name, problem, 1, 2)
                np.testing.assert_array_equal(self.taught(name, problem, 1, 2), first)
                self.assertFalse(np.array_equal(self.taught(name, problem, 2, 2), first))

    def test_the_better_configuration_goes_on(self):
        before = fit.CONFIGURATIONS, fit.HEAD, fit.EPOCHS
        fit.CONFIGURATIONS = [{**SETTINGS, "rate": 1e-5}, SETTINGS]
        fit.HEAD, fit.EPOCHS = 6000, 12
        try:
            found = fit.search("gru4rec", planted(), 1, lambda text: None)
        finally:
            fit.CONFIGURATIONS, fit.HEAD, fit.EPOCHS = before
        self.assertEqual(found.settings, SETTINGS)
        self.assertGreater(found.ndcg, 0.2)

    def test_a_history_of_unknown_items_gets_the_bias(self):
        problem = planted()
        problem.reach = problem.start.copy()
        network = networks.Gru4Rec(problem.known, 8, 0.0)
        counts = np.bincount(problem.sequence, minlength=problem.known).astype(np.float32)
        network.begin_at(torch.from_numpy(counts))
        found = fit.ranks(network, problem)
        at = problem.item
        np.testing.assert_array_equal(found, [(counts >= counts[one]).sum() - 1 for one in at])


class Command(unittest.TestCase):
    def test_the_table_and_its_json(self):
        log = planted().log
        with tempfile.TemporaryDirectory() as folder:
            with open(f"{folder}/e.csv", "w", encoding="utf-8", newline="") as out:
                rows = csv.writer(out)
                rows.writerow(["user_id", "item_id", "behavior", "timestamp"])
                rows.writerows(zip([log.user_ids[k] for k in log.user],
                                   [log.item_ids[k] for k in log.item], log.behavior, log.time))
            call = [sys.executable, SOURCE / "tools" / "baselines" / "next_item", "--data",
                    f"{folder}/e.csv", "--quick", "--work", f"{folder}/work"]
            first = subprocess.run([*call, "--split", "1000", "--json", f"{folder}/out.json"],
                                   capture_output=True, text=True, check=True)
            again = subprocess.run([*call, "--split", "1000"], capture_output=True, text=True,
                                   check=True)
            wrong = subprocess.run([*call, "--split", "5000"], capture_output=True, text=True,
                                   check=False)
            with open(f"{folder}/out.json", encoding="utf-8") as file:
                told = json.load(file)["data"][0]
        self.assertIn("epoch 1", first.stderr)
        self.assertNotIn("epoch 1", again.stderr)
        self.assertEqual(first.stdout, again.stdout)
        self.assertIn("purchases: ", first.stdout)
        self.assertEqual(list(told["methods"]), ["popularity", "co-occurrence",
                                                 "co-occurrence+returns", "gru4rec", "sasrec"])
        mean, low, high = told["methods"]["co-occurrence"]["figures"]["all"]["ndcg@20"]
        self.assertTrue(low < mean < high)
        self.assertEqual(wrong.returncode, 1)
        self.assertIn("nothing to find", wrong.stderr)


if __name__ == "__main__":
    unittest.main()
