"""corpus.csv → train.jsonl with polars, streaming."""

import polars


def turn(role: str, column: str) -> polars.Expr:
    part = polars.struct(text=polars.col(column))
    return polars.struct(role=polars.lit(role), parts=polars.concat_list(part))


contents = polars.concat_list(turn("user", "source"), turn("model", "target"))
corpus = polars.scan_csv("corpus.csv", infer_schema=False)
corpus.select(contents=contents).sink_ndjson("train.jsonl")
