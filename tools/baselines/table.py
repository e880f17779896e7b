# SPDX-License-Identifier: Apache-2.0
"""Figures as text."""

import math

NAMES = {"roc_auc": "ROC-AUC", "roc_auc_within": "within a fold", "pr_auc": "PR-AUC",
         "log_loss": "log loss", "ece": "ECE"}


def short(value, signed=False):
    """.614, +.012; no leading zero."""
    if value is None or math.isnan(value):
        return "-"
    text = f"{value:+.3f}" if signed else f"{value:.3f}"
    return text.replace("0.", ".", 1) if abs(value) < 1 else text


def with_interval(value, low, high, signed=False):
    return f"{short(value, signed)} [{short(low, signed)}, {short(high, signed)}]"


def columns(rows):
    widths = [max(len(row[k]) for row in rows) for k in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
            for row in rows]


def level(title, rows, references):
    """rows: name -> (figures, seconds, note); one table of measures, one of differences."""
    out = [title]
    there = [key for key in NAMES if key in next(iter(rows.values()))[0]]
    table = [["", *(NAMES[key] for key in there), "took", ""]]
    for name, (figures, seconds, note) in rows.items():
        cells = [with_interval(figures[key], *figures[key + "_ci"]) for key in there]
        table.append([name, *cells, f"{seconds:.0f} s", note])
    out += columns(table)
    heads = [(key, one) for one in references
             for key in ("roc_auc", "roc_auc_within", "log_loss") if key in there]
    if heads:
        out.append("difference on the same resampled users (log loss: below zero is better)")
        table = [["", *(f"{NAMES[key]} - {one}'s" for key, one in heads)]]
        for name, (figures, _, _) in rows.items():
            table.append([name, *("" if name == one else
                                  with_interval(*figures["less_" + one][key], signed=True)
                                  for key, one in heads)])
        out += columns(table)
    return "\n".join(out)


def print_protocol(title, judged, references, out):
    """judged: name -> dict(event, user, seconds, note)."""
    some = next(iter(judged.values()))
    print(f"\n=== {title}", file=out)
    for key, what in (("event", "events"), ("user", "users, each by the last scored event")):
        figures = some[key]
        rows = {name: (one[key], one["seconds"], one["note"]) for name, one in judged.items()}
        print(level(f"--- {what}: {figures['n']} of {figures['users']} users, base rate "
                    f"{short(figures['base_rate'])}", rows, references), file=out)
    out.flush()
