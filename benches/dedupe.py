#!/usr/bin/env python3
"""Measures `prep dedupe` beside what a user would pick instead.

`--kind exact` is about lines that are equal. `--kind near` is about prompts that share
most of their text: what each contestant keeps is not the same then, so the output is not
compared; `dedupe_quality.py` says how good it is.

`benches/README.md` says how to run it, `side_by_side.py` what happens then.
"""

from convert import first_difference
from side_by_side import Contestant, Task, limit, main, script

INPUT = "corpus.jsonl"


def tasks(prep: str) -> dict[str, Task]:
    return {
        "exact": Task(
            {INPUT: ".gemini.jsonl"},
            [
                *prep_dedupe(prep),
                limit(INPUT),
                script("polars", "dedupe_polars.py", modules=("polars",)),
                script("DuckDB", "dedupe_duckdb.py", modules=("duckdb",)),
                Contestant("sort -u", ("sort", "-u", INPUT), programs=("sort",), stdout="sorted", output=None),
            ],
        ),
        "near": Task(
            {INPUT: ".gemini.jsonl"},
            [
                *prep_dedupe(prep, "--by", "user", "--near", "0.8"),
                *(rensa(shingles, sketch) for sketch in ("RMinHash", "CMinHash") for shingles in ("words", "characters")),
            ],
        ),
    }


def prep_dedupe(prep: str, *flags: str) -> list[Contestant]:
    """`prep` as users run it, on one thread, and in little memory."""
    command = (prep, "dedupe", INPUT, "-o", "train.jsonl", *flags)
    output = None if "--near" in flags else "train.jsonl"
    return [
        Contestant(" ".join(["prep", *more]), (*command, *more), programs=(prep,), output=output)
        for more in ([], ["--threads", "1"], ["--memory", "64M"])
    ]


def rensa(shingles: str, sketch: str) -> Contestant:
    name = f"rensa {sketch}, {shingles}"
    return script(name, "dedupe_rensa.py", shingles, sketch, modules=("rensa", "orjson"))._replace(output=None)


if __name__ == "__main__":
    main(__doc__, tasks, first_difference)
