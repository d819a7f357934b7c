"""corpus.en and corpus.es → train.jsonl with Python alone."""

import json

with (
    open("corpus.en", encoding="utf-8", newline="\n") as sources,
    open("corpus.es", encoding="utf-8", newline="\n") as targets,
    open("train.jsonl", "w", encoding="utf-8", newline="\n") as train,
):
    for source, target in zip(sources, targets, strict=True):
        example = {
            "contents": [
                {"role": "user", "parts": [{"text": source.rstrip("\n")}]},
                {"role": "model", "parts": [{"text": target.rstrip("\n")}]},
            ]
        }
        train.write(json.dumps(example, ensure_ascii=False) + "\n")
