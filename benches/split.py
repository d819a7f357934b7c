#!/usr/bin/env python3
"""Measures `prep split` beside what a user would pick instead.

Each writes `split/train.jsonl` and `split/validation.jsonl`, nine lines to one. Which
lines go where is not the same, so what is compared is that no line is lost, made up or
changed, and that the ratio is met. Only `prep` keeps near-duplicates together and reads
back what it wrote to prove it; scikit-learn keeps equal prompts together; the others
leak.

`benches/README.md` says how to run it, `side_by_side.py` what happens then.
"""

from hashlib import blake2b
from json import dumps, loads
from pathlib import Path

from side_by_side import Contestant, Task, limit, main, script

INPUT = "corpus.jsonl"
TRAIN = "split/train.jsonl"
SHARE = 0.9
NEAR_OFF = ("--near", "off")

AWK = """
BEGIN { srand(1); system("mkdir -p split") }
{ print > (rand() < 0.9 ? "split/train.jsonl" : "split/validation.jsonl") }
"""


def tasks(prep: str) -> dict[str, Task]:
    return {
        "random": Task(
            {INPUT: ".gemini.jsonl"},
            [
                *(prep_split(prep, *flags) for flags in ((), ("--threads", "1"), NEAR_OFF, (*NEAR_OFF, "--threads", "1"))),
                limit(INPUT),
                Contestant("awk", ("awk", AWK, INPUT), programs=("awk",), output=TRAIN),
                script("Python", "split_random.py")._replace(output=TRAIN),
                script("pandas + scikit-learn", "split_sklearn.py", modules=("pandas", "sklearn"))._replace(output=TRAIN),
            ],
        ),
    }


def prep_split(prep: str, *flags: str) -> Contestant:
    """`prep` as users run it who want the ratio: else validation has what the service reads, 5,000 examples at most."""
    command = (prep, "split", INPUT, "--max-validation", "1000000000", *flags)
    return Contestant(" ".join(["prep", *flags]), command, programs=(prep,), output=TRAIN)


def first_fault(_expected: Path, train: Path) -> str | None:
    """Says what is wrong with a split, given one of its sides in the directory where it was made."""
    validation, whole = train.with_name("validation.jsonl"), train.parent.parent / INPUT
    of_train, of_validation, of_whole = sums(train), sums(validation), sums(whole)
    if (of_train[0] + of_validation[0], of_train[1] + of_validation[1]) != of_whole:
        return f"its lines, {of_train[0]} and {of_validation[0]}, which are not those of the input, {of_whole[0]}"
    share = of_train[0] / of_whole[0]
    if abs(share - SHARE) > 0.01:
        return f"its ratio, {share:.3f}"
    return None


def sums(path: Path) -> tuple[int, int]:
    """How many examples there are, and the sum of their checksums, however they are written."""
    n, checksum = 0, 0
    with path.open("rb") as lines:
        for n, line in enumerate(lines, 1):
            plain = dumps(loads(line), sort_keys=True).encode()
            checksum += int.from_bytes(blake2b(plain, digest_size=16).digest(), "big")
    return n, checksum


if __name__ == "__main__":
    main(__doc__, tasks, first_fault)
