"""corpus.csv → train.jsonl with DuckDB; an argument sets its number of threads."""

import sys

import duckdb

connection = duckdb.connect()
if len(sys.argv) > 1:
    connection.execute(f"SET threads = {int(sys.argv[1])}")
connection.execute("""
    COPY (
        SELECT [
            {'role': 'user', 'parts': [{'text': source}]},
            {'role': 'model', 'parts': [{'text': target}]}
        ] AS contents
        FROM read_csv('corpus.csv', all_varchar = true)
    ) TO 'train.jsonl' (FORMAT json)
""")
