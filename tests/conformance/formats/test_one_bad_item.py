"""One bad file, row or value costs itself only; a broken description stops with its line and is not guessed around."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from tests.support.labels import ReadLabels, collect, read_labels

import calotype as ct
from calotype.exchange import registry
from calotype.formats.base import LabelFileUnreadable

COCO, YOLO, VOC, FOLDER = (registry.reader(name) for name in ("coco", "yolo", "voc", "folder"))
HUGE = "9" * 400


def coco(folder: Path, rows: str = "", **over: str) -> Path:
    """A COCO file of one good row, further rows as JSON text, and other top-level keys as JSON text."""
    parts = {
        "images": '[{"id": 1, "file_name": "a.png"}]',
        "categories": '[{"id": 1, "name": "cat"}]',
        "annotations": f"[{row(id='1')}{',' + rows if rows else ''}]",
        **over,
    }
    file = folder / "labels.json"
    file.write_text("{" + ", ".join(f'"{key}": {text}' for key, text in parts.items()) + "}")
    return file


def row(**over: str) -> str:
    parts = {"id": "2", "image_id": "1", "category_id": "1", "bbox": "[1, 1, 5, 5]", **over}
    return "{" + ", ".join(f'"{key}": {text}' for key, text in parts.items()) + "}"


def kept(labels: ReadLabels) -> list[str]:
    return [read.drawn.source_id for read in labels.annotations]


BAD_ROWS = [
    row(bbox=f"[{HUGE}, 1, 5, 5]"),
    row(bbox="[1e999, 1, 5, 5]"),
    row(segmentation=f"[[1, 1, {HUGE}, 1, 5, 5]]"),
    row(area=HUGE),
    row(area="NaN"),
    row(category_id="[1]"),
    row(category_id=str(2**70)),
    row(image_id='{"a": 1}'),
    row(id="[2]"),
    row(id=HUGE),
    row(id="1" * 5_000),
    row(keypoints="[1, 2]"),
    row(segmentation=f'{{"size": [{HUGE}, 2], "counts": [1]}}'),
    row(segmentation=f'{{"size": [2, 2], "counts": [{HUGE}]}}'),
    row(attributes='{"a": "x\\ud800"}'),
    row(attributes='{"a": NaN}'),
    row(more="-Infinity"),
    row(more="[" * 200 + "]" * 200),
    row(more=HUGE),
    '{"id": 2, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5], "bbox": [0, 0, 9, 9]}',
    '"x"',
]


@pytest.mark.parametrize("bad", BAD_ROWS, ids=range(len(BAD_ROWS)))
def test_a_row_that_cannot_be_held_is_set_aside_with_its_place(tmp_path, bad):
    labels = read_labels(COCO, coco(tmp_path, bad))
    assert kept(labels) == ["1"]
    (problem,) = labels.problems
    assert problem.where == "labels.json annotations[1]"
    assert len(problem.reason) < 200


@pytest.mark.parametrize(
    "image",
    [
        '{"id": 2, "file_name": "b\\ud800.png"}',
        '{"id": 2, "file_name": "b\\u0000.png"}',
        f'{{"id": {HUGE}, "file_name": "b.png"}}',
        '{"id": [2], "file_name": "b.png"}',
        '{"id": 2, "file_name": "b.png", "more": NaN}',
        f'{{"id": 2, "file_name": "{"d/" * 3_000}b.png"}}',
    ],
)
def test_an_image_that_cannot_be_held_is_set_aside(tmp_path, image):
    labels = read_labels(COCO, coco(tmp_path, images=f'[{{"id": 1, "file_name": "a.png"}}, {image}]'))
    assert [listed.name for listed in labels.images] == ["a.png"]
    assert [problem.where for problem in labels.problems] == ["labels.json images[1]"]
    assert kept(labels) == ["1"]


@pytest.mark.parametrize(
    "category",
    [
        f'{{"id": {2**70}, "name": "dog"}}',
        '{"id": 2, "name": "dog\\ud800"}',
        '{"id": 2, "name": ["dog"]}',
        '{"id": [2], "name": "dog"}',
        f'{{"id": 2, "name": "{"n" * 501}"}}',
        '{"id": 2}',
        "5",
    ],
)
def test_a_category_that_is_no_class_is_set_aside(tmp_path, category):
    labels = read_labels(COCO, coco(tmp_path, categories=f'[{{"id": 1, "name": "cat"}}, {category}]'))
    assert [declared.name for declared in labels.classes] == ["cat"]
    assert [(problem.what, problem.where) for problem in labels.problems] == [
        ("class", "labels.json categories[1]")
    ]


@pytest.mark.parametrize(
    ("over", "lost"),
    [
        ({"info": '{"description": "X\\ud800"}'}, "not valid Unicode"),
        ({"info": '{"version": NaN}'}, "NaN"),
        ({"licenses": '[{"id": [], "name": "x"}]'}, "licence"),
        ({"licenses": "[5]"}, "licence"),
        ({"categories": '[{"id": 1, "name": "cat", "keypoints": 1.5}]'}, "keypoints"),
        ({"categories": '[{"id": 1, "name": "cat", "k": Infinity}]'}, "key of a category"),
        ({"categories": '[{"id": 1, "name": "cat", "supercategory": {}}]'}, None),
        ({"categories": '[{"id": 1, "name": "cat", "supercategory": [1]}]'}, "supercategory"),
    ],
)
def test_what_describes_a_file_and_cannot_be_kept_is_a_loss(tmp_path, over, lost):
    (source,) = COCO.open(coco(tmp_path, **over))
    assert not source.problems
    assert source.index is not None
    assert sum(len(window) for window in source.windows(source.index)) == 1
    json.dumps(dict(source.info), allow_nan=False).encode()
    words = [loss.what for loss in source.losses]
    assert words == [] if lost is None else (len(words) == 1 and lost in words[0])


def test_two_categories_with_one_id_are_refused(tmp_path):
    with pytest.raises(LabelFileUnreadable, match="two categories have the id 1"):
        read_labels(COCO, coco(tmp_path, categories='[{"id": 1, "name": "cat"}, {"id": 1, "name": "dog"}]'))


def picture(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 10), "red").save(file)
    return file


def yolo(folder: Path, config: str | None) -> Path:
    picture(folder / "images" / "a.png")
    (folder / "labels").mkdir()
    (folder / "labels" / "a.txt").write_text("0 .5 .5 .2 .2\n")
    if config is not None:
        (folder / "data.yaml").write_text(config)
    return folder


@pytest.mark.parametrize(
    ("config", "line"),
    [
        ("path: .\nnames: {²: a}\n", 2),
        ("names:\n  0: a\n  x: b\n", 3),
        ("names: [a, b\n", 2),
        ("path: .\nnames:\n  - !!bool x\n", 3),
        ("names: [a]\nnames: [b]\n", 2),
        (f"names:\n  {HUGE}: a\n", 2),
        (f"names:\n- {'9' * 5_000}\n", 2),
        ("names:\n- a\n- " + "n" * 501 + "\n", 3),
        ("names: [a]\nnc: 3\n", 2),
        ("nmes: [cat]\ntrain: images\n", 1),
        ("[a]\n", 1),
    ],
)
def test_a_broken_configuration_stops_with_its_line(tmp_path, config, line):
    folder = yolo(tmp_path, config)
    assert registry.detect(folder).format.name == "yolo"
    with pytest.raises(LabelFileUnreadable) as refused:
        YOLO.open(folder)
    assert refused.value.where == f"data.yaml line {line}"


def test_a_description_that_is_broken_is_not_guessed_around(tmp_path):
    for name, expected in (("yolo", "yolo"), ("coco", "coco"), ("voc", "voc"), ("bare", "yolo")):
        folder = tmp_path / name
        picture(folder / "images" / "a.png")
        if name == "coco":
            (folder / "annotations").mkdir()
            (folder / "annotations" / "instances.json").write_text('{"imges": []}')
        elif name == "voc":
            (folder / "Annotations").mkdir()
            (folder / "Annotations" / "a.xml").write_text("<annot>")
        else:
            (folder / "labels").mkdir()
            (folder / "labels" / "a.txt").write_text("0 .5 .5 .2 .2\n")
            if name == "yolo":
                (folder / "data.yaml").write_text("nmes: [a]\n")
        format = registry.detect(folder).format
        assert format.name == expected
        with pytest.raises(LabelFileUnreadable):
            format.open(folder)


def test_files_that_describe_something_else_leave_a_folder_of_classes_alone(tmp_path):
    picture(tmp_path / "cat" / "a.png")
    (tmp_path / "card.json").write_text('{"title": "cats"}')
    (tmp_path / "build.yaml").write_text("steps: [a]\n")
    assert registry.detect(tmp_path).format.name == "folder"


@pytest.mark.parametrize("field", ["1_0", "１", "nan", "9" * 400, "²"])
def test_a_number_that_only_python_reads_is_set_aside(tmp_path, field):
    folder = yolo(tmp_path, "names: [cat]\n")
    (folder / "labels" / "a.txt").write_text(f"0 .5 .5 .2 .2\n0 {field} .5 .2 .2\n")
    labels = read_labels(YOLO, folder)
    assert (len(labels.annotations), [problem.where for problem in labels.problems]) == (
        1,
        ["labels/a.txt:2"],
    )


def voc(folder: Path, *names: str) -> Path:
    for at, name in enumerate(names):
        stem = f"{at}"
        picture(folder / "JPEGImages" / f"{stem}.png")
        box = "<bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax><ymax>5</ymax></bndbox>"
        (folder / "Annotations").mkdir(exist_ok=True)
        (folder / "Annotations" / f"{stem}.xml").write_text(
            f"<annotation><filename>{stem}.png</filename><object><name>{name}</name>{box}</object></annotation>"
        )
    return folder


def test_a_class_name_without_end_and_a_file_name_without_end_cost_themselves(tmp_path):
    folder = voc(tmp_path, "cat", "n" * 600)
    broken = folder / "Annotations" / "9.xml"
    broken.write_text(f"<annotation><filename>{'f' * 300}.png</filename></annotation>")
    labels = read_labels(VOC, folder)
    assert [declared.name for declared in labels.classes] == ["cat"]
    assert [problem.where for problem in labels.problems] == ["Annotations/1.xml object[0]"]
    assert "f" * 300 + ".png" in [listed.name for listed in labels.images]


@pytest.fixture
def odd_folder(tmp_path):
    """A good image, and one each of what is no file to read."""
    picture(tmp_path / "cat" / "a.png")
    (tmp_path / "cat" / "self.png").symlink_to("self.png")
    (tmp_path / "cat" / "gone.png").symlink_to("nowhere.png")
    os.mkfifo(tmp_path / "cat" / "pipe.png")
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(tmp_path / "cat")  # the name of a socket is short
        try:
            server.bind("socket.png")
        finally:
            os.chdir(here)
        yield tmp_path


WORDS = {
    "self.png": "link to itself",
    "gone.png": "link to nothing",
    "pipe.png": "a pipe",
    "socket.png": "a socket",
}


def test_links_to_themselves_pipes_and_sockets_are_named(odd_folder):
    labels = read_labels(FOLDER, odd_folder)
    assert [listed.name for listed in labels.images] == ["cat/a.png"]
    reasons = {problem.where.rpartition("/")[2]: problem.reason for problem in labels.problems}
    assert reasons.keys() == WORDS.keys()
    assert all(WORDS[name] in reason for name, reason in reasons.items())


def test_adding_such_a_folder_takes_the_good_image_and_names_the_others(odd_folder, tmp_path_factory):
    for media in ("copy", "reference"):
        with ct.open(tmp_path_factory.mktemp("ws") / "ws") as ws:
            added = ws.create("shop").add_images(odd_folder, media=media)
            assert (added.added, added.quarantined) == (1, 4)
            assert {item.place.rpartition("/")[2]: item.code for item in added.set_aside} == dict.fromkeys(
                WORDS, "file-unreadable"
            )


@pytest.mark.parametrize("hidden", ["labels/train/.b.txt", ".kept/b.txt"])
def test_hidden_label_files_are_named_and_what_tools_leave_is_not(tmp_path, hidden):
    for name in ("a", "b"):
        image = tmp_path / "images" / "train" / f"{name}.png"
        image.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8)).save(image)
    for name in (
        "labels/train/a.txt",
        hidden,
        "labels/train/._a.txt",
        ".git/a.txt",
        ".ipynb_checkpoints/a.txt",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("0 0.5 0.5 0.2 0.2\n")
    (tmp_path / "data.yaml").write_text("train: images/train\nnames: [cat]\n")
    labels = read_labels(YOLO, tmp_path)
    assert len(labels.annotations) == 1
    (problem,) = labels.problems
    assert hidden.startswith(problem.where) and "begins with a dot" in problem.reason


def test_a_folder_that_cannot_be_listed_is_named(tmp_path, monkeypatch):
    picture(tmp_path / "cat" / "a.png")
    picture(tmp_path / "dog" / "b.png")
    scandir = os.scandir

    def listed(path: Any) -> Any:
        if str(path).endswith("dog"):
            raise PermissionError(13, "Permission denied")
        return scandir(path)

    monkeypatch.setattr(os, "scandir", listed)
    labels = read_labels(FOLDER, tmp_path)
    assert [listed.name for listed in labels.images] == ["cat/a.png"]
    assert [(p.what, p.where, p.reason) for p in labels.problems] == [
        ("folder", "dog", "the folder cannot be read: Permission denied")
    ]


def test_a_label_file_that_vanishes_while_a_folder_is_read_costs_itself(tmp_path, monkeypatch):
    folder = yolo(tmp_path, "names: [cat]\n")
    (folder / "labels" / "b.txt").write_text("0 .5 .5 .2 .2\n")
    open_, gone = os.open, str(folder / "labels" / "b.txt")

    def opened(path: Any, *flags: Any, **more: Any) -> int:
        if str(path) == os.path.realpath(gone):
            raise FileNotFoundError(2, "No such file or directory")
        return open_(path, *flags, **more)

    monkeypatch.setattr(os, "open", opened)
    labels = read_labels(YOLO, folder)
    assert (len(labels.annotations), [problem.where for problem in labels.problems]) == (1, ["labels/b.txt"])


def test_names_that_are_not_utf8_stay_different(tmp_path):
    for colour, name in (("red", b"caf\xe9.png"), ("blue", b"caf\xe8.png")):
        (tmp_path / "cat").mkdir(exist_ok=True)
        Image.new("RGB", (8, 8), colour).save(tmp_path / "cat" / "x.png")
        os.rename(tmp_path / "cat" / "x.png", os.path.join(os.fsencode(tmp_path / "cat"), name))
    assert {i.name for i in read_labels(FOLDER, tmp_path).images} == {"cat/caf\\xe8.png", "cat/caf\\xe9.png"}
    with ct.open(tmp_path / "ws") as ws:
        assert ws.create("shop").add_images(tmp_path / "cat").added == 2


def test_class_ids_beyond_the_table_get_others_and_leave_room(tmp_path):
    picture(tmp_path / "a.png")
    labels = coco(
        tmp_path,
        row(category_id=str(2**31 - 1)) + "," + row(id="3", category_id=str(2**40)),
        categories=f'[{{"id": 1, "name": "cat"}}, {{"id": {2**31 - 1}, "name": "b"}}, {{"id": {2**40}, "name": "c"}}]',
    )
    with ct.open(tmp_path / "ws") as ws:
        shop = ws.create("shop")
        assert shop.add_annotations(labels).annotations == 3
        assert shop.where().by_class() == {"cat": 1, "b": 1, "c": 1}


def test_a_label_map_that_leads_out_of_the_folder_is_not_opened(tmp_path):
    (tmp_path / "secret.txt").write_text("background:0,0,0::\nstolen:128,0,0::\n")
    folder = tmp_path / "voc"
    for name in ("SegmentationClass", "JPEGImages", "Annotations"):
        (folder / name).mkdir(parents=True)
    Image.new("RGB", (8, 8)).save(folder / "JPEGImages" / "a.png")
    Image.new("RGB", (8, 8), (128, 0, 0)).save(folder / "SegmentationClass" / "a.png")
    (folder / "labelmap.txt").symlink_to(tmp_path / "secret.txt")
    text = (
        "<annotation><filename>a.png</filename><size><width>8</width><height>8</height></size></annotation>"
    )
    (folder / "Annotations" / "a.xml").write_text(text)
    sources = VOC.open(folder)
    assert "stolen" not in {read.class_name for read in collect(sources).annotations}
    (notice,) = [notice for source in sources for notice in source.warnings if notice.code == "file-link"]
    assert notice.examples == ("labelmap.txt",)
