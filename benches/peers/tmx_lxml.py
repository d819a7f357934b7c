"""corpus.tmx → train.jsonl with lxml's iterparse and orjson."""

import orjson
from lxml import etree

with open("train.jsonl", "wb") as train:
    for _, unit in etree.iterparse("corpus.tmx", tag="tu"):
        source, target = ("".join(segment.itertext()) for segment in unit.iter("seg"))
        example = {
            "contents": [
                {"role": "user", "parts": [{"text": source}]},
                {"role": "model", "parts": [{"text": target}]},
            ]
        }
        train.write(orjson.dumps(example, option=orjson.OPT_APPEND_NEWLINE))
        # Without this the whole tree stays in memory, clear() or not.
        unit.clear()
        while unit.getprevious() is not None:
            del unit.getparent()[0]
