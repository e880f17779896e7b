# SPDX-License-Identifier: Apache-2.0
"""The figures of next_item as text: a table of means and one of Shoal's differences a group."""

from next_item_judge import GROUPS
from next_item_ranks import MEASURES
from table import columns, with_interval

MEANING = {"all": "all targets", "buy": "purchases", "short": "histories under ten events",
           "new": "items that the user has not had"}


def _print_rows(rows, markdown, out):
    if not markdown:
        print("\n".join(columns(rows)), file=out)
        return
    for number, row in enumerate(rows):
        print("| " + " | ".join(row) + " |", file=out)
        if number == 0:
            print("|---" * len(row) + "|", file=out)
    print(file=out)


def print_table(result, markdown, out):
    methods = result["methods"]
    missed = result["unseen"] / (result["unseen"] + result["targets"])
    mark = "###" if markdown else "==="
    print(f"\n{mark} {result['data']}: {result['items']} items, {result['targets']} targets of "
          f"{result['users']} users; {missed:.1%} more are of items unseen before the split\n", file=out)
    for group in GROUPS:
        rows = {name: one for name, one in methods.items() if group in one["figures"]}
        count = next(iter(rows.values()))["figures"][group]["targets"]
        print(f"{MEANING[group]}: {count}" + ("\n" if markdown else ""), file=out)
        if count == 0:
            continue
        _print_rows([["", *MEASURES]] + [
            [name, *(with_interval(*one["figures"][group][key]) for key in MEASURES)]
            for name, one in rows.items()], markdown, out)
        less = [[f"{own} - {name}", *(with_interval(*by_group[group][key], signed=True)
                                      for key in MEASURES)]
                for name, one in rows.items() for own, by_group in one.get("less", {}).items()
                if group in by_group]
        if less:
            _print_rows([["difference", *MEASURES]] + less, markdown, out)
    _print_rows([["", "took", ""]] + [[name, f"{one['seconds']:.0f} s", one["note"]]
                                      for name, one in methods.items()], markdown, out)
    out.flush()
