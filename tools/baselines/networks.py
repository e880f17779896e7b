# SPDX-License-Identifier: Apache-2.0
"""The networks, all with the same inputs as Shoal's model (model/params.h) and one interface:

    logits, state = network(chunk, state)

A chunk is T consecutive events of B users side by side; `state` carries what lies before it (None at
a user's beginning): h and c, or the inputs of the last CONTEXT events. So every network is trained by
truncated backpropagation over the same chunks and scores every event from what precedes it only."""

import math

import torch
from torch import nn
from torch.nn import functional

ITEMS, ITEM_WIDTH = 4096, 16
CATEGORIES, CATEGORY_WIDTH = 1024, 16
BEHAVIORS, BEHAVIOR_WIDTH = 4, 8
NUMERIC, COUNTERS = 8, 12
HIDDEN = 64
CONTEXT = 64  # events before its own that attention and convolutions see
DROP_INPUTS, DROP_HIDDEN = 0.2, 0.3


class Inputs(nn.Module):
    """x_t = [item | category | behaviour | numeric], D = 48."""

    width = ITEM_WIDTH + CATEGORY_WIDTH + BEHAVIOR_WIDTH + NUMERIC

    def __init__(self):
        super().__init__()
        self.item = nn.Embedding(ITEMS, ITEM_WIDTH)
        self.category = nn.Embedding(CATEGORIES, CATEGORY_WIDTH)
        self.behavior = nn.Embedding(BEHAVIORS, BEHAVIOR_WIDTH)
        for table in (self.item, self.category):
            nn.init.normal_(table.weight, std=0.1)
        self.drop = nn.Dropout(DROP_INPUTS)

    def tables(self):
        return [self.item.weight, self.category.weight]

    def forward(self, chunk):
        return self.drop(torch.cat([self.item(chunk.item), self.category(chunk.category),
                                    self.behavior(chunk.behavior), chunk.numeric], -1))


class ItemInputs(nn.Module):
    """What SASRec sees: which item, and here also what was done with it; width H, added."""

    width = HIDDEN

    def __init__(self):
        super().__init__()
        self.item = nn.Embedding(ITEMS, HIDDEN)
        self.behavior = nn.Embedding(BEHAVIORS, HIDDEN)
        for table in (self.item, self.behavior):
            nn.init.normal_(table.weight, std=0.1)
        self.drop = nn.Dropout(DROP_INPUTS)

    def tables(self):
        return [self.item.weight]

    def forward(self, chunk):
        return self.drop(self.item(chunk.item) + self.behavior(chunk.behavior))


class Head(nn.Module):
    """logit = w . drop(h) + v . counters + b; the counters are log1p rates, standardised."""

    def __init__(self, width, counters):
        super().__init__()
        self.hidden = nn.Linear(width, 1)
        self.counters = nn.Linear(COUNTERS, 1, bias=False) if counters else None
        self.drop = nn.Dropout(DROP_HIDDEN)
        nn.init.zeros_(self.hidden.weight)
        if counters:
            nn.init.zeros_(self.counters.weight)

    def begin_at(self, base_rate):
        nn.init.constant_(self.hidden.bias, math.log(base_rate / (1 - base_rate)))

    def forward(self, hidden, chunk):
        logit = self.hidden(self.drop(hidden))
        if self.counters:
            logit = logit + self.counters(chunk.counters)
        return logit.squeeze(-1)


class Network(nn.Module):
    """Inputs -> hidden states -> head. Subclasses give `run` and a body of `width`."""

    def __init__(self, inputs=None, counters=False, width=HIDDEN):
        super().__init__()
        self.inputs = inputs or Inputs()
        self.head = Head(width, counters)

    def run(self, x, chunk, state):
        raise NotImplementedError

    def forward(self, chunk, state):
        hidden, state = self.run(self.inputs(chunk), chunk, state)
        return self.head(hidden, chunk), state


class CounterNetwork(nn.Module):
    """Two layers on the counters alone; no state."""

    def __init__(self):
        super().__init__()
        self.inputs = nn.Module()
        self.inputs.tables = list
        self.body = nn.Sequential(nn.Linear(COUNTERS, 32), nn.ReLU(), nn.Dropout(DROP_INPUTS),
                                  nn.Linear(32, 32), nn.ReLU())
        self.head = Head(32, False)

    def forward(self, chunk, state):
        return self.head(self.body(chunk.counters), chunk), None


