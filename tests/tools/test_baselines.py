#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The scorer and the splits of tools/baselines, with numpy alone. SHOAL_SOURCE is the source tree,
SHOAL_PROGRAM is `shoal`. Exit code 77 where there is no numpy."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

try:
    import numpy as np
except ImportError:
    print("numpy is not there (Debian: python3-numpy)")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(os.environ["SHOAL_SOURCE"]) / "tools" / "baselines"))
import data  # noqa: E402
import score  # noqa: E402

SHOAL = os.environ["SHOAL_PROGRAM"]


def made_up(seed, users=12, events=70, levels=20):
    """Scores with many ties."""
    random = np.random.default_rng(seed)
    owner = np.sort(random.integers(0, users, events))
    _, owner = np.unique(owner, return_inverse=True)
    ids = [f"u{k}" for k in range(owner.max() + 1)]
    return score.Sample(ids, owner, [f"t{k}" for k in range(events)],
                        random.integers(0, 2, events), random.integers(0, levels, events) / levels)


def by_definition(labels, scores):
    """The measures of a list, straight from their definitions."""
    labels, scores = np.asarray(labels), np.asarray(scores, np.float64)
    positive, negative = scores[labels == 1], scores[labels == 0]
    auc = np.mean([(p > n) + (p == n) / 2 for p in positive for n in negative])
    area = reached = 0.0
    for threshold in sorted(set(scores), reverse=True):
        taken = labels[scores >= threshold]
        area += (taken.sum() / len(positive) - reached) * taken.mean()
        reached = taken.sum() / len(positive)
    p = np.clip(scores, 1e-7, 1 - 1e-7)
    loss = -np.mean(np.where(labels == 1, np.log(p), np.log(1 - p)))
    return auc, area, loss


class Measures(unittest.TestCase):
    def test_estimates_follow_their_definitions(self):
        for seed in range(20):
            sample = made_up(seed)
            values = score.Ranking(sample).estimate()
            np.testing.assert_allclose(values[:3], by_definition(sample.labels, sample.scores),
                                       rtol=1e-6)

    def test_a_weight_is_so_many_copies_of_a_user(self):
        for seed in range(10):
            sample = made_up(seed)
            ranking = score.Ranking(sample)
            weights = np.random.default_rng(seed).integers(0, 4, ranking.users_count)
            copies = np.repeat(np.arange(len(sample)), weights[sample.users])
            values = ranking.measure(weights[None])[0]
            np.testing.assert_allclose(
                values[:3], by_definition(sample.labels[copies], sample.scores[copies]), rtol=1e-6)

    def test_calibration_error_by_hand(self):
        # 30 events, 15 bins of two: every bin says .25 too much but the first, which is right.
        scores = np.repeat(np.arange(15) / 20 + 0.25, 2)
        ranking = score.Ranking(score.Sample(["u"], np.zeros(30), [""] * 30, np.zeros(30), scores))
        self.assertAlmostEqual(ranking.estimate()[3], scores.mean(), places=6)
        labels = np.zeros(30)
        labels[0] = 1  # the lowest bin: mean label .5, mean score .25
        ranking = score.Ranking(score.Sample(["u"], np.zeros(30), [""] * 30, labels, scores))
        self.assertAlmostEqual(ranking.estimate()[3], (scores[2:].sum() + 2 * 0.25) / 30, places=6)

    def test_one_class_has_no_areas(self):
        sample = made_up(1)
        sample.labels[:] = 0
        judged = score.Judged(sample, resamples=20)
        self.assertTrue(np.isnan(judged.values[:2]).all())
        self.assertTrue(np.isfinite(judged.values[2:]).all())
        self.assertEqual(score.without_nan(judged.figures())["roc_auc_ci"], [None, None])

    def test_differences_are_paired(self):
        first, second = made_up(3), made_up(3)
        second.scores = (second.scores * 0.5).astype(np.float32)  # the same order
        less = score.Judged(first).less(score.Judged(second))
        self.assertEqual(less["roc_auc"], [0.0, 0.0, 0.0])
        self.assertNotEqual(less["log_loss"][0], 0.0)

    def test_pairs_within_a_part_are_free_of_its_level(self):
        sample = made_up(6)
        sample.scores = sample.scores / 4
        parts = np.arange(len(sample.ids)) % 3
        judged = score.Judged(sample, resamples=30, parts=parts)
        part = parts[sample.users]
        right = pairs = 0.0
        for one in range(3):
            labels, scores = sample.labels[part == one], sample.scores[part == one]
            possible = labels.sum() * (1 - labels).sum()
            right += possible * by_definition(labels, scores)[0]
            pairs += possible
        self.assertAlmostEqual(judged.values[4], right / pairs, places=6)
        sample.scores = sample.scores + part / 4
        shifted = score.Judged(sample, resamples=30, parts=parts)
        np.testing.assert_allclose(shifted.replicates[:, 4], judged.replicates[:, 4])
        self.assertNotAlmostEqual(shifted.values[0], judged.values[0], places=3)
        self.assertEqual(shifted.less(judged)["roc_auc_within"], [0.0, 0.0, 0.0])

    def test_a_step_may_be_of_any_size(self):
        sample = made_up(4)
        whole = score.Ranking(sample).replicates(1, 50)
        before, score.CHUNK_BYTES = score.CHUNK_BYTES, 3 * 8 * len(sample)
        try:
            np.testing.assert_array_equal(score.Ranking(sample).replicates(1, 50), whole)
        finally:
            score.CHUNK_BYTES = before


