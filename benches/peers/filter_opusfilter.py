#!/usr/bin/env python3
"""Filters pairs with OpusFilter's length and ratio filters, from and to Gemini JSONL.

Usage: filter_opusfilter.py IN OUT
"""

import json
import sys

from opusfilter.filters import LengthFilter, LengthRatioFilter


def main() -> None:
    filters = [LengthFilter(unit="word", min_length=1, max_length=1000), LengthRatioFilter(unit="char", threshold=9)]
    with open(sys.argv[1], encoding="utf-8") as lines, open(sys.argv[2], "w", encoding="utf-8") as out:
        for line in lines:
            contents = json.loads(line)["contents"]
            pair = [turn["parts"][0]["text"] for turn in contents[-2:]]
            if all(one.accept(next(iter(one.score([pair])))) for one in filters):
                out.write(line)


main()
