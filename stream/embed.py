#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes a file part of the program, as an array NAME_bytes of NAME_size bytes. Run by meson."""

import argparse


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("name", help="what the array is called by")
    parser.add_argument("file")
    parser.add_argument("source", help="the C file to write")
    parser.add_argument("header", help="its header to write")
    args = parser.parse_args()

    with open(args.file, "rb") as f:
        data = f.read()
    rows = [",".join(map(str, data[at : at + 32])) + "," for at in range(0, len(data), 32)]
    with open(args.source, "w", encoding="ascii") as f:
        f.write("#include <stddef.h>\n")
        f.write(f"const unsigned char {args.name}_bytes[] = {{\n" + "\n".join(rows) + "\n};\n")
        f.write(f"const size_t {args.name}_size = sizeof {args.name}_bytes;\n")
    with open(args.header, "w", encoding="ascii") as f:
        f.write("#include <stddef.h>\n")
        f.write(f"extern const unsigned char {args.name}_bytes[];\nextern const size_t {args.name}_size;\n")


if __name__ == "__main__":
    main()
