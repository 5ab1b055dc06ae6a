"""KITTI object labels, by the readme of its development kit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.exports import FEW, box, image_file, losses, sample, text, there_and_back, warnings, write
from tests.support.labels import read_labels

from calotype.datasets.model import Kind
from calotype.exchange import registry
from calotype.formats.base import LabelFileUnreadable
from calotype.formats.survey import Survey

KITTI = registry.reader("kitti")
CAR = "Car 0.88 3 -0.69 0.00 192.37 402.31 374.00 1.60 1.57 3.23 -2.70 1.74 3.68 -1.29"
CARE = "DontCare -1 -1 -10 503.89 169.71 590.61 190.13 -1 -1 -1 -1000 -1000 -1000 -10"
VAN = "Van 0.00 1 1.55 10 20 30.5 60.25 2.0 1.9 5.2 1 2 3 1.6"


@pytest.fixture
def devkit(tmp_path):
    """A small set in the layout of the development kit."""
    for split, numbers in (("training", (0, 1, 2)), ("testing", (0,))):
        for number in numbers:
            image_file(tmp_path / split / "image_2" / f"{number:06}.png")
            image_file(tmp_path / split / "image_3" / f"{number:06}.png")
    text(tmp_path / "training/label_2/000000.txt", f"{CAR}\n{CARE}\n")
    text(tmp_path / "training/label_2/000001.txt", f"{VAN} 0.75\r\n")
    text(tmp_path / "training/label_2/000002.txt", "")
    return tmp_path


def test_a_set_in_the_layout_of_the_development_kit(devkit):
    found = registry.detect(devkit)
    assert (found.format.name, found.sighting.evidence) == ("kitti", ("training/label_2/000000.txt",))
    labels = read_labels(KITTI, devkit)
    assert not labels.problems
    car, care, van = labels.annotations
    assert (car.class_name, car.image) == ("Car", "training/image_2/000000.png")
    assert car.drawn.bbox_xywh_px == pytest.approx((0, 192.37, 402.31, 181.63))
    assert car.drawn.attributes == {"truncated": True}
    assert car.drawn.extra["kitti"] == {
        "truncated": 0.88,
        "occluded": 3,
        "alpha": -0.69,
        "height_m": 1.6,
        "width_m": 1.57,
        "length_m": 3.23,
        "x_m": -2.7,
        "y_m": 1.74,
        "z_m": 3.68,
        "rotation_y": -1.29,
    }
    assert (care.class_name, care.drawn.iscrowd, dict(care.drawn.attributes)) == ("DontCare", True, {})
    assert (van.drawn.score, van.drawn.attributes) == (0.75, {"occluded": True, "truncated": False})
    assert {image.name: (image.split, image.tags) for image in labels.images} == {
        "training/image_2/000000.png": ("train", ()),
        "training/image_2/000001.png": ("train", ()),
        "training/image_2/000002.png": ("train", ("background",)),
        "testing/image_2/000000.png": ("test", ()),
    }
    assert warnings(KITTI, devkit) == {"image-empty": 1, "image-without-labels": 1}


def test_lists_of_a_split_and_the_same_number_in_training_and_testing(devkit):
    text(devkit / "ImageSets/train.txt", "000000\n")
    text(devkit / "ImageSets/val.txt", "000001\n000002\n")
    text(devkit / "ImageSets/test.txt", "000000\n")
    splits = {image.name: image.split for image in read_labels(KITTI, devkit).images}
    assert [splits[f"training/image_2/00000{n}.png"] for n in range(3)] == ["train", "val", "val"]
    assert splits["testing/image_2/000000.png"] == "test"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("Car 0 0 0 1 2 3", "columns"),
        (CAR.replace("0.88", "nan"), "not a number"),
        (CAR.replace("402.31", "9" * 70), "not a number"),
        (CAR.replace("402.31", "1e300"), "corners"),
        (CAR.replace("402.31", "-5"), "swapped"),
        (CAR.replace(" 3 ", " 0.5 ", 1), "occlusion"),
        (f"Car with blanks {CAR}", "columns"),
        ("C" * 600 + CAR[3:], "class"),
    ],
)
def test_a_line_that_is_no_object_costs_itself(devkit, row, reason):
    text(devkit / "training/label_2/000000.txt", f"{CAR}\n{row}\n")
    labels = read_labels(KITTI, devkit)
    assert len(labels.annotations) == 2
    (problem,) = labels.problems
    assert problem.where == "training/label_2/000000.txt:2"
    assert reason in problem.reason
    assert len(problem.reason) < 200


def test_files_that_cannot_be_read_cost_themselves(devkit):
    (devkit / "training/label_2/000001.txt").write_bytes(b"\xff\xfe\x00")
    image_file(devkit / "training/image_2/000000.jpg")
    labels = read_labels(KITTI, devkit)
    assert [(p.where, p.kind) for p in labels.problems] == [
        ("training/label_2/000000.txt", "invalid"),
        ("training/label_2/000001.txt", "unreadable"),
    ]
    assert "000000.jpg and training/image_2/000000.png" in labels.problems[0].reason
    assert labels.annotations == []


def test_nothing_outside_the_folder_is_read(devkit, tmp_path_factory):
    outside = text(tmp_path_factory.mktemp("out") / "secret.txt", CAR)
    (devkit / "training/label_2/000009.txt").symlink_to(outside)
    assert warnings(KITTI, devkit)["file-link"] == 1
    assert len(read_labels(KITTI, devkit).annotations) == 3


def test_other_text_files_are_not_mistaken_for_it(tmp_path):
    image_file(tmp_path / "images" / "a.png")
    text(tmp_path / "labels" / "a.txt", "0 .5 .5 .2 .2 .1 .2 .3 .4 .5 .6 .7 .8 .9 1\n")
    assert KITTI.recognise(Survey(tmp_path)) is None
    with pytest.raises(LabelFileUnreadable):
        KITTI.open(image_file(tmp_path / "empty" / "a.png").parent)


def test_what_was_read_is_written_back_column_by_column(devkit, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    labels = read_labels(KITTI, devkit)
    names = [declared.name for declared in labels.classes]
    drawn = []
    for read in labels.annotations:
        fields = {field: getattr(read.drawn, field) for field in ("score", "iscrowd", "attributes", "extra")}
        drawn.append(box(read.drawn.bbox_xywh_px or (), names.index(read.class_name), **fields))
    write(KITTI, out, [(sample("000000.png"), drawn)], names)
    written = (out / "training/label_2/000000.txt").read_text().splitlines()
    for line, expected in zip(written, (CAR, CARE, f"{VAN} 0.75"), strict=True):
        assert line.split()[0] == expected.split()[0]
        assert [float(v) for v in line.split()[1:]] == pytest.approx([float(v) for v in expected.split()[1:]])


def test_what_it_cannot_keep_is_a_loss(tmp_path):
    items = [
        (sample("a/traffic.light.png", split="val"), [box((1, 2, 3, 4), 0, source_id="7", iscrowd=True)]),
        (sample("b.png", split="train"), []),
        (
            sample("c.png", split="test", tags=("background",)),
            [box((5, 5, 0, 0), 1, attributes={"pose": "x"})],
        ),
    ]
    written, back = there_and_back(KITTI, tmp_path, items, ["traffic light", "traffic_light"])
    assert written.n_annotations == 2
    lost = losses(written)
    assert lost["folders and dots in the name of an image (replaced by `_`)"] == 1
    assert lost["class name (blanks are written as `_`)"] == 2
    assert lost["split of an image without labels (testing/ is read as test)"] == 1
    assert (
        lost["id of an annotation"],
        lost["iscrowd of an annotation"],
        lost["attribute of an annotation"],
    ) == (1, 1, 1)
    assert sorted(read.class_name for read in back.annotations) == ["traffic_light", "traffic_light2"]
    assert {i.name: i.split for i in back.images} == {
        "training/image_2/a_traffic_light.png": "val",
        "testing/image_2/b.png": "test",
        "training/image_2/c.png": "test",
    }


numbers = st.floats(0, 4_000, allow_nan=False)


@FEW
@given(
    st.lists(st.tuples(numbers, numbers, numbers, numbers), max_size=5),
    st.sampled_from([None, 0.0, 0.125, 1.0]),
)
def test_boxes_survive(tmp_path_factory, boxes, score):
    items = [(sample("a.png", tags=("background",)), [box(at, score=score) for at in boxes])]
    _, back = there_and_back(KITTI, tmp_path_factory.mktemp("out"), items)
    assert not back.problems
    assert [read.drawn.kind for read in back.annotations] == [Kind.BOX] * len(boxes)
    for read, at in zip(back.annotations, boxes, strict=True):
        assert read.drawn.bbox_xywh_px == pytest.approx(at, abs=1e-6)
        assert read.drawn.score == score


def test_a_folder_of_which_a_row_is_broken_or_none_can_be_read_is_still_kitti(tmp_path):
    image_file(tmp_path / "training/image_2/1.png")
    row = "Car 0 1 -1.57 1 2 20.5 18 1.5 1.6 3.9 1.8 1.4 8.4 -1.56\n"
    for content in (row.replace("20.5", "x") + row, "x\n"):
        text(tmp_path / "training/label_2/1.txt", content)
        assert registry.detect(tmp_path).format.name == "kitti"
