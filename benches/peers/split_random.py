"""A random split, line by line: plain Python."""

import random
from pathlib import Path

random.seed(1)
Path("split").mkdir()
with (
    open("corpus.jsonl", "rb") as lines,
    open("split/train.jsonl", "wb") as train,
    open("split/validation.jsonl", "wb") as validation,
):
    for line in lines:
        (train if random.random() < 0.9 else validation).write(line)
