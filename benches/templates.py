#!/usr/bin/env python3
"""Measures near-duplicates among prompts that are made of one template.

All prompts of a file share so many characters and differ in others: random digits, words
of a list of 2000, or words of which a few are much more frequent. Some of these are
similar at 0.8 by the template alone, some are not, and some are just below it, where
every pair must be told apart by what differs. Whatever they are, the time must grow with
their number and not with its square, so each is run with half as many, too.

Prints a table: wall and CPU seconds, the growth of CPU time from half to all, the peak,
and how many prompts are left.
"""

import argparse
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from side_by_side import BENCHES, markdown

LEAD = "You are a helpful support agent of a shop. Answer in short sentences, and promise nothing. "
ALPHABET = "abcdefghijklmnopqrstuvwxyz"


def words(seed: int) -> list[str]:
    chance = random.Random(seed)
    return ["".join(chance.choice(ALPHABET) for _ in range(chance.randint(2, 9))) for _ in range(2000)]


def template(n_chars: int) -> str:
    chance, text, listed = random.Random(99), LEAD, words(2)
    while len(text) < n_chars:
        text += chance.choice(listed) + " "
    return text[:n_chars]


def other(chance: random.Random, n_chars: int, slot: str, listed: list[str]) -> str:
    text = ""
    while len(text) < n_chars:
        if slot == "digits":
            text += chance.choice("0123456789")
        elif slot == "words":
            text += chance.choice(listed) + " "
        else:
            text += listed[min(int(chance.paretovariate(0.9)), len(listed) - 1)] + " "
    return text[:n_chars]


def write(path: Path, n: int, n_common: int, n_other: int, slot: str) -> None:
    chance, common, listed = random.Random(1), template(n_common), words(1)
    with path.open("w", encoding="utf-8") as lines:
        for answer in range(n):
            prompt = common + other(chance, n_other, slot, listed)
            turns = [
                {"role": "user", "parts": [{"text": prompt}]},
                {"role": "model", "parts": [{"text": f"answer {answer}"}]},
            ]
            lines.write(json.dumps({"contents": turns}, separators=(",", ":")) + "\n")


def measure(prep: str, directory: Path) -> tuple[float, float, int, int]:
    """Wall and CPU seconds, peak bytes, and how many prompts are left."""
    command = [prep, "dedupe", "in.jsonl", "-o", "out.jsonl", "--by", "user", "--near", "0.8", "--force", "-q"]
    stopwatch = [sys.executable, "-I", "-S", str(BENCHES / "stopwatch.py"), os.devnull]
    done = subprocess.run([*stopwatch, *command], cwd=directory, capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"error: prep failed:\n{done.stderr}")
    usage = json.loads(done.stdout)
    with (directory / "out.jsonl").open("rb") as lines:
        return usage["wall"], usage["cpu"], usage["peak"], sum(1 for _ in lines)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=20_000, help="prompts (default: %(default)s)")
    parser.add_argument("--common", type=int, action="append", help="common characters; default 50 to 1000")
    parser.add_argument("--other", type=int, action="append", help="other characters; default 10 to 80")
    parser.add_argument("--prep", type=Path, default=BENCHES.parent / "target/release/prep")
    args = parser.parse_args()
    prep, rows = str(args.prep.resolve()), []
    with TemporaryDirectory() as work:
        directory = Path(work)
        for n_common in args.common or [50, 100, 200, 500, 1000]:
            for n_other in args.other or [10, 20, 40, 80]:
                for slot in ["digits", "words", "few words"]:
                    write(directory / "in.jsonl", args.n // 2, n_common, n_other, slot)
                    _, half, _, _ = measure(prep, directory)
                    write(directory / "in.jsonl", args.n, n_common, n_other, slot)
                    wall, cpu, peak, n_left = measure(prep, directory)
                    growth = f"{cpu / half:.1f}"
                    rows.append(
                        [f"{n_common} + {n_other} {slot}", f"{wall:.2f}", f"{cpu:.2f}", growth, f"{peak / 1e6:.0f}", f"{n_left}"]
                    )
                    print(rows[-1], file=sys.stderr)
    header = ["characters", "wall, s", "user + sys, s", "from half", "peak, MB", "left"]
    print(markdown(header, rows))


if __name__ == "__main__":
    main()
