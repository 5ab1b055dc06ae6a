"""How the files of a COCO dataset lie: which JSON files hold labels, of which kind, and where their images are.

Sources: the download page of the COCO dataset (`annotations/instances_train2017.json` beside `train2017/`), and exports
of labelling tools (a JSON in each split folder, or one beside `images/`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path

import msgspec

from calotype.formats.files_below import files_below, head_of, is_file, is_folder
from calotype.formats.image_tree import IMAGE_FOLDERS, ImageSearch, ImageTree
from calotype.formats.split_names import split_of_folder, split_of_stem
from calotype.formats.survey import Survey
from calotype.formats.windows import Problem

HEAD_BYTES = 10_000_000
_MAX_LOOKED_AT = 500
_MAX_DEPTH = 3
_KEYS = (b'"annotations"', b'"categories"', b'"image_id"')
_IMAGES = re.compile(rb'"images"\s*:')
"""The key, not the name of something: `"images"` names a set of records in files of Croissant."""
_LABEL_FOLDERS = ("annotations", "annotation", "labels", "label", "json")


class Contents(StrEnum):
    """What the annotations of a COCO file are."""

    INSTANCES = "instances"
    KEYPOINTS = "keypoints"
    CAPTIONS = "captions"
    PANOPTIC = "panoptic"
    IMAGES = "images"
    RESULTS = "results"


def label_files(path: Path) -> list[Path]:
    """The JSON files that look like COCO: the file itself, or those of a folder, the nearest to its root first."""
    if is_file(path):
        return [path]
    return [file for file in json_files(path) if looks_like(file)]


def json_files(path: Path) -> list[Path]:
    """Some hundred JSON files that lie at most three folders deep, the nearest to the root first."""
    return [path / name for name in _nearest(path)[0]]


def json_files_beyond(path: Path) -> list[str]:
    """The JSON files below a folder that `json_files` leaves out, since they lie too deep or are too many."""
    return _nearest(path)[1]


def _nearest(path: Path) -> tuple[list[str], list[str]]:
    """The names of the JSON files below a folder that are looked at, and those of the others."""
    if not is_folder(path):
        return [], []
    names = sorted(Survey(path).with_suffix(".json"), key=lambda name: (name.count("/"), name))
    near = [name for name in names if name.count("/") < _MAX_DEPTH][:_MAX_LOOKED_AT]
    return near, names[len(near) :]


def unreadable_folders(path: Path) -> list[Problem]:
    """Folders below the path that cannot be read, and special files named like labels."""
    problems: list[Problem] = []
    if is_folder(path):
        files_below(path, {".json"}, problems, hidden=False)
    return problems


def looks_like(file: Path) -> bool:
    """Whether a JSON file lists images, or is a list of results."""
    start = head_of(file, 64_000)
    if start.lstrip()[:1] == b"[":
        return b'"image_id"' in start
    if not _IMAGES.search(start) and len(start) == 64_000:
        start = head_of(file, HEAD_BYTES)
    return bool(_IMAGES.search(start)) and (b'"file_name"' in start or any(key in start for key in _KEYS))


def is_meant(file: Path) -> bool:
    """Whether a JSON file without images is meant as one of COCO: by its keys, or since nothing can read it.

    A list of anything but results is a file of another tool.
    """
    start = head_of(file, HEAD_BYTES)
    keys = _KEYS[2:] if is_list(file) else _KEYS
    if any(key in start for key in keys):
        return True
    if len(start) == HEAD_BYTES:
        return False
    try:
        msgspec.json.decode(start, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError):
        return True
    return False


def is_list(file: Path) -> bool:
    """Whether a JSON file is a list with something in it."""
    start = head_of(file, 1_000).lstrip(b"\xef\xbb\xbf \t\r\n")
    return start[:1] == b"[" and start[1:].lstrip()[:1] not in (b"]", b"")


def is_panoptic(file: Path) -> bool:
    """Whether a COCO file describes segments, by the keys at its start or its usual name."""
    start = head_of(file, HEAD_BYTES)
    return b'"segments_info"' in start or (
        start.lstrip()[:1] == b"{" and _IMAGES.search(start) is not None and file.stem.startswith("panoptic")
    )


def layout_of(files: Sequence[Path], root: Path) -> str:
    """How the label files lie, in words."""
    if len({file.parent for file in files}) > 1 and all(split_of_folder(f.parent.name) for f in files):
        return "a JSON file in each split folder"
    if len(files) == 1 and files[0].parent == root:
        beside = next((name for name in IMAGE_FOLDERS if is_folder(root / name)), "")
        return f"a JSON file beside {beside}/" if beside else "a JSON file"
    if files[0].parent.name.lower() in _LABEL_FOLDERS:
        return f"JSON files in {files[0].parent.name}/"
    return "JSON files"


def contents_of(start: bytes, file: Path, *, has_annotations: bool) -> Contents:
    """What the annotations of a file are, by the keys of the first ones."""
    if not has_annotations:
        return Contents.IMAGES
    for key, contents in (
        (b'"segments_info"', Contents.PANOPTIC),
        (b'"caption"', Contents.CAPTIONS),
        (b'"keypoints"', Contents.KEYPOINTS),
    ):
        if key in start:
            return contents
    return Contents.KEYPOINTS if "keypoints" in file.stem.lower() else Contents.INSTANCES


def split_of(file: Path) -> str:
    """The split that the name of a label file says, or that of its folder."""
    return split_of_stem(file.stem) or split_of_folder(file.parent.name)


def root_of(path: Path) -> Path:
    """The folder of the dataset: the path itself, or for a file the folder that its images lie in or below."""
    if not is_file(path):
        return path
    here = path.parent
    if here.name.lower() in _LABEL_FOLDERS:
        return here.parent
    if any(is_folder(here / name) for name in IMAGE_FOLDERS):
        return here
    above = any(is_folder(here.parent / name) for name in IMAGE_FOLDERS[:3])
    return here.parent if above else here


def search_for(file: Path, tree: ImageTree, *, given: bool) -> ImageSearch:
    """Where the images of a label file are looked for.

    Args:
        given: The tree is the folder that the caller named; else it is that of the dataset.
    """
    split = split_of(file)
    here = None if given else tree.relative(file.parent)
    parents = [p for p in (here, "") if p is not None]
    inner = [_join(p, name) for p in parents for name in IMAGE_FOLDERS if tree.has(_join(p, name))]
    bases = [*parents, *inner]
    near = [_join(base, name) for base in bases for name in tree.folders_in(base)] if split else []
    near = [folder for folder in near if split_of_folder(folder.rpartition("/")[2]) == split]
    words = {word.lower() for word in file.stem.replace("-", "_").split("_")}
    named = [folder for folder in near if folder.rpartition("/")[2].lower() in words]
    near = named or near
    if here and split_of_folder(file.parent.name) == split != "":
        near = [here, *near]
    near += [_join(f, name) for f in near for name in IMAGE_FOLDERS if tree.has(_join(f, name))]
    return ImageSearch(tree, near, bases, split)


def _join(base: str, name: str) -> str:
    return f"{base}/{name}" if base else name
