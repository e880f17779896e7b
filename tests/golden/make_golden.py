#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes golden.txt: what PyTorch computes for the model, its gradients and AdamW.

Inputs are not stored. Both this script and test_golden.c make them by the same integer formula
(see `uniform`), exact in float32. Stored are results only, nine digits each:

  small    H 16, B 3, T 7, users that begin in the middle, an empty cell, unequal weights:
           loss, logits, h and c of every step, the gradient of every tensor, and every tensor
           after ten steps of gradient clipping and AdamW;  then a second chunk of 5 steps from the
           carried state (logits, and the gradients of the weights, truncated at its beginning).
           Every task has a loss of its own, of whose gradient only a share reaches the state
  objectives  the same chunk with all that the next event teaches: each objective's loss, and the
           gradients of all tensors and of the objectives' own tables
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
        return h @ p["head_hidden"].T + counters @ p["head_counters"].T + p["head_bias"][0]


def make_cells(model, batch, steps, stream):
    """steps dictionaries of arrays over the batch; streams stream … stream + 7."""
    total = batch * steps
    draw = lambda s: [mix(stream + s, i) for i in range(total)]
    item = np.array([v % model.items for v in draw(0)])
    category = np.array([v % model.categories for v in draw(1)])
    behavior = np.array([v % BEHAVIORS for v in draw(2)])
    numeric = uniform(stream + 3, total * NUMERIC).reshape(total, NUMERIC)
    counters = uniform(stream + 4, total * COUNTERS).reshape(total, COUNTERS)
    targets = np.array([[mix(stream + 5, i * TASKS + n) % (7 if n == TASKS - 1 else 2)
                         for n in range(TASKS)] for i in range(total)], np.float32)
    taught = np.array([[v % (1 << TASKS) >> n & 1 for n in range(TASKS)] for v in draw(7)],
                      np.float32)
    weight = np.array([(v % 3) * 0.5 for v in draw(6)], np.float32)
    cells = []
    for t in range(steps):
        rows = slice(t * batch, (t + 1) * batch)
        cells.append({"item_row": item[rows], "category_row": category[rows],
                      "behavior": behavior[rows], "numeric": numeric[rows],
                      "counters": counters[rows], "targets": targets[rows], "taught": taught[rows],
                      "weight": weight[rows].copy(), "present": np.ones(batch, np.float32),
                      "starts": np.zeros(batch, np.float32)})
    return cells


class Share(torch.autograd.Function):
    """h as it is; of the gradient that comes back only the given share."""

    @staticmethod
    def forward(ctx, h, share):
        ctx.share = share
        return h.clone()

    @staticmethod
    def backward(ctx, gradient):
        return gradient * ctx.share, None


SHARES = [1.0] + [0.25 * n for n in range(1, TASKS)]
COUNT_SCALE = 0.125


def unroll(model, cells, h, c):
    """Loss to learn from (all tasks), loss of the first task, logits, h and c over all steps."""
    loss, first, logits, hs, cs = 0, 0, [], [], []
    for cell in cells:
        keep = torch.tensor(1 - cell["starts"])[:, None]
        h, c = model.step(model.x(cell), h * keep, c * keep)
        present = torch.tensor(cell["present"])
        counters, targets = torch.tensor(cell["counters"]), torch.tensor(cell["targets"])
        z = torch.stack([model.logits(Share.apply(h, SHARES[n]), counters)[:, n]
                         for n in range(TASKS)], dim=1) * present[:, None]
        weight = (torch.tensor(cell["weight"]) * present)[:, None] * torch.tensor(cell["taught"])
        entropy = torch.nn.functional.binary_cross_entropy_with_logits(
            z[:, :-1], targets[:, :-1], weight=weight[:, :-1], reduction="none")
        poisson = weight[:, -1] * COUNT_SCALE * (torch.exp(z[:, -1]) - targets[:, -1] * z[:, -1])
        loss = loss + entropy.sum() + poisson.sum()
        first = first + entropy[:, 0].sum()
        logits.append(z)
        hs.append(h)
        cs.append(c)
    return loss, first, torch.stack(logits), torch.stack(hs), torch.stack(cs)


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
    loss, first, logits, hs, cs = unroll(model, cells, zero, zero)
    loss.backward()
    put("small.loss", first.reshape(1))
    put("small.logits", logits)
    put("small.h", hs)
    put("small.c", cs)
    for name in TENSORS:
        put("small.gradient." + name, model.params[name].grad)
    for p in model.params.values():
        p.grad = None
    second = make_cells(model, batch, 5, 200)
    loss, _, logits, _, _ = unroll(model, second, hs[-1].detach(), cs[-1].detach())
    loss.backward()
    put("small.second.logits", logits)
    put("small.second.gradient.gates_weight", model.params["gates_weight"].grad)
    adamw(model, cells, zero)


GOLDEN, MASK = 0x9E3779B97F4A7C15, (1 << 64) - 1


