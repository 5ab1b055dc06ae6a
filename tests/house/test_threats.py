"""The page about security lists the threats with their tests, and each test exists."""

from __future__ import annotations

import re

from tests.house.reading import REPO

PAGE = REPO / "docs" / "explanation" / "security.md"
THREATS = (8, 9, 10, 11, 12, 13, 14, 15, 16, 22, 23, 24, 25)


def _rows() -> dict[int, list[str]]:
    rows = re.findall(r"^\| \*\*T(\d+)\*\* .*", PAGE.read_text(), re.MULTILINE)
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| **T")]
    return {int(number): re.findall(r"`(test_\w+)`", line) for number, line in zip(rows, lines, strict=True)}


def _written() -> set[str]:
    files = (REPO / "tests").rglob("test_*.py")
    return {
        name
        for file in files
        for name in re.findall(r"^def (test_t\d+_\w+)\(", file.read_text(), re.MULTILINE)
    }


def test_every_threat_has_tests_named_after_it():
    rows = _rows()
    assert tuple(rows) == THREATS
    for number, names in rows.items():
        assert names and all(name.startswith(f"test_t{number}_") for name in names), number


def test_every_test_of_a_threat_exists_and_is_listed():
    listed = {name for names in _rows().values() for name in names}
    assert listed ^ _written() == set()
