"""Names of exported files are safe and unique, whatever the samples are called."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calotype.datasets.model import Sample
from calotype.formats import export_names
from calotype.formats.export_names import file_names

HOSTILE = [
    "../../etc/passwd",
    "/abs.jpg",
    "a\\..\\b.jpg",
    "CON.jpg",
    "aux",
    "x" * 4000,
    "a.jpg/b.jpg",
    "a.jpg",
    "A.JPG",
]
HOSTILE += [
    "a.png",
    "...",
    "e\u0301.jpg",
    "\u00e9.jpg",
    "-rf.jpg",
    "n\u0000ul\n.jpg",
    "\ud800.jpg",
    "end. /x .jpg",
]


def named(names: list[str]) -> list[str]:
    samples = [Sample(str(at), "0" * 64, name, 4, 4, "image/jpeg", 9) for at, name in enumerate(names)]
    return list(file_names(samples).values())


def check(paths: list[str]) -> None:
    keys = {unicodedata.normalize("NFC", path).casefold() for path in paths}
    assert len(keys) == len(paths)
    for path in paths:
        parts = path.split("/")
        assert path.endswith((".jpg", ".jpeg", ".jpe", ".jfif")) and not path.startswith("/")
        assert all(part.strip(". ") and len(part.encode()) <= 135 for part in parts)
        assert not any("/".join(parts[:depth]).casefold() in keys for depth in range(1, len(parts)))


def test_hostile_names_become_safe_and_unique():
    check(named(HOSTILE))


@settings(deadline=None, max_examples=40)
@given(
    st.lists(
        st.text(st.sampled_from("aA./\\ :\u00e9\u0301~-"), min_size=1, max_size=8), unique=True, max_size=12
    )
)
def test_any_names_become_safe_and_unique(names):
    check(named(names))


_PARTS = st.sampled_from(
    ["train", "val", "test", "images", "IMG_0001", "con", "com1x", "-a-b-c", "a.b.c", "x" * 100]
)
_NAMES = st.builds(
    lambda parts, end: "/".join(parts) + end,
    st.lists(st.one_of(_PARTS, st.text("ab_-. C\u00e9", max_size=8)), min_size=1, max_size=14),
    st.sampled_from([".jpg", ".JPG", ".png", ".jpe", "", ".", ".jpg.jpg"]),
).filter(bool)


@settings(max_examples=300, deadline=None)
@given(st.lists(_NAMES, max_size=8))
def test_plain_names_are_taken_as_they_are_only_where_that_changes_nothing(names: list[str]) -> None:
    fast = named(names)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(export_names, "_PLAIN_NAME", re.compile("(?!)"))
        assert named(names) == fast
