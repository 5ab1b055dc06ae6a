"""Every error has a code, a row in the table of codes, a fix, and a heading in the reference."""

from __future__ import annotations

import importlib
import pkgutil
from string import Formatter

import pytest
from tests.house.reading import REPO

import calotype
from calotype.foundation.codes import CODES
from calotype.foundation.errors import CalotypeError

# Codes that wait for their room, or that a door writes by itself; the list may only shrink.
WAITING = {
    "embedder-unknown",
    "model-unusable",
    "nothing-to-curate",
    "onnx-runtime-missing",
    "pick-strategy-unknown",
    "release-blocked",
    "release-empty",
    "release-exists",
    "release-not-found",
    "selection-name-invalid",
    "selection-too-large",
    "sort-unknown",
    "split-field-unknown",
    "split-fractions-invalid",
    "split-not-found",
    "target-not-empty",
    "target-not-writable",
    "torch-missing",
    "version-invalid",
}
ONE_MEANING = {"ontology-class-unknown"}  # asked for by name in `vision`, met in a label file in `annotate`
CATEGORIES = "calotype.foundation.errors"


def _load_everything() -> list[str]:
    """Import every module; those that cannot be, with the reason."""
    broken: list[str] = []
    for module in pkgutil.walk_packages(calotype.__path__, "calotype.", onerror=broken.append):
        if not module.name.endswith(("__main__", "migrations.env", "torch_loader")):
            try:
                importlib.import_module(module.name)
            except ImportError as error:
                broken.append(f"{module.name}: {error.msg}")
    return broken


def all_errors() -> list[type[CalotypeError]]:
    """Every class of error in the package, by code."""
    _load_everything()
    found: set[type[CalotypeError]] = set()
    open_ = [CalotypeError]
    while open_:
        kind = open_.pop()
        found.add(kind)
        open_.extend(kind.__subclasses__())
    ours = [kind for kind in found if kind.__module__.startswith("calotype.")]
    return sorted(ours, key=lambda kind: (kind.code, kind.__qualname__))


@pytest.fixture(scope="module")
def errors():
    """Every class of error."""
    return all_errors()


@pytest.fixture(scope="module")
def leaves(errors):
    """The errors that are raised: the categories left out."""
    return [kind for kind in errors if kind.__module__ != CATEGORIES]


def test_every_module_can_be_imported():
    assert _load_everything() == []


def test_every_error_has_a_row_in_the_table_of_codes(errors):
    assert [f"{kind.__qualname__}: {kind.code}" for kind in errors if kind.code not in CODES] == []


def test_every_error_says_what_happened_and_how_to_fix_it(leaves):
    assert [kind.__qualname__ for kind in leaves if not (kind.what and kind.fix)] == []


def test_the_fields_of_a_message_have_names(leaves):
    parts = [(kind, name) for kind in leaves for _, name, _, _ in Formatter().parse(kind.what + kind.fix)]
    assert [kind.__qualname__ for kind, name in parts if name is not None and not name.isidentifier()] == []


def test_a_code_means_one_error(leaves):
    seen: dict[str, type[CalotypeError]] = {}
    shared = []
    for kind in leaves:
        other = seen.setdefault(kind.code, kind)
        if kind.code in ONE_MEANING:
            continue
        if other is not kind and not issubclass(kind, other) and not issubclass(other, kind):
            shared.append(f"{kind.code}: {other.__qualname__} and {kind.__qualname__}")
    assert shared == []


def test_every_listed_code_is_used(errors):
    assert sorted(set(CODES) - WAITING - {kind.code for kind in errors}) == []


def test_every_code_has_its_heading_in_the_reference():
    text = (REPO / "docs" / "reference" / "errors.md").read_text("utf-8")
    headings = {line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")}
    assert sorted(set(CODES) - headings) == []
