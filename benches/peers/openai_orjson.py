"""corpus.jsonl of OpenAI chat messages → train.jsonl with orjson."""

import orjson

ROLES = {"user": "user", "assistant": "model"}

with open("corpus.jsonl", "rb") as corpus, open("train.jsonl", "wb") as train:
    for line in corpus:
        example, contents = {}, []
        for message in orjson.loads(line)["messages"]:
            parts = [{"text": message["content"]}]
            if message["role"] == "system":
                example["systemInstruction"] = {"parts": parts}
            else:
                contents.append({"role": ROLES[message["role"]], "parts": parts})
        example["contents"] = contents
        train.write(orjson.dumps(example, option=orjson.OPT_APPEND_NEWLINE))
