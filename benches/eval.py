#!/usr/bin/env python3
"""Measures `prep eval` beside sacreBLEU.

    cargo build --release
    benches/eval_pairs.py --pairs 100000
    benches/eval.py --corpus pairs --size 100000 --kind bleu

The kinds are metrics, and `bootstrap`, which is a paired bootstrap of BLEU; sacreBLEU
needs 0.1 MB a pair for that one, so give it 10000. TER takes sacreBLEU minutes: say
`--rounds 1`. `README.md` says how it is measured, `side_by_side.py` what happens.
"""

import json
import sys
from pathlib import Path

from side_by_side import BENCHES, Contestant, Task, main


def tasks(prep: str) -> dict[str, Task]:
    files = {"corpus.tuned": ".tuned", "corpus.ref": ".ref"}
    alone = {name: task(prep, files, ["corpus.tuned"], name) for name in ("bleu", "chrf", "chrf++", "ter")}
    both = ["--compare", "corpus.base", "corpus.tuned"]
    return alone | {"bootstrap": task(prep, {"corpus.base": ".base"} | files, both, "bleu", "bootstrap")}


def task(prep: str, inputs: dict[str, str], files: list[str], metric: str, *words: str) -> Task:
    """`prep` on all threads and on one, and sacreBLEU, which must find the same."""
    flags = ("--reference", "corpus.ref", "--metric", metric, "--format", "json")
    command = (prep, "eval", *files, *flags)
    peer = (sys.executable, str(BENCHES / "peers/eval_sacrebleu.py"), *words, metric)
    contestants = [
        Contestant("prep", command, programs=(prep,)),
        Contestant("prep --threads 1", (*command, "--threads", "1"), programs=(prep,)),
        Contestant("sacreBLEU", peer, modules=("sacrebleu", "numpy")),
    ]
    return Task(inputs, [contestant._replace(stdout="score", output="score") for contestant in contestants])


def first_difference(expected: Path, actual: Path) -> str | None:
    """Compares scores to six digits, and signatures or what the resamples gave."""
    wanted, found = figures(expected.read_text()), figures(actual.read_text())
    return None if wanted == found else f"the score:\n{wanted}\n{found}"


def figures(output: str) -> str:
    """What sacreBLEU prints, of either output, without the parts of BLEU."""
    if not output.startswith("{"):
        return " ".join(output.split()[: 3 if "|" in output else 4])
    report = json.loads(output)
    if "compare" not in report:
        (metric,) = report["metrics"]
        return f"{metric['name']}|{metric['signature']} = {metric['score']:.6f}"
    (metric,) = report["compare"]["metrics"]
    resampled = metric["tuned_confidence"]
    numbers = metric["tuned"], metric["p_value"], resampled["mean"], resampled["margin"]
    return " ".join(f"{number:.6f}" for number in numbers)


if __name__ == "__main__":
    main(__doc__, tasks, first_difference)
