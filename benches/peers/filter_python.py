#!/usr/bin/env python3
"""Filters pairs as a careful person's script does: one loop, compiled patterns.

The checks are those of `prep filter --preset web`, as far as a script has them: a
side without letters, a copy, the ratio of lengths, numbers, placeholders, addresses,
brackets, loops, the script of the target. Languages are not told, for which there is
no short way. Usage: filter_python.py IN OUT [orjson]
"""

import re
import sys
from collections import Counter

if "orjson" in sys.argv[3:]:
    from orjson import loads
else:
    from json import loads

NUMBER = re.compile(r"\d+(?:[.,' ]\d{3})*(?:[.,]\d+)?")
PLACEHOLDER = re.compile(r"\{\{[^{}]*\}\}|\$?\{\w*\}|%\(\w+\)\w|%\d*\$?[sd]|</?\w+[^<>]*>|\[\[[^\]]*\]\]|\\[nt]")
ADDRESS = re.compile(r"https?://[^\s<>\"]+|www\.[^\s<>\"]+|[\w.+-]+@[\w-]+\.[\w.]+")
LOOP = re.compile(r"(\b.{3,60}?)(?:\W*\1){5,}", re.DOTALL)
LETTER = re.compile(r"\w")
NOT_A_LETTER = re.compile(r"\W+")
MIXED = re.compile(r"[a-z][а-я]|[а-я][a-z]", re.IGNORECASE)
BRACKETS = ("()", "[]", "«»", "“”", "（）", "「」")


def numbers(text: str) -> Counter:
    return Counter(NOT_A_LETTER.sub("", number) for number in NUMBER.findall(text))


def is_good(source: str, target: str) -> bool:
    if not LETTER.search(source) or not LETTER.search(target):
        return False
    one, other = (NOT_A_LETTER.sub("", text).lower() for text in (source, target))
    if one == other and len(source.split()) > 3:
        return False
    longer, shorter = max(len(source), len(target)), min(len(source), len(target))
    if longer > 40 and longer > 9 * shorter:
        return False
    if numbers(source) != numbers(target):
        return False
    if Counter(PLACEHOLDER.findall(source)) != Counter(PLACEHOLDER.findall(target)):
        return False
    if Counter(ADDRESS.findall(source)) != Counter(ADDRESS.findall(target)):
        return False
    for opening, closing in BRACKETS:
        if target.count(opening) != target.count(closing) and source.count(opening) == source.count(closing):
            return False
    return not LOOP.search(target) and not MIXED.search(target)


def main() -> None:
    with open(sys.argv[1], "rb") as lines, open(sys.argv[2], "wb") as out:
        for line in lines:
            contents = loads(line)["contents"]
            source, target = (turn["parts"][0]["text"] for turn in contents[-2:])
            if is_good(source, target):
                out.write(line)


main()
