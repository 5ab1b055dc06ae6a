"""Every room is furnished: a README, package files, names that say something, tests of its own."""

from __future__ import annotations

import pytest
from tests.house.reading import REPO, SRC, name_of, sources, tracked

ROOMS = sorted(path.name for path in SRC.iterdir() if any(path.glob("*.py")))
# Rooms that still wait for their furniture; these lists may only shrink.
NO_README: set[str] = set()
NO_TESTS = {"foundation"}
EMPTY_NAMES = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "misc", "stuff"}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_says_what_it_is_for(room):
    readme = SRC / room / "README.md"
    if room in NO_README and not readme.is_file():
        pytest.skip("has no README yet")
    assert readme.is_file(), f"{name_of(readme)} is missing"
    lines = readme.read_text("utf-8").splitlines()
    assert lines[0].startswith("# ")
    assert 5 <= len(lines) <= 60


def test_every_folder_with_code_is_a_package():
    folders = {path.parent for path in sources()}
    assert sorted(name_of(folder) for folder in folders if not (folder / "__init__.py").is_file()) == []


def test_file_names_say_what_is_inside():
    named = [path for path in tracked() if path.suffix in {".py", ".ts", ".tsx"}]
    assert [name_of(path) for path in named if path.stem.lower() in EMPTY_NAMES] == []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_tests(room):
    under = [folder for folder in ("rooms", "conformance") if (REPO / "tests" / folder / room).is_dir()]
    assert under or room in NO_TESTS, f"tests/rooms/{room} is missing"
