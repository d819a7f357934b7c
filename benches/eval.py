#!/usr/bin/env python3
"""Measures the metrics of `prep-eval` beside sacreBLEU.

    cargo build --release -p prep-eval --example score
    benches/eval_pairs.py --pairs 100000
    benches/eval.py --corpus pairs --size 100000 --kind bleu

The kinds are metrics, and `bootstrap`, which is a paired bootstrap of BLEU; sacreBLEU
needs 0.1 MB a pair for that one, so give it 10000. TER takes sacreBLEU minutes: say
`--rounds 1`. `README.md` says how it is measured, `side_by_side.py` what happens.
"""

import sys
from pathlib import Path

from side_by_side import BENCHES, Contestant, Task, main

SCORE = BENCHES.parent / "target/release/examples/score"


def tasks(_prep: str) -> dict[str, Task]:
    files = {"corpus.tuned": ".tuned", "corpus.ref": ".ref"}
    alone = {name: task(files, [name], ["corpus.tuned", "corpus.ref"]) for name in ("bleu", "chrf", "chrf++", "ter")}
    three = ["corpus.base", "corpus.tuned", "corpus.ref"]
    return alone | {"bootstrap": task({"corpus.base": ".base"} | files, ["bootstrap", "bleu"], three)}


def task(inputs: dict[str, str], words: list[str], files: list[str]) -> Task:
    """`prep-eval` on all threads and on one, and sacreBLEU, which prints the same line."""
    command = (str(SCORE), *words, *files)
    peer = (sys.executable, str(BENCHES / "peers/eval_sacrebleu.py"), *words)
    contestants = [
        Contestant("prep", command),
        Contestant("prep --threads 1", ("env", "RAYON_NUM_THREADS=1", *command)),
        Contestant("sacreBLEU", peer, modules=("sacrebleu", "numpy")),
    ]
    return Task(inputs, [contestant._replace(stdout="score", output="score") for contestant in contestants])


def first_difference(expected: Path, actual: Path) -> str | None:
    """Compares what is printed: six digits and the signature."""
    wanted, found = expected.read_text(), actual.read_text()
    return None if wanted == found else f"the score:\n{wanted}{found}"


if __name__ == "__main__":
    if not SCORE.exists():
        sys.exit(f"error: no `{SCORE}`; run cargo build --release -p prep-eval --example score")
    main(__doc__, tasks, first_difference)
