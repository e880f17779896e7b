# SPDX-License-Identifier: Apache-2.0
"""Training of the networks, with the same budget for each.

1  every configuration is taught about HEAD targets, two epochs or more, from what lies before the last
   tenth of the past; that tenth's ndcg@20 decides which goes on, until it has not become better for
   PATIENCE epochs
2  that one once more from the beginning on the whole past, for the epochs that were best

AdamW, gradients clipped to norm 1, every target weighs the same."""

import types

import numpy as np
import torch

from next_item_ranks import ndcg
from next_item_networks import LENGTH, NETWORKS, SAMPLED_ABOVE, SAMPLES

CONFIGURATIONS = [{"width": 64, "dropout": 0.3, "rate": 5e-3},
                  {"width": 64, "dropout": 0.5, "rate": 5e-3},
                  {"width": 128, "dropout": 0.5, "rate": 3e-3}]
HEAD, PATIENCE, EPOCHS = 300_000, 2, 20
STEPS, STEP_LEAST, STEP_MOST = 300, 128, 384  # of an epoch, about; targets of one
ASK_BATCH = 512


def budget_text():
    tried = "; ".join(", ".join(f"{key} {value:g}" for key, value in one.items())
                      for one in CONFIGURATIONS)
    return (f"{len(CONFIGURATIONS)} configurations ({tried}), compared after {HEAD} targets, the best "
            f"one up to {EPOCHS} epochs with patience {PATIENCE}, then once more on all that may "
            f"teach; AdamW, {STEP_LEAST} to {STEP_MOST} targets a step, the last {LENGTH} items; "
            f"cross entropy over all items, above {SAMPLED_ABOVE} over {SAMPLES} of them with logQ")


def windows(problem):
    """Where pieces of at most LENGTH + 1 items begin and end in problem.sequence; a user's pieces
    share one item, so that every item but the user's first is a target once."""
    begin, end = [], []
    for first, last in zip(problem.first[:-1], problem.learned):
        for at in range(first, last - 1, LENGTH):
            begin.append(at)
            end.append(min(at + LENGTH + 1, last))
    return np.array(begin, np.int64), np.array(end, np.int64)


def steps_of(begin, end, random):
    """The windows in another order every time, those of like length together."""
    length = end - begin - 1
    size = min(max(int(length.sum()) // STEPS, STEP_LEAST), STEP_MOST)
    order = np.argsort(length * random.uniform(0.7, 1.4, len(length)), kind="stable")
    number = np.cumsum(length[order]) // size
    groups = np.split(order, np.flatnonzero(np.diff(number)) + 1)
    random.shuffle(groups)
    return groups


def matrix(sequence, begin, end):
    """Items B x T from each beginning on; which of them are before the end."""
    at = begin[:, None] + np.arange(int((end - begin).max()))[None, :]
    there = at < end[:, None]
    return (torch.from_numpy(sequence[np.minimum(at, len(sequence) - 1)]), torch.from_numpy(there))


class Run:
    """A network that is being taught."""

    def __init__(self, name, problem, settings, seed):
        torch.manual_seed(seed)
        self.random = np.random.default_rng(seed)
        self.problem, self.settings = problem, settings
        self.network = NETWORKS[name](problem.known, settings["width"], settings["dropout"])
        self.network.begin_at(torch.from_numpy(np.bincount(
            problem.log.item[:problem.begin], minlength=problem.known).astype(np.float32)))
        self.steps = torch.optim.AdamW(self.network.parameters(), lr=settings["rate"],
                                       weight_decay=0.01)
        self.begin, self.end = windows(problem)
        if len(self.begin) == 0:
            raise ValueError("no user has two items in what may be learned from")
        self.targets = int((self.end - self.begin - 1).sum())
        self.epoch, self.best, self.best_epoch = 0, -1.0, 1

    def teach(self):
        """One epoch; the mean loss."""
        self.network.train()
        total = count = 0.0
        for group in steps_of(self.begin, self.end, self.random):
            items, there = matrix(self.problem.sequence, self.begin[group], self.end[group])
            asked = there[:, 1:]
            loss = self.network.loss(self.network(items[:, :-1])[asked], items[:, 1:][asked])
            self.steps.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
            self.steps.step()
            total, count = total + float(loss) * int(asked.sum()), count + int(asked.sum())
        self.epoch += 1
        return total / count

    def judge(self, report):
        loss = self.teach()
        now = ndcg(ranks(self.network, self.problem))
        if now > self.best:
            self.best, self.best_epoch = now, self.epoch
        report(f"{self.settings} epoch {self.epoch}: loss {loss:.3f}, validation ndcg@20 {now:.4f}")


def ranks(network, problem):
    """Of every target, from the last LENGTH items of its history; by the bias where none of it is
    of the catalogue."""
    network.eval()
    out = np.empty(len(problem.targets), np.int64)
    begin = np.maximum(problem.start, problem.reach - LENGTH)
    length = problem.reach - begin
    order = np.argsort(length, kind="stable")
    order = order[length[order] > 0]
    with torch.no_grad():
        popular = np.sort(network.bias.numpy())
        out[length == 0] = problem.known - 1 - np.searchsorted(
            popular, network.bias.numpy()[problem.item[length == 0]])
        for first in range(0, len(order), ASK_BATCH):
            at = order[first:first + ASK_BATCH]
            items, _ = matrix(problem.sequence, begin[at], problem.reach[at])
            hidden = network(items)[torch.arange(len(at)), torch.from_numpy(length[at]) - 1]
            scores = network.scores(hidden)
            own = scores.gather(1, torch.from_numpy(problem.item[at])[:, None])
            out[at] = (scores >= own).sum(1).numpy() - 1
    return out


def search(name, problem, seed, report, quick=False):
    """Step 1: the settings and how many epochs."""
    part = problem.validation()
    configurations = CONFIGURATIONS[:1] if quick else CONFIGURATIONS
    runs = [Run(name, part, settings, seed) for settings in configurations]
    for run in runs:
        for _ in range(1 if quick else max(2, -(-HEAD // run.targets))):
            run.judge(report)
    run = max(runs, key=lambda one: one.best)
    del runs
    while not quick and run.epoch < EPOCHS and run.epoch - run.best_epoch < PATIENCE:
        run.judge(report)
    return types.SimpleNamespace(settings=run.settings, epochs=run.best_epoch, ndcg=run.best)


def fit(name, problem, seed, report, quick=False):
    """Ranks of the problem's targets, and what was found in a few words."""
    found = search(name, problem, seed, report, quick)
    run = Run(name, problem, found.settings, seed)
    for _ in range(found.epochs):
        report(f"refit, epoch {run.epoch + 1}/{found.epochs}: loss {run.teach():.3f}")
    settings = ", ".join(f"{key} {value:g}" for key, value in found.settings.items())
    return ranks(run.network, problem), f"{settings}, {found.epochs} epochs"
