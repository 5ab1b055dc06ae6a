"""YOLO labels are read, paired and written by columns where that is possible; the careful ways give the same."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from calotype.formats.windows import Problem
from calotype.trainer_formats.yolo import label_text, pairing
from calotype.trainer_formats.yolo.label_text import TextCollector

_FIELDS = st.one_of(
    st.sampled_from(
        ["0", "1", "12", "0.5", ".5", "5.", "-0.25", "+1", "1e-3", "1-2", "1.2.3", ".", "-", "+-1", "--1"]
    ),
    st.sampled_from(["nan", "inf", "1e999", "cat", "1_0", "0x1", "٤", "", "00.10", "0,5"]),
    st.floats(0, 1).map(lambda value: f"{value:.6f}"),
)
_LINES = st.lists(st.lists(_FIELDS, max_size=6).map(" ".join), max_size=6)
_FILES = st.lists(
    st.tuples(_LINES, st.sampled_from(["\n", "\r\n", "\r", "\n\n", " \n\t"])), min_size=1, max_size=5
)


def _read(texts: list[bytes], **patched: object) -> tuple[Any, ...]:
    problems: list[Problem] = []
    with pytest.MonkeyPatch.context() as patch:
        for name, value in patched.items():
            patch.setattr(label_text, name, value)
        collector = TextCollector(problems)
        for at, text in enumerate(texts):
            collector.add(at, f"{at}.txt", text)
        rows = collector.rows()
    found = [(rows.files[at], rows.lines[at], rows.row(at)) for at in range(len(rows))]
    return found, sorted((one.where, one.reason) for one in problems), sorted(collector.not_labels)


@settings(max_examples=200, deadline=None)
@given(_FILES)
def test_texts_of_numbers_parsed_at_once_are_those_parsed_line_by_line(
    files: list[tuple[list[str], str]],
) -> None:
    texts = [end.join(lines).encode() for lines, end in files]
    texts = [text for text in texts if text.strip()]  # a blank text is always read as numbers
    assert _read(texts) == _read(texts, _PLAIN=b"") == _read(texts, _AT_ONCE=1)


_PARTS = st.sampled_from(["images", "labels", "train", "val", "a", "b", "A", "obj_train_data"])
_STEMS = st.sampled_from(["1", "2", "x.jpg", "x", "X", "\u00e9", "e\u0301"])
_PATHS = st.builds(lambda parts, stem: "/".join([*parts, stem]), st.lists(_PARTS, max_size=3), _STEMS)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.tuples(_PATHS, st.sampled_from([".jpg", ".png", ".JPG"])).map("".join), unique=True, max_size=8
    ),
    st.lists(_PATHS.map(lambda path: f"{path}.txt"), unique=True, max_size=8),
)
def test_pairs_do_not_depend_on_what_is_known_of_other_paths(images: list[str], labels: list[str]) -> None:
    """Folders are remembered, and steps that cannot find anything are left out."""
    known = pairing.pair(images, labels)
    for remembered in (pairing._inner_folders, pairing._image_folder, pairing._label_folders):
        remembered.cache_clear()
    odd = ["odd/\u00c9\u00e9.jpg"]  # so that every step is taken
    assert pairing.pair([*images, *odd], [*labels, "odd/\u00c9\u00e9.txt"]).label_of == {
        **known.label_of,
        odd[0]: "odd/\u00c9\u00e9.txt",
    }
