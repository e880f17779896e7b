#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes golden.txt: what PyTorch computes for the model, its gradients and AdamW.

Inputs are not stored. Both this script and test_golden.c make them by the same integer formula
(see `uniform`), exact in float32. Stored are results only, nine digits each:

  small    H 16, B 3, T 7, users that begin in the middle, an empty cell, unequal weights:
           loss, logits, h and c of every step, the gradient of every tensor, and every tensor
           after ten steps of gradient clipping and AdamW;  then a second chunk of 5 steps from the
           carried state (logits, and the gradients of the weights, truncated at its beginning)
  served   H 64 and the default widths: h, c and calibrated score of every step for 3 users

Run it with PyTorch 2 (the CPU is enough):  python3 make_golden.py > golden.txt
"""

import argparse
import sys

import numpy as np
import torch

TENSORS = ["item_embedding", "category_embedding", "behavior_embedding", "gates_weight",
           "gates_bias", "head_hidden", "head_counters", "head_bias"]
NO_DECAY = {"gates_bias", "head_counters", "head_bias"}
COUNTERS, NUMERIC, BEHAVIORS, TASKS = 12, 8, 4, 5


def mix(stream, index):
    """A 32-bit number from two; the same in test_golden.c."""
    x = (stream * 0x9E3779B1 + index * 0x85EBCA77 + 0x165667B1) & 0xFFFFFFFF
    x ^= x >> 15
    x = (x * 0xC2B2AE3D) & 0xFFFFFFFF
    x ^= x >> 13
    x = (x * 0x27D4EB2F) & 0xFFFFFFFF
    return x ^ (x >> 16)


def uniform(stream, count):
    """Floats in [-0.5, 0.5), multiples of 2^-24."""
    return np.array([(mix(stream, i) >> 8) * 2.0**-24 - 0.5 for i in range(count)], np.float32)


class Model:
    def __init__(self, hidden, items, item_width, categories, category_width, behavior_width):
        self.hidden = hidden
        self.items, self.categories = items, categories
        self.inputs = item_width + category_width + behavior_width + NUMERIC
        shapes = {
            "item_embedding": (items, item_width),
            "category_embedding": (categories, category_width),
            "behavior_embedding": (BEHAVIORS, behavior_width),
            "gates_weight": (self.inputs + hidden, 4 * hidden),
            "gates_bias": (1, 4 * hidden),
            "head_hidden": (TASKS, hidden),
            "head_counters": (TASKS, COUNTERS),
            "head_bias": (1, TASKS),
        }
        self.params = {}
        for number, name in enumerate(TENSORS):
            rows, columns = shapes[name]
            scale = np.float32(0.5 if name == "gates_weight" else 1.0)
            values = uniform(number, rows * columns) * scale
            self.params[name] = torch.tensor(values.reshape(rows, columns), requires_grad=True)

    def x(self, cells):
        p = self.params
        return torch.cat([
            p["item_embedding"][cells["item_row"]],
            p["category_embedding"][cells["category_row"]],
            p["behavior_embedding"][cells["behavior"]],
            torch.tensor(cells["numeric"]),
        ], dim=1) * torch.tensor(cells["present"][:, None])

    def step(self, x, h, c):
        p = self.params
        weight = p["gates_weight"]
        bias = p["gates_bias"][0]
        return torch.lstm_cell(x, (h, c), weight[:self.inputs].T, weight[self.inputs:].T, bias,
                               torch.zeros_like(bias))

    def logits(self, h, counters):
        p = self.params
        return h @ p["head_hidden"][0] + counters @ p["head_counters"][0] + p["head_bias"][0, 0]


def make_cells(model, batch, steps, stream):
    """steps dictionaries of arrays over the batch; streams stream … stream + 7."""
    total = batch * steps
    draw = lambda s: [mix(stream + s, i) for i in range(total)]
    item = np.array([v % model.items for v in draw(0)])
    category = np.array([v % model.categories for v in draw(1)])
    behavior = np.array([v % BEHAVIORS for v in draw(2)])
    numeric = uniform(stream + 3, total * NUMERIC).reshape(total, NUMERIC)
    counters = uniform(stream + 4, total * COUNTERS).reshape(total, COUNTERS)
    positive = np.array([v % 2 for v in draw(5)], np.float32)
    weight = np.array([(v % 3) * 0.5 for v in draw(6)], np.float32)
    cells = []
    for t in range(steps):
        rows = slice(t * batch, (t + 1) * batch)
        cells.append({"item_row": item[rows], "category_row": category[rows],
                      "behavior": behavior[rows], "numeric": numeric[rows],
                      "counters": counters[rows], "positive": positive[rows],
                      "weight": weight[rows].copy(), "present": np.ones(batch, np.float32),
                      "starts": np.zeros(batch, np.float32)})
    return cells


def unroll(model, cells, h, c):
    """Loss (sum), logits, h and c over all steps."""
    loss, logits, hs, cs = 0, [], [], []
    for cell in cells:
        keep = torch.tensor(1 - cell["starts"])[:, None]
        h, c = model.step(model.x(cell), h * keep, c * keep)
        present = torch.tensor(cell["present"])
        z = model.logits(h, torch.tensor(cell["counters"])) * present
        loss = loss + torch.nn.functional.binary_cross_entropy_with_logits(
            z, torch.tensor(cell["positive"]), weight=torch.tensor(cell["weight"]) * present,
            reduction="sum")
        logits.append(z)
        hs.append(h)
        cs.append(c)
    return loss, torch.stack(logits), torch.stack(hs), torch.stack(cs)


def put(name, values):
    values = np.asarray(values.detach() if torch.is_tensor(values) else values).reshape(-1)
    print(name, len(values))
    for at in range(0, len(values), 8):
        print(" ".join("%.9g" % v for v in values[at:at + 8]))


def small():
    batch, steps = 3, 7
    model = Model(16, 8, 4, 6, 4, 4)
    cells = make_cells(model, batch, steps, 100)
    cells[0]["starts"][:] = 1
    cells[3]["starts"][1] = 1
    cells[6]["present"][2] = 0
    zero = torch.zeros(batch, model.hidden)
    loss, logits, hs, cs = unroll(model, cells, zero, zero)
    loss.backward()
    put("small.loss", loss.reshape(1))
    put("small.logits", logits)
    put("small.h", hs)
    put("small.c", cs)
    for name in TENSORS:
        put("small.gradient." + name, model.params[name].grad)
    for p in model.params.values():
        p.grad = None
    second = make_cells(model, batch, 5, 200)
    loss, logits, _, _ = unroll(model, second, hs[-1].detach(), cs[-1].detach())
    loss.backward()
    put("small.second.logits", logits)
    put("small.second.gradient.gates_weight", model.params["gates_weight"].grad)
    adamw(model, cells, zero)


def adamw(model, cells, zero):
    decayed = [p for name, p in model.params.items() if name not in NO_DECAY]
    others = [p for name, p in model.params.items() if name in NO_DECAY]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.1},
                                   {"params": others, "weight_decay": 0.0}], lr=0.01)
    norms = []
    for _ in range(10):
        optimizer.zero_grad()
        loss, _, _, _ = unroll(model, cells, zero, zero)
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(model.params.values(), 2.0).item())
        optimizer.step()
    put("adamw.norms", np.array(norms))
    for name in TENSORS:
        put("adamw." + name, model.params[name])


def served():
    batch, steps = 3, 7
    model = Model(64, 64, 16, 16, 16, 8)
    cells = make_cells(model, batch, steps, 300)
    h = c = torch.zeros(batch, model.hidden)
    hs, cs, scores = [], [], []
    with torch.no_grad():
        for cell in cells:
            h, c = model.step(model.x(cell), h, c)
            raw = (torch.tensor(cell["counters"]) + 0.5) * 4
            z = model.logits(h, (torch.log1p(raw) - 0.75) / 0.5)
            hs.append(h)
            cs.append(c)
            scores.append(torch.sigmoid(1.25 * z - 0.5))
    put("served.h", torch.stack(hs))
    put("served.c", torch.stack(cs))
    put("served.scores", torch.stack(scores))


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.parse_args()
    torch.set_num_threads(1)
    print("torch", torch.__version__, file=sys.stderr)
    small()
    served()


if __name__ == "__main__":
    main()
