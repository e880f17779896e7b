# SPDX-License-Identifier: Apache-2.0
"""The page: one file, nothing loaded from anywhere, light and dark, wide and narrow."""

import html

STYLE = """
:root { color-scheme: light dark; --paper: #fbfbfa; --card: #ffffff; --ink: #1b1d20;
  --muted: #656b73; --line: #dfe2e6; --one: #0b62c4; --two: #c2410c; --three: #0f7b5f; --four: #7c3aad;
  --warn: #fff4d6; }
@media (prefers-color-scheme: dark) { :root { --paper: #14161a; --card: #1c1f25; --ink: #e7e9ec;
  --muted: #9aa2ad; --line: #353a43; --one: #6cb0ff; --two: #ff9a5c; --three: #4fd1a5; --four: #c79bff;
  --warn: #3a3115; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); line-height: 1.5;
  font-family: system-ui, -apple-system, "Segoe UI", Roboto, "DejaVu Sans", sans-serif; }
main { max-width: 1120px; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1rem 0 .25rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 0 0 .5rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .4rem; }
p { margin: .4rem 0 .8rem; max-width: 75ch; }
a { color: var(--one); }
.quiet, figcaption { color: var(--muted); font-size: .9rem; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1rem; margin: .8rem 0 1rem; font-size: .95rem; }
section { background: var(--card); border: 1px solid var(--line); border-radius: 10px;
  padding: 1rem; margin: 0 0 1rem; }
.row { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 400px), 1fr)); }
.tiles { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(150px, 1fr)); }
.tile { border: 1px solid var(--line); border-radius: 8px; padding: .6rem .75rem; }
.tile b { display: block; font-size: 1.45rem; font-variant-numeric: tabular-nums; }
.tile span { color: var(--muted); font-size: .85rem; display: block; }
.warn { background: var(--warn); border-radius: 8px; padding: .6rem .75rem; }
figure { margin: 0; min-width: 0; }
figure svg { width: 100%; height: auto; display: block; max-width: 560px; }
figure svg text { font-family: inherit !important; }
.scroll { overflow-x: auto; margin-top: .6rem; }
table { border-collapse: collapse; font-size: .92rem; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--line);
  vertical-align: top; }
th { font-weight: 600; white-space: nowrap; }
td.number { text-align: right; white-space: nowrap; }
th.number { text-align: right; }
details { margin: .5rem 0 0; font-size: .9rem; }
summary { cursor: pointer; color: var(--muted); }
pre { background: var(--paper); border: 1px solid var(--line); border-radius: 6px; padding: .5rem .7rem;
  white-space: pre-wrap; overflow-wrap: anywhere; margin: .4rem 0; font-size: .85rem; }
@media print { section { break-inside: avoid; } }
"""


class Number(str):
    """A cell that stands to the right."""


def text(value):
    return html.escape(str(value), quote=True)


def table(headers, rows):
    def cell(kind, value):
        number = ' class="number"' if isinstance(value, Number) else ""
        return f"<{kind}{number}>{text(value)}</{kind}>"
    # A heading stands as the cells below it do.
    firsts = rows[0] if rows else headers
    heads = "".join(cell("th", Number(h) if isinstance(f, Number) else h)
                    for h, f in zip(headers, firsts))
    body = "".join("<tr>" + "".join(cell("td", v) for v in row) + "</tr>\n" for row in rows)
    return (f'<div class="scroll"><table>\n<thead><tr>{heads}</tr></thead>\n'
            f"<tbody>\n{body}</tbody></table></div>\n")


def facts(pairs):
    """Two columns of names and values."""
    body = "".join(f'<tr><th scope="row">{text(n)}</th><td>{text(v)}</td></tr>\n' for n, v in pairs)
    return f'<div class="scroll"><table><tbody>\n{body}</tbody></table></div>\n'


def figure(svg, caption):
    return f"<figure>{svg}<figcaption>{text(caption)}</figcaption></figure>\n"


def row(*figures):
    return '<div class="row">\n' + "".join(figures) + "</div>\n"


def tile(name, value, note):
    return f'<div class="tile"><span>{text(name)}</span><b>{text(value)}</b><span>{text(note)}</span></div>\n'


def paragraph(words, kind=""):
    mark = f' class="{kind}"' if kind else ""
    return f"<p{mark}>{text(words)}</p>\n"


def made_by(*commands):
    lines = "".join(f"<pre>{text(c)}</pre>" for c in commands)
    return f"<details><summary>how this was made</summary>{lines}</details>\n"


def section(name, title, body):
    return f'<section id="{name}">\n<h2>{text(title)}</h2>\n{body}</section>\n'


def page(title, lead, sections, style=""):
    """sections: (name, title, body) each; style: more of the style sheet."""
    links = "".join(f'<a href="#{name}">{text(heading)}</a>\n' for name, heading, _ in sections)
    body = "".join(section(*each) for each in sections)
    return ("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<meta name="color-scheme" content="light dark">\n'
            f"<title>{text(title)}</title>\n<style>{STYLE}{style}</style>\n</head>\n<body>\n<main>\n"
            f"<h1>{text(title)}</h1>\n{lead}<nav>\n{links}</nav>\n{body}</main>\n</body>\n</html>\n")
