"""A split that keeps equal prompts together: pandas and scikit-learn."""

from pathlib import Path

import pandas
from sklearn.model_selection import GroupShuffleSplit

corpus = pandas.read_json("corpus.jsonl", lines=True)
prompts = corpus["contents"].map(lambda turns: turns[0]["parts"][0]["text"])
splitter = GroupShuffleSplit(n_splits=1, train_size=0.9, random_state=1)
train, validation = next(splitter.split(corpus, groups=prompts))
Path("split").mkdir()
for side, rows in (("train", train), ("validation", validation)):
    part = corpus.iloc[rows]
    # As the service reads it; pandas would escape what is not ASCII, and slashes.
    part.to_json(f"split/{side}.jsonl", orient="records", lines=True, force_ascii=False)
