#!/usr/bin/env python3
"""Counts tokens with `prep` and with what a user would pick instead, turn and turn about.

Every contestant is a process of one thread that loads the vocabulary and goes over all
texts once a round. The ids are compared before any time is printed. `prep` counts, which
is what it is for, and gives ids, which is what the others do.

The texts are the real ones of `../shared/data` (or `--data`), each once: what is read in
a second round is not new, so a contestant that remembers is started anew for each round.

Nothing is installed: a peer that is missing is left out and named. `pip install
sentencepiece protobuf tokenizers fastokens` brings them all.
"""

import argparse
import csv
import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as xml
from array import array
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT.parent / "shared" / "data"
MODEL = "tokenizer/tokenizer_gemma4.model"
csv.field_size_limit(1 << 30)


# ---------------------------------------------------------------- texts


def strings(value):
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from strings(item)


def chat(data):
    for path in sorted((data / "chat").iterdir()):
        if path.suffix == ".jsonl":
            for line in path.read_text(encoding="utf-8").splitlines():
                yield from strings(json.loads(line))
        elif path.suffix == ".json" and "zh" not in path.name:
            yield from strings(json.loads(path.read_text(encoding="utf-8")))
        elif path.suffix == ".csv":
            with open(path, newline="", encoding="utf-8-sig") as file:
                yield from (cell for row in csv.reader(file) for cell in row)


def segments(data, language):
    root = xml.parse(data / "parallel/tmx/tico19.en-es-419.tmx")
    for tuv in root.iter("tuv"):
        if tuv.get("{http://www.w3.org/XML/1998/namespace}lang", "").startswith(language):
            yield "".join(tuv.find("seg").itertext())


def chinese(data):
    yield from strings(json.loads((data / "chat/alpaca_zh_demo.json").read_text(encoding="utf-8")))
    yield from (data / "parallel/moses/tatoeba.cmn-eng.cmn").read_text(encoding="utf-8").splitlines()


def code(data):
    yield from strings(json.loads((data / "google-api/aiplatform.v1.json").read_text(encoding="utf-8")))
    for path in sorted((ROOT / "crates").rglob("*.rs")):
        yield path.read_text(encoding="utf-8")


KINDS = {
    "chat, mostly English": chat,
    "English segments": lambda data: segments(data, "en"),
    "Spanish segments": lambda data: segments(data, "es"),
    "Chinese": chinese,
    "Rust and API descriptions": code,
}


# ---------------------------------------------------------------- peers


def hugging_face(model):
    """The model as a `tokenizer.json`: every way to cut a piece in two is a merge."""
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.read_bytes())
    vocabulary = {piece.piece: number for number, piece in enumerate(proto.pieces)}
    mergeable = {piece.piece: -piece.score for piece in proto.pieces if piece.type == 1}
    merges = []
    for piece, rank in mergeable.items():
        for at in range(1, len(piece)):
            left, right = piece[:at], piece[at:]
            if left in mergeable and right in mergeable:
                merges.append((rank, [left, right]))
    merges.sort(key=lambda merge: merge[0])
    added = [
        {"id": number, "content": piece.piece, "single_word": False, "lstrip": False, "rstrip": False,
         "normalized": "▁" in piece.piece, "special": False}
        for number, piece in enumerate(proto.pieces)
        if piece.type == 4
    ]
    return {
        "version": "1.0", "truncation": None, "padding": None, "added_tokens": added,
        "normalizer": {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        "pre_tokenizer": {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False},
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None,
            "end_of_word_suffix": None, "fuse_unk": True, "byte_fallback": True, "ignore_merges": False,
            "vocab": vocabulary, "merges": [merge for _, merge in merges],
        },
    }


def load(peer, model, tokenizer_json):
    """The peer's own fastest way from texts to ids: one list of numbers a text."""
    if peer == "sentencepiece":
        import sentencepiece

        processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
        return lambda texts: processor.encode(texts, num_threads=1)
    if peer == "tokenizers":
        import tokenizers

        tokenizer = tokenizers.Tokenizer.from_file(str(tokenizer_json))
        return lambda texts: tokenizer.encode_batch_fast(texts, add_special_tokens=False)
    import fastokens

    tokenizer = fastokens.Tokenizer.from_file(str(tokenizer_json))
    return lambda texts: tokenizer.encode_batch_flat(texts)


def lists(peer, result):
    if peer == "sentencepiece":
        return result
    if peer == "tokenizers":
        return [encoding.ids for encoding in result]
    ids, offsets = array("I", result[0]), array("Q", result[1])
    return [ids[start:end] for start, end in zip(offsets, offsets[1:])]


