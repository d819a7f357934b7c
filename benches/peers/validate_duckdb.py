"""train.jsonl checked for shape by DuckDB, with the columns given."""

import json

import duckdb

TURN = "STRUCT(role VARCHAR, parts STRUCT(text VARCHAR)[])"
((examples, invalid),) = duckdb.sql(f"""
    SELECT count(*), count(*) FILTER (
        contents IS NULL OR len(contents) < 2
        OR contents[1].role != 'user' OR contents[-1].role != 'model'
        OR len(list_filter(contents, lambda turn: turn.role NOT IN ('user', 'model') OR len(turn.parts) = 0)) > 0
    )
    FROM read_json('train.jsonl', format='newline_delimited', columns={{contents: '{TURN}[]'}})
""").fetchall()
print(json.dumps({"examples": examples, "invalid": invalid}))
