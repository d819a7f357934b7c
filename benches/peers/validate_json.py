"""train.jsonl checked for shape with a module that reads JSON: json, or the one that is named."""

import json
import sys
from importlib import import_module

loads = import_module(sys.argv[1] if sys.argv[1:] else "json").loads
examples = invalid = 0


def is_valid(example: object) -> bool:
    turns = example.get("contents") if isinstance(example, dict) else None
    if not isinstance(turns, list) or len(turns) < 2:
        return False
    for turn in turns:
        parts = turn.get("parts")
        if turn.get("role") not in ("user", "model") or not parts:
            return False
        if not all(isinstance(part.get("text"), str) and part["text"].strip() for part in parts):
            return False
    return turns[0]["role"] == "user" and turns[-1]["role"] == "model"


with open("train.jsonl", "rb") as train:
    for line in train:
        examples += 1
        try:
            invalid += not is_valid(loads(line))
        except ValueError:
            invalid += 1
print(json.dumps({"examples": examples, "invalid": invalid}))
