"""Lines that are equal, the first one kept: polars."""

import polars

lines = polars.read_csv(
    "corpus.jsonl", has_header=False, separator="\x01", quote_char=None, new_columns=["line"]
)
lines.unique(keep="first", maintain_order=True).write_csv(
    "train.jsonl", include_header=False, separator="\x01", quote_style="never"
)
