"""Scores by sacreBLEU and its like, for `prep-eval` to be held to.

    eval_oracle.py record DIRECTORY    writes the fixtures
    eval_oracle.py serve               answers questions, a JSON object a line

A question names a metric and its options as sacreBLEU's constructors call them.
`pip install sacrebleu==2.6.0 rouge-score==0.1.2` is all it needs, with NumPy 2.
"""

import collections
import json
import os
import re
import string
import sys

import numpy
import sacrebleu
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu.metrics import BLEU, CHRF, TER
from sacrebleu.metrics.bleu import _get_tokenizer
from sacrebleu.significance import PairedTest

SACREBLEU = {"bleu": BLEU, "chrf": CHRF, "ter": TER}

# ---------------------------------------------------------------- metrics


def squad(text):
    """`normalize_answer` of SQuAD's evaluation script."""
    text = "".join(c for c in text.lower() if c not in set(string.punctuation))
    return " ".join(re.sub(r"\b(a|an|the)\b", " ", text).split())


def token_f1(hypothesis, reference):
    """`compute_f1` of SQuAD's evaluation script."""
    found, wanted = squad(hypothesis).split(), squad(reference).split()
    n_same = sum((collections.Counter(found) & collections.Counter(wanted)).values())
    if not found or not wanted:
        return float(found == wanted)
    if n_same == 0:
        return 0.0
    precision, recall = n_same / len(found), n_same / len(wanted)
    return 2 * precision * recall / (precision + recall)


NORMALIZATIONS = {"none": lambda text: text, "space": lambda text: " ".join(text.split()), "squad": squad}
ROUGE = RougeScorer(["rougeL"])


def segment_score(metric, options, hypothesis, references):
    """The score of a segment by a metric that is not sacreBLEU's, from 0 to 1."""
    if metric == "rouge-l":
        return ROUGE.score_multi(references, hypothesis)["rougeL"].fmeasure
    if metric == "token-f1":
        return max(token_f1(hypothesis, reference) for reference in references)
    normalize = NORMALIZATIONS[options["normalization"]]
    return float(any(normalize(hypothesis) == normalize(reference) for reference in references))


def present(references):
    return [[text for text in texts if text is not None] for texts in zip(*references)]


def score(metric, options, hypotheses, references, n_bootstrap=1, seed=12345):
    if metric not in SACREBLEU:
        pairs = zip(hypotheses, present(references))
        each = [100 * segment_score(metric, options, *pair) for pair in pairs]
        return {"score": sum(each) / len(each), "each": each}
    os.environ["SACREBLEU_SEED"] = str(seed)
    scorer = SACREBLEU[metric](**options)
    whole = scorer.corpus_score(hypotheses, references, n_bootstrap)
    signature = scorer.get_signature()
    answer = {
        "score": float(whole.score),
        "signature": signature.format(),
        "short": signature.format(short=True),
        "printed": whole.format(signature=signature.format()) if n_bootstrap == 1 else whole.format(6, True),
    }
    if n_bootstrap == 1:
        pairs = zip(hypotheses, present(references))
        answer["each"] = [float(scorer.sentence_score(*pair).score) for pair in pairs]
    return answer


def compare(metric, options, base, tuned, references, test, n_samples, n_confidence, seed):
    os.environ["SACREBLEU_SEED"] = str(seed)
    scorers = {metric: SACREBLEU[metric](**options)}
    systems = [("base", base), ("tuned", tuned)]
    paired = PairedTest(systems, scorers, references, test, n_samples, n_confidence)
    [signature], (_, [one, other]) = (part.values() for part in paired())

    def numbers(result):
        return [float(result.score)] + [None if n is None else float(n) for n in (result.mean, result.ci)]

    return {
        "base": numbers(one),
        "tuned": numbers(other),
        "p_value": other.p_value,
        "signature": signature.format(),
        "short": signature.format(short=True),
    }


def answer(question):
    kind = question.pop("ask")
    if kind == "tokens":
        return {"tokens": _get_tokenizer(question["tokenizer"])()(question["text"].rstrip()).split()}
    return {"score": score, "compare": compare}[kind](**question)


# ---------------------------------------------------------------- fixtures

