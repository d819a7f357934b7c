#!/usr/bin/env python3
"""Writes hypotheses and references for `eval.py`, the same bytes on every machine.

A reference has 6 to 53 made-up words, short ones more often, as in a language. A
hypothesis is a reference in which words are changed, left out, put in and moved; `.base`
is a little worse than `.tuned`.
"""

import argparse
import random
from itertools import accumulate
from pathlib import Path

BENCHES = Path(__file__).resolve().parent
LETTERS = "eeeettttaaooiinnsshhrrddllcumwfgypbvk"


def vocabulary(generator: random.Random, n_words: int) -> list[str]:
    lengths = [1, 2, 3, 3, 4, 4, 5, 5, 6, 7, 8, 9, 10]
    return ["".join(generator.choice(LETTERS) for _ in range(generator.choice(lengths))) for _ in range(n_words)]


def worse(words: list[str], rate: float, generator: random.Random, draw) -> list[str]:
    words = list(words)
    for _ in range(max(1, int(rate * len(words)))):
        place, kind = generator.randrange(len(words)), generator.random()
        if kind < 0.4:
            words[place] = draw()
        elif kind < 0.6 and len(words) > 3:
            del words[place]
        elif kind < 0.8:
            words.insert(place, draw())
        else:
            stretch = words[place : place + generator.randrange(1, 5)]
            del words[place : place + len(stretch)]
            to = generator.randrange(len(words) + 1)
            words[to:to] = stretch
    return words


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=100_000)
    parser.add_argument("--data", type=Path, default=BENCHES / "data")
    args = parser.parse_args()
    args.data.mkdir(parents=True, exist_ok=True)
    generator = random.Random(3)
    words = vocabulary(generator, 20_000)
    weights = list(accumulate(1 / (n + 5) for n in range(len(words))))

    def draw() -> str:
        return generator.choices(words, cum_weights=weights)[0]

    names = [args.data / f"pairs-{args.pairs}{suffix}" for suffix in (".ref", ".base", ".tuned")]
    with names[0].open("w") as references, names[1].open("w") as base, names[2].open("w") as tuned:
        for _ in range(args.pairs):
            n_words = 6 + int(48 * generator.random() * generator.random())
            reference = [draw() for _ in range(n_words)]
            reference[0] = reference[0].capitalize()
            if generator.random() < 0.3:
                reference[n_words // 2] += ","
            for file, rate in ((references, None), (base, 0.4), (tuned, 0.35)):
                text = reference if rate is None else worse(reference, rate, generator, draw)
                file.write(" ".join(text) + ".\n")


if __name__ == "__main__":
    main()
