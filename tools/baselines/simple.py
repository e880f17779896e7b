# SPDX-License-Identifier: Apache-2.0
"""Predictors that see one event at a time: prior, logistic regression, boosted trees.

Each is a function (task, settings) -> probabilities of all events of the data set; only those of
task.score are used."""

import numpy as np

RIDGES = (0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 1e-4, 1e-5)
RIDGE_STANDARD = 0.03


def prior(task, settings):
    return np.full(task.events.count, task.events.label[task.teach].mean())


def counter_inputs(events, mask):
    """log1p of the twelve rates, standardised over the events of the mask."""
    x = np.log1p(events.rates.astype(np.float64))
    variance = x[mask].var(0)
    # A behaviour that hardly occurs must not turn into a huge input when it does.
    return (x - x[mask].mean(0)) / np.where(variance > 1e-4, np.sqrt(np.maximum(variance, 0)), 1e-2)


def log_loss(p, labels):
    p = np.clip(np.where(labels == 1, p, 1 - p), 1e-7, 1)
    return -np.log(p).mean()


def fit_logistic(x, y, ridge):
    """Newton's method on the penalised likelihood; the last column of x is one, not penalised."""
    penalty = np.full(x.shape[1], ridge * len(y))
    penalty[-1] = 0
    weights = np.zeros(x.shape[1])
    weights[-1] = np.log(y.mean() / (1 - y.mean()))

    def likelihood(w):
        z = x @ w
        return -np.logaddexp(0, np.where(y == 1, -z, z)).sum() - (penalty * w * w).sum() / 2

    reached = likelihood(weights)
    for _ in range(50):
        p = 1 / (1 + np.exp(-(x @ weights)))
        hessian = (x * (p * (1 - p))[:, None]).T @ x + np.diag(penalty)
        step = np.linalg.solve(hessian, x.T @ (y - p) - penalty * weights)
        share, before = 1.0, reached
        while share > 1e-3 and not likelihood(weights + share * step) >= before:
            share /= 2
        if share <= 1e-3:
            break
        weights = weights + share * step
        reached = likelihood(weights)
        if reached - before < 1e-9 * len(y):
            break
    return weights


def regression(task, settings):
    """As model/learn/regression.c: ridge by the events that decide when to stop, then all."""
    events, y = task.events, task.events.label

    def predict(mask, ridge):
        x = np.hstack([counter_inputs(events, mask), np.ones((events.count, 1))])
        return 1 / (1 + np.exp(-(x @ fit_logistic(x[mask], y[mask].astype(float), ridge))))

    ridge = RIDGE_STANDARD
    if task.has_both_classes(task.early) and task.has_both_classes(task.stop):
        ridge = min(RIDGES, key=lambda one: log_loss(predict(task.early, one)[task.stop],
                                                     y[task.stop]))
    return predict(task.teach, ridge)


def lightgbm(task, settings):
    """Boosted trees on counters, numeric inputs and behaviour; the number of trees by early stopping,
    then as many again on all that may teach."""
    import lightgbm as library
    events, y = task.events, task.events.label
    x = np.hstack([events.rates, events.numeric, events.behavior[:, None]])
    options = {"objective": "binary", "learning_rate": 0.05, "num_leaves": 15,
               "min_data_in_leaf": 100, "feature_fraction": 0.8, "bagging_fraction": 0.8,
               "bagging_freq": 1, "lambda_l2": 1.0, "num_threads": 1, "seed": settings.seed,
               "deterministic": True, "verbosity": -1}
    trees = 50
    if task.has_both_classes(task.early) and task.has_both_classes(task.stop):
        early = library.Dataset(x[task.early], y[task.early])
        stop = library.Dataset(x[task.stop], y[task.stop], reference=early)
        trees = library.train(options, early, 500, valid_sets=[stop],
                              callbacks=[library.early_stopping(50, verbose=False)]).best_iteration
    return library.train(options, library.Dataset(x[task.teach], y[task.teach]),
                         max(trees, 1)).predict(x)
