"""Gives the tokens of every shared text file by Python's `sentencepiece`.

Prints one line a file that is UTF-8: its path below `shared/data`, and for each of the
two models `n:checksum` of the ids of its lines and of the file as one text. Exits with 3
where `sentencepiece` is not installed.
"""

import pathlib
import sys

try:
    import sentencepiece
except ImportError:
    sys.exit(3)

DATA = pathlib.Path(__file__).resolve().parent.parent.parent / "shared" / "data"
MODELS = ["gemma3_cleaned_262144_v2.spiece.model", "tokenizer_gemma4.model"]


def checksum(texts):
    n = value = 0
    for ids in texts:
        n += len(ids)
        for number in ids:
            value = (value * 31 + number) % 1_000_000_007
    return f"{n}:{value}"


def main():
    models = [sentencepiece.SentencePieceProcessor(model_file=str(DATA / "tokenizer" / name)) for name in MODELS]
    paths = [path for path in sorted(DATA.rglob("*")) if path.is_file()]
    if not paths:
        sys.exit(f"no file is below {DATA.name}")
    for path in paths:
        try:
            text = path.read_bytes().decode()
        except UnicodeDecodeError:
            continue
        sums = [checksum(model.encode(texts)) for model in models for texts in (text.split("\n"), [text])]
        print(path.relative_to(DATA).as_posix(), *sums, sep="\t")


if __name__ == "__main__":
    main()
