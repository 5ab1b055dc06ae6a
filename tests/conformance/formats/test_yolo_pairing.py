"""A label file goes to the image of its own path: what is joined, what is ambiguous, what is left out."""

from __future__ import annotations

import unicodedata

import pytest
from tests.support.yolo_rule import label_path

from calotype.trainer_formats.yolo.pairing import image_stem, pair, trainer_stems

JOINED = {
    "the last images folder becomes labels": (
        ["images/cam1/images/1.jpg", "images/cam2/images/1.jpg"],
        ["images/cam1/labels/1.txt", "images/cam2/labels/1.txt"],
    ),
    "parallel folders": (
        ["images/train/a.jpg", "images/val/a.jpg"],
        ["labels/train/a.txt", "labels/val/a.txt"],
    ),
    "a folder for each split": (
        ["train/images/a.jpg", "val/images/a.jpg"],
        ["train/labels/a.txt", "val/labels/a.txt"],
    ),
    "beside": (["x/1.jpg", "y/1.jpg"], ["x/1.txt", "y/1.txt"]),
    "beside in an images folder": (["images/a.jpg"], ["images/a.txt"]),
    "dots": (["images/a.jpg.jpg", "images/b.v2.png"], ["labels/a.jpg.txt", "labels/b.v2.txt"]),
    "the whole file name": (["images/a.jpg", "images/a.png"], ["labels/a.jpg.txt", "labels/a.png.txt"]),
    "below other roots": (
        ["train/images/a.jpg", "val/images/a.jpg"],
        ["labels/train/a.txt", "labels/val/a.txt"],
    ),
    "two roots of any name": (["photos/a.jpg", "photos/s/b.jpg"], ["marks/a.txt", "marks/s/b.txt"]),
    "flat labels": (["images/train/a.jpg", "images/val/b.jpg"], ["labels/a.txt", "labels/b.txt"]),
    "case of the ending": (["images/A.JPG"], ["labels/A.TXT"]),
}


@pytest.mark.parametrize("case", JOINED)
def test_label_files_go_to_the_image_of_their_path(case):
    images, labels = JOINED[case]
    pairs = pair(images, labels)
    assert pairs.label_of == dict(zip(images, labels, strict=True))
    assert (pairs.ambiguous, pairs.contested, pairs.without_image) == ({}, {}, [])


@pytest.mark.parametrize("image", ["images/a.jpg", "images/x/images/b.v1.png", "train/images/c.jpg"])
def test_the_first_place_is_the_trainers(image):
    assert f"/{trainer_stems(image)[0]}.txt" == label_path(f"/{image}")


def test_a_label_of_a_lost_image_is_never_given_to_another_one():
    for extra in (["images/dogs/1.jpg"], []):
        images = [*extra, "images/not_dogs/2.jpg"]
        pairs = pair(images, ["labels/dogs/1.txt", "labels/dogs/2.txt"][1 - len(extra) :])
        assert "images/not_dogs/2.jpg" not in pairs.label_of
        assert pairs.without_image == ["labels/dogs/2.txt"]
    assert image_stem("labels/dogs/2.txt") == "images/dogs/2"


def test_a_stray_label_is_not_joined_where_the_image_has_a_folder_of_labels():
    pairs = pair(["images/train/1.jpg", "images/train/2.jpg"], ["labels/train/1.txt", "labels/2.txt"])
    assert pairs.label_of == {"images/train/1.jpg": "labels/train/1.txt"}
    assert pairs.without_image == ["labels/2.txt"]


def test_two_images_with_one_label_file_are_both_named():
    pairs = pair(["images/a.jpg", "images/a.png"], ["labels/a.txt"])
    assert (pairs.label_of, pairs.ambiguous) == ({}, {"labels/a.txt": ["images/a.jpg", "images/a.png"]})
    pairs = pair(
        ["images/train/1.jpg", "images/val/1.jpg", "images/val/2.jpg"], ["labels/1.txt", "labels/2.txt"]
    )
    assert pairs.ambiguous == {"labels/1.txt": ["images/train/1.jpg", "images/val/1.jpg"]}
    assert pairs.label_of == {"images/val/2.jpg": "labels/2.txt"}


def test_two_label_files_for_one_image_by_name_alone_are_both_named():
    pairs = pair(["1.jpg"], ["x/1.txt", "y/1.txt"])
    assert (pairs.label_of, pairs.contested) == ({}, {"1.jpg": ["x/1.txt", "y/1.txt"]})


def test_the_trainers_place_overrides_the_one_beside():
    pairs = pair(["images/a.jpg"], ["labels/a.txt", "images/a.txt"])
    assert pairs.label_of == {"images/a.jpg": "labels/a.txt"}
    assert pairs.unused == {"images/a.txt": "images/a.jpg"}


def test_other_case_and_unicode_form_are_joined_and_reported():
    composed, decomposed = (unicodedata.normalize(form, "caf\u00e9") for form in ("NFC", "NFD"))
    pairs = pair([f"images/{composed}.jpg", "images/B.jpg"], [f"labels/{decomposed}.txt", "labels/b.txt"])
    assert len(pairs.label_of) == len(pairs.renamed) == 2
    exact = pair(["images/a.jpg", "images/A.jpg"], ["labels/a.txt", "labels/A.txt"])
    assert exact.label_of == {"images/a.jpg": "labels/a.txt", "images/A.jpg": "labels/A.txt"}
    assert exact.renamed == []