TOKENIZERS = ["13a", "intl", "zh", "char", "none"]
OPTIONS = {
    "bleu": [
        {},
        *({"tokenize": tokenizer} for tokenizer in TOKENIZERS),
        *({"tokenize": tokenizer, "lowercase": True, "effective_order": True} for tokenizer in TOKENIZERS),
        {"smooth_method": "none"},
        {"smooth_method": "floor"},
        {"smooth_method": "floor", "smooth_value": 0.025},
        {"smooth_method": "add-k"},
        {"smooth_method": "add-k", "smooth_value": 0.5, "effective_order": True},
        {"max_ngram_order": 2},
        {"max_ngram_order": 7, "effective_order": True},
    ],
    "chrf": [
        {},
        {"word_order": 2},
        {"lowercase": True},
        {"whitespace": True},
        {"eps_smoothing": True},
        {"eps_smoothing": True, "word_order": 2, "lowercase": True},
        {"char_order": 3, "word_order": 1, "beta": 1},
        {"char_order": 8, "beta": 3, "whitespace": True},
        {"char_order": 0, "word_order": 2},
    ],
    "ter": [
        {},
        {"case_sensitive": True},
        {"normalized": True},
        {"no_punct": True},
        {"asian_support": True},
        {"normalized": True, "asian_support": True},
        {"no_punct": True, "asian_support": True},
        {"normalized": True, "no_punct": True, "asian_support": True, "case_sensitive": True},
    ],
    "rouge-l": [{}],
    "token-f1": [{}],
    "exact-match": [{"normalization": name} for name in NORMALIZATIONS],
}
COMPARED = [
    ("bleu", {}),
    ("bleu", {"smooth_method": "floor", "tokenize": "intl"}),
    ("bleu", {"smooth_method": "add-k"}),
    ("bleu", {"smooth_method": "add-k", "smooth_value": 1.5}),
    ("chrf", {}),
    ("chrf", {"word_order": 2, "eps_smoothing": True}),
    ("ter", {"normalized": True, "asian_support": True}),
]


def record(directory):
    from eval_texts import texts

    corpora = texts()

    def write(name, lines):
        with open(os.path.join(directory, name), "w", encoding="utf-8") as file:
            file.writelines(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)

    write("texts.jsonl", ({"name": name, **corpus} for name, corpus in corpora.items()))
    write("scores.jsonl", scores(corpora))
    write("confidence.jsonl", confidences(corpora))
    write("comparisons.jsonl", comparisons(corpora))
    every = sorted({text for corpus in corpora.values() for texts in corpus["references"] for text in texts if text})
    questions = [{"tokenizer": name, "text": text} for name in TOKENIZERS for text in every if len(text) < 200]
    write("tokens.jsonl", (question | answer({"ask": "tokens"} | question) for question in questions))


def is_slow(name, metric):
    """TER in Python takes minutes for segments of a hundred words."""
    return name == "long" and metric == "ter"


def scores(corpora):
    for name, corpus in corpora.items():
        for metric, choices in OPTIONS.items():
            for options in choices:
                if is_slow(name, metric) and options:
                    continue
                for system in ("base", "tuned"):
                    found = score(metric, options, corpus[system], corpus["references"])
                    yield {"texts": name, "system": system, "metric": metric, "options": options} | found


def confidences(corpora):
    for name in ("english", "two", "long"):
        for metric, options in COMPARED:
            if is_slow(name, metric):
                continue
            asked = {"n_bootstrap": 200, "seed": 4}
            found = score(metric, options, corpora[name]["base"], corpora[name]["references"], **asked)
            yield {"texts": name, "system": "base", "metric": metric, "options": options} | asked | found


def comparisons(corpora):
    for name in ("english", "spanish", "chinese", "awkward", "two", "variable", "long"):
        for metric, options in COMPARED:
            if is_slow(name, metric) or (metric == "ter" and name == "variable"):
                continue  # the latter are fractions, and so ties that the last bit decides
            for test, n_samples, n_confidence, seed in [("bs", 300, -1, 12345), ("ar", 500, 200, 12345), ("ar", 333, -1, 98765432109)]:
                asked = {"test": test, "n_samples": n_samples, "n_confidence": n_confidence, "seed": seed}
                corpus = corpora[name]
                found = compare(metric, options, corpus["base"], corpus["tuned"], corpus["references"], **asked)
                yield {"texts": name, "metric": metric, "options": options} | asked | found


# ---------------------------------------------------------------- the command


def main(arguments):
    if sacrebleu.__version__.split(".")[:2] != ["2", "6"] or int(numpy.__version__.split(".")[0]) < 2:
        sys.exit(f"wanted sacreBLEU 2.6 and NumPy 2, found {sacrebleu.__version__} and {numpy.__version__}")
    match arguments:
        case ["record", directory]:
            record(directory)
        case ["serve"]:
            print("{}", flush=True)
            for line in sys.stdin:
                print(json.dumps(answer(json.loads(line))), flush=True)
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    import logging

    logging.disable(logging.WARNING)
    main(sys.argv[1:])
