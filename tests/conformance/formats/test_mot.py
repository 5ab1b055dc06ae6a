"""MOT Challenge, by the paper of MOT16 and the instructions of the challenge."""

from __future__ import annotations

import configparser
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.exports import FEW, box, image_file, losses, sample, text, there_and_back, warnings
from tests.support.labels import read_labels

from calotype.exchange import registry
from calotype.formats.base import LabelFileUnreadable
from calotype.formats.survey import Survey

MOT = registry.reader("mot")
INFO = (
    "[Sequence]\nname=MOT16-02\nimDir=img1\nframeRate=30\nseqLength=3\nimWidth=64\nimHeight=48\nimExt=.jpg\n"
)


@pytest.fixture
def video(tmp_path):
    folder = tmp_path / "train" / "MOT16-02"
    for frame in (1, 2, 3):
        image_file(folder / "img1" / f"{frame:06}.jpg")
    text(folder / "seqinfo.ini", INFO)
    text(
        folder / "gt" / "gt.txt", "1,1,912,484,97,109,0,7,1\n1,2,10.5,20,5,6,1,1,0.25\n2,2,11,20,5,6,1,1,1\n"
    )
    text(folder / "det" / "det.txt", "1,-1,912,484,97,109,0.9\n")
    return tmp_path


def test_a_video_with_ground_truth(video):
    found = registry.detect(video)
    assert (found.format.name, found.sighting.evidence) == (
        "mot",
        ("train/MOT16-02/gt/gt.txt", "train/MOT16-02/seqinfo.ini"),
    )
    labels = read_labels(MOT, video)
    assert not labels.problems
    static, first, second = labels.annotations
    assert (static.class_name, static.drawn.extra) == ("Static person", {"mot": {"flag": 0, "visibility": 1}})
    assert first.drawn.bbox_xywh_px == (10.5, 20, 5, 6)
    assert first.drawn.attributes == {"track_id": 2, "occluded": True}
    assert (second.class_name, second.drawn.attributes) == ("Pedestrian", {"track_id": 2, "occluded": False})
    images = {image.name: (image.split, dict(image.metadata)) for image in labels.images}
    assert list(images) == [f"train/MOT16-02/img1/00000{n}.jpg" for n in (1, 2, 3)]
    assert images["train/MOT16-02/img1/000002.jpg"] == (
        "train",
        {"video": "MOT16-02", "frame": 2, "frame_rate": 30},
    )
    assert warnings(MOT, video) == {"image-without-labels": 1, "label-not-used": 1}


def test_detections_are_read_where_there_is_nothing_else(video):
    (video / "train/MOT16-02/gt/gt.txt").unlink()
    text(video / "train/MOT16-02/det/det.txt", "1,-1,9,4,7,10,0.9\n2,-1,9,4,7,10,-1.5,-1,-1,-1\n")
    labels = read_labels(MOT, video)
    assert [read.drawn.score for read in labels.annotations] == [0.9, None]
    assert labels.annotations[1].drawn.extra == {"mot": {"confidence": -1.5}}
    assert {read.class_name for read in labels.annotations} == {"Pedestrian"}
    assert warnings(MOT, video)["value-unknown"] == 1


def test_rows_of_mot15_have_a_place_in_the_world(video):
    text(video / "train/MOT16-02/gt/gt.txt", "1,1,9,4,7,10,1,-3.5,2.25,0\n")
    (read,) = read_labels(MOT, video).annotations
    assert (read.class_name, read.drawn.extra) == ("Pedestrian", {"mot": {"world_xyz": [-3.5, 2.25, 0]}})


def test_names_of_classes_as_cvat_writes_them(video):
    text(video / "train/MOT16-02/gt/labels.txt", "zebra\ncar\n")
    labels = read_labels(MOT, video)
    assert [read.class_name for read in labels.annotations] == ["class-7", "zebra", "zebra"]
    assert warnings(MOT, video)["class-unnamed"] == 1


@pytest.mark.parametrize(
    "row",
    [
        "1,1,2,3",
        "x,1,1,1,5,5,1,1,1",
        "1,1,1,1,-5,5,1,1,1",
        "1,1,nan,1,5,5,1,1,1",
        "1e300,1,1,1,5,5",
        "1,1,1,1,5,1e300",
    ],
)
def test_a_line_that_is_no_box_costs_itself(video, row):
    text(video / "train/MOT16-02/gt/gt.txt", f"1,1,9,4,7,10,1,1,1\n{row}\n")
    labels = read_labels(MOT, video)
    assert len(labels.annotations) == 1
    assert [problem.where for problem in labels.problems] == ["train/MOT16-02/gt/gt.txt:2"]


