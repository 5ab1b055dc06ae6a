"""YOLO sets as they lie on disk: splits, lists, odd descriptions, links; what is left out is named."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from tests.support.labels import collect

from calotype.datasets.model import Kind
from calotype.exchange import registry
from calotype.formats.base import LabelFileUnreadable

YOLO = registry.reader("yolo")
BOX = "0 0.5 0.5 0.25 0.5\n"


def image(path: Path, size: tuple[int, int] = (64, 48)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size).save(path)


def lay(root: Path, files: dict[str, str]) -> Path:
    """Files with their text; images where the name ends like one."""
    for name, text in files.items():
        if name.lower().endswith((".jpg", ".png")):
            image(root / name)
        else:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
    return root


def opened(root: Path, **options):
    sources = YOLO.open(root, **options)
    warnings = {notice.code: notice for source in sources for notice in source.warnings}
    return collect(sources), warnings


def splits(root: Path) -> dict[str, str]:
    return {listed.name.rpartition("/")[2]: listed.split for listed in opened(root)[0].images}


def set_of(**parts: str) -> dict[str, str]:
    """An image and a label file for each stem -> folder."""
    files: dict[str, str] = {}
    for stem, folder in parts.items():
        files |= {f"{folder}/images/{stem}.jpg": "", f"{folder}/labels/{stem}.txt": BOX}
    return files


def test_a_service_export_with_notes_beside_it_comes_in_whole(tmp_path):
    files = set_of(p1="train", p2="valid", p3="test")
    files |= {"README.dataset.txt": "# cats\nhttps://x\n", "README.other.txt": "\nexported\n"}
    yaml = "train: ../train/images\nval: ../valid/images\ntest: ../test/images\nnc: 1\nnames: ['cat']\n"
    labels, warnings = opened(lay(tmp_path, files | {"data.yaml": yaml}))
    assert (len(labels.images), len(labels.annotations), labels.problems) == (3, 3, [])
    assert [listed.split for listed in labels.images] == ["test", "train", "val"]
    assert list(warnings) == ["path-ignored"]


def test_splits_are_those_of_the_description(tmp_path):
    lay(tmp_path, set_of(a="site_a", b="site_b", c="site_c"))
    lay(tmp_path, {"data.yaml": "train: [site_a/images, site_b/images]\nval: site_c/images\nnames: [cat]\n"})
    assert splits(tmp_path) == {"a.jpg": "train", "b.jpg": "train", "c.jpg": "val"}
    (tmp_path / "train.txt").write_text("./site_a/images/a.jpg\n/elsewhere/x/site_c/images/c.jpg\n")
    (tmp_path / "val.txt").write_text("site_b\\images\\b.jpg\nsite_a/images/a.jpg\nsite_b/images/gone.jpg\n")
    (tmp_path / "data.yaml").write_text("train: train.txt\nval: val.txt\nnames: [cat]\n")
    assert splits(tmp_path) == {"a.jpg": "train", "b.jpg": "val", "c.jpg": "train"}
    _, warnings = opened(tmp_path)
    assert warnings["image-in-two-splits"].examples == ("site_a/images/a.jpg: train, val",)
    assert "gone.jpg" in warnings["label-without-image"].examples[0]


def test_one_folder_for_train_and_val_states_no_split(tmp_path):
    lay(tmp_path, {"images/a.jpg": "", "labels/a.txt": BOX})
    lay(tmp_path, {"data.yaml": "train: images\nval: images\nnames: [cat]\n"})
    labels, warnings = opened(tmp_path)
    assert [listed.split for listed in labels.images] == [""]
    assert "image-in-two-splits" in warnings


@pytest.mark.parametrize(
    ("folder", "split"),
    [("train2017", "train"), ("Training", "train"), ("validation", "val"), ("Testing", "test"), ("cam1", "")],
)
def test_folder_names_state_the_split_where_nothing_else_does(tmp_path, folder, split):
    lay(
        tmp_path, {f"images/{folder}/a.jpg": "", f"labels/{folder}/a.txt": BOX, "data.yaml": "names: [cat]\n"}
    )
    assert splits(tmp_path) == {"a.jpg": split}


@pytest.mark.parametrize(
    ("yaml", "code"),
    [
        ("path: ../datasets/tiny\ntrain: images/train\nval: images/val\n", "path-ignored"),
        ("path: /content/tiny\ntrain: images/train\nval: images/val\n", "path-ignored"),
        ("path: 'C:\\data'\ntrain: images\\train\nval: images\\val\n", "path-ignored"),
        ("train: /mnt/x/images/train\nval: /mnt/x/images/val\n", "path-ignored"),
        ("train: images/train\nval: images/val\ntest: images/test\n", "split-missing"),
    ],
)
def test_a_path_of_another_machine_is_ignored_and_reported(tmp_path, yaml, code):
    lay(tmp_path, {"images/train/a.jpg": "", "labels/train/a.txt": BOX})
    lay(tmp_path, {"images/val/b.jpg": "", "labels/val/b.txt": BOX, "data.yaml": f"{yaml}names: [cat]\n"})
    labels, warnings = opened(tmp_path)
    assert len(labels.annotations) == 2
    assert [listed.split for listed in labels.images] == ["train", "val"]
    assert code in warnings


def test_nothing_outside_is_opened_and_the_error_says_where_the_data_should_be(tmp_path):
    lay(tmp_path / "outside", {"images/a.jpg": "", "labels/a.txt": BOX})
    lay(tmp_path / "set", {"data.yaml": "path: ../outside\ntrain: images\nnames: [cat]\n"})
    with pytest.raises(LabelFileUnreadable, match=r"\.\./outside"):
        YOLO.open(tmp_path / "set")


def test_links_that_lead_out_are_named_and_links_inside_are_taken(tmp_path):
    image(tmp_path / "cache" / "a.jpg")
    image(tmp_path / "set/store/b.jpg")
    (tmp_path / "set/images").mkdir()
    (tmp_path / "set/images/a.jpg").symlink_to(tmp_path / "cache/a.jpg")
    (tmp_path / "set/images/b.jpg").symlink_to(tmp_path / "set/store/b.jpg")
    (tmp_path / "set/more").symlink_to(tmp_path / "cache")
    lay(tmp_path / "set", {"labels/a.txt": BOX, "labels/b.txt": BOX, "data.yaml": "names: [cat]\n"})
    labels, _ = opened(tmp_path / "set")
    notices = {n.what: n.examples for n in YOLO.open(tmp_path / "set")[0].warnings if n.code == "file-link"}
    assert sorted(notices.values()) == [("images/a.jpg",), ("more",)]
    assert [a.image for a in labels.annotations] == ["images/b.jpg"]
    (problem,) = labels.problems
    assert (problem.where, "link" in problem.reason) == ("labels/a.txt:1", True)


def test_darknet_sets_with_lists_and_the_same_name_in_two_folders(tmp_path):
    for part in ("x", "y"):
        lay(tmp_path, {f"obj_train_data/{part}/1.jpg": "", f"obj_train_data/{part}/1.txt": BOX})
    lay(
        tmp_path,
        {"obj.names": "cat\n", "obj.data": "classes = 1\ntrain = data/train.txt\nnames = data/obj.names\n"},
    )
    lay(tmp_path, {"train.txt": "data/obj_train_data/x/1.jpg\ndata/obj_train_data/y/1.jpg\n"})
    labels, warnings = opened(tmp_path)
    assert (len(labels.annotations), labels.problems, warnings) == (2, [], {})
    assert {listed.split for listed in labels.images} == {"train"}
    assert "Darknet" in registry.detect(tmp_path).sighting.layout


def test_flat_folders_with_a_list_of_names_and_texts_that_are_no_labels(tmp_path):
    lay(
        tmp_path,
        {"a.jpg": "", "a.txt": BOX, "classes.txt": "cat\n", "b.jpg": "", "b.txt": "a photo of a cat\n"},
    )
    lay(tmp_path, {"notes.txt": "cameras were moved in May\n", "c.jpg": "", "c.txt": ""})
    labels, warnings = opened(tmp_path)
    assert (len(labels.annotations), labels.problems) == (1, [])
    assert warnings["file-not-labels"].examples == ("b.txt", "notes.txt")
    assert {i.name: i.tags for i in labels.images} == {"a.jpg": (), "b.jpg": (), "c.jpg": ("background",)}
    assert registry.detect(tmp_path).format.name == "yolo"


def test_names_below_the_folder_are_found_and_two_lists_are_not_guessed_between(tmp_path):
    lay(tmp_path, {"labels/classes.txt": "cat\n", "images/a.jpg": "", "labels/a.txt": BOX})
    assert len(opened(tmp_path)[0].annotations) == 1
    lay(tmp_path, {"other/classes.txt": "dog\n"})
    with pytest.raises(LabelFileUnreadable, match="several lists of names"):
        YOLO.open(tmp_path)


def test_images_in_another_folder_are_joined_by_their_path_below_it(tmp_path):
    lay(tmp_path / "pool", {"train2017/a.jpg": "", "val2017/a.jpg": ""})
    lay(tmp_path / "set", {"labels/train2017/a.txt": BOX, "labels/val2017/a.txt": BOX + BOX})
    lay(tmp_path / "set", {"data.yaml": "train: images/train2017\nval: images/val2017\nnames: [cat]\n"})
    labels, warnings = opened(tmp_path / "set", images=tmp_path / "pool")
    assert warnings == {}
    assert [listed.split for listed in labels.images] == ["train", "val"]
    assert [a.image for a in labels.annotations] == ["train2017/a.jpg"] + ["val2017/a.jpg"] * 2


def test_separators_of_another_system_in_file_names(tmp_path):
    image(tmp_path / "images\\train\\a.jpg")
    lay(tmp_path, {"labels\\train\\a.txt": BOX, "data.yaml": "names: [cat]\n"})
    labels, warnings = opened(tmp_path)
    assert [(a.image, len(labels.images)) for a in labels.annotations] == [("images/train/a.jpg", 1)]
    assert warnings["name-separator"].count == 2


QUAD = "0 0.5 0.2 0.8 0.5 0.5 0.8 0.2 0.5\n"


@pytest.mark.parametrize(
    ("rows", "task", "kinds"),
    [
        (QUAD, "", ["rotated_box"]),
        (QUAD + BOX, "", ["rotated_box", "box"]),
        (QUAD, "task: segment\n", ["polygon"]),
        (QUAD + "0 .1 .1 .5 .1 .5 .6\n", "", ["polygon", "polygon"]),
        ("0 .1 .1 .9 .1 .5 .6 .1 .3\n", "", ["polygon"]),
        ("0 .1 .1 .9 .1 .5 .6 .1 .3\n", "task: obb\n", ["polygon"]),
        ("0 0.5 0.2 0.8 0.5 0.5 0.8 0.2 0.5 0.9\n", "", ["rotated_box"]),
        ("0 .1 .1 .5 .1 .5 .6 .75\n", "", ["polygon"]),
    ],
)
def test_rows_of_four_corners_are_oriented_boxes_where_all_are_rectangles(tmp_path, rows, task, kinds):
    Image.new("RGB", (100, 100)).save(tmp_path / "a.png")
    lay(tmp_path, {"a.txt": rows, "data.yaml": f"{task}names: [ship]\n"})
    labels, _ = opened(tmp_path)
    assert [str(a.drawn.kind) for a in labels.annotations] == kinds
    scores = {labels.annotations[0].drawn.score}
    assert scores == ({0.9} if rows.endswith(" 0.9\n") else {0.75} if rows.endswith(".75\n") else {None})


@pytest.mark.parametrize("task", ["task: obb\n", ""])
def test_an_oriented_box_with_a_corner_just_outside_is_kept_whole(tmp_path, task):
    """The check of Ultralytics takes shares from -0.01 to 1.01."""
    Image.new("RGB", (100, 100)).save(tmp_path / "a.png")
    row = "0 0.3 -0.008 0.608 0.3 0.3 0.608 -0.008 0.3\n"
    lay(tmp_path, {"a.txt": row + QUAD, "data.yaml": f"{task}names: [ship]\n"})
    labels, codes = opened(tmp_path)
    ship, _ = labels.annotations
    assert (ship.drawn.kind, labels.problems) == (Kind.ROTATED_BOX, [])
    assert ship.drawn.rings_px[0] == pytest.approx((30, -0.8, 60.8, 30, 30, 60.8, -0.8, 30))
    assert codes["beyond-edge"].count == 1


def test_an_oriented_box_far_outside_is_a_problem_and_so_is_a_near_polygon(tmp_path):
    Image.new("RGB", (100, 100)).save(tmp_path / "a.png")
    far = "0 0.3 -0.02 0.62 0.3 0.3 0.62 -0.02 0.3\n"
    lay(tmp_path, {"a.txt": far + QUAD, "data.yaml": "task: obb\nnames: [ship]\n"})
    assert [p.reason for p in opened(tmp_path)[0].problems] == ["a corner is outside the image"]
    lay(tmp_path, {"a.txt": "0 .1 -.008 .9 .1 .5 .6 .1 .3\n", "data.yaml": "names: [ship]\n"})
    assert [p.reason for p in opened(tmp_path)[0].problems] == ["a corner is outside the image"]


def test_near_corners_without_right_angles_are_clipped_where_the_task_says_oriented(tmp_path):
    Image.new("RGB", (100, 100)).save(tmp_path / "a.png")
    lay(tmp_path, {"a.txt": "0 .1 -.008 .9 .1 .5 .6 .1 .3\n", "data.yaml": "task: obb\nnames: [ship]\n"})
    labels, codes = opened(tmp_path)
    (ship,) = labels.annotations
    assert (ship.drawn.kind, ship.drawn.rings_px[0][1], codes["clipped"].count) == (Kind.POLYGON, 0.0, 1)


def test_corners_of_an_oriented_box_are_clockwise_from_the_first(tmp_path):
    Image.new("RGB", (100, 100)).save(tmp_path / "a.png")
    lay(tmp_path, {"a.txt": "0 0.5 0.2 0.2 0.5 0.5 0.8 0.8 0.5\n", "data.yaml": "names: [ship]\n"})
    (ship,) = opened(tmp_path)[0].annotations
    assert ship.drawn.rings_px == ((50.0, 20.0, 80.0, 50.0, 50.0, 80.0, 20.0, 50.0),)


@pytest.mark.parametrize(
    ("shape", "row", "points"),
    [
        ("[2, 2]", "0 .5 .5 .5 .5 .5 .5 0 0", (32, 24, 2, 0, 0, 0)),
        ("[2, 3]", "0 .5 .5 .5 .5 .5 .5 1 -1 -1 0", (32, 24, 1, 0, 0, 0)),
        ("[2, 3]", "0 .5 .5 .5 .5 .5 .5 0.9 .25 .25 0.2 0.8", (32, 24, 2, 16, 12, 0)),
    ],
)
def test_poses_of_two_and_three_numbers_and_of_predictions(tmp_path, shape, row, points):
    lay(tmp_path, {"a.jpg": "", "a.txt": row, "data.yaml": f"names: [face]\nkpt_shape: {shape}\n"})
    (pose,) = opened(tmp_path)[0].annotations
    assert (pose.drawn.kind, pose.drawn.keypoints_xyv) == (Kind.KEYPOINTS, points)


def test_names_and_sides_of_keypoints_are_kept_and_unsound_ones_are_named(tmp_path):
    yaml = "names: [face]\nkpt_shape: [2, 3]\nflip_idx: [1, 0]\nkpt_names: {0: [a, b]}\n"
    lay(tmp_path, {"a.jpg": "", "a.txt": "", "data.yaml": yaml})
    (face,) = opened(tmp_path)[0].classes
    assert (face.keypoints, face.extra) == (("a", "b"), {"flip_idx": [1, 0]})
    lay(tmp_path, {"data.yaml": "names: [face]\nkpt_shape: [2, 3]\nflip_idx: [1, 1]\nkpt_names: {7: [a]}\n"})
    labels, warnings = opened(tmp_path)
    assert (labels.classes[0].extra, warnings["value-dropped"].count) == ({}, 2)


def test_pixels_are_refused_with_that_reason(tmp_path):
    lay(tmp_path, {"a.jpg": "", "a.txt": "0 32 24 10 10\n0 .5 .5 .1 .1\n", "data.yaml": "names: [cat]\n"})
    labels, _ = opened(tmp_path)
    assert (len(labels.annotations), "pixels" in labels.problems[0].reason) == (1, True)


def test_a_description_without_labels_does_not_win_over_class_folders(tmp_path):
    lay(tmp_path, {"cat/a.jpg": "", "dog/b.jpg": "", "data.yaml": "names: [cat, dog]\n"})
    assert registry.detect(tmp_path).format.name == "folder"
