# SPDX-License-Identifier: Apache-2.0
"""Horizontal bars with interval whiskers, as text for a terminal and as HTML with an inline SVG a row, which
keeps its letters readable on a narrow screen and follows light and dark. No library.

A row is (name, note, value, low, high): more is worse to lose. Groups are (title, rows)."""

import math

from reporting.page import text

STYLE = """
.bars { display: grid; grid-auto-flow: dense; column-gap: .8rem;
  grid-template-columns: minmax(5rem, auto) minmax(8rem, 1fr) auto;
  font-size: .92rem; font-variant-numeric: tabular-nums; }
.bars > * { align-self: center; padding: .12rem 0; }
.bars h4 { grid-column: 1 / -1; margin: .9rem 0 .1rem; font-size: .92rem; color: var(--muted); font-weight: 600; }
.bars svg { width: 100%; height: 1.25rem; display: block; overflow: visible; }
.bars .name { grid-column: 1; } .bars .track { grid-column: 2; }
.bars .value { grid-column: 3; text-align: right; white-space: nowrap; }
.bars .value span { color: var(--muted); }
.bars .ticks { grid-column: 2; position: relative; height: 1.4rem; color: var(--muted); font-size: .82rem; }
.bars .ticks span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
.sure { fill: var(--one); stroke: var(--one); } .unsure { fill: var(--muted); stroke: var(--muted); }
.bars rect { fill-opacity: .45; stroke: none; }
.bars line { vector-effect: non-scaling-stroke; stroke-width: 1.6; }
.bars .zero { stroke: var(--ink); stroke-width: 1; } .bars .grid { stroke: var(--line); stroke-width: 1; }
@media (max-width: 42rem) {
  .bars { grid-template-columns: 1fr auto; }
  .bars .value { grid-column: 2; }
  .bars .track { grid-column: 1 / -1; padding: 0 0 .4rem; }
  .bars .ticks { grid-column: 1 / -1; }
}
"""


def span(groups):
    """The ends of the axis: what there is, zero, and a little room."""
    ends = [v for _, rows in groups for row in rows for v in row[2:]] + [0]
    low, high = min(ends), max(ends)
    room = 0.03 * (high - low) or 1
    return low - (room if low < 0 else 0), high + (room if high > 0 else 0)


def ticks(low, high, about=4):
    step = 10 ** math.floor(math.log10((high - low) / about))
    step *= next(m for m in (1, 2, 5, 10) if (high - low) / (m * step) <= about)
    first = math.ceil(low / step)
    return [n * step for n in range(first, math.floor(high / step) + 1)], max(0, -math.floor(math.log10(step)))


def sure(row):
    """The whole interval says that the input is of use."""
    return row[3] > 0


# ---- text ---------------------------------------------------------------------------------------


def text_bar(row, low, high, width):
    """`█` from zero to the value, `├──┤` over the interval, `│` at zero."""
    def cell(value):
        return min(width - 1, max(0, round((value - low) / (high - low) * (width - 1))))
    zero, cells = cell(0), [" "] * width
    _, _, value, least, most = row
    if value == least == most == 0:
        cells[zero] = "│"
        return "".join(cells).rstrip()
    for at in range(cell(least), cell(most) + 1):
        cells[at] = "─"
    for at in range(min(zero, cell(value)), max(zero, cell(value)) + 1):
        cells[at] = "▓" if cells[at] == "─" else "█"
    cells[cell(least)], cells[cell(most)] = "├", "┤"
    if cells[zero] in " ─▓":
        cells[zero] = "│" if cells[zero] == " " else "┼"
    return "".join(cells).rstrip()


def as_text(groups, title, width=44):
    low, high = span(groups)
    lines = [f"{'':10} {title:>28}"]
    for heading, rows in groups:
        lines.append(heading)
        for row in rows:
            name, _, value, least, most = row
            mark = "*" if sure(row) else " "
            lines.append(f"  {name:8} {value:+8.4f} [{least:+.4f}, {most:+.4f}]{mark} "
                         f"{text_bar(row, low, high, width)}")
    return "\n".join(lines)


# ---- HTML ---------------------------------------------------------------------------------------


def track(row, at, marks):
    """The drawing of one row: 0 … 100 across, 0 … 20 down."""
    _, _, value, least, most = row
    kind = "sure" if sure(row) else "unsure"
    grid = "".join(f'<line class="grid" x1="{at(m):.2f}" x2="{at(m):.2f}" y1="0" y2="20"/>' for m in marks)
    left, right = sorted((at(0), at(value)))
    lines = "".join(f'<line x1="{at(a):.2f}" x2="{at(b):.2f}" y1="{c}" y2="{d}"/>'
                    for a, b, c, d in ((least, most, 10, 10), (least, least, 6, 14), (most, most, 6, 14)))
    return (f'<svg viewBox="0 0 100 20" preserveAspectRatio="none" aria-hidden="true">{grid}'
            f'<line class="zero" x1="{at(0):.2f}" x2="{at(0):.2f}" y1="0" y2="20"/><g class="{kind}">'
            f'<rect x="{left:.2f}" y="3" width="{right - left:.2f}" height="14"/>{lines}</g></svg>')


def as_html(groups):
    low, high = span(groups)
    marks, digits = ticks(low, high)

    def at(value):
        return 100 * (value - low) / (high - low)
    scale = "".join(f'<span style="left:{at(m):.2f}%">{m + 0:.{digits}f}</span>' for m in marks)
    parts = []
    for heading, rows in groups:
        parts.append(f"<h4>{text(heading)}</h4>\n")
        for row in rows:
            name, note, value, least, most = row
            parts.append(f'<div class="name" title="{text(note)}">{text(name)}</div>'
                         f'<div class="value">{value:+.4f} <span>[{least:+.4f}, {most:+.4f}]</span></div>'
                         f'<div class="track">{track(row, at, marks)}</div>\n')
    return f'<div class="bars">\n{"".join(parts)}<div class="ticks" aria-hidden="true">{scale}</div></div>\n'
