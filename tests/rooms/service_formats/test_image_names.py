"""Which file a stated name means: beside the label file, then anywhere if only one has it, never a guess."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.exports import image_file

from calotype.folder_reading.folder import Reading
from calotype.formats.fields import BadItem
from calotype.service_formats.image_names import add_stated


@pytest.mark.parametrize(
    ("stated", "key"),
    [
        ("a.png", "train/a.png"),
        ("only.png", "other/only.png"),
        ("other\\only.png", "other/only.png"),
        ("a.jpg", "train/a.png"),
        ("gone.png", "train/gone.png"),
    ],
)
def test_the_file_beside_the_labels_comes_first(tmp_path: Path, stated: str, key: str) -> None:
    for name in ("train/a.png", "valid/a.png", "other/only.png"):
        image_file(tmp_path / name)
    reading = Reading(tmp_path, None, "test")
    assert add_stated(reading, stated, "labels.json", ["train"]) == key
    assert (reading.images[key].path is None) == (stated == "gone.png")


@pytest.mark.parametrize("stated", ["twice.png", "../a.png", "", "/etc/passwd"])
def test_a_name_of_two_files_or_one_that_climbs_is_refused(tmp_path: Path, stated: str) -> None:
    for name in ("x/twice.png", "y/twice.png"):
        image_file(tmp_path / name)
    reading = Reading(tmp_path, None, "test")
    with pytest.raises(BadItem):
        add_stated(reading, stated, "labels.json", ["train"])
