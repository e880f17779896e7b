# SPDX-License-Identifier: Apache-2.0
"""Tables from JSON that others have written (an ablation, baselines), whatever their columns are."""

from reporting.page import Number


def number(value, digits=4):
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        if value and (abs(value) >= 1e6 or abs(value) < 10**-digits):
            return f"{value:.3g}"
        return f"{value:,.{digits}f}".rstrip("0").rstrip(".") if abs(value) >= 100 else f"{value:.{digits}f}"
    return str(value)


def with_interval(value, interval, digits=4):
    if value is None:
        return "–"
    if not interval:
        return number(value, digits)
    return f"{number(value, digits)} [{number(interval[0], digits)}, {number(interval[1], digits)}]"


def is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def is_rows(value):
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


def flat(row, before=""):
    """{"a": {"b": 1}} as {"a.b": 1}; lists of rows are left to their own tables."""
    out = {}
    for key, value in row.items():
        if isinstance(value, dict):
            out.update(flat(value, f"{before}{key}."))
        elif not is_rows(value):
            out[before + key] = value
    return out


def cell(row, key):
    value = row.get(key)
    if is_number(value) or value is None:
        shown = with_interval(value, row.get(key + "_ci")) if key in row else ""
        return Number(shown)
    if isinstance(value, list) and len(value) == 3 and all(is_number(v) for v in value):
        return Number(with_interval(value[0], value[1:]))
    if isinstance(value, list):
        return ", ".join(number(v) for v in value)
    return number(value)


def one_table(rows):
    """(headers, cells): columns in the order in which they first appear."""
    rows = [flat(row) for row in rows]
    keys = list(dict.fromkeys(key for row in rows for key in row))
    keys = [key for key in keys if not (key.endswith("_ci") and key[:-3] in keys)]
    return [key.replace("_", " ") for key in keys], [[cell(row, key) for key in keys] for row in rows]


def find(value, title=""):
    """Yields (title, headers, cells) for everything in `value` that is a table."""
    if is_rows(value):
        if any(is_rows(inner) for row in value for inner in row.values()):
            for row in value:
                yield from find(row, str(row.get("title") or row.get("name") or title))
        else:
            yield (title, *one_table(value))
    elif isinstance(value, dict):
        if value and all(isinstance(v, dict) for v in value.values()):
            yield (title, *one_table([{"": key, **inner} for key, inner in value.items()]))
            return
        alone = [[key.replace("_", " "), cell(value, key)] for key, v in value.items()
                 if not isinstance(v, (dict, list)) and key not in ("title", "name")]
        if alone:
            yield title, ["", ""], alone
        for key, inner in value.items():
            if isinstance(inner, dict) or is_rows(inner):
                yield from find(inner, value.get("title") or key.replace("_", " "))
