"""Fixtures of the house tests."""

from __future__ import annotations

import ast

import pytest
from tests.house.reading import name_of, sources


@pytest.fixture(scope="session")
def trees() -> dict[str, ast.Module]:
    """Every file of the package, parsed."""
    return {name_of(path): ast.parse(path.read_text("utf-8")) for path in sources()}
