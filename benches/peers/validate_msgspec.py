"""train.jsonl checked for shape by msgspec, with the types given."""

import json
from typing import Literal

import msgspec


class Part(msgspec.Struct):
    text: str


class Turn(msgspec.Struct):
    role: Literal["user", "model"]
    parts: list[Part]


class Example(msgspec.Struct):
    contents: list[Turn]


decode = msgspec.json.Decoder(Example).decode
examples = invalid = 0
with open("train.jsonl", "rb") as train:
    for line in train:
        examples += 1
        try:
            turns = decode(line).contents
        except msgspec.MsgspecError:
            invalid += 1
            continue
        if len(turns) < 2 or turns[0].role != "user" or turns[-1].role != "model" or not all(t.parts for t in turns):
            invalid += 1
print(json.dumps({"examples": examples, "invalid": invalid}))
