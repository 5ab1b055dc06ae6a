"""Values that no tool writes cost their own item only: wrong types, half surrogate pairs, names that are not UTF-8."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.support.labels import read_labels
from tests.support.written_labels import annotation, losses, notices, sample, write

from calotype.exchange import registry
from calotype.tool_formats import shapes

LS, DARWIN, LABELME, VIA = (registry.reader(name) for name in ("label-studio", "darwin", "labelme", "via"))
BOX = {"x": 1, "y": 2, "w": 10, "h": 5}
REGION = {"x": 10, "y": 20, "width": 50, "height": 10, "rotation": 0, "rectanglelabels": ["car"]}


def darwin(folder: Path, *listed: dict[str, Any]) -> None:
    Image.new("L", (40, 30)).save(folder / "a.png")
    slot = {"type": "image", "slot_name": "0", "width": 40, "height": 30}
    item = {"name": "a.png", "path": "/", "slots": [slot]}
    (folder / "a.json").write_text(json.dumps({"version": "2.0", "item": item, "annotations": listed}))


def label_studio(folder: Path, result_id: str) -> None:
    Image.new("L", (40, 30)).save(folder / "a.png")
    sides = {"original_width": 40, "original_height": 30}
    one = {
        "id": result_id,
        "from_name": "l",
        "to_name": "i",
        "type": "rectanglelabels",
        "value": REGION,
        **sides,
    }
    task = {"id": 1, "data": {"image": "a.png"}, "annotations": [{"id": 1, "result": [one]}]}
    (folder / "tasks.json").write_text(json.dumps([task]))


@pytest.mark.parametrize("slot_names", [1, 1.5, "0", {"a": 1}, [["0"]], True])
def test_slots_that_are_no_list_of_names_cost_their_annotation(tmp_path, slot_names):
    good = {"id": "1", "name": "cat", "slot_names": ["0"], "bounding_box": BOX}
    darwin(tmp_path, good, {**good, "id": "2", "slot_names": slot_names})
    labels = read_labels(DARWIN, tmp_path)
    assert [read.drawn.source_id for read in labels.annotations] == ["1"]
    assert slot_names == [["0"]] or [problem.where for problem in labels.problems] == [
        "a.json annotations[1]"
    ]


@pytest.mark.parametrize("half", ["\ud800", "a\udfffb"])
def test_an_id_of_half_a_surrogate_pair_costs_its_annotation(tmp_path, half):
    label_studio(tmp_path, half)
    labels = read_labels(LS, tmp_path)
    assert (labels.annotations, len(labels.problems)) == ([], 1)
    darwin(tmp_path, {"id": half, "name": "cat", "slot_names": ["0"], "bounding_box": BOX})
    (tmp_path / "tasks.json").unlink()
    labels = read_labels(DARWIN, tmp_path)
    assert (labels.annotations, len(labels.problems)) == ([], 1)


def test_images_whose_names_are_not_utf8_come_in_with_an_escaped_name(tmp_path):
    shape = {"label": "car", "points": [[1, 2], [9, 12]], "shape_type": "rectangle"}
    Image.new("L", (40, 30)).save(tmp_path / "a.png")
    os.rename(tmp_path / "a.png", os.fsencode(tmp_path) + b"/caf\xe9.png")
    Image.new("L", (40, 30)).save(tmp_path / "b.png")
    (tmp_path / "b.json").write_text(json.dumps({"shapes": [shape], "imagePath": "b.png"}))
    labels = read_labels(LABELME, tmp_path)
    assert (sorted(image.name for image in labels.images), len(labels.annotations)) == (
        ["b.png", "caf\\xe9.png"],
        1,
    )


def test_a_configuration_that_is_a_link_out_of_the_folder_is_not_read(tmp_path):
    folder = tmp_path / "set"
    folder.mkdir()
    label_studio(folder, "r1")
    labels = '<View><RectangleLabels name="l" toName="i"><Label value="secret"/></RectangleLabels></View>'
    (tmp_path / "label_config.xml").write_text(labels)
    (folder / "label_config.xml").symlink_to(tmp_path / "label_config.xml")
    assert [c.name for c in read_labels(LS, folder).classes] == ["car"]


def test_label_files_that_are_links_out_of_the_folder_are_left_out_with_a_word(tmp_path):
    folder, outside = tmp_path / "set", tmp_path / "outside"
    folder.mkdir()
    outside.mkdir()
    one = {"id": "1", "name": "cat", "slot_names": ["0"], "bounding_box": BOX}
    darwin(folder, one)
    darwin(outside, {**one, "name": "secret"})
    (folder / "b.json").symlink_to(outside / "a.json")
    assert [read.class_name for read in read_labels(DARWIN, folder).annotations] == ["cat"]
    assert notices(DARWIN, folder)["file-link"] == 1


@pytest.mark.parametrize("format", [LABELME, VIA])
def test_a_class_that_an_image_has_twice_is_written_once_and_the_second_is_a_loss(tmp_path, format):
    twice = [annotation(shapes.whole_image(), at=at) for at in (0, 1)]
    written = write(format, tmp_path / "out", [(sample("a.png"), twice)])
    assert (written.n_annotations, losses(written)["the same class of an image given twice"]) == (1, 1)