class Shoal(unittest.TestCase):
    def test_figures_are_those_of_shoal_evaluate(self):
        with tempfile.TemporaryDirectory() as folder:
            def run(*arguments):
                return subprocess.run([SHOAL, *arguments], cwd=folder, check=True, text=True,
                                      capture_output=True).stdout

            run("generate", "--users", "150", "--days", "6", "--seed", "3", "--out", "e.jsonl")
            run("train", "--events", "e.jsonl", "--epochs", "0", "--out", "m.shoal")
            theirs = json.loads(run("evaluate", "--model", "m.shoal", "--events", "e.jsonl",
                                    "--from", "2025-03-07T00:00Z", "--scores", "s.csv", "--json"))
            sample = score.read_scores(pathlib.Path(folder) / "s.csv")
            for ours, theirs_level in ((sample, theirs), (sample.last_of_users(),
                                                          theirs["user_level"])):
                figures = score.Judged(ours).figures()
                for key, value in figures.items():
                    np.testing.assert_allclose(value, theirs_level[key], atol=2e-6, err_msg=key)


class Files(unittest.TestCase):
    def read(self, text):
        with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
            file.write(text)
            file.flush()
            return score.read_scores(file.name)

    def test_scores_survive_a_file(self):
        sample = made_up(5)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "s.csv"
            score.write_scores(path, [sample.ids[k] for k in sample.users], range(len(sample)),
                               sample.labels, sample.scores)
            back = score.read_scores(path)
        np.testing.assert_array_equal(back.scores, sample.scores)
        np.testing.assert_array_equal(back.users, sample.users)
        self.assertEqual(back.times[1], "1970-01-01T00:00:00.001Z")

    def test_a_damaged_file_is_refused_with_its_line(self):
        head = "user_id,timestamp,label,score\n"
        for text, wanted in (("user,score\n", "first line"), (head + "a,t,1\n", ":2: not four"),
                             (head + "a,t,1,.5\nb,t,1,.5\na,t,1,.5\n", ":4: the events of user a"),
                             (head + "a,t,1,nan\n", "finite"), (head + "a,t,2,.5\n", "label")):
            with self.assertRaisesRegex(ValueError, wanted):
                self.read(text)

    def test_a_user_id_may_hold_a_comma(self):
        self.assertEqual(self.read("user_id,timestamp,label,score\na,b,t,1,.5\n").ids, ["a,b"])

    def test_scores_of_other_events_are_not_compared(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, label in (("a", 0), ("b", 1)):
                score.write_scores(pathlib.Path(folder) / name, ["u"], [0], [label], [0.5])
            done = subprocess.run([sys.executable, score.__file__, "a", "b"], cwd=folder, text=True,
                                  capture_output=True, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("b holds other events than a", done.stderr)


class Splits(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            subprocess.run([SHOAL, "generate", "--users", "200", "--days", "7", "--seed", "2",
                            "--out", path / "e.jsonl"], check=True, capture_output=True)
            subprocess.run([SHOAL, "features", "--events", path / "e.jsonl", "--out", path / "f"],
                           check=True, capture_output=True)
            cls.events = data.Events(path / "f")

    def test_nothing_after_the_cut_teaches(self):
        cut = self.events.first_ms + 5 * data.DAY_MS
        task, = data.later_day(self.events, cut)
        time = self.events.time_ms
        self.assertLessEqual(time[task.teach].max(), cut - data.DAY_MS)
        self.assertGreaterEqual(time[task.score].min(), cut)
        self.assertGreaterEqual(time[task.stop].min(), time[task.early].max() + data.DAY_MS)
        self.assertTrue((self.events.label[task.teach | task.score] >= 0).all())
        self.assertFalse((task.early & ~task.teach).any() or (task.stop & ~task.teach).any())

    def test_folds_part_the_users(self):
        tasks = data.out_of_fold(self.events, 1)
        scored = np.sum([task.score for task in tasks], 0)
        np.testing.assert_array_equal(scored, self.events.label >= 0)
        for task in tasks:
            taught = set(self.events.user[task.teach])
            self.assertFalse(taught & set(self.events.user[task.score]))
        sizes = np.bincount(self.events.fold_of_users(1), minlength=5)
        self.assertGreater(sizes.min(), 20)
        self.assertFalse(np.array_equal(self.events.fold_of_users(1), self.events.fold_of_users(2)))

    def test_few_records_are_those_of_the_first_users(self):
        before = self.events.first_ms + 5 * data.DAY_MS
        mask, records = data.first_users(self.events, 1000, before)
        self.assertTrue(mask[:mask.sum()].all())
        early = self.events.time_ms < before
        self.assertEqual(records, (early & mask[self.events.user]).sum())
        self.assertGreaterEqual(records, 1000)
        self.assertLess(records - np.bincount(self.events.user[early])[mask.sum() - 1], 1000)

    def test_a_cut_that_leaves_nothing_is_refused(self):
        for cut in (self.events.first_ms, self.events.last_ms):
            with self.assertRaises(ValueError):
                data.later_day(self.events, cut)


if __name__ == "__main__":
    unittest.main()
