# SPDX-License-Identifier: Apache-2.0
"""Is what subscribers saw what an uninterrupted replay wrote? Lines of each user in order,
none missing, none twice, no byte different."""

import json
import re
from collections import Counter, defaultdict

SHOWN = 3
_HEAD = re.compile(rb'\{"id":"[^"\\/]*/([0-9]+)/[^"\\]*","user_id":"([^"\\]*)"')


def _id(line):
    try:
        return json.loads(line)["id"]
    except (ValueError, KeyError, TypeError):
        return line


def _some(lines):
    text = " | ".join(line[:240].decode("utf-8", "replace") for line in lines[:SHOWN])
    return text + (" | …" if len(lines) > SHOWN else "")


def difference(name, wanted, found):
    """A text that names what differs between two lists of lines, or None."""
    want, have = Counter(wanted), Counter(found)
    if want == have:
        return None
    lacking, excess = list((want - have).elements()), list((have - want).elements())
    doubled = [line for line in excess if line in want]
    foreign = [line for line in excess if line not in want]
    ids = {_id(line) for line in lacking}
    changed = [line for line in foreign if _id(line) in ids]
    changed_ids = {_id(line) for line in changed}
    missing = [line for line in lacking if _id(line) not in changed_ids]
    extra = [line for line in foreign if _id(line) not in ids]
    parts = [f"{len(lines)} {word}: {_some(lines)}"
             for word, lines in (("missing", missing), ("twice", doubled), ("different", changed),
                                 ("that should not be there", extra)) if lines]
    return f"{name}: {len(wanted)} lines wanted, {len(found)} found; " + "; ".join(parts)


def _head(line):
    """(partition, user) of an output's line. A hundred thousand are read, and json.loads is ten times slower."""
    head = _HEAD.match(line)
    if head:
        return head.groups()
    value = json.loads(line)
    return value["id"].split("/")[1].encode(), json.dumps(value["user_id"])[1:-1].encode()


def _by_user(lines):
    """Tombstones that other partitions wrote, which were told too, come when they come."""
    users = defaultdict(list)
    heads = [_head(line) for line in lines]
    own = {head for line, head in zip(lines, heads) if b'"forgotten"' not in line}
    for line, head in zip(lines, heads):
        if head in own:
            users[head[1]].append(line)
    return users


def order_difference(name, wanted, found):
    """The same lines are there; does each user's stand in the order of the replay?"""
    want, have = _by_user(wanted), _by_user(found)
    for user, lines in want.items():
        if have[user] != lines:
            at = next(i for i, line in enumerate(lines) if have[user][i] != line)
            return (f"{name}: lines of user {user} are out of order: wanted {_some([lines[at]])}, "
                    f"found {_some([have[user][at]])}")
    return None
