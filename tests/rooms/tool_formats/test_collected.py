"""What cannot be stored costs its own item: an id, a tag, a class, the metadata of an image."""

from __future__ import annotations

import pytest
from tests.support.labels import collect

from calotype.formats.fields import BadItem
from calotype.tool_formats import shapes
from calotype.tool_formats.collected import Collected, Entry, Facts

HALF = "\ud800"


@pytest.mark.parametrize(
    "entry",
    [
        Entry("a.png", "x", tags=(HALF,)),
        Entry("a.png", "x", split=HALF),
        Entry("a.png", "x", metadata={"a": float("nan")}),
        Entry("a.png", "x", extra={HALF: 1}),
        Entry("a\0.png", "x"),
        Entry("../..", "x"),
        Entry(" ", "x"),
        Entry("a" * 5_000, "x"),
    ],
)
def test_an_image_that_cannot_be_stored_is_refused(tmp_path, entry):
    with pytest.raises(BadItem):
        Collected("labels", tmp_path).add_image(entry)


def test_an_annotation_or_class_that_cannot_be_stored_is_a_problem(tmp_path):
    collected = Collected("labels", tmp_path)
    key = collected.add_image(Entry("a.png", "here"))
    for at, (name, facts) in enumerate([("cat", Facts()), ("cat", Facts(source_id=HALF)), (HALF, Facts())]):
        with collected.item(f"row {at}"):
            collected.add(key, name, shapes.box(1, 2, 3, 4), f"row {at}", facts)
    collected.declare("dog", keypoints=(HALF,))
    labels = collect([collected.source()])
    assert [read.class_name for read in labels.annotations] == ["cat"]
    assert sorted(problem.where for problem in labels.problems) == ["labels", "row 1", "row 2"]


def test_one_image_that_is_listed_twice_is_one_image(tmp_path):
    collected = Collected("labels", tmp_path)
    first = collected.add_image(Entry("a.png", "here", split="train", tags=("x",)))
    again = collected.add_image(Entry("a.png", "there", (4, 3), split="val", tags=("y",)))
    assert first == again
    (image,) = collected.images.values()
    assert (image.split, image.tags, image.size_wh) == ("train", ("x", "y"), (4, 3))
    assert [notice.code for notice in collected.source().warnings] == [
        "image-in-two-splits",
        "image-without-labels",
    ]
