"""Runs a compiled query over tables of samples and annotations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from calotype.datasets.query.compile import Compiled
from calotype.foundation.sql_engine import engine


def matching_ids(compiled: Compiled, sources: Mapping[str, Any]) -> pa.ChunkedArray:
    """The `sample_id` of each sample that matches, in no particular order.

    Args:
        sources: `s`, and `a` if the query needs annotations: Arrow tables or what Arrow scans, with the columns that
            the query refers to.
    """
    with engine() as sql:
        for name, source in sources.items():
            sql.register(name, source)
        query = f"SELECT s.sample_id FROM s WHERE {compiled.sql}"
        return sql.sql(query, params=compiled.parameters).to_arrow_table()["sample_id"]
