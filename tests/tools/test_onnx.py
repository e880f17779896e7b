#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An exported model, run by onnxruntime, against Shoal's own step. SHOAL_SOURCE is the source tree,
SHOAL_PROGRAM is `shoal`, SHOAL_ONNX_REFERENCE is tests/tools/onnx_reference.c compiled.

Needs onnx and onnxruntime: those of tools/setup (in $SHOAL_CACHE/onnx), else those of this Python. Where
neither is, the test is skipped, in CI it fails."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

SHOAL = os.environ["SHOAL_PROGRAM"]
REFERENCE = os.environ["SHOAL_ONNX_REFERENCE"]
CACHE = pathlib.Path(os.environ.get("SHOAL_CACHE") or pathlib.Path.home() / ".cache" / "shoal")
INSTALLED = CACHE / "onnx" / "bin" / "python"

try:
    import numpy
    import onnx
    import onnxruntime
except ImportError as error:
    if INSTALLED.exists() and pathlib.Path(sys.executable) != INSTALLED:
        os.execv(INSTALLED, [str(INSTALLED), *sys.argv])
    print(f"{error}: tools/setup installs what is missing")
    sys.exit(1 if os.environ.get("CI") == "true" else 77)

STATES = ("h_next", "c_next")
HEADS = ("logits", "calibrated", "predictions")
STEPS = 200


def run(*words):
    return subprocess.run(words, capture_output=True, text=True)


