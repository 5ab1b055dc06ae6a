"""Rows that describe an image, colour maps, and images inside archives: what the formats of this room share."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest
from tests.support.exports import box, sample, text

from calotype.datasets.model import Annotation, Kind
from calotype.folder_reading.folder import Reading
from calotype.formats.notices import Losses
from calotype.formats.values import ParsedAnnotation, ParsedImage, ParsedLabels
from calotype.public_formats import colour_maps
from calotype.public_formats.cityscapes_images import LABEL_IDS, id_images
from calotype.public_formats.records.extracted import ArchivedSource
from calotype.public_formats.records.row_writing import Columns, named
from calotype.public_formats.records.rows import Names, cell_value, features_names, read_record


@pytest.fixture
def reading(tmp_path):
    reading = Reading(tmp_path, None, "test")
    reading.add_image(None, "a.png", "row")
    return reading


def test_names_of_classes_in_features_as_json_and_as_the_yaml_of_a_card():
    label = {"names": ["a", "b"], "_type": "ClassLabel"}
    as_json = {"label": label, "objects": {"feature": {"category": label}, "_type": "Sequence"}}
    assert features_names(as_json).by_path == {"label": ["a", "b"], "objects.category": ["a", "b"]}
    lists = {"objects": {"category": {"feature": label, "_type": "List"}}}
    assert features_names(lists).of("objects.category") == ["a", "b"]
    card = [{"name": "label", "dtype": {"class_label": {"names": {"0": "x", "2": "z"}}}}]
    assert features_names(card).of("label") == ["x", "class-1", "z"]
    assert features_names([1, None, {"name": 5}]).by_path == {}


@pytest.mark.parametrize(
    ("row", "kinds", "n_problems"),
    [
        ({"objects": [{"bbox": [1, 2, 3, 4], "label": "x"}]}, [Kind.BOX], 0),
        ({"annotations": {"bbox": [[1, 2, 3, 4], [1, 2]], "category_id": [0, 0]}}, [Kind.BOX], 1),
        ({"objects": {"bbox": [[1, 2, 3, 4]], "category": []}}, [Kind.BOX], 0),
        (
            {"labels": ["x", "y"], "captions": ["c"]},
            [Kind.CLASSIFICATION, Kind.CLASSIFICATION, Kind.CAPTION],
            0,
        ),
        ({"label": -1, "text": None, "other": 5}, [], 0),
        ({"label": 2**40}, [], 1),
        ({"text": [5]}, [], 1),
        ({"objects": [5, None]}, [], 2),
    ],
)
def test_a_row_becomes_annotations_and_problems(reading, row, kinds, n_problems):
    read_record(reading, "a.png", "row", row, Names())
    assert [a.kind for a in reading.annotations] == kinds
    assert len(reading.problems) == n_problems


def test_an_empty_list_says_that_there_is_nothing_and_other_values_are_kept(reading):
    row = {"objects": {"bbox": []}, "light": "day", "nested": {"a": [1]}, "width": 5, "bad": float("nan")}
    metadata, extra, is_empty = read_record(reading, "a.png", "row", row, Names())
    assert (metadata, extra, is_empty) == ({"light": "day"}, {"nested": {"a": [1]}}, True)
    assert [notice.code for notice in reading.notices.listed()] == ["value-dropped"]


@pytest.mark.parametrize(
    ("column", "cell", "value"),
    [
        ("label", "3", 3),
        ("label", "cat", "cat"),
        ("text", "3", "3"),
        ("objects", "[1]", [1]),
        ("objects", "{", "{"),
        ("gain", "0.5", 0.5),
        ("gain", "", None),
        ("file_name", "7", "7"),
    ],
)
def test_cells_of_a_table(column, cell, value):
    assert cell_value(column, cell) == value


class FewSamples:
    """What `Columns.of` looks at."""

    def __init__(self, *labels: list[Annotation]) -> None:
        self._items = [(sample(f"{at}.png"), listed) for at, listed in enumerate(labels)]

    def items(self) -> Any:
        return iter(self._items)


def test_columns_are_those_that_the_annotations_need():
    whole = Annotation("c", "s", Kind.CLASSIFICATION, 1)
    assert Columns.of(FewSamples([], [])) == Columns((), "", "")  # type: ignore[arg-type]
    plain = Columns.of(FewSamples([box((1, 2, 3, 4))], [whole]))  # type: ignore[arg-type]
    assert plain == Columns(("bbox", "category", "area"), "label", "")
    several = Columns.of(FewSamples([box((1, 2, 3, 4), score=0.5), whole, whole]))  # type: ignore[arg-type]
    assert (several.objects[3:], several.label) == (("score",), "labels")
    row, n_annotations = several.row(sample("a"), [box((1, 2, 3, 4), 1, score=0.5), whole], Losses())
    assert n_annotations == 2
    assert named(row, {1: "dog"})["objects"]["category"] == named(row, {1: "dog"})["labels"] == ["dog"]
    assert several.row(sample("a"), [], Losses())[0] == {"objects": None, "labels": []}


def test_lists_of_colours_that_are_broken_cost_their_line(tmp_path):
    text(
        tmp_path / "classes.json",
        '{"a": [1, 2], "b": [1, 2, 300], "c": 5, "": 1, "d": {"id": 7}, "e": "#010203"}',
    )
    reading = Reading(tmp_path, None, "test")
    found = colour_maps.find(reading)
    assert (found.by_number, found.by_colour) == ({5: "c", 7: "d"}, {(1, 2, 3): "e"})
    assert len(reading.problems) == 3
    text(tmp_path / "labelmap.txt", "a:1,2,3::\n")
    assert colour_maps.find(Reading(tmp_path, None, "test")).file == "labelmap.txt"
    assert [colour_maps.colour_of(n) for n in (0, 1, 2, 255)] == [
        (0, 0, 0),
        (128, 0, 0),
        (0, 128, 0),
        (224, 224, 192),
    ]
    assert colour_maps.is_nothing("Background")
    assert LABEL_IDS["bicycle"] == 33
    assert all(png.startswith(b"\x89PNG") for png in id_images([("car", False, (0, 0, 5, 0, 5, 5))], (8, 8)))


def test_extracted_images_vanish_with_their_source():
    images = [ParsedImage(name, name, None) for name in ("a", "b\0", "c")]
    labels = ParsedLabels(images, [ParsedAnnotation("c", "cat", Kind.CLASSIFICATION, "c")], [])
    source = ArchivedSource("x.tar", labels, {"a": lambda: b"A", "b\0": lambda: b"B", "c": lambda: b"C"})
    files = list(source.locate(0, 9))
    assert [Path(file.path).read_bytes() for file in files if file] == [b"A", b"C"]
    assert all(file is not None and file.is_temporary for file in files)
    folder = Path(files[0].path).parent if files[0] else Path()
    assert len(list(folder.iterdir())) == 2
    del source
    gc.collect()
    assert not folder.exists()
