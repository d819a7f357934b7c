#!/usr/bin/env python3
"""Measures `prep validate`, all default rules on, beside what a user would pick instead.

The peers look at the shape only: one JSON object a line, roles, parts and texts. What is
compared is how many examples each has seen and how many of them it calls invalid.
`benches/README.md` says how to run it, `side_by_side.py` what happens then.
"""

import json
from pathlib import Path

from side_by_side import Contestant, Task, limit, main, script

REPORT = "report.json"


def tasks(prep: str) -> dict[str, Task]:
    return {
        "gemini": Task(
            {"train.jsonl": ".gemini.jsonl"},
            [
                prep_validate(prep, "prep"),
                prep_validate(prep, "prep --threads 1", "--threads", "1"),
                limit("train.jsonl"),
                peer("DuckDB, typed", "validate_duckdb.py", "duckdb"),
                peer("msgspec, typed", "validate_msgspec.py", "msgspec"),
                peer("orjson", "validate_json.py", "orjson"),
                peer("json", "validate_json.py"),
            ],
        ),
    }


def prep_validate(prep: str, name: str, *flags: str) -> Contestant:
    command = (prep, "validate", "train.jsonl", "--format", "json", *flags)
    return Contestant(name, command, programs=(prep,), stdout=REPORT, output=REPORT)


def peer(name: str, file: str, *modules: str) -> Contestant:
    """A script that is told which modules to use."""
    return script(name, file, *modules, modules=modules)._replace(stdout=REPORT, output=REPORT)


def difference(expected: Path, actual: Path) -> str | None:
    one, other = verdict(expected), verdict(actual)
    return None if one == other else f"(examples, invalid): {one} and {other}"


def verdict(report: Path) -> tuple[int, int]:
    read = json.loads(report.read_bytes())
    summary = read.get("summary", read)
    return summary["examples"], summary["invalid"]


if __name__ == "__main__":
    main(__doc__, tasks, difference)
