#!/usr/bin/env python3
"""Measures `prep convert` beside what a user would pick instead.

`benches/README.md` says how to run it, `side_by_side.py` what happens then.
"""

from itertools import zip_longest
from pathlib import Path

from side_by_side import Contestant, Task, limit, main, script

try:
    from orjson import loads
except ImportError:
    from json import loads

MLR_EXAMPLE = """emit {"contents": [
    {"role": "user", "parts": [{"text": $source}]},
    {"role": "model", "parts": [{"text": $target}]}]}"""

JQ_EXAMPLE = """{contents: [
    {role: "user", parts: [{text: .source}]},
    {role: "model", parts: [{text: .target}]}]}"""

JQ_CHAT = """(.messages | map(select(.role == "system")) | first) as $system
    | (if $system then {systemInstruction: {parts: [{text: $system.content}]}} else {} end)
    + {contents: [.messages[] | select(.role != "system")
        | {role: (if .role == "assistant" then "model" else .role end), parts: [{text: .content}]}]}"""


def tasks(prep: str) -> dict[str, Task]:
    return {
        "csv": Task(
            {"corpus.csv": ".csv"},
            [
                *prep_convert(prep, "corpus.csv"),
                limit("corpus.csv"),
                script("DuckDB", "csv_duckdb.py", modules=("duckdb",)),
                script("DuckDB, threads=1", "csv_duckdb.py", "1", modules=("duckdb",)),
                script("polars", "csv_polars.py", modules=("polars",)),
                script("csv + orjson", "csv_orjson.py", modules=("orjson",)),
                script("pandas", "csv_pandas.py", modules=("pandas",)),
                tool("Miller", "mlr", "-S", "--icsv", "--ojsonl", "put", "-q", MLR_EXAMPLE, "corpus.csv"),
                pipe("Miller into jq", f"mlr -S --icsv --ojsonl cat corpus.csv | jq -c '{JQ_EXAMPLE}'", "mlr", "jq"),
            ],
        ),
        "tmx": Task(
            {"corpus.tmx": ".tmx"},
            [
                *prep_convert(prep, "corpus.tmx"),
                limit("corpus.tmx"),
                script("lxml iterparse", "tmx_lxml.py", modules=("lxml", "orjson")),
            ],
        ),
        "moses": Task(
            {"corpus.en": ".en", "corpus.es": ".es"},
            [
                *prep_convert(prep, "corpus.en", "corpus.es"),
                limit("corpus.en", "corpus.es"),
                script("Python", "moses_python.py"),
                script("Python + orjson", "moses_orjson.py", modules=("orjson",)),
            ],
        ),
        "openai": Task(
            {"corpus.jsonl": ".openai.jsonl"},
            [
                *prep_convert(prep, "corpus.jsonl"),
                limit("corpus.jsonl"),
                script("orjson", "openai_orjson.py", modules=("orjson",)),
                tool("jq", "jq", "-c", JQ_CHAT, "corpus.jsonl"),
            ],
        ),
    }


def prep_convert(prep: str, *inputs: str) -> list[Contestant]:
    """`prep` as users run it, and on a stated number of threads."""
    command = (prep, "convert", *inputs)
    return [
        Contestant("prep", command, programs=(prep,)),
        Contestant("prep --threads 1", (*command, "--threads", "1"), programs=(prep,)),
        Contestant("prep --threads 2", (*command, "--threads", "2"), programs=(prep,)),
    ]


def tool(name: str, program: str, *arguments: str) -> Contestant:
    return Contestant(name, (program, *arguments), programs=(program,), stdout="train.jsonl")


def pipe(name: str, line: str, *programs: str) -> Contestant:
    return Contestant(name, ("sh", "-c", line), programs=programs, stdout="train.jsonl")


def first_difference(expected: Path, actual: Path) -> str | None:
    """Compares two JSONL files record by record, as parsed JSON, a line of each at a time."""
    with expected.open("rb") as one, actual.open("rb") as other:
        for n, (wanted, found) in enumerate(zip_longest(one, other), 1):
            if wanted is None or found is None or loads(wanted) != loads(found):
                return f"record {n}:\n{excerpt(wanted)}\n{excerpt(found)}"
    return None


def excerpt(line: bytes | None) -> str:
    return "(no such record)" if line is None else line[:1000].decode(errors="replace").rstrip("\n")


if __name__ == "__main__":
    main(__doc__, tasks, first_difference)
