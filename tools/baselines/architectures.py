# SPDX-License-Identifier: Apache-2.0
"""What could be added to the recurrent state, as rows of the same table.

attention   pooled_t = sum_s<=t w_ts h_s, w_ts ~ exp(v . tanh(W h_s) - decay (time_t - time_s)): the
            online softmax. It needs no history, only its running maximum, normaliser and weighted sum
time decay  c decays by exp(-softplus(w) log gap) before each step, a rate for each unit
"""

import torch
from torch import nn
from torch.nn import functional

from networks import HIDDEN, Network, Recurrent

SECONDS_LOG2 = 20.0  # numeric[0] = log2(1 + gap in seconds)/20
DAY_S = 86400.0


class Attentive(Recurrent):
    """The head also sees the pooled hidden state. state = ((h, c), (log normaliser, pooled))."""

    def __init__(self):
        super().__init__("lstm", True)
        self.key = nn.Linear(HIDDEN, HIDDEN)
        self.value = nn.Linear(HIDDEN, 1, bias=False)
        self.decay = nn.Parameter(torch.tensor(-1.0))  # softplus(-1) = 0.31 a day
        self.pooled = nn.Linear(HIDDEN, 1, bias=False)
        nn.init.zeros_(self.pooled.weight)

    def forward(self, chunk, state):
        lstm, pool = state if state is not None else (None, None)
        hidden, lstm = self.run(self.inputs(chunk), chunk, lstm)
        gap_s = torch.exp2(chunk.numeric[..., 0] * SECONDS_LOG2) - 1
        passed = functional.softplus(self.decay) * torch.cumsum(gap_s / DAY_S, 1)
        # exp(score_s - decay (t - s)) without its factor exp(-decay t), which cancels out
        weight = self.value(torch.tanh(self.key(hidden))).squeeze(-1) + passed
        steps = hidden.shape[1]
        later = torch.ones(steps, steps, dtype=torch.bool).triu(1)
        weights = weight[:, None, :].expand(-1, steps, -1).masked_fill(later, -1e30)
        values = hidden
        if pool is not None:
            normaliser, before = pool
            weights = torch.cat([normaliser[:, None, None].expand(-1, steps, 1), weights], 2)
            values = torch.cat([before[:, None, :], hidden], 1)
        pooled = torch.softmax(weights, 2) @ values
        logit = self.head(hidden, chunk) + self.pooled(self.head.drop(pooled)).squeeze(-1)
        normaliser = torch.logsumexp(weights[:, -1], 1) - passed[:, -1]
        return logit, (lstm, (normaliser.detach(), pooled[:, -1].detach()))


class Decaying(Network):
    """An LSTM whose c decays with the time since the previous event, unit by unit."""

    def __init__(self):
        super().__init__(counters=True)
        self.from_input = nn.Linear(self.inputs.width, 4 * HIDDEN)
        self.from_hidden = nn.Linear(HIDDEN, 4 * HIDDEN, bias=False)
        self.rate = nn.Parameter(torch.full((HIDDEN,), -4.0))
        bound = HIDDEN ** -0.5
        for one in (self.from_input.weight, self.from_hidden.weight):
            nn.init.uniform_(one, -bound, bound)
        with torch.no_grad():
            self.from_input.bias[HIDDEN:2 * HIDDEN] = 1

    def run(self, x, chunk, state):
        h, c = state if state is not None else (x.new_zeros(len(x), HIDDEN),) * 2
        inputs = self.from_input(x)
        log_gap = chunk.numeric[..., :1] * SECONDS_LOG2
        kept = torch.exp(-functional.softplus(self.rate) * log_gap)
        out = []
        weight = self.from_hidden.weight.t()
        # unbind: the gradient of inputs[:, t] would be as large as all of them.
        for x_t, kept_t in zip(inputs.unbind(1), kept.unbind(1)):
            gates = torch.addmm(x_t, h, weight)
            i, f, o = torch.sigmoid(gates[:, :3 * HIDDEN]).chunk(3, 1)
            c = f * kept_t * c + i * torch.tanh(gates[:, 3 * HIDDEN:])
            h = o * torch.tanh(c)
            out.append(h)
        return torch.stack(out, 1), (h.detach(), c.detach())


NETWORKS = {
    "lstm+counters": lambda: Recurrent("lstm", True),
    "lstm+counters+attention": Attentive,
    "lstm+counters+decay": Decaying,
    "lstm": lambda: Recurrent("lstm", False),
}

ONLY_HERE = ("lstm+counters+attention", "lstm+counters+decay")

# State of a user in the record: h and c as fp16, twelve counters of four bytes, what attention needs
# (maximum, normaliser: fp32; pooled sum: fp16).
STATE_BYTES = {
    "regression": 12 * 4,
    "lstm+counters": 2 * 2 * HIDDEN + 12 * 4,
    "lstm+counters+attention": 2 * 2 * HIDDEN + 12 * 4 + 2 * 4 + 2 * HIDDEN,
    "lstm+counters+decay": 2 * 2 * HIDDEN + 12 * 4,
    "lstm": 2 * 2 * HIDDEN,
}
