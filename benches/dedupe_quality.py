#!/usr/bin/env python3
"""Says how many near-duplicates are found, and how many of those found are ones.

The truth is what `generate.py` planted: pairs of records whose prompts have a Jaccard
index of 0.8 or more over sets of five characters. A pair is found if both records are in
one cluster; a pair of a record that goes and the one it goes for is right if its own
index, computed here, is 0.8 or more.

    benches/dedupe_quality.py benches/data/corpus-100MB clusters.jsonl    # of prep --clusters
    benches/dedupe_quality.py benches/data/corpus-100MB merged.tsv        # of the peers
"""

import json
import sys
from collections import defaultdict
from pathlib import Path


def grams(text: str, length: int) -> set[str]:
    return {text[i : i + length] for i in range(max(len(text) - length + 1, 1))}


def jaccard(a: str, b: str) -> float:
    length = 3 if min(len(a), len(b)) <= 100 else 5
    one, other = grams(a, length), grams(b, length)
    return len(one & other) / len(one | other)


def merged_pairs(path: Path) -> list[tuple[int, int]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    if path.suffix == ".tsv":
        return [tuple(map(int, line.split("\t"))) for line in lines]
    clusters = (json.loads(line) for line in lines)
    return [(c["kept"], n) for c in clusters if c["kept"] for n in c["dropped"]]


def main(stem: str, path: Path) -> None:
    with open(f"{stem}.gemini.jsonl", encoding="utf-8") as lines:
        prompts = [json.loads(line)["contents"][0]["parts"][0]["text"] for line in lines]
    texts = [" ".join(prompt.lower().split()) for prompt in prompts]
    pairs = merged_pairs(path)
    parent = list(range(len(texts) + 1))

    def root(n: int) -> int:
        while parent[n] != n:
            parent[n] = n = parent[parent[n]]
        return n

    for one, other in pairs:
        parent[root(other)] = root(one)
    clusters = defaultdict(list)
    with open(f"{stem}.truth.tsv", encoding="utf-8") as truth:
        next(truth)
        for line in truth:
            _, record, original, *_ = line.split("\t")
            clusters[int(original)].append(int(record))
    n_true = n_found = 0
    for original, records in clusters.items():
        for record in records:
            if jaccard(texts[original - 1], texts[record - 1]) >= 0.8:
                n_true += 1
                n_found += root(original) == root(record)
    right = sum(jaccard(texts[one - 1], texts[other - 1]) >= 0.8 for one, other in pairs)
    print(f"{len(texts)} texts, {n_true} planted pairs, {len(pairs)} merged")
    print(f"recall {n_found / n_true:.4f}, precision {right / len(pairs):.4f}")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
