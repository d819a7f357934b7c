"""Prints the table of characters behind the `intl` tokenizer.

sacreBLEU asks the `regex` package what is punctuation, a symbol or a number, so
the table is made from that package: `python3 xtask/eval_categories.py >
crates/prep-eval/src/unicode/table.rs`.
"""

from importlib.metadata import version

import regex

CLASSES = {"Letter": r"\p{L}", "Number": r"\p{N}", "Punctuation": r"\p{P}", "Symbol": r"\p{S}"}
PER_LINE = 4


def main():
    found = {}
    for name, pattern in CLASSES.items():
        matches = regex.compile(pattern).match
        found |= {c: name for c in range(0x110000) if not 0xD800 <= c < 0xE000 and matches(chr(c))}
    ranges = []
    for c, name in sorted(found.items()):
        if ranges and ranges[-1][1:] == [c - 1, name]:
            ranges[-1][1] = c
        else:
            ranges.append([c, c, name])
    print("//! Which characters are letters, numbers, punctuation and symbols.")
    print("//!")
    print(f"//! Made by `xtask/eval_categories.py` from the Python package `regex` {version('regex')}.")
    print("\nuse super::Class::{self, Letter as L, Number as N, Punctuation as P, Symbol as S};\n")
    print("/// The first and the last character of each run, in order, and what it is.")
    print("#[rustfmt::skip]")
    print(f"pub(super) static RUNS: [(u32, u32, Class); {len(ranges)}] = [")
    entries = [f"({first:#x}, {last:#x}, {name[0]})," for first, last, name in ranges]
    for n in range(0, len(entries), PER_LINE):
        print("    " + " ".join(entries[n : n + PER_LINE]))
    print("];")


main()
