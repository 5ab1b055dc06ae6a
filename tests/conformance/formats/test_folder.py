"""Image folders: which folder is the split, which the class, and an export that loaders of class folders read."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image
from tests.support.labels import read_labels

import calotype as ct
from calotype.exchange import registry

FOLDER = registry.reader("folder")


def put_images(folder: Path, *names: str) -> None:
    for level, name in enumerate(names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (level * 9, 5, 5)).save(folder / name)


def read(folder: Path) -> dict[str, tuple[str, str]]:
    """Image -> split and class."""
    labels = read_labels(FOLDER, folder)
    class_of = {a.image: a.class_name for a in labels.annotations}
    return {image.name: (image.split, class_of.get(image.name, "")) for image in labels.images}


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train/cat/a.png", "train"),
        ("Training/cat/a.png", "train"),
        ("valid/cat/a.png", "val"),
        ("validation/cat/deep/er/a.png", "val"),
        ("VAL/cat/a.png", "val"),
        ("testing/cat/a.png", "test"),
        ("train2017/cat/a.png", "train"),
        ("archive/train/cat/a.png", "train"),
        ("images/cat/a.png", ""),
        ("cat/a.png", ""),
        ("cat/first/a.png", ""),
    ],
)
def test_the_class_is_the_first_folder_below_the_split(tmp_path, name, split):
    put_images(tmp_path, name)
    assert read(tmp_path) == {name: (split, "cat")}


def test_a_class_may_be_called_train(tmp_path):
    put_images(tmp_path, "bus/a.png", "train/b.png", "train/old/c.png")
    assert read(tmp_path) == {
        "bus/a.png": ("", "bus"),
        "train/b.png": ("", "train"),
        "train/old/c.png": ("", "train"),
    }


def test_images_right_in_the_folders_of_splits_have_no_class(tmp_path):
    """As in an export whose labels are in a file that is not known, such as `_classes.csv` of Roboflow."""
    put_images(tmp_path, "train/a.png", "valid/b.png")
    (tmp_path / "train/_classes.csv").write_text("filename, cat, dog\na.png, 1, 0\n")
    assert read(tmp_path) == {"train/a.png": ("train", ""), "valid/b.png": ("val", "")}


def test_images_without_a_class_and_links_are_reported(tmp_path):
    put_images(tmp_path, "train/cat/a.png", "test/b.png", "c.png")
    (tmp_path / "train/cat/link.png").symlink_to(tmp_path / "c.png")
    (source,) = FOLDER.open(tmp_path)
    counts = {notice.code: notice.count for notice in source.warnings}
    assert counts == {"image-without-labels": 2, "file-link": 1}
    assert read(tmp_path)["test/b.png"] == ("test", "")


def class_tree(root: Path) -> dict[str, str]:
    """File -> class by the rule of class folders: the folder right below the root, files at any depth."""
    files = [path for path in root.rglob("*") if path.is_file()]
    return {path.name: path.relative_to(root).parts[0] for path in files}


def test_an_export_is_a_class_tree_for_each_split(tmp_path):
    put_images(
        tmp_path / "in", "train/cat/a.png", "train/cat/first/a.png", "train/cat_first/b.png", "val/dog/a.png"
    )
    put_images(tmp_path / "in", "train/cat/first_a.png", "val/c.png")
    with ct.open(tmp_path / "ws") as ws:
        ds = ws.create("pets")
        ds.add_annotations(tmp_path / "in", format="folder")
        written = ds.where().export("folder", tmp_path / "out")
    assert class_tree(tmp_path / "out/train") == {
        "a.png": "cat",
        "first_a.png": "cat",
        "first_a-2.png": "cat",
        "b.png": "cat_first",
    }
    assert class_tree(tmp_path / "out/val") == {"a.png": "dog"}
    assert class_tree(tmp_path / "out/_unlabelled/val") == {"c.png": "c.png"}
    assert [loss.what for loss in written.losses] == [
        "folder inside that of the class (part of the file name now)"
    ]
