"""Which format some files are, and what shows it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from PIL import Image

from calotype.exchange import registry
from calotype.formats.base import FormatUnknown


def _image(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (8, 8)).save(path)


def _coco(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"images": [], "annotations": [], "categories": []}))


def test_a_described_format_comes_before_a_layout_of_folders_and_names_it(tmp_path: Path) -> None:
    _image(tmp_path / "images/a/1.jpg")
    _coco(tmp_path / "annotations/instances.json")
    detected = registry.detect(tmp_path)
    assert detected.format.name == "coco"
    other = "could also be Image folders by class: images in folders"
    assert detected.evidence == ("annotations/instances.json", other)


def test_a_broken_description_comes_before_a_layout_of_folders(tmp_path: Path) -> None:
    _image(tmp_path / "cat/1.jpg")
    (tmp_path / "data.yaml").write_text("train: cat\nnc: 1\n")
    detected = registry.detect(tmp_path)
    assert (detected.format.name, detected.sighting.broken) == ("yolo", True)


def test_nothing_that_is_known_is_refused_with_the_formats_that_are(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("# notes")
    with pytest.raises(FormatUnknown, match="coco"):
        registry.detect(tmp_path)


@pytest.mark.parametrize("place", ["labels.json", "train/_annotations.createml.json"])
def test_a_list_of_another_tool_is_not_an_empty_coco_file(tmp_path: Path, place: str) -> None:
    """CreateML lists images with `annotations`; read as COCO it would be 0 images without a word."""
    _image(tmp_path / place.replace(Path(place).name, "1.jpg"))
    box = {"label": "cat", "coordinates": {"x": 1, "y": 1, "width": 2, "height": 2}}
    (tmp_path / place).write_text(json.dumps([{"image": "1.jpg", "annotations": [box]}]))
    assert registry.detect(tmp_path / place).format.name == "createml"
    assert registry.detect(tmp_path).format.name == "createml"


def test_a_list_of_a_tool_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    _image(tmp_path / "1.jpg")
    (tmp_path / "labels.json").write_text(json.dumps([{"image": "1.jpg", "annotations": [{"what": "cat"}]}]))
    with pytest.raises(FormatUnknown):
        registry.detect(tmp_path / "labels.json")


def test_a_set_of_records_called_images_is_not_a_coco_file(tmp_path: Path) -> None:
    """As the `metadata.json` of `coco2014-mini` in the datasets of Croissant."""
    fields = [
        {"@type": "cr:Field", "name": "image_id", "source": {"extract": {"jsonPath": "$.annotations[*]"}}}
    ]
    record = {"@type": "cr:RecordSet", "name": "images", "field": fields}
    value = {
        "@context": {"cr": "http://mlcommons.org/croissant/"},
        "@type": "sc:Dataset",
        "recordSet": [record],
    }
    value |= {"conformsTo": "http://mlcommons.org/croissant/1.0", "name": "x", "distribution": []}
    (tmp_path / "metadata.json").write_text(json.dumps(value))
    assert registry.detect(tmp_path).format.name == "croissant"


def test_a_format_that_the_caller_names_says_what_it_recognises(tmp_path: Path) -> None:
    _image(tmp_path / "cat/1.jpg")
    assert registry.given(tmp_path, "folder").sighting.layout == "images in folders"
    assert registry.given(tmp_path, "voc").sighting.layout == "as asked"


def test_a_name_that_is_not_utf8_is_shown_escaped(tmp_path: Path) -> None:
    _image(tmp_path / "images/1.jpg")
    _coco(tmp_path / os.fsdecode(b"\xff.json"))
    assert registry.detect(tmp_path).evidence[0] == "\\xff.json"
    with pytest.raises(FormatUnknown) as caught:
        registry.detect(tmp_path / os.fsdecode(b"\xfe"))
    json.dumps(caught.value.to_dict(), ensure_ascii=False).encode()


_DARKNET = {
    "obj.data": "classes = 2\ntrain = data/train.txt\nnames = data/obj.names\nbackup = backup/\n",
    "obj.names": "cat\ndog\n",
    "train.txt": "data/obj_train_data/1.jpg\n",
}
_YAML = {"data.yaml": "train: pictures/a\nval: pictures/a\nnames: [cat, dog]\n"}


@pytest.mark.parametrize(
    "text", ["0 0.5 0.5 x 0.1\n", "\x01\x02", "", None], ids=["broken", "odd", "empty", "none"]
)
@pytest.mark.parametrize(
    ("described", "folder"),
    [
        (_DARKNET, "obj_train_data"),
        ({name: _DARKNET[name] for name in ("obj.data", "obj.names")}, "obj_train_data"),
        ({"obj.names": "cat\n"}, "obj_train_data"),
        (_YAML, "pictures/a"),
    ],
    ids=["darknet", "no list", "names only", "yaml"],
)
def test_a_description_of_yolo_without_a_readable_row_is_not_guessed_around(
    tmp_path: Path, described: dict[str, str], folder: str, text: str | None
) -> None:
    for name, content in described.items():
        (tmp_path / name).write_text(content)
    _image(tmp_path / folder / "1.jpg")
    if text is not None:
        (tmp_path / folder / "1.txt").write_text(text)
    detected = registry.detect(tmp_path)
    assert detected.format.name == "yolo"
    assert "could also be Image folders by class: images in folders" in detected.evidence
    (source,) = detected.format.open(tmp_path)
    assert len(source.images) == 1


@pytest.mark.parametrize("name", ["classes.txt", "config.yaml"])
def test_a_list_of_names_alone_does_not_turn_class_folders_into_images_without_labels(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("cat\ndog\n" if name.endswith("txt") else "names: [cat, dog]\n")
    _image(tmp_path / "cat/1.jpg")
    assert registry.detect(tmp_path).format.name == "folder"
