# SPDX-License-Identifier: Apache-2.0
"""Every method by its name, and the ranks that it gave, kept in a folder: a second run with the same
data, settings and sources does not compute them again."""

import ast
import hashlib
import json
import os
import pathlib
import types

import numpy as np

import next_item_simple as simple

HERE = pathlib.Path(__file__).resolve().parent
SIMPLE = ("popularity", "co-occurrence", "co-occurrence+returns")
NETWORKS = ("gru4rec", "sasrec")
SOURCES = {**dict.fromkeys(SIMPLE, ("next_item_simple.py",)),
           **dict.fromkeys(NETWORKS, ("next_item_networks.py", "next_item_fit.py"))}


def source_key(names):
    """Changes with what a module does, not with what it says of it."""
    digest = hashlib.sha256()
    for name in names:
        tree = ast.parse((HERE / name).read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(getattr(node, "body", None), list):
                node.body = [one for one in node.body if not (
                    isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))]
        digest.update(ast.dump(tree).encode())
    return digest.hexdigest()[:16]


def simple_ranks(name, problem, quick, report):
    def best(make, start):
        if quick:
            return make, start, 1
        return make, *simple.best_settings(make, problem, start, report)

    if name == "popularity":
        make, settings, tried = best(simple.Popularity, {"half_life": 0})
    else:
        make, settings, tried = best(simple.CoOccurrence, simple.CO_OCCURRENCE)
        if name == "co-occurrence+returns":
            first = tried
            make, settings, tried = best(simple.Returns, settings if not quick else
                                         {**settings, "repeat": 0.1})
            tried += first
    note = f"{simple.text_of(settings)} ({tried} tried)"
    return make(**settings).learn(problem).ranks(problem), note


def compute(name, problem, seed, quick, report):
    if name in SIMPLE:
        return simple_ranks(name, problem, quick, report)
    import next_item_fit
    return next_item_fit.fit(name, problem, seed, report, quick)


def processor_seconds():
    return sum(os.times()[:4])


def ranks(name, problem, seed, quick, folder, report):
    """ranks, note, seconds of one core."""
    key = hashlib.sha256(repr((
        problem.log.fingerprint(), problem.split, name, seed, quick,
        source_key(("next_item_data.py", "next_item_ranks.py", *SOURCES[name])))).encode())
    path = folder / f"{name}-{key.hexdigest()[:16]}"
    values, about = path.with_suffix(".npy"), path.with_suffix(".json")
    if about.exists() and values.exists():
        kept = json.loads(about.read_text(encoding="utf-8"))
        return types.SimpleNamespace(ranks=np.load(values), **kept)
    began = processor_seconds()
    found, note = compute(name, problem, seed, quick, lambda text: report(f"{name}: {text}"))
    kept = {"note": note, "seconds": processor_seconds() - began}
    folder.mkdir(parents=True, exist_ok=True)
    np.save(values, found)
    # Last, and at once: what is described is complete.
    part = about.with_suffix(".part")
    part.write_text(json.dumps(kept), encoding="utf-8")
    os.replace(part, about)
    return types.SimpleNamespace(ranks=found, **kept)
