"""corpus.csv → train.jsonl with pandas."""

import pandas

corpus = pandas.read_csv("corpus.csv", dtype=str, keep_default_na=False)
contents = [
    [
        {"role": "user", "parts": [{"text": source}]},
        {"role": "model", "parts": [{"text": target}]},
    ]
    for source, target in zip(corpus["source"], corpus["target"])
]
pandas.DataFrame({"contents": contents}).to_json("train.jsonl", orient="records", lines=True, force_ascii=False)
