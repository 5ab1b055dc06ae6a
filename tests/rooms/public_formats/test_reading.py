"""What the readers of public formats share: files below a folder, the image of a label, numbers in texts."""

from __future__ import annotations

import os

import pytest
from tests.support.exports import image_file, sample, text

from calotype.folder_reading.folder import Files, Reading, lines_of, replaced, size_of, split_of, stem_of
from calotype.formats.notices import Losses
from calotype.public_formats import numbers
from calotype.public_formats.writing import WrittenClassNames, is_labelled


@pytest.mark.parametrize(
    ("spelled", "value"),
    [
        ("1", 1.0),
        ("-.5", -0.5),
        ("+2.50e1", 25.0),
        ("1_0", None),
        ("１", None),
        ("nan", None),
        ("inf", None),
        ("1e999", None),
        ("0x1", None),
        ("", None),
        (" 1", None),
        ("9" * 61, None),
    ],
)
def test_numbers_are_read_strictly(spelled, value):
    assert numbers.number(spelled) == value


def test_whole_numbers_and_coordinates():
    assert [numbers.whole(t) for t in ("3", "-3", "3.0", "3.5", "1e3", "9" * 30)] == [
        3,
        -3,
        3,
        None,
        1000,
        None,
    ]
    assert numbers.pixels(["1", "2.5"]) == [1.0, 2.5]
    assert numbers.pixels(["1", "1e8"]) is None
    assert [numbers.shortest(v) for v in (3.0, 0.1, -2.5, 1e20)] == ["3", "0.1", "-2.5", "1e+20"]


def test_names_and_their_parts():
    assert split_of("a/Validation/b.png") == "val"
    assert split_of("train.png") == ""
    assert (stem_of("a/b.c.png"), stem_of("a/b")) == ("a/b.c", "a/b")
    assert (replaced("a/b/c", 1, "x"), replaced("a/b/c", 1, "")) == ("a/x/c", "a/c")
    assert lines_of("a\r\n\n b ") == [(1, "a"), (3, "b")]


def test_images_are_found_by_path_whatever_the_case_and_never_by_luck(tmp_path):
    for name in ("x/A.PNG", "y/a.png", "y/a.jpg"):
        image_file(tmp_path / name)
    reading = Reading(tmp_path, None, "test")
    assert reading.image_of(["x/a"], "one") == "x/A.PNG"
    assert reading.image_of(["z/a", "a"], "two") is None
    assert not reading.problems
    assert reading.image_of(["y/a"], "three") is None
    assert reading.is_ambiguous("three")
    assert "y/a.jpg and y/a.png" in reading.problems[0].reason


def test_links_out_of_the_folder_and_pipes_are_named(tmp_path):
    folder = tmp_path / "set"
    image_file(folder / "a.png")
    (folder / "inside.png").symlink_to("a.png")
    (folder / "outside.txt").symlink_to(text(tmp_path / "secret.txt", "x"))
    os.mkfifo(folder / "pipe.png")
    files = Files(folder)
    assert (files.names, files.links) == (["a.png", "inside.png"], ["outside.txt"])
    assert [(p.where, p.kind) for p in files.problems] == [("pipe.png", "unreadable")]


def test_sizes_are_those_of_the_upright_image(tmp_path):
    assert size_of(image_file(tmp_path / "a.png", (7, 5))) == (7, 5)
    assert size_of(image_file(tmp_path / "a.jpg", (9, 4))) == (9, 4)
    assert size_of(text(tmp_path / "b.png", "no image")) is None


def test_classes_that_would_be_written_alike_stay_different():
    losses = Losses()
    names = WrittenClassNames(
        [(0, "a b"), (1, "a_b"), (2, "c")], losses, lambda n: n.replace(" ", "_"), "blanks"
    )
    assert [names[n] for n in range(3)] == ["a_b", "a_b2", "c"]
    assert [loss.count for loss in losses.listed()] == [2]
    assert is_labelled(sample("a", tags=("background",)), [])
    assert not is_labelled(sample("a"), [])
