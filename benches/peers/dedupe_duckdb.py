"""Lines that are equal, the first one kept: DuckDB."""

import duckdb

duckdb.sql(
    """
    COPY (
        SELECT line FROM (
            SELECT line, min(n) AS n
            FROM (SELECT line, row_number() OVER () AS n
                  FROM read_csv('corpus.jsonl', columns={'line': 'VARCHAR'}, header=false, delim='\x01',
                                quote='', escape='', auto_detect=false))
            GROUP BY line
        ) ORDER BY n
    ) TO 'train.jsonl' (FORMAT csv, HEADER false, DELIMITER '\x01', QUOTE '', ESCAPE '')
    """
)
