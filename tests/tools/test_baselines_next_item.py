#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The protocol, the measures and the simple methods of tools/baselines/next_item, with numpy alone.
SHOAL_SOURCE is the source tree, SHOAL_PROGRAM is `shoal`. Exit code 77 where there is no numpy."""

import math
import os
import pathlib
import stat
import sys
import tempfile
import unittest

try:
    import numpy as np
except ImportError:
    print("numpy is not there (Debian: python3-numpy)")
    sys.exit(77)

sys.path.insert(0, str(pathlib.Path(os.environ["SHOAL_SOURCE"]) / "tools" / "baselines"))
import next_item_data as data  # noqa: E402
import next_item_methods as methods  # noqa: E402
import next_item_ranks as ranks  # noqa: E402
import next_item_shoal as shoal  # noqa: E402
import next_item_simple as simple  # noqa: E402
from next_item_judge import Judged  # noqa: E402

SPLIT, BEGIN = 10, 1_700_000_000
ROWS = [  # time, user, item, behaviour; what follows the split, and why
    (1, "a", "x", "pv"), (2, "a", "y", "pv"), (3, "b", "x", "pv"), (4, "b", "z", "cart"),
    (10, "a", "y", "buy"),  # the item directly before
    (11, "a", "x", "buy"),  # a target: of a history of 3, had before
    (12, "b", "w", "pv"),   # unseen before the split
    (13, "b", "x", "pv"),   # a target: of a history of 3, had before
    (14, "c", "x", "pv"),   # no earlier event
    (15, "c", "y", "fav"),  # a target: of a history of 1, new
]


def log_of(rows):
    return data.Log([one[1] for one in rows], [one[2] for one in rows], [one[0] for one in rows],
                    [one[3] for one in rows])


def by_hand():
    return data.Problem(log_of(ROWS), SPLIT)


def planted(seed=1, users=150, length=12, items=60):
    """Users walk along a circle of items; two in three steps lead to the neighbour. The last ones
    walk after the split, at time 1000."""
    random = np.random.default_rng(seed)
    rows = []
    for user in range(users):
        at = int(random.integers(items))
        begin = int(random.integers(0, 1000 - length)) if user < users * 2 // 3 else \
            int(random.integers(1000, 2000))
        for step in range(length):
            at = (at + 1) % items if random.random() < 2 / 3 else int(random.integers(items))
            rows.append((begin + step, f"u{user}", f"i{at}", "buy" if step == 7 else "pv"))
    return data.Problem(log_of(sorted(rows)), 1000)


class Protocol(unittest.TestCase):
    def test_targets_are_those_counted_by_hand(self):
        problem = by_hand()
        self.assertEqual(problem.targets.tolist(), [5, 7, 9])
        self.assertEqual((problem.known, problem.unseen), (3, 1))
        self.assertEqual(problem.history.tolist(), [3, 3, 1])
        self.assertEqual(problem.groups["new"].tolist(), [False, False, True])
        self.assertEqual(problem.groups["buy"].tolist(), [True, False, False])

    def test_ten_earlier_events_are_not_a_short_history(self):
        rows = [(k, "a", "xy"[k % 2], "pv") for k in range(12)]
        problem = data.Problem(log_of(rows), 9)
        self.assertEqual(problem.history.tolist(), [9, 10, 11])
        self.assertEqual(problem.groups["short"].tolist(), [True, False, False])

    def test_the_history_is_of_known_items_without_repeats(self):
        problem = by_hand()
        names = problem.log.item_ids
        seen = [[names[k] for k in row if k >= 0] for row in problem.recent(4)]
        self.assertEqual(seen, [["y", "x"], ["z", "x"], ["x"]])
        self.assertEqual(problem.recent(1)[:, 0].tolist(), [1, 2, 0])

    def test_nothing_from_the_split_on_is_learned(self):
        problem = planted()
        taught = [problem.sequence[a:b] for a, b in zip(problem.first, problem.learned)]
        before = sum(len(one) for one in taught)
        log = problem.log
        changes = sum(1 for k in range(problem.begin) if log.before[k] < 0
                      or log.item[log.before[k]] != log.item[k])
        self.assertEqual(before, changes)

    def test_events_out_of_order_are_sorted_by_time(self):
        problem = data.Problem(log_of(list(reversed(ROWS))), SPLIT)
        self.assertEqual(problem.log.time.tolist(), [one[0] for one in ROWS])
        self.assertEqual(problem.targets.tolist(), [5, 7, 9])

    def test_validation_is_the_last_tenth_of_the_past(self):
        problem = planted()
        part = problem.validation()
        log = problem.log
        self.assertTrue((log.time[part.targets] < 1000).all())
        self.assertTrue((log.time[part.targets] >= part.split).all())
        self.assertAlmostEqual(part.begin / problem.begin, 0.9, delta=0.02)

    def test_a_split_that_leaves_nothing_is_refused(self):
        for split in (0, 100):
            with self.assertRaises(ValueError):
                data.Problem(log_of(ROWS), split)

    def test_files_of_each_header_are_read(self):
        first = "user_id,item_id,behavior,timestamp\nu,x,addtocart,5\n"
        second = 'session,item,category,behavior,ts,brand\nu,x,1,cart,5,"a,b"\n'
        with tempfile.TemporaryDirectory() as folder:
            for text in (first, second):
                path = pathlib.Path(folder) / "e.csv"
                path.write_text(text)
                log = data.read_log(path)
                self.assertEqual((log.user_ids, log.item_ids, log.behavior, log.time.tolist()),
                                 (["u"], ["x"], ["cart"], [5]))
            path.write_text(first + "u,x,smile,6\n")
            with self.assertRaisesRegex(ValueError, "e.csv:3: 'smile'"):
                data.read_log(path)


class Ranks(unittest.TestCase):
    def test_popularity_by_hand(self):
        # x twice, y and z once: an equal one comes before the target.
        found = simple.Popularity(0).learn(by_hand()).ranks(by_hand())
        self.assertEqual(found.tolist(), [0, 0, 2])

    def test_recent_counts_weigh_more_with_a_half_life(self):
        rows = [(0, "a", "x", "pv"), (1, "b", "x", "pv"), (90, "c", "y", "pv"),
                (101, "a", "y", "pv")]
        problem = data.Problem(log_of(rows), 100)
        self.assertEqual(simple.Popularity(0).learn(problem).ranks(problem).tolist(), [1])
        self.assertEqual(simple.Popularity(1 / 8).learn(problem).ranks(problem).tolist(), [0])

    def test_co_occurrence_by_hand(self):
        # y and z followed x once each; nothing followed y or z, and nothing led to x.
        settings = {"window": 1, "fade": 0.5, "balance": 0, "shrink": 0, "both": 0, "far": 0}
        plain = simple.CoOccurrence(**settings).learn(by_hand())
        self.assertEqual(plain.ranks(by_hand()).tolist(), [2, 2, 1])
        np.testing.assert_allclose(plain.scores(by_hand().recent(2))[0], [0, 0.25, 0.25], atol=1e-8)
        returns = simple.Returns(**settings, repeat=3).learn(by_hand())
        self.assertEqual(returns.ranks(by_hand()).tolist(), [0, 0, 1])
        np.testing.assert_allclose(returns.scores(by_hand().recent(2))[0], [1.5, 0.25, 0.25],
                                   atol=1e-8)

    def test_what_leads_to_an_item_counts_with_both(self):
        settings = {"window": 1, "fade": 1, "balance": 0, "shrink": 0, "both": 1, "far": 0}
        found = simple.CoOccurrence(**settings).learn(by_hand()).scores(np.array([[1]]))
        np.testing.assert_allclose(found[0], [1, 0, 0], atol=1e-8)

    def test_batches_do_not_change_ranks(self):
        problem = planted()
        one = simple.CoOccurrence(**simple.CO_OCCURRENCE).learn(problem)
        whole = one.ranks(problem)
        before, simple.BATCH_SCORES = simple.BATCH_SCORES, 7 * problem.known
        try:
            np.testing.assert_array_equal(one.ranks(problem), whole)
        finally:
            simple.BATCH_SCORES = before

    def test_planted_sequences_are_found_by_co_occurrence_and_not_by_popularity(self):
        problem = planted()
        found = {name: methods.compute(name, problem, 1, False, lambda text: None)[0]
                 for name in methods.SIMPLE}
        self.assertLess(ranks.ndcg(found["popularity"]), 0.3)
        self.assertGreater(ranks.ndcg(found["co-occurrence"]), 0.6)
        self.assertGreater(ranks.ndcg(found["co-occurrence+returns"]), 0.6)


class Measures(unittest.TestCase):
    def test_gains_by_hand(self):
        means = ranks.gains([0, 9, 10, 25]).mean(0)
        ten = 1 + 1 / math.log2(11)
        np.testing.assert_allclose(means, [0.5, 0.75, ten / 4, (ten + 1 / math.log2(12)) / 4,
                                           (1 + 0.1 + 1 / 11) / 4])
        self.assertEqual(ranks.gains([ranks.MISS]).sum(), 0)

    def test_equal_scores_come_before_the_target(self):
        scores = np.array([[3.0, 1, 1, 0], [0, 0, 0, 0]])
        self.assertEqual(ranks.ranks_of(scores, np.array([1, 2])).tolist(), [2, 3])

    def test_groups_are_judged_apart_with_paired_differences(self):
        problem = by_hand()
        first, second = Judged(np.array([0, 99, 3]), problem), Judged(np.array([0, 99, 4]), problem)
        self.assertAlmostEqual(first.figures()["all"]["hr@10"][0], 2 / 3)
        self.assertEqual(first.figures()["buy"]["hr@10"][0], 1)
        self.assertEqual(first.figures()["new"]["mrr@20"], [0.25] * 3)
        self.assertEqual(first.figures()["all"]["targets"], 3)
        self.assertEqual(first.less(second)["buy"]["mrr@20"], [0, 0, 0])
        np.testing.assert_allclose(first.less(second)["new"]["mrr@20"], [0.05] * 3)

    def test_intervals_come_from_users_not_from_targets(self):
        # Two users with half of the targets each, all found or none: a user missing halves nothing.
        rows = [(1, "a", "x", "pv"), (1, "b", "x", "pv"), (2, "a", "y", "pv"), (2, "b", "y", "pv")]
        rows += [(10 + k, user, "xy"[k % 2], "pv") for k in range(100) for user in "ab"]
        problem = data.Problem(log_of(rows), 10)
        found = Judged(np.where(problem.user == 0, 0, 99), problem).figures()["all"]["hr@10"]
        self.assertEqual(found, [0.5, 0.0, 1.0])


class OfShoal(unittest.TestCase):
    HEAD = "user_id,timestamp,item_id,behavior,history,rank,rank_buy\n"
    LINES = ["a,11,x,buy,3,0,1\n", "b,13,x,pv,3,,4\n", "c,15,y,fav,1,7,\n"]

    def read(self, text):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "r.csv"
            path.write_text(text)
            return shoal.read_ranks(path, by_hand())

    def test_ranks_are_read_and_a_missing_one_is_a_miss(self):
        found, of_buy = self.read(self.HEAD + "".join(self.LINES))
        self.assertEqual(found.tolist(), [0, ranks.MISS, 7])
        self.assertEqual(of_buy.tolist(), [1, 4, ranks.MISS])
        short = self.HEAD.replace(",rank_buy", "") + "".join(
            line.rsplit(",", 1)[0] + "\n" for line in self.LINES)
        self.assertIsNone(self.read(short)[1])

    def test_times_may_be_in_any_form(self):
        lines = [self.LINES[0].replace(",11,", ",1970-01-01T00:00:11.000Z,"),
                 self.LINES[1].replace(",13,", ",13,"), self.LINES[2]]
        self.assertEqual(self.read(self.HEAD + "".join(lines))[0][0], 0)

    def test_other_targets_are_refused_with_the_line(self):
        first, second, third = self.LINES
        for text, wanted in ((first + second, "2 targets, here they are 3"),
                             (first + second + third + third, "more than the 3"),
                             (first + third + second, ":3: target"),
                             (first.replace(",x,", ",y,") + second + third, ":2: target"),
                             (first + second.replace(",3,,", ",2,,") + third, ":3: target"),
                             (first.replace(",0,", ",none,") + second + third, ":2: a,11")):
            with self.assertRaisesRegex(shoal.ShoalFailed, wanted):
                self.read(self.HEAD + text)
        with self.assertRaisesRegex(shoal.ShoalFailed, "columns"):
            self.read("user,rank\n")

    def test_the_program_is_asked_for_the_split(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            (folder / "lines").write_text(self.HEAD + "".join(self.LINES))
            program = folder / "shoal"
            program.write_text(f'#!/bin/sh\necho "$@" >>{folder}/said\n'
                               'while [ $# -gt 1 ]; do shift\n'
                               f'[ "$1" = --ranks ] && cp {folder}/lines "$2"; done\nexit 0\n')
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
            rows = shoal.ranks(program, ["--hidden", "8"], folder / "e.csv", by_hand(), 1,
                               lambda text: None)
            said = (folder / "said").read_text().splitlines()
        self.assertEqual(list(rows), ["shoal", "shoal, for purchases"])
        self.assertIn("--until 1970-01-01T00:00:10Z", said[0])
        self.assertIn("--hidden 8", said[0])
        self.assertIn("--task next-item", said[1])
        self.assertIn("--from 1970-01-01T00:00:10Z", said[1])

    def test_the_real_program_is_asked_for_the_same_targets(self):
        problem = planted()
        log = problem.log
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "e.csv"
            path.write_text("user_id,item_id,behavior,timestamp\n" + "".join(
                f"{log.user_ids[log.user[k]]},{log.item_ids[log.item[k]]},{log.behavior[k]},"
                f"{BEGIN + 600 * log.time[k]}\n" for k in range(log.count)))
            problem = data.Problem(data.read_log(path), BEGIN + 600 * 1000)
            rows = shoal.ranks(os.environ["SHOAL_PROGRAM"], ["--items", "auto"], path, problem, 1,
                               lambda text: None)
        self.assertEqual(list(rows), [shoal.SHOAL, shoal.FOR_PURCHASES])
        self.assertGreater(ranks.ndcg(rows[shoal.SHOAL].ranks), 0.5)
        of_buy = rows[shoal.FOR_PURCHASES].ranks
        self.assertTrue((of_buy[~problem.groups["buy"]] == ranks.MISS).all())
        self.assertTrue((of_buy[problem.groups["buy"]] < problem.known).all())


class Kept(unittest.TestCase):
    def test_what_was_found_is_not_computed_again(self):
        problem, asked = by_hand(), []
        before, methods.compute = methods.compute, lambda *arguments: (
            asked.append(arguments[2]) or (np.array([1, 2, 3]), "a note"))
        try:
            with tempfile.TemporaryDirectory() as folder:
                for seed in (1, 1, 2):
                    found = methods.ranks("popularity", problem, seed, False,
                                          pathlib.Path(folder), print)
                    self.assertEqual((found.ranks.tolist(), found.note), ([1, 2, 3], "a note"))
        finally:
            methods.compute = before
        self.assertEqual(asked, [1, 2])

    def test_a_comment_is_not_another_source(self):
        with tempfile.TemporaryDirectory() as folder:
            before, methods.HERE = methods.HERE, pathlib.Path(folder)
            try:
                keys = []
                for text in ('"""One."""\nx = 1\n', '"""Two."""\n# three\nx = 1\n', "x = 2\n"):
                    (methods.HERE / "m.py").write_text(text)
                    keys.append(methods.source_key(["m.py"]))
            finally:
                methods.HERE = before
        self.assertEqual(keys[0], keys[1])
        self.assertNotEqual(keys[0], keys[2])


if __name__ == "__main__":
    unittest.main()
