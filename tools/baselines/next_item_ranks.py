# SPDX-License-Identifier: Apache-2.0
"""Scores to ranks, and what a rank counts."""

import numpy as np

MEASURES = ("hr@10", "hr@20", "ndcg@10", "ndcg@20", "mrr@20")
MISS = 1 << 40  # the rank of what was not ranked at all


def ranks_of(scores, targets):
    """How many items come before each target (0: none); K x N scores. One of the same score comes
    before it: a method gains nothing by saying the same of all."""
    own = scores[np.arange(len(targets)), targets]
    return (scores >= own[:, None]).sum(1) - 1


def gains(ranks):
    """K ranks -> what each counts, K x MEASURES."""
    ranks = np.asarray(ranks, np.float64)
    gain, inverse = 1 / np.log2(ranks + 2), 1 / (ranks + 1)
    return np.stack([ranks < 10, ranks < 20, gain * (ranks < 10), gain * (ranks < 20),
                     inverse * (ranks < 20)], 1).astype(np.float64)


def ndcg(ranks):
    """What decides on validation: ndcg@20."""
    return float(gains(ranks)[:, 3].mean())
