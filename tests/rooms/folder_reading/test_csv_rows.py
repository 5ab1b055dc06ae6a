"""Rows of CSV: a broken one costs itself only, and is named by its line."""

from __future__ import annotations

from calotype.folder_reading.csv_rows import csv_rows


def test_a_row_of_another_length_is_refused_by_its_line():
    refused: list[tuple[str, str]] = []
    rows = csv_rows("a.csv", "x,y\n1,2\n3\n\n5,6\n", lambda where, reason: refused.append((where, reason)))
    assert list(rows) == [("a.csv:2", {"x": "1", "y": "2"}), ("a.csv:5", {"x": "5", "y": "6"})]
    assert refused == [("a.csv:3", "it has 1 cells, the head of the file 2")]
