"""Fixtures of the house tests."""

from __future__ import annotations

import ast

import pytest
from tests.house.reading import name_of, sources, tree_of


@pytest.fixture(scope="session")
def trees() -> dict[str, ast.Module]:
    """Every file of the package, parsed."""
    return {name_of(path): tree_of(path) for path in sources()}