def test_two_images_of_one_frame_are_never_guessed(video):
    image_file(video / "train/MOT16-02/img1/1.jpg")
    labels = read_labels(MOT, video)
    assert [read.image for read in labels.annotations] == ["train/MOT16-02/img1/000002.jpg"]
    assert "000001.jpg or train/MOT16-02/img1/1.jpg" in labels.problems[0].reason
    assert len(labels.problems) == 3


def test_a_broken_description_and_no_labels(video, tmp_path_factory):
    text(video / "train/MOT16-02/seqinfo.ini", "no section\n")
    assert len(read_labels(MOT, video).annotations) == 3
    bare = tmp_path_factory.mktemp("bare")
    text(bare / "gt.txt", "a b c\n")
    assert MOT.recognise(Survey(bare)) is None
    with pytest.raises(LabelFileUnreadable):
        MOT.open(image_file(bare / "a" / "b.png").parent)


def test_what_it_cannot_keep_is_a_loss(tmp_path):
    track = {"track_id": "7b"}
    items = [
        (sample("a.png", metadata={"video": "drive 1", "frame": 0}), [box((1, 2, 3, 4), attributes=track)]),
        (sample("b.png", metadata={"video": "drive 1", "frame": 4}), [box((1, 2, 3, 4), attributes=track)]),
        (sample("c.png", (10, 10), metadata={"video": "drive 1"}), [box((1, 2, 3, 4), 1)]),
    ]
    written, back = there_and_back(MOT, tmp_path, items)
    assert losses(written) == {
        "frame number (counted from 1)": 2,
        "missing track id of an annotation (it gets a number of its own)": 1,
        "name of an image (its frame number is written)": 3,
        "track id that is not a whole number (numbered)": 2,
        "unknown frame rate of a video (30 is written)": 2,
    }
    frames = {i.name: (i.metadata["video"], i.metadata["frame"]) for i in back.images}
    assert (
        sorted(frames.values()) == [("drive_1", 1), ("drive_1", 5), ("drive_1-64x48-2", 1)]
        or len(frames) == 3
    )
    ids = [read.drawn.attributes["track_id"] for read in back.annotations]
    assert len(set(ids)) == 1
    assert sorted(read.class_name for read in back.annotations) == ["car", "car", "dog"]
    parser = configparser.ConfigParser()
    assert parser.read(sorted(tmp_path.rglob("seqinfo.ini")))
    assert parser["Sequence"]["imDir"] == "img1"


sides = st.floats(0, 4_000, allow_nan=False)


@FEW
@given(st.lists(st.tuples(sides, sides, sides, sides, st.integers(0, 9), st.booleans()), max_size=5))
def test_boxes_and_tracks_survive_to_the_last_digit(tmp_path_factory, boxes):
    drawn = [
        box(at, class_id=track % 2, attributes={"track_id": track, "occluded": occluded})
        for *at, track, occluded in boxes
    ]
    items = [(sample("a.png", metadata={"video": "v", "frame": 3, "frame_rate": 25}), drawn)]
    _, back = there_and_back(MOT, tmp_path_factory.mktemp("out"), items)
    assert not back.problems
    assert [read.drawn.bbox_xywh_px for read in back.annotations] == [a.bbox_xywh_px for a in drawn]
    assert [read.drawn.attributes for read in back.annotations] == [a.attributes for a in drawn]
    assert [read.class_name for read in back.annotations] == [("car", "dog")[a.class_id] for a in drawn]
    assert [dict(image.metadata) for image in back.images] == [{"video": "v", "frame": 3, "frame_rate": 25}]


def test_a_folder_whose_name_is_not_utf8_names_its_video(tmp_path):
    folder = os.path.join(os.fsencode(tmp_path), b"caf\xe9")
    os.makedirs(os.path.join(folder, b"gt"))
    with open(os.path.join(folder, b"gt", b"gt.txt"), "w") as file:
        file.write("1,1,9,4,7,10,1,1,1\n")
    labels = read_labels(MOT, tmp_path)
    assert [image.metadata["video"] for image in labels.images] == ["caf\\xe9"]


def test_a_video_whose_first_row_is_broken_is_still_mot(video):
    text(video / "train/MOT16-02/seqinfo.ini", "")
    text(video / "train/MOT16-02/gt/gt.txt", "1,x,9,4,7,10,1,1,1\n1,2,9,4,7,10,1,1,1\n")
    text(video / "train/MOT16-02/det/det.txt", "")
    assert registry.detect(video).format.name == "mot"
