"""Counts the records of the shared corpora with Python's own readers.

Prints one line a file: its path below `shared/data`, the reader, and how many
records it has. A record is what `prep convert` counts as read: a table row
below the header, an aligned line pair, a translation unit, a PO entry (each
plural pair counts once for the singular and once for the plural where the two
have forms of their own), a JSON value.
"""

import csv
import json
import pathlib
import re
import sys
import xml.etree.ElementTree as xml

DATA = pathlib.Path(__file__).resolve().parent.parent.parent / "shared" / "data"
csv.field_size_limit(1 << 30)


def table(path, delimiter, header):
    quoting = csv.QUOTE_NONE if path.suffix == ".tsv" and not header else csv.QUOTE_MINIMAL
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = [row for row in csv.reader(file, delimiter=delimiter, quoting=quoting) if row]
    return len(rows) - header


def lines(path):
    return path.read_bytes().count(b"\n")


def elements(path, *names):
    tags = (element.tag.rsplit("}", 1)[-1] for element in xml.parse(path).iter())
    return sum(tag in names for tag in tags)


def values(path):
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        return sum(1 for line in text.split("\n") if line.strip() and json.loads(line) is not None)
    return len(json.loads(text))


def po_entries(path):
    """Entries but the header, obsolete ones among them, plural pairs twice."""
    count = 0
    for block in re.split(r"\n\s*\n", path.read_text(encoding="utf-8")):
        keywords = [line.removeprefix("#~ ").split()[0] for line in block.split("\n") if re.match(r"(#~ )?msg", line)]
        if "msgid" not in keywords:
            continue
        if re.search(r'^msgid ""\nmsgstr ', block, re.M) and "msgctxt" not in keywords and count == 0:
            continue
        forms = len(re.findall(r"^msgstr\[\d+\]", block, re.M))
        translated = re.search(r'^(#~ )?msgstr(\[\d+\])? "[^"]|^(#~ )?msgstr(\[\d+\])? ""\n"', block, re.M)
        whole = "fuzzy" not in "".join(re.findall(r"^#,.*$", block, re.M)) and not block.lstrip().startswith("#~")
        count += 2 if forms > 1 and translated and whole else 1
    return count


COUNTERS = [
    ("chat/banking77.test.csv", lambda path: table(path, ",", 1)),
    ("chat/awesome-chatgpt-prompts.2025-01.csv", lambda path: table(path, ",", 1)),
    ("chat/data-juicer.demo-dataset.csv", lambda path: table(path, ",", 1)),
    ("chat/data-juicer.demo-dataset.tsv", lambda path: table(path, "\t", 1)),
    ("chat/*.json", values),
    ("chat/*.jsonl", values),
    ("parallel/csv/*.csv", lambda path: table(path, ",", 1)),
    ("parallel/tsv/*.tsv", lambda path: table(path, "\t", 0)),
    ("parallel/moses/*", lines),
    ("parallel/po/*.po", po_entries),
    ("parallel/tmx/*.tmx", lambda path: elements(path, "tu")),
    ("parallel/xliff/*.xl*", lambda path: elements(path, "trans-unit")),
    ("parallel/xliff/oasis-2.1-valid/*.xlf", lambda path: elements(path, "segment")),
]


def main():
    print("# What Python's readers count; made by `cargo xtask oracle`.")
    for pattern, count in COUNTERS:
        paths = sorted(DATA.glob(pattern))
        if not paths:
            sys.exit(f"no file is {pattern} below {DATA.name}")
        for path in paths:
            print(path.relative_to(DATA).as_posix(), count(path), sep="\t")


if __name__ == "__main__":
    main()
