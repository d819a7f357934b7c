"""Prompts of a Jaccard index of 0.8 or more, the first one kept: rensa as its README does it.

Usage: dedupe_rensa.py words|characters RMinHash|CMinHash. Writes the numbers of the lines
that are kept, and for `dedupe_quality.py` each line that goes with the one it goes for.
"""

import sys

import rensa
from orjson import loads

SHINGLES, SKETCH = sys.argv[1:3]


def shingles(text: str) -> list[str]:
    if SHINGLES == "words":
        return text.split()
    return [text[i : i + 5] for i in range(max(len(text) - 4, 1))]


sketch_of = getattr(rensa, SKETCH)
index = rensa.RMinHashLSH(threshold=0.8, num_perm=128, num_bands=16) if SKETCH == "RMinHash" else None
kept, merged = {}, []
buckets: list[dict[tuple[int, ...], list[int]]] = [{} for _ in range(16)]
with open("corpus.jsonl", "rb") as lines:
    for n, line in enumerate(lines, 1):
        sketch = sketch_of(num_perm=128, seed=42)
        sketch.update(shingles(loads(line)["contents"][0]["parts"][0]["text"]))
        if index is not None:
            candidates = index.query(sketch)
        else:
            digest = sketch.digest()
            keys = [tuple(digest[i * 8 : i * 8 + 8]) for i in range(16)]
            candidates = {k for bucket, key in zip(buckets, keys) for k in bucket.get(key, ())}
        similar = next((k for k in sorted(candidates) if kept[k].jaccard(sketch) >= 0.8), None)
        if similar is not None:
            merged.append((similar, n))
            continue
        kept[n] = sketch
        if index is not None:
            index.insert(n, sketch)
        else:
            for bucket, key in zip(buckets, keys):
                bucket.setdefault(key, []).append(n)
with open("train.jsonl", "w", encoding="utf-8") as out:
    out.writelines(f"{n}\n" for n in kept)
with open("merged.tsv", "w", encoding="utf-8") as out:
    out.writelines(f"{one}\t{other}\n" for one, other in merged)