def random_mix(z):
    """SplitMix64's, as in model/learn/random.h."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
    return z ^ (z >> 31)


def random_uniform(seed, stream, shift, index):
    key = (random_mix(random_mix((seed + GOLDEN) & MASK) ^ (stream << 56)) + shift) & MASK
    return np.float32((random_mix((key + (index + 1) * GOLDEN) & MASK) >> 40) * 2.0**-24)


NEGATIVES, ALPHA, SEED, STREAM_NEGATIVES = 5, 0.5, 7, 6
WEIGHTS = {"behavior": 0.5, "gap": 0.75, "repeat": 1.25, "category": 0.5, "item": 2.0}
GAP_SECONDS = [5, 20, 60, 180, 600, 1800, 7200, 28800, 86400]
OWN = {"next_weight": (16, 16), "next_bias": (1, 16), "category_query": (4, 16),
       "category_query_bias": (1, 4), "category_bias": (1, 6), "item_query": (4, 16),
       "item_query_bias": (1, 4), "item_bias": (1, 8)}


class Support:
    def __init__(self, rows, count, number, chunk):
        counts = np.bincount(rows, minlength=count).astype(np.float64)
        counts[counts == 0] = 0.5
        self.share, drawn = counts / counts.sum(), counts**ALPHA
        self.drawn = drawn / drawn.sum()
        up_to = np.cumsum(self.drawn).astype(np.float32)
        self.extras = [int(np.searchsorted(up_to, random_uniform(
            SEED, STREAM_NEGATIVES, number, chunk * NEGATIVES + i), side="right"))
            for i in range(NEGATIVES)]


def sampled_softmax(h, own, name, table, targets, weights, support):
    """Σ weight·loss of one step, and what it draws from."""
    query = h @ own[f"{name}_query"].T + own[f"{name}_query_bias"][0]
    streams = [b for b, target in enumerate(targets) if target is not None]
    candidates = [(b, targets[b]) for b in streams] + [(None, row) for row in support.extras]
    batch, loss = len(targets), 0
    for b in streams:
        logits, own_place = [], None
        for owner, row in candidates:
            if row == targets[b] and owner != b:
                continue
            if owner == b:
                own_place = len(logits)
            expected = batch * support.share[row] + NEGATIVES * support.drawn[row]
            logits.append(table[row] @ query[b] + own[f"{name}_bias"][0, row] - np.log(expected))
        loss = loss - weights[b] * torch.log_softmax(torch.stack(logits), 0)[own_place]
    return loss


def objectives():
    batch, steps, chunk = 3, 7, 3
    model = Model(16, 8, 4, 6, 4, 4)
    cells = make_cells(model, batch, steps, 100)
    cells[0]["starts"][:] = 1
    cells[3]["starts"][1] = 1
    cells[6]["present"][2] = 0
    own = {name: torch.tensor(uniform(50 + n, shape[0] * shape[1]).reshape(shape),
                              requires_grad=True)
           for n, (name, shape) in enumerate(OWN.items())}
    support = {
        "category": Support(np.concatenate([c["category_row"] for c in cells]), 6, 3, chunk),
        "item": Support(np.concatenate([c["item_row"] for c in cells]), 8, 4, chunk)}
    zero = torch.zeros(batch, model.hidden)
    total, _, _, hs, _ = unroll(model, cells, zero, zero)
    losses = dict.fromkeys(WEIGHTS, 0)
    entropy = torch.nn.functional.cross_entropy
    for t in range(steps - 1):
        now, then = cells[t], cells[t + 1]
        follows = [b for b in range(batch) if then["present"][b] and not then["starts"][b]
                   and now["weight"][b] > 0]
        out = hs[t] @ own["next_weight"].T + own["next_bias"][0]
        for b in follows:
            weight, z = float(now["weight"][b]), out[b]
            gap = sum(then["numeric"][b, 0] * 20 > np.log2(1 + s) for s in GAP_SECONDS)
            repeat = torch.tensor((then["numeric"][b, 6:8] > 0).astype(np.float32))
            losses["behavior"] += weight * entropy(z[:4], torch.tensor(int(then["behavior"][b])))
            losses["gap"] += weight * entropy(z[4:14], torch.tensor(int(gap)))
            losses["repeat"] += weight * torch.nn.functional.binary_cross_entropy_with_logits(
                z[14:], repeat, reduction="sum")
        for name in ("category", "item"):
            rows = then[f"{name}_row"]
            targets = [int(rows[b]) if b in follows and (name == "item" or rows[b]) else None
                       for b in range(batch)]
            losses[name] += sampled_softmax(hs[t], own, name, model.params[f"{name}_embedding"],
                                            targets, now["weight"], support[name])
    for name, weight in WEIGHTS.items():
        total = total + weight * losses[name]
    total.backward()
    put("objectives.losses", np.array([losses[name].item() for name in WEIGHTS]))
    for name in OWN:
        put("objectives.own." + name, own[name].grad)
    for name in TENSORS:
        put("objectives.gradient." + name, model.params[name].grad)


def adamw(model, cells, zero):
    decayed = [p for name, p in model.params.items() if name not in NO_DECAY]
    others = [p for name, p in model.params.items() if name in NO_DECAY]
    optimizer = torch.optim.AdamW([{"params": decayed, "weight_decay": 0.1},
                                   {"params": others, "weight_decay": 0.0}], lr=0.01)
    norms = []
    for _ in range(10):
        optimizer.zero_grad()
        loss, _, _, _, _ = unroll(model, cells, zero, zero)
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
            z = model.logits(h, (torch.log1p(raw) - 0.75) / 0.5)[:, 0]
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
    objectives()
    served()


if __name__ == "__main__":
    main()
