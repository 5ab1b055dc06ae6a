"""The lists of `ImageSets`: which images are in a split, and which classes an image has, lacks or may have.

Source: the VOC2012 development kit. `Main/train.txt` lists images; in `Main/cat_train.txt`, 1, -1 or
0 (difficult) follows each.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from calotype.formats.files_below import suffix_of
from calotype.formats.image_tree import ImageTree
from calotype.formats.notices import Notices
from calotype.formats.split_names import split_of_folder
from calotype.vision.images import IMAGE_EXTENSIONS

_MAX_LISTING = 100_000_000
_FOLDERS = ("Main", "Segmentation", "Layout", "Action", "")
_MAX_CLASS_LISTS = 3_000
_NOT_SPLITS = frozenset({"all", "default", "images", "list", "trainval"})
"""Names of lists that say nothing of splits; CVAT writes `default.txt`."""


@dataclass
class ImageSets:
    """What the lists say, by the path of an image without its ending (relative to the folder of the images)."""

    split_of: dict[str, str] = field(default_factory=dict)
    classes: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    """Image -> "1", "-1" or "0" -> names of classes."""

    def of(self, name: str) -> str:
        """The split of an image by its path, or by its last part; empty where no list has it."""
        if not self.split_of:
            return ""
        stem = _stem(name)
        return (
            self.split_of.get(name)
            or self.split_of.get(stem)
            or self.split_of.get(stem.rpartition("/")[2], "")
        )

    def classes_of(self, name: str) -> dict[str, list[str]]:
        """What the lists of classes say of an image."""
        if not self.classes:
            return {}
        stem = _stem(name)
        return self.classes.get(stem) or self.classes.get(stem.rpartition("/")[2]) or {}


def _stem(name: str) -> str:
    """A relative path without its ending."""
    return name[: len(name) - len(suffix_of(name))]


def image_sets(tree: ImageTree, root: str, notices: Notices) -> ImageSets:
    """The lists of the dataset in a folder of the tree; an image in two of the splits keeps the first."""
    base = f"{root}/ImageSets" if root else "ImageSets"
    sets = ImageSets()
    for folder in _FOLDERS:
        here = f"{base}/{folder}".rstrip("/")
        stems = sorted(name[:-4] for name in tree.names_in(here) if name.lower().endswith(".txt"))
        lists = {stem: split_of_folder(stem) for stem in stems if split_of_folder(stem)}
        if lists and not sets.split_of:
            _read_splits(tree, here, lists, sets, notices)
        if folder == "Main":
            _read_classes(tree, here, stems, sets)
        if folder == "Main" and not lists and "trainval" in stems:
            _read_splits(tree, here, {"trainval": "train"}, sets, notices)
        if folder == "Main":
            _read_other_splits(tree, here, stems, sets, notices)
    return sets


def _read_splits(
    tree: ImageTree, folder: str, lists: dict[str, str], sets: ImageSets, notices: Notices
) -> None:
    order = ("train", "val", "test")
    for stem, split in sorted(lists.items(), key=lambda item: (order.index(item[1]), item[0])):
        for words in _lines(tree, f"{folder}/{stem}.txt"):
            name = _listed_name(words)
            known = sets.split_of.setdefault(name, split)
            if known != split:
                notices.add("image-in-two-splits", f"{name}: {known} and {split}")


def _read_other_splits(
    tree: ImageTree, folder: str, stems: list[str], sets: ImageSets, notices: Notices
) -> None:
    """Lists of images under other names, such as `holdout.txt`: splits where no other list has one of their images."""
    for stem in stems:
        is_split = split_of_folder(stem) or stem.lower() in _NOT_SPLITS
        if is_split or split_of_folder(stem.rpartition("_")[2]) or stem.endswith("_trainval"):
            continue
        lines = _lines(tree, f"{folder}/{stem}.txt")
        names = set(map(_listed_name, lines))
        if not names or any(len(words) > 1 for words in lines):
            continue
        if names & sets.split_of.keys():
            what = "list of images that are in another split too: not read as a split"
            notices.add("file-left-out", f"{folder}/{stem}.txt", what=what)
        else:
            sets.split_of |= dict.fromkeys(names, stem)


def _read_classes(tree: ImageTree, folder: str, stems: list[str], sets: ImageSets) -> None:
    said: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    pairs = [stem.rpartition("_") for stem in stems]
    of_classes = [(name, f"{name}_{split}") for name, _, split in pairs if name and split_of_folder(split)]
    if not of_classes:
        pairs = [(name, _, split) for name, _, split in pairs if split == "trainval"]
        of_classes = [(name, f"{name}_{split}") for name, _, split in pairs if name]
    for name, stem in of_classes[:_MAX_CLASS_LISTS]:
        for words in _lines(tree, f"{folder}/{stem}.txt"):
            if len(words) == 2 and words[1] in ("1", "-1", "0"):
                said[words[0]][words[1]].append(name)
    sets.classes = {image: dict(values) for image, values in said.items()}


def _listed_name(words: list[str]) -> str:
    """The image that a line names, without its ending."""
    is_file = PurePosixPath(words[0]).suffix.lower() in IMAGE_EXTENSIONS
    return str(PurePosixPath(words[0]).with_suffix("")) if is_file else words[0]


def _lines(tree: ImageTree, path: str) -> list[list[str]]:
    text = tree.head(path, _MAX_LISTING).decode("utf-8", "replace")
    return [words for line in text.splitlines() if (words := line.replace("\\", "/").split())]
