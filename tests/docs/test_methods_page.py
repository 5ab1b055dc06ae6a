"""The reference of methods describes every public function, and every script that it names exists."""

from __future__ import annotations

import inspect
import re

import pytest
from tests.house.reading import REPO

from calotype import checks, curate

PAGE = (REPO / "docs/reference/methods.md").read_text(encoding="utf-8")
FUNCTIONS = {
    name: value
    for module in (checks, curate)
    for name in module.__all__
    if inspect.isfunction(value := getattr(module, name))
}


def sections() -> dict[str, str]:
    """Name of a function -> its section."""
    parts = re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
    return {re.match(r"`?(\w+)", part)[1]: part for part in parts}  # type: ignore[index]


def test_every_public_function_has_a_section_and_nothing_else_has():
    assert set(sections()) == set(FUNCTIONS)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_a_section_says_what_goes_in_and_out_and_where_the_method_fails(name):
    section = sections()[name]
    for required in ("**In", "**Out", "**Where it fails"):
        assert required in section, required
    arguments = [p for p in inspect.signature(FUNCTIONS[name]).parameters if not p.startswith("_")]
    assert set(arguments) - set(re.findall(r"\b[a-z_]+\b", section)) == set()


def test_every_script_that_is_named_exists():
    scripts = set(re.findall(r"benchmarks/quality/\w+\.py", PAGE))
    assert len(scripts) >= 6
    assert [script for script in scripts if not (REPO / script).is_file()] == []
