#!/usr/bin/env python3
"""Measures `prep filter --preset web` beside what a user would pick instead.

What each contestant keeps is not the same: the Python loop reads a number in one way
only and tells no language, OpusFilter is asked for length and ratio alone. So outputs
are not compared; `docs/presets.md` says how well the presets do. `--corpus real` is of
real translations. `benches/README.md` says how to run it, `side_by_side.py` what
happens then.
"""

from convert import first_difference
from side_by_side import Contestant, Task, limit, main, script

INPUT = "corpus.jsonl"


def tasks(prep: str) -> dict[str, Task]:
    return {
        "web": Task(
            {INPUT: ".gemini.jsonl"},
            [
                prep_filter(prep),
                prep_filter(prep, "--threads", "1"),
                limit(INPUT),
                peer("Python loop, orjson", "filter_python.py", "orjson"),
                peer("Python loop", "filter_python.py"),
                peer("OpusFilter, length and ratio", "filter_opusfilter.py", "opusfilter"),
            ],
        ),
    }


def prep_filter(prep: str, *more: str) -> Contestant:
    """`prep` as users run it: ledger, passport, rejects and manifest."""
    command = (prep, "filter", INPUT, "-o", "train.jsonl", "--preset", "web", *more)
    return Contestant(" ".join(["prep", *more]), command, programs=(prep,), output=None)


def peer(name: str, file: str, *modules: str) -> Contestant:
    return script(name, file, INPUT, "train.jsonl", *modules, modules=modules)._replace(output=None)


if __name__ == "__main__":
    main(__doc__, tasks, first_difference)
