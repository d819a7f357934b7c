"""Drives an emulator with Google's own clients.

    python3 official_clients.py BASE_URL KEY_FILE

Needs the PyPI packages google-cloud-storage and google-genai.
"""

import json
import sys
import time

from google import genai
from google.api_core import exceptions
from google.cloud import storage
from google.genai import errors, types
from google.oauth2 import service_account

PROJECT = "prep-rehearsal"
SCOPES = ["https://www.googleapis.com/auth/cloud-platform"]


def rows(count):
    """A dataset of one-turn conversations."""
    row = lambda n: {
        "contents": [
            {"role": "user", "parts": [{"text": f"Translate: the house {n}"}]},
            {"role": "model", "parts": [{"text": f"la casa {n}"}]},
        ]
    }
    return "".join(json.dumps(row(n)) + "\n" for n in range(count))


def use_storage(base_url, credentials):
    client = storage.Client(
        project=PROJECT, credentials=credentials, client_options={"api_endpoint": base_url}
    )
    bucket = client.create_bucket("official-clients", location="us-central1")
    assert bucket.location == "US-CENTRAL1" and bucket.exists()
    try:
        client.create_bucket("official-clients")
        raise AssertionError("a bucket was made twice")
    except exceptions.Conflict:
        pass

    small = bucket.blob("run/train.jsonl")
    small.metadata = {"prep": "1"}
    small.upload_from_string(rows(40), content_type="application/jsonl", if_generation_match=0)
    assert small.download_as_text() == rows(40)
    try:
        small.upload_from_string("x", if_generation_match=0)
        raise AssertionError("an object was overwritten")
    except exceptions.PreconditionFailed:
        pass

    data = bytes(range(256)) * 4096 * 5
    large = bucket.blob("large", chunk_size=1024 * 1024)
    with large.open("wb", if_generation_match=0) as file:
        file.write(data + b"tail")
    assert large.download_as_bytes() == data + b"tail"
    assert large.download_as_bytes(start=2, end=5) == data[2:6]

    assert [blob.name for blob in client.list_blobs(bucket)] == ["large", "run/train.jsonl"]
    listing = client.list_blobs(bucket, delimiter="/")
    assert [blob.name for blob in listing] == ["large"] and listing.prefixes == {"run/"}
    large.reload()
    large.delete(if_generation_match=large.generation)
    assert not large.exists()
    assert bucket.test_iam_permissions(["storage.objects.create"]) == ["storage.objects.create"]


def use_vertex(base_url, credentials, version):
    client = genai.Client(
        vertexai=True,
        project=PROJECT,
        location="us-central1",
        credentials=credentials,
        http_options=types.HttpOptions(base_url=base_url, api_version=version),
    )
    job = client.tunings.tune(
        base_model="gemini-2.5-flash",
        training_dataset=types.TuningDataset(gcs_uri="gs://official-clients/run/train.jsonl"),
        config=types.CreateTuningJobConfig(
            tuned_model_display_name="official",
            epoch_count=3,
            learning_rate_multiplier=1.0,
            adapter_size="ADAPTER_SIZE_FOUR",
            validation_dataset=types.TuningValidationDataset(
                gcs_uri="gs://official-clients/run/train.jsonl"
            ),
        ),
    )
    deadline = time.monotonic() + 30
    while not job.has_ended:
        assert time.monotonic() < deadline, job
        time.sleep(0.3)
        job = client.tunings.get(name=job.name)
    assert job.has_succeeded, job
    assert job.tuned_model.endpoint and len(job.tuned_model.checkpoints) == 3, job
    stats = job.tuning_data_stats.supervised_tuning_data_stats
    assert stats.tuning_dataset_example_count == 40, stats
    assert job.name in [listed.name for listed in client.tunings.list()]

    reply = client.models.generate_content(
        model=job.tuned_model.endpoint,
        contents="Translate: the house 7",
        config=types.GenerateContentConfig(temperature=0.0, max_output_tokens=500),
    )
    assert reply.text == "la casa 7", reply
    assert reply.usage_metadata.total_token_count > 0
    streamed = client.models.generate_content_stream(
        model=job.tuned_model.endpoint, contents="Translate: the house 7"
    )
    assert "".join(piece.text or "" for piece in streamed) == "la casa 7"
    count = client.models.count_tokens(model="gemini-2.5-flash", contents="12345678")
    assert count.total_tokens == 2
    try:
        client.tunings.tune(
            base_model="gemini-2.5-flash",
            training_dataset=types.TuningDataset(gcs_uri="gs://official-clients/train.csv"),
        )
        raise AssertionError("a CSV file was taken")
    except errors.ClientError as error:
        assert error.code == 400 and error.status == "INVALID_ARGUMENT", error
    cancelled = client.tunings.tune(
        base_model="gemini-2.5-flash",
        training_dataset=types.TuningDataset(gcs_uri="gs://official-clients/run/train.jsonl"),
    )
    client.tunings.cancel(name=cancelled.name)
    cancelled = client.tunings.get(name=cancelled.name)
    assert cancelled.state in ("JOB_STATE_CANCELLING", "JOB_STATE_CANCELLED"), cancelled.state


def main():
    base_url, key_file = sys.argv[1:]
    credentials = service_account.Credentials.from_service_account_file(key_file, scopes=SCOPES)
    use_storage(base_url, credentials)
    for version in ("v1", "v1beta1"):
        use_vertex(base_url, credentials, version)
    print("Google's clients are content")


if __name__ == "__main__":
    main()
