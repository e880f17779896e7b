# SPDX-License-Identifier: Apache-2.0
"""Training of a network: the same budget and the same steps for each.

1  on task.early, epoch after epoch; task.stop decides by log loss which epoch was best
2  once more from the beginning on all of task.teach, as many epochs: the last days are most like
   those to come (Shoal does the same)

AdamW, gradients clipped to norm 1, chunks of 64 events with carried states. Every event weighs the
same, as in the regression and in the measures: with n^-1/2 for a user of n events, as `shoal train`
has it before its calibration, every network's validation log loss was worse."""

import math
import types

import numpy as np
import torch

from simple import counter_inputs

CHUNK = 64
BATCH = 32
SCORE_BATCH = 256


class Budget:
    """What one fit may use."""

    def __init__(self, epochs=15, patience=3, rate=1e-3, table_rate=0.1, decay=0.05):
        self.epochs, self.patience = epochs, patience
        self.rate, self.table_rate, self.decay = rate, table_rate, decay

    def text(self):
        return (f"at most {self.epochs} epochs, patience {self.patience}, AdamW {self.rate:g} "
                f"(item and category tables x {self.table_rate:g}), weight decay {self.decay:g}, "
                f"{BATCH} users side by side, chunks of {CHUNK}")


class Tensors:
    """The events as tensors; `counters` standardised over the events that teach."""

    def __init__(self, task, mask):
        events = task.events
        self.item = torch.from_numpy(events.item_row)
        self.category = torch.from_numpy(events.category_row)
        self.behavior = torch.from_numpy(events.behavior)
        self.numeric = torch.from_numpy(events.numeric.astype(np.float32))
        self.counters = torch.from_numpy(counter_inputs(events, mask).astype(np.float32))
        self.label = torch.from_numpy((events.label == 1).astype(np.float32))
        self.teaches = torch.from_numpy(mask)

    def chunk(self, index):
        """The events of a matrix of event numbers (B x T)."""
        return types.SimpleNamespace(
            item=self.item[index], category=self.category[index], behavior=self.behavior[index],
            numeric=self.numeric[index], counters=self.counters[index])


def batches(first, lengths, size, random=None):
    """Users of like length side by side: lists of (first event, length). With `random` in another
    order every time."""
    users = np.flatnonzero(lengths)
    key = lengths[users].astype(float)
    if random is not None:
        key *= random.uniform(0.7, 1.4, len(key))
    users = users[np.argsort(key, kind="stable")]
    groups = [users[at:at + size] for at in range(0, len(users), size)]
    if random is not None:
        random.shuffle(groups)
    return [(first[group], lengths[group]) for group in groups]


def chunks(starts, lengths):
    """(event numbers B x T, which are events) from each user's first event on. A user that has ended
    goes on with its last event, which no one looks at."""
    for at in range(0, int(lengths.max()), CHUNK):
        steps = np.arange(at, min(at + CHUNK, int(lengths.max())))
        there = steps[None, :] < lengths[:, None]
        index = starts[:, None] + np.minimum(steps[None, :], lengths[:, None] - 1)
        yield torch.from_numpy(index), torch.from_numpy(there)


def needed(events, mask):
    """For each user the number of its events up to its last one of the mask."""
    lengths = np.zeros(events.users_count, np.int64)
    at = np.flatnonzero(mask)
    np.maximum.at(lengths, events.user[at], at - events.first[events.user[at]] + 1)
    return lengths


def optimiser(network, budget):
    tables = network.inputs.tables()
    known = {id(one) for one in tables}
    weights = [one for one in network.parameters() if id(one) not in known and one.dim() > 1]
    biases = [one for one in network.parameters() if id(one) not in known and one.dim() <= 1]
    groups = [{"params": weights, "weight_decay": budget.decay},
              {"params": biases, "weight_decay": 0.0}]
    if tables:
        groups.append({"params": tables, "lr": budget.rate * budget.table_rate,
                       "weight_decay": budget.decay})
    return torch.optim.AdamW(groups, lr=budget.rate)


def teach_epoch(network, steps, tensors, groups):
    network.train()
    for starts, lengths in groups:
        state = None
        for index, there in chunks(starts, lengths):
            teaches = tensors.teaches[index] & there
            if not teaches.any():
                with torch.no_grad():
                    _, state = network(tensors.chunk(index), state)
                continue
            logits, state = network(tensors.chunk(index), state)
            loss = torch.nn.functional.binary_cross_entropy_with_logits(
                logits[teaches], tensors.label[index][teaches])
            steps.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            steps.step()


def score(network, tensors, events, lengths):
    """Probability of every event within `lengths`; NaN elsewhere."""
    network.eval()
    out = np.full(events.count, np.nan, np.float32)
    with torch.no_grad():
        for starts, sizes in batches(events.first[:-1], lengths, SCORE_BATCH):
            state = None
            for index, there in chunks(starts, sizes):
                logits, state = network(tensors.chunk(index), state)
                out[index[there].numpy()] = torch.sigmoid(logits[there]).numpy()
    return out


def learn(make, task, mask, settings, epochs, judge=None):
    """A network taught by the events of the mask; `judge(network, tensors, epoch)` may end it."""
    torch.manual_seed(settings.seed)
    random = np.random.default_rng(settings.seed)
    events = task.events
    tensors = Tensors(task, mask)
    network = make()
    network.head.begin_at(float(np.clip(events.label[mask].mean(), 0.01, 0.99)))
    steps = optimiser(network, settings.budget)
    lengths = needed(events, mask)
    for epoch in range(1, epochs + 1):
        teach_epoch(network, steps, tensors, batches(events.first[:-1], lengths, BATCH, random))
        if judge and judge(network, tensors, epoch):
            break
    return network, tensors


def best_epoch(make, task, settings):
    """Step 1. Where the parts are too small to judge, a third of the budget."""
    budget, events = settings.budget, task.events
    if not (task.has_both_classes(task.early) and task.has_both_classes(task.stop)):
        return max(1, budget.epochs // 3)
    lengths = needed(events, task.stop)
    seen = types.SimpleNamespace(loss=math.inf, epoch=1)
    labels = events.label[task.stop]

    def judge(network, tensors, epoch):
        p = np.clip(score(network, tensors, events, lengths)[task.stop].astype(float), 1e-7,
                    1 - 1e-7)
        loss = -np.log(np.where(labels == 1, p, 1 - p)).mean()
        settings.note(f"epoch {epoch}: log loss {loss:.5f}")
        if loss < seen.loss:
            seen.loss, seen.epoch = loss, epoch
        return epoch - seen.epoch >= budget.patience

    learn(make, task, task.early, settings, budget.epochs, judge)
    return seen.epoch


def fit_network(make, task, settings):
    epochs = best_epoch(make, task, settings)
    settings.report(f"{epochs} epochs")
    network, tensors = learn(make, task, task.teach, settings, epochs)
    return score(network, tensors, task.events, needed(task.events, task.score))