class Recurrent(Network):
    def __init__(self, kind, counters):
        super().__init__(counters=counters)
        self.body = {"lstm": nn.LSTM, "gru": nn.GRU}[kind](self.inputs.width, HIDDEN,
                                                           batch_first=True)
        if kind == "lstm":
            with torch.no_grad():  # remember at the beginning
                self.body.bias_ih_l0[HIDDEN:2 * HIDDEN] = 1

    def run(self, x, chunk, state):
        hidden, state = self.body(x, state)
        return hidden, (tuple(one.detach() for one in state) if isinstance(state, tuple)
                        else state.detach())


class Windowed(Network):
    """A body that sees the inputs of the last CONTEXT events: `state` is those inputs."""

    def run(self, x, chunk, state):
        batch, steps, width = x.shape
        if state is None:
            state = x.new_zeros(batch, 0, width)
        window = torch.cat([state, x], 1)
        return self.see(window, steps), window[:, -CONTEXT:].detach()

    def see(self, window, last):
        """Hidden states of the last `last` events of the window."""
        raise NotImplementedError


class Attention(nn.Module):
    """One block: causal self-attention over the last CONTEXT events with a learned bias a distance,
    then a feed-forward layer; normalised before each."""

    def __init__(self, width, heads=2):
        super().__init__()
        self.heads = heads
        self.norm_in, self.norm_out = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.bias = nn.Parameter(torch.zeros(heads, CONTEXT))
        self.feed = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(),
                                  nn.Linear(2 * width, width))
        self.drop = nn.Dropout(DROP_INPUTS)

    def forward(self, x, last):
        """The outputs at the last `last` positions."""
        batch, steps, width = x.shape
        q, k, v = (one.view(batch, steps, self.heads, -1).transpose(1, 2)
                   for one in self.mix(self.norm_in(x)).chunk(3, -1))
        q, x = q[:, :, -last:], x[:, -last:]
        at = torch.arange(steps)
        distance = at[-last:, None] - at[None, :]
        bias = self.bias[:, distance.clamp(0, CONTEXT - 1)]
        bias = bias.masked_fill((distance < 0) | (distance >= CONTEXT), -1e9)
        weights = torch.softmax(q @ k.transpose(-1, -2) / math.sqrt(width // self.heads) + bias, -1)
        x = x + self.drop(self.out((weights @ v).transpose(1, 2).reshape(batch, last, width)))
        return x + self.drop(self.feed(self.norm_out(x)))


class Transformer(Windowed):
    def __init__(self, counters=False, items_only=False):
        super().__init__(ItemInputs() if items_only else None, counters)
        self.widen = nn.Linear(self.inputs.width, HIDDEN)
        self.first, self.second = Attention(HIDDEN), Attention(HIDDEN)
        self.norm = nn.LayerNorm(HIDDEN)

    def see(self, window, last):
        x = self.widen(window)
        return self.norm(self.second(self.first(x, x.shape[1]), last))


class Convolution(nn.Module):
    """Residual block: two causal convolutions of three taps, `dilation` events apart."""

    def __init__(self, width, dilation):
        super().__init__()
        self.reach = 2 * dilation
        self.one = nn.Conv1d(width, width, 3, dilation=dilation)
        self.two = nn.Conv1d(width, width, 3, dilation=dilation)
        self.drop = nn.Dropout(DROP_INPUTS)

    def forward(self, x):
        y = self.drop(torch.relu(self.one(functional.pad(x, (self.reach, 0)))))
        y = self.drop(torch.relu(self.two(functional.pad(y, (self.reach, 0)))))
        return x + y


class Tcn(Windowed):
    """Dilations 1, 2, 4, 8: 61 events of reach."""

    def __init__(self, counters=False):
        super().__init__(counters=counters)
        self.widen = nn.Conv1d(self.inputs.width, HIDDEN, 1)
        self.blocks = nn.Sequential(*(Convolution(HIDDEN, one) for one in (1, 2, 4, 8)))

    def see(self, window, last):
        return self.blocks(self.widen(window.transpose(1, 2)))[:, :, -last:].transpose(1, 2)