def run_peer(peer, model, tokenizer_json, path, rounds):
    with open(path, encoding="utf-8") as file:
        texts = [json.loads(line) for line in file]
    start = time.perf_counter()
    encode = load(peer, model, tokenizer_json)
    loading = time.perf_counter() - start
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        result = encode(texts)
        seconds.append(time.perf_counter() - start)
    ids = lists(peer, result)
    checksum = 0
    for number in (number for text in ids for number in text):
        checksum = (checksum * 31 + number) % 1_000_000_007
    print(json.dumps({"load": loading, "encode": seconds, "counts": [len(text) for text in ids], "checksum": checksum}))


# ---------------------------------------------------------------- measuring


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--rounds", type=int, default=5, help="how often each is started")
    parser.add_argument("--prep", type=Path, default=ROOT / "target/release/examples/tokens")
    parser.add_argument("--peer", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    model = options.data / MODEL
    if options.peer:
        peer, tokenizer_json, path, rounds = options.peer
        return run_peer(peer, model, Path(tokenizer_json), path, int(rounds))
    if not options.prep.exists():
        sys.exit("build it first: cargo build --release -p prep-data --example tokens")

    peers = []
    for peer in ["fastokens", "tokenizers", "sentencepiece"]:
        missing = [name for name in {peer, "sentencepiece"} if find_spec(name) is None]
        if missing:
            print(f"left out: {peer}, {', '.join(missing)} is missing", file=sys.stderr)
        else:
            print(f"{peer} {version(peer)}")
            peers.append(peer)

    one_thread = {**os.environ, "RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    with TemporaryDirectory() as place:
        tokenizer_json = Path(place) / "tokenizer.json"
        if peers:
            tokenizer_json.write_text(json.dumps(hugging_face(model)), encoding="utf-8")
        commands = {"prep": lambda path: (str(options.prep), "gemini-3.5-flash", path, "1")}
        for peer in peers:
            commands[peer] = lambda path, peer=peer: (
                sys.executable, __file__, "--data", str(options.data), "--peer", peer, str(tokenizer_json), path, "1",
            )
        print("\n| texts | MB | tokens | `prep`, counts, MB/s | `prep`, ids, MB/s |", end="")
        print("".join(f" {peer}, MB/s | counts | ids |" for peer in peers))
        print("| --- |" + " ---: |" * (4 + 3 * len(peers)))
        loads = {name: [] for name in commands}
        for kind, texts in KINDS.items():
            texts = list(texts(options.data))
            path = Path(place) / "texts"
            path.write_text("".join(json.dumps(text) + "\n" for text in texts), encoding="utf-8")
            n_bytes = sum(len(text.encode()) for text in texts)
            results = {name: [] for name in commands}
            for _ in range(options.rounds):
                for name, command in commands.items():
                    output = subprocess.run(command(str(path)), env=one_thread, check=True, capture_output=True)
                    results[name].append(json.loads(output.stdout))
            loads = {name: loads[name] + [result["load"] for result in results[name]] for name in commands}
            ours = results["prep"]
            for peer in peers:
                theirs = results[peer][0]
                if (theirs["checksum"], theirs["counts"]) != (ours[0]["checksum"], ours[0]["counts"]):
                    pairs = zip(texts, ours[0]["counts"], theirs["counts"])
                    texts_that_differ = [text for text, mine, other in pairs if mine != other]
                    print(f"{peer} gives other ids, {len(texts_that_differ)} of {len(texts)} texts have other counts: "
                          f"{texts_that_differ[:1]!r:.200}", file=sys.stderr)

            def rate(results, what):
                return n_bytes / 1e6 / median(result[what][0] for result in results)

            row = [kind, f"{n_bytes / 1e6:.1f}", sum(ours[0]["counts"]), f"{rate(ours, 'count'):.0f}", f"{rate(ours, 'encode'):.0f}"]
            for peer in peers:
                row.append(f"{rate(results[peer], 'encode'):.1f}")
                for what in ("count", "encode"):
                    ratios = [a["encode"][0] / b[what][0] for a, b in zip(results[peer], ours)]
                    row.append(f"{median(ratios):.1f}")
            print("| " + " | ".join(map(str, row)) + " |", flush=True)
        print("\nseconds to load: " + ", ".join(f"{name} {median(times):.3f}" for name, times in loads.items()))


if __name__ == "__main__":
    main()
