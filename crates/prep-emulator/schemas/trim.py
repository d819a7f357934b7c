"""Cuts Google's API descriptions down to what the emulator checks requests against.

    python3 trim.py DIRECTORY

DIRECTORY holds `aiplatform.v1.json`, `aiplatform.v1beta1.json` and
`storage.v1.json` as the PyPI package google-api-python-client 2.202.0 has them
under `googleapiclient/discovery_cache/documents` (Apache-2.0, Google LLC). What
is left of each schema is its fields, their types and enum values; the words go.
"""

import json
import pathlib
import sys

ROOTS = {
    "aiplatform.v1": [
        "TuningJob", "CancelTuningJobRequest", "GenerateContentRequest",
        "CountTokensRequest", "BatchPredictionJob", "Model", "EvaluateInstancesRequest",
        # Answers, for tests of what the emulator says.
        "GenerateContentResponse", "CountTokensResponse", "Context", "Endpoint",
        "EvaluateInstancesResponse",
        "TensorboardTimeSeries", "BatchReadTensorboardTimeSeriesDataResponse",
    ],
    "aiplatform.v1beta1": [
        "TuningJob", "CancelTuningJobRequest", "GenerateContentRequest",
        "CountTokensRequest", "BatchPredictionJob", "Model", "EvaluateInstancesRequest",
        # Answers, for tests of what the emulator says.
        "GenerateContentResponse", "CountTokensResponse", "Context", "Endpoint",
        "EvaluateInstancesResponse",
        "TensorboardTimeSeries", "BatchReadTensorboardTimeSeriesDataResponse",
    ],
    "storage.v1": ["Bucket", "Object", "ComposeRequest"],
}
KEPT = ("type", "format", "enum", "readOnly")


def trim(schema, prefix, found):
    """The schema without its words; the names it refers to go to `found`."""
    out = {key: schema[key] for key in KEPT if key in schema}
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(prefix)
        found.append(schema["$ref"])
        out["$ref"] = name
    if "properties" in schema:
        out["properties"] = {
            name: trim(value, prefix, found) for name, value in schema["properties"].items()
        }
    for key in ("items", "additionalProperties"):
        if key in schema:
            out[key] = trim(schema[key], prefix, found)
    return out


def main():
    here = pathlib.Path(__file__).parent
    for name, roots in ROOTS.items():
        document = json.loads((pathlib.Path(sys.argv[1]) / f"{name}.json").read_text())
        api, version = name.split(".")
        prefix = f"GoogleCloudAiplatform{version.capitalize()}" if api == "aiplatform" else ""
        schemas, wanted = {}, [prefix + root for root in roots]
        while wanted:
            full = wanted.pop()
            short = full.removeprefix(prefix)
            if short not in schemas:
                schemas[short] = trim(document["schemas"][full], prefix, wanted)
        out = {
            "source": f"PyPI google-api-python-client 2.202.0, discovery_cache/documents/{name}.json",
            "licence": "Apache-2.0, Google LLC; trimmed by trim.py",
            "revision": document["revision"],
            "prefix": prefix,
            "schemas": dict(sorted(schemas.items())),
        }
        lines = [
            json.dumps(short) + ":" + json.dumps(schema, separators=(",", ":"))
            for short, schema in sorted(schemas.items())
        ]
        head = json.dumps({k: v for k, v in out.items() if k != "schemas"})[:-1]
        text = head + ',"schemas":{\n' + ",\n".join(lines) + "\n}}\n"
        (here / f"{name}.json").write_text(text)


if __name__ == "__main__":
    main()
