#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Two small readings of event and output files for people and for tools/quickstart.

span     prints "FIRST SPLIT LAST COUNT REST": the times of the first and last event
         (RFC 3339, UTC), the time that lies a given share of the way between them,
         the number of events, and of those at or after the split
outputs  prints what the segment changes and decisions of a run amount to
"""

import argparse
import collections
import datetime
import gzip
import io
import json
import subprocess
import sys

UTC = datetime.timezone.utc


def open_text(path):
    """Plain, gzip or zstd, recognised by its first bytes as shoal itself does."""
    with open(path, "rb") as f:
        magic = f.read(4)
    if magic[:2] == b"\x1f\x8b":
        return gzip.open(path, "rt", encoding="utf-8", errors="replace")
    if magic == b"\x28\xb5\x2f\xfd":
        pipe = subprocess.Popen(["zstd", "-dcq", path], stdout=subprocess.PIPE)
        return io.TextIOWrapper(pipe.stdout, encoding="utf-8", errors="replace")
    return open(path, encoding="utf-8", errors="replace")


def seconds(value):
    """Seconds since 1970 of a timestamp in any of the accepted forms, or None."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        try:
            text = str(value).strip().replace("Z", "+00:00").replace(" UTC", "+00:00")
            when = datetime.datetime.fromisoformat(text)
        except ValueError:
            return None
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    return number / 1000 if number >= 1e11 else number


def event_times(path):
    column = 4  # user, item, category, behaviour, timestamp
    with open_text(path) as lines:
        for number, line in enumerate(lines):
            line = line.strip()
            if line.startswith("{"):
                try:
                    event = json.loads(line)
                except ValueError:
                    continue
                when = seconds(event.get("timestamp"))
            else:
                fields = line.split(",")
                if number == 0:
                    for i, name in enumerate(fields):
                        if name.strip().lower() in ("timestamp", "ts", "time", "event_time"):
                            column = i
                when = seconds(fields[column]) if len(fields) > column else None
            if when is not None:
                yield when


def rfc3339(when):
    return datetime.datetime.fromtimestamp(int(when), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def span(args):
    times = sorted(event_times(args.events))
    if not times:
        sys.exit(f"{args.events}: no event with a readable time")
    split = int(times[0] + args.share * (times[-1] - times[0]))
    rest = [t for t in times if t >= split] or times[-1:]
    live = int(rest[-min(args.live, max(len(rest) // 4, 1))])
    print(rfc3339(times[0]), rfc3339(split), rfc3339(live), rfc3339(times[-1]), len(times),
          sum(1 for t in rest if t < live))


def read_lines(path):
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            if line.strip():
                yield json.loads(line)


def clock(value):
    when = seconds(value)
    return rfc3339(when) if when is not None else "?"


def outputs(args):
    level, changes, latest = {}, 0, collections.deque(maxlen=args.last)
    for change in read_lines(args.segments):
        changes += 1
        level[change["dimension"], change["user_id"]] = change["to"]
        latest.append(change)
    sizes = collections.Counter((dimension, to) for (dimension, _), to in level.items())
    print(f"Segments ({changes:,} changes), users by their level now:")
    for dimension in sorted({d for d, _ in sizes}):
        members = [(to, n) for (d, to), n in sizes.most_common() if d == dimension and to is not None]
        print(f"  {dimension:<17}" + "   ".join(f"{to} {n:,}" for to, n in members))
    print(f"\nThe last {len(latest)} segment changes:")
    for change in latest:
        score = change.get("score")
        shown = f"   score {score:.3f}" if isinstance(score, (int, float)) else ""
        print(
            f"  {clock(change.get('event_time'))}  user {change['user_id']:<12} "
            f"{change['dimension']}: {change.get('from') or 'none'} -> {change['to'] or 'none'}{shown}"
        )

    answer, count, latest = {}, 0, collections.deque(maxlen=args.last)
    for decision in read_lines(args.decisions):
        count += 1
        answer[decision["promotion"], decision["user_id"]] = decision
        latest.append(decision)
    print(f"\nPromotions ({count:,} decisions), users by their answer now:")
    for promotion in sorted({p for p, _ in answer}):
        mine = [d for (p, _), d in answer.items() if p == promotion]
        eligible = sum(1 for d in mine if d["eligible"])
        variants = collections.Counter(str(d.get("variant")) for d in mine if d["eligible"])
        shares = ", ".join(f"{v} {n:,}" for v, n in sorted(variants.items()))
        print(f"  {promotion:<24} eligible {eligible:,} ({shares})   not {len(mine) - eligible:,}")
    print(f"\nThe last {len(latest)} decisions:")
    for d in latest:
        verdict = "eligible" if d["eligible"] else "not eligible"
        print(
            f"  {clock(d.get('event_time'))}  user {d['user_id']:<12} "
            f"{d['promotion']}: {verdict}, {d.get('variant')}"
        )
        for reason in d.get("reasons", []):
            text = reason if isinstance(reason, str) else json.dumps(reason)
            print(f"      {text}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    verbs = parser.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("span", help="the time span of an events file")
    one.add_argument("events", help="CSV or JSONL; plain, gzip or zstd")
    one.add_argument("--share", type=float, default=0.7, help="where to split (default 0.7)")
    one.add_argument("--live", type=int, default=3000,
                     help="so many of the last events are told apart (default 3000, a quarter of the rest at most)")
    two = verbs.add_parser("outputs", help="what segment changes and decisions amount to")
    two.add_argument("segments", help="one segment change a line, JSON")
    two.add_argument("decisions", help="one decision a line, JSON")
    two.add_argument("--last", type=int, default=5, help="how many to show (default 5)")
    args = parser.parse_args()
    {"span": span, "outputs": outputs}[args.verb](args)


if __name__ == "__main__":
    main()
