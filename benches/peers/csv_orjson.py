"""corpus.csv → train.jsonl with Python's csv module and orjson."""

import csv

import orjson

with open("corpus.csv", encoding="utf-8", newline="") as corpus, open("train.jsonl", "wb") as train:
    rows = csv.reader(corpus)
    header = next(rows)
    source, target = header.index("source"), header.index("target")
    for row in rows:
        example = {
            "contents": [
                {"role": "user", "parts": [{"text": row[source]}]},
                {"role": "model", "parts": [{"text": row[target]}]},
            ]
        }
        train.write(orjson.dumps(example, option=orjson.OPT_APPEND_NEWLINE))
