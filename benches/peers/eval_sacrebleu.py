"""Scores corpus.tuned, or compares it with corpus.base, as sacreBLEU does it."""

import sys

from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.significance import PairedTest

METRICS = {"bleu": BLEU(), "chrf": CHRF(), "chrf++": CHRF(word_order=2), "ter": TER()}


def read(name: str) -> list[str]:
    with open(name, encoding="utf-8") as file:
        return [line.rstrip() for line in file]


*bootstrap, name = sys.argv[1:]
metric = METRICS[name]
tuned, references = read("corpus.tuned"), [read("corpus.ref")]
if bootstrap:
    systems = [("base", read("corpus.base")), ("tuned", tuned)]
    _, (_, [_, result]) = (part.values() for part in PairedTest(systems, {name: metric}, references, "bs")())
    print(f"{result.score:.6f} {result.p_value:.6f} {result.mean:.6f} {result.ci:.6f}")
else:
    score = metric.corpus_score(tuned, references)
    print(score.format(6, signature=metric.get_signature().format()))