class World:
    """Models made once for all tests: one made up, one trained on generated shoppers."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="shoal-onnx-")
        self.made_up, self.trained = self.path("made-up.shoal"), self.path("trained.shoal")
        events = self.path("events.jsonl")
        for words in ([REFERENCE, "--make", self.made_up],
                      [SHOAL, "generate", "--users", "500", "--days", "4", "--seed", "3", "--out", events],
                      [SHOAL, "train", "--events", events, "--out", self.trained, "--epochs", "1",
                       "--embedding-rate", "1", "--value", "off"]):
            done = run(*words)
            if done.returncode:
                raise SystemExit(f"{' '.join(words)}\n{done.stderr}")

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def export(self, model, precision):
        path = self.path(f"{os.path.basename(model)}.{precision}.onnx")
        done = run(SHOAL, "export", "--model", model, "--onnx", path, "--precision", precision)
        if done.returncode:
            raise SystemExit(done.stderr)
        return path

    def reference(self, model, precision, users):
        lines = run(REFERENCE, model, precision, str(users), str(STEPS)).stdout.splitlines()
        return [json.loads(line) for line in lines]


def session_of(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def roll(path, steps, users=None):
    """Every output after each step, the states fed back; of some users, or of all."""
    session = session_of(path)
    hidden = len(steps[0]["h_next"][0])
    users = list(range(len(steps[0]["item"]))) if users is None else users
    h = c = numpy.zeros((len(users), hidden), numpy.float32)
    for step in steps:
        inputs = {name: numpy.array(step[name], numpy.int64)[users] for name in ("behavior", "item", "category")}
        inputs |= {name: numpy.array(step[name], numpy.float32)[users] for name in ("numeric", "rates")}
        given = session.run(STATES + HEADS, {**inputs, "h": h, "c": c})
        h, c = given[0], given[1]
        yield dict(zip(STATES + HEADS, given))


def worst(path, steps, users=None):
    """The greatest difference of each output over all steps, absolute, and against 1 or the value itself where that
    is more: c and an expected number have no bound, h, logits and probabilities are within a few units."""
    absolute, scaled = dict.fromkeys(STATES + HEADS, 0.0), dict.fromkeys(STATES + HEADS, 0.0)
    for step, given in zip(steps, roll(path, steps, users)):
        for name, values in given.items():
            wanted = numpy.array(step[name], numpy.float32)
            wanted = wanted if users is None else wanted[users]
            difference = numpy.abs(values - wanted)
            scale = numpy.maximum(1, numpy.abs(wanted)) if name in ("c_next", "predictions") else 1
            absolute[name] = max(absolute[name], float(numpy.max(difference)))
            scaled[name] = max(scaled[name], float(numpy.max(difference / scale)))
    return absolute, scaled


class Parity(unittest.TestCase):
    def check(self, model, precision, users, bound):
        path = world.export(model, precision)
        steps = world.reference(model, precision, max(users, 3))
        self.assertEqual(len(steps), STEPS)
        picked = None if users > 1 else [1]
        absolute, scaled = worst(path, steps, picked)
        print(os.path.basename(model), precision, "batch", users,
              " ".join(f"{name} {value:.2e}" for name, value in absolute.items()), flush=True)
        for name, value in scaled.items():
            self.assertLess(value, bound, name)

    def test_200_steps_in_fp32_agree_within_1e_5(self):
        for model in (world.made_up, world.trained):
            for users in (1, 32):
                with self.subTest(model=model, users=users):
                    self.check(model, "fp32", users, 1e-5)

    def test_200_steps_in_fp16_agree_within_two_roundings(self):
        # A last bit of float32 may tip a rounding to half precision: 2^-11 of values up to 1, 2^-10 to 2 …
        for model in (world.made_up, world.trained):
            for users in (1, 32):
                with self.subTest(model=model, users=users):
                    self.check(model, "fp16", users, 5e-3)

    def test_a_row_does_not_depend_on_its_batch(self):
        path = world.export(world.trained, "fp32")
        steps = world.reference(world.trained, "fp32", 8)[:20]
        for one, all_of_them in zip(roll(path, steps, [5]), roll(path, steps)):
            for name in STATES + HEADS:
                self.assertLess(numpy.max(numpy.abs(one[name][0] - all_of_them[name][5])), 1e-5)

    def test_states_of_fp16_are_half_precision(self):
        path = world.export(world.trained, "fp16")
        for given in roll(path, world.reference(world.trained, "fp16", 4)[:10]):
            for name in STATES:
                halves = given[name].astype(numpy.float16).astype(numpy.float32)
                self.assertTrue(numpy.array_equal(given[name], halves))


    def test_curves_are_tried_beyond_both_ends(self):
        logits = numpy.concatenate([step["logits"] for step in world.reference(world.made_up, "fp32", 32)])
        graph = onnx.load(world.export(world.made_up, "fp32")).graph
        for column, task in ((0, "buy_24h"), (2, "buy_72h"), (3, "churn_3d"), (4, "events_24h")):
            x = next(onnx.numpy_helper.to_array(one) for one in graph.initializer if one.name == f"{task}_x")
            self.assertLess(logits[:, column].min(), x[0])
            self.assertGreater(logits[:, column].max(), x[-1])


class Structure(unittest.TestCase):
    def test_the_checker_accepts_it(self):
        for model in (world.made_up, world.trained):
            for precision in ("fp16", "fp32"):
                onnx.checker.check_model(world.export(model, precision), full_check=True)

    def test_inputs_and_outputs_are_as_documented(self):
        graph = onnx.load(world.export(world.made_up, "fp32")).graph
        shapes = {value.name: [axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim]
                  for value in [*graph.input, *graph.output]}
        self.assertEqual(shapes, {
            "behavior": ["batch"], "item": ["batch"], "category": ["batch"], "numeric": ["batch", 8],
            "rates": ["batch", 12], "h": ["batch", 16], "c": ["batch", 16], "h_next": ["batch", 16],
            "c_next": ["batch", 16], "logits": ["batch", 5], "calibrated": ["batch", 5],
            "predictions": ["batch", 5]})
        self.assertTrue(all(value.doc_string for value in [*graph.input, *graph.output]))
        self.assertEqual(sum(node.op_type == "LSTM" for node in graph.node), 1)

    def test_the_metadata_say_what_the_columns_are(self):
        model = onnx.load(world.export(world.trained, "fp16"))
        notes = {entry.key: entry.value for entry in model.metadata_props}
        self.assertEqual([task["name"] for task in json.loads(notes["shoal.tasks"])],
                         ["buy_24h", "buy_1h", "buy_72h", "churn_3d", "events_24h"])
        self.assertEqual(len(json.loads(notes["shoal.numeric"])), 8)
        self.assertEqual(len(json.loads(notes["shoal.rates"])["names"]), 12)
        self.assertTrue(notes["shoal.precision"].startswith("fp16: "))
        inspected = run(SHOAL, "export", "--model", world.trained, "--onnx", world.path("again.onnx"), "--json")
        written = json.loads(inspected.stdout)
        self.assertEqual(json.loads(notes["shoal.model"])["version"], written["model"])
        self.assertEqual(written["bytes"], os.path.getsize(world.path("again.onnx")))
        self.assertEqual((written["opset"], written["ir"]), (model.opset_import[0].version, model.ir_version))
        self.assertEqual(model.opset_import[0].domain, "")

    def test_the_same_model_gives_the_same_bytes(self):
        first = pathlib.Path(world.export(world.trained, "fp16")).read_bytes()
        self.assertEqual(first, pathlib.Path(world.export(world.trained, "fp16")).read_bytes())

    def test_gates_stand_in_the_order_of_onnx(self):
        graph = onnx.load(world.export(world.made_up, "fp32")).graph
        weights = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
        # As onnx_reference makes it: gate i, f, g, o has weights up to 0.15, 0.3, 0.45, 0.6, biases about
        # -1.5, -0.5, 0.5, 1.5. ONNX's order is i, o, f, c.
        spread = numpy.abs(weights["W"].reshape(4, -1)).max(1)
        self.assertEqual(list(numpy.argsort(spread)), [0, 2, 3, 1])
        biases = weights["B"].reshape(2, 4, -1).mean(2)
        self.assertTrue(numpy.allclose(biases[0], [-1.5, 1.5, -0.5, 0.5], atol=0.3))
        self.assertTrue((biases[1] == 0).all())
        self.assertEqual(weights["R"].shape, (1, 64, 16))


if __name__ == "__main__":
    world = World()
    unittest.main(verbosity=2)
