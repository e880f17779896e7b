#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the page of `shoal report` part of the program.

Puts style, Chart.js and script into the template and writes the two parts, before
and after the data, as a C file. Run by meson."""

import argparse

PARTS = {"@STYLE@": "style", "@CHART@": "chart", "@SCRIPT@": "script"}
DATA = "@DATA@"


def c_array(name, data):
    lines = [
        ",".join(str(byte) for byte in data[at : at + 32]) + "," for at in range(0, len(data), 32)
    ]
    body = "\n".join(lines)
    return (
        f"const unsigned char {name}[] = {{\n{body}\n}};\n"
        f"const size_t {name}_size = sizeof {name};\n"
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("template", help="page.html")
    parser.add_argument("style", help="page.css")
    parser.add_argument("script", help="page.js")
    parser.add_argument("chart", help="chart.min.js")
    parser.add_argument("out", help="the C file to write")
    args = parser.parse_args()

    with open(args.template, encoding="utf-8") as f:
        page = f.read()
    for mark, name in PARTS.items():
        with open(getattr(args, name), encoding="utf-8") as f:
            text = f.read()
        if "</script" in text.lower() or "</style" in text.lower() or "<!--" in text:
            raise SystemExit(f"{getattr(args, name)} would end the element it stands in")
        if page.count(mark) != 1:
            raise SystemExit(f"{args.template} must have {mark} once")
        page = page.replace(mark, text)
    head, found, tail = page.rpartition(DATA)
    if not found:
        raise SystemExit(f"{args.template} has no {DATA}")

    with open(args.out, "w", encoding="utf-8") as f:
        f.write("/* SPDX-License-Identifier: Apache-2.0 */\n")
        f.write("/* Made by tools/report_page/embed.py. */\n")
        f.write('#include "tools/report_page.h"\n\n')
        f.write(c_array("shoal_report_page_head", head.encode()))
        f.write(c_array("shoal_report_page_tail", tail.encode()))


if __name__ == "__main__":
    main()
