# SPDX-License-Identifier: Apache-2.0
"""GRU4Rec (Hidasi et al., 2016) and SASRec (Kang and McAuley, 2018), both over item ids alone and both
taught by cross entropy over the whole catalogue, above SAMPLED_ABOVE items over a sample of it; one
table for what goes in and what comes out:

    logits of position t = table . body(items 1 ... t) + bias        (K x W) (W x N) + N

Sequences are at most LENGTH items, padded on the right with any item: no position sees a later one."""

import math

import torch
from torch import nn

LENGTH = 50
SAMPLED_ABOVE, SAMPLES = 20_000, 4096


class Softmax(torch.autograd.Function):
    """Mean cross entropy of K hidden states (K x W) against all N items. The gradients are made in
    the forward pass while the probabilities are there, which halves what is read and written."""

    @staticmethod
    def forward(ctx, hidden, table, bias, target):
        p = torch.softmax(torch.addmm(bias, hidden, table.T), 1)
        row = torch.arange(len(target))
        loss = -p[row, target].clamp_min(1e-30).log().mean()
        p[row, target] -= 1
        ctx.save_for_backward(p @ table, p.T @ hidden, p.sum(0))
        ctx.share = 1 / len(target)
        return loss

    @staticmethod
    def backward(ctx, given):
        hidden, table, bias = ctx.saved_tensors
        given = given * ctx.share
        return given * hidden, given * table, given * bias, None


class Network(nn.Module):
    """The table and the bias; subclasses give body(x): B x T x W -> the same."""

    def __init__(self, items, width, dropout):
        super().__init__()
        self.table = nn.Parameter(torch.randn(items, width) / math.sqrt(width))
        self.bias = nn.Parameter(torch.zeros(items))
        self.drop = nn.Dropout(dropout)

    def begin_at(self, counts):
        """The bias says how popular an item is (N counts) before anything is learned."""
        with torch.no_grad():
            self.bias.copy_(torch.log((counts + 1) / (counts + 1).mean()))

    def body(self, x):
        raise NotImplementedError

    def forward(self, items):
        return self.body(self.drop(self.table[items]))

    def loss(self, hidden, target):
        if len(self.table) > SAMPLED_ABOVE:
            return self.sampled_loss(hidden, target)
        return Softmax.apply(hidden, self.table, self.bias, target)

    def sampled_loss(self, hidden, target):
        """The same with SAMPLES items, drawn evenly, in place of all: each stands for as many as
        it was drawn from (the logQ correction), a target itself for one."""
        items = len(self.table)
        drawn = torch.randperm(items)[:SAMPLES]
        weight = math.log((items - 1) / len(drawn))
        others = torch.addmm(self.bias[drawn] + weight, hidden, self.table[drawn].T)
        others = others.masked_fill(drawn[None, :] == target[:, None], -math.inf)
        own = (hidden * self.table[target]).sum(1, keepdim=True) + self.bias[target][:, None]
        return -torch.log_softmax(torch.cat([own, others], 1), 1)[:, 0].mean()

    def scores(self, hidden):
        return torch.addmm(self.bias, hidden, self.table.T)


class Gru4Rec(Network):
    """One layer; a linear map back to the table's space."""

    def __init__(self, items, width, dropout):
        super().__init__(items, width, dropout)
        self.gru = nn.GRU(width, width, batch_first=True)
        self.out = nn.Linear(width, width)

    def body(self, x):
        return self.out(self.drop(self.gru(x)[0]))


class Block(nn.Module):
    """Causal self-attention, then a feed-forward layer; normalised before each."""

    def __init__(self, width, dropout, heads=2):
        super().__init__()
        self.heads = heads
        self.norm_in, self.norm_out = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.feed = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(),
                                  nn.Linear(2 * width, width))
        self.drop = nn.Dropout(dropout)

    def forward(self, x):
        batch, steps, width = x.shape
        q, k, v = (one.view(batch, steps, self.heads, -1).transpose(1, 2)
                   for one in self.mix(self.norm_in(x)).chunk(3, -1))
        later = torch.ones(steps, steps, dtype=torch.bool).triu(1)
        weights = (q @ k.transpose(-1, -2) / math.sqrt(width // self.heads)).masked_fill(
            later, -math.inf)
        mixed = self.drop(torch.softmax(weights, -1)) @ v
        x = x + self.drop(self.out(mixed.transpose(1, 2).reshape(batch, steps, width)))
        return x + self.drop(self.feed(self.norm_out(x)))


class SasRec(Network):
    """Two blocks, learned positions counted from the beginning of what is seen."""

    def __init__(self, items, width, dropout):
        super().__init__(items, width, dropout)
        self.position = nn.Parameter(torch.randn(LENGTH, width) * 0.02)
        self.blocks = nn.Sequential(Block(width, dropout), Block(width, dropout))
        self.norm = nn.LayerNorm(width)

    def body(self, x):
        return self.norm(self.blocks(x + self.position[:x.shape[1]]))


NETWORKS = {"gru4rec": Gru4Rec, "sasrec": SasRec}
