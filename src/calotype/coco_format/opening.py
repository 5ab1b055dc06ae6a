"""The label files of one COCO dataset opened together: which of them are read, and which files their images are."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from calotype.coco_format.files import refused
from calotype.coco_format.json_rows import JsonRows
from calotype.coco_format.layout import (
    Contents,
    is_panoptic,
    json_files,
    json_files_beyond,
    label_files,
    looks_like,
    root_of,
    search_for,
    unreadable_folders,
)
from calotype.coco_format.pairing import Listed, pair
from calotype.coco_format.panoptic import CocoPanoptic
from calotype.coco_format.reading import CocoFile, CocoResults
from calotype.formats.base import LabelSource
from calotype.formats.files_below import is_file
from calotype.formats.image_tree import ImageTree
from calotype.formats.survey import Survey
from calotype.foundation.collector import collector_paused

_ORDER = (Contents.KEYPOINTS, Contents.INSTANCES, Contents.PANOPTIC, Contents.CAPTIONS, Contents.IMAGES)
"""Files of keypoints come first, so that classes are declared with their points."""


def open_files(path: Path, images: Path | None) -> list[LabelSource]:
    """The sources at a path. Raises: LabelFileUnreadable."""
    tree = ImageTree(images or root_of(path))
    files = label_files(path)
    if not files:
        files = json_files(path)[:1]  # refused below, with the reason
    if not files:
        raise refused(path, "there is no JSON file", "give the JSON file, or the folder that holds it")
    opened = [(file, JsonRows(file)) for file in files]
    described = [(file, json) for file, json in opened if not json.is_list]
    if not described:
        return [CocoResults(file, json) for file, json in opened]
    sources = [_open(file, json, tree) for file, json in described]
    sources.sort(key=lambda source: _ORDER.index(source.contents))
    first = sources[0]
    for file, json in opened:
        if json.is_list:
            what = "list of results beside the labels: left out, import it as a label set of its own"
            first.notices.add("file-left-out", _relative(file, path), what=what)
    sources = _without_second_shapes(sources, path)
    if not is_file(path):
        for file in json_files(path):
            if not looks_like(file):
                first.notices.add("file-not-labels", _relative(file, path))
        for name in json_files_beyond(path):
            what = "JSON file more than three folders deep, or beyond the first 500: left out, import it by itself"
            first.notices.add("file-left-out", name, what=what)
        first.notices.add_each("file-link", Survey(path).links_out(".json"))
        first.problems += unreadable_folders(path)
    _pair(sources, tree, given=images is not None)
    return list(sources)


def open_panoptic(path: Path, images: Path | None) -> list[LabelSource]:
    """The panoptic files at a path, whatever other files of COCO are beside them. Raises: LabelFileUnreadable."""
    tree = ImageTree(images or root_of(path))
    files = label_files(path)
    panoptic = [file for file in files if is_panoptic(file)]
    if not panoptic:
        hint = "give the JSON file whose annotations have `segments_info`, or import it as coco"
        raise refused(path, "no JSON file describes segments", hint)
    sources: list[CocoFile] = [CocoPanoptic(file, JsonRows(file), tree) for file in panoptic]
    for file in files:
        if file not in panoptic:
            sources[0].notices.add("file-left-out", _relative(file, path))
    if not is_file(path):
        sources[0].problems += unreadable_folders(path)
    _pair(sources, tree, given=images is not None)
    return list(sources)


def _open(file: Path, json: JsonRows, tree: ImageTree) -> CocoFile:
    has_segments = b'"segments_info"' in json.start_of("annotations")
    return CocoPanoptic(file, json, tree) if has_segments else CocoFile(file, json, tree)


def _without_second_shapes(sources: list[CocoFile], path: Path) -> list[CocoFile]:
    """The sources, where several describe the same objects of a split: keypoints add to instances, and what is
    panoptic beside instances is left out."""
    kept = []
    by_split: dict[str, set[Contents]] = {}
    for source in sources:
        by_split.setdefault(source.split, set()).add(source.contents)
    for source in sources:
        kinds = by_split[source.split]
        if source.contents is Contents.PANOPTIC and kinds & {Contents.INSTANCES, Contents.KEYPOINTS}:
            what = "panoptic file beside instances of the same objects: left out, import it by itself"
            sources[0].notices.add("file-left-out", _relative(source.path, path), what=what)
            continue
        if source.contents is Contents.INSTANCES and Contents.KEYPOINTS in kinds:
            poses = [s for s in sources if s.contents is Contents.KEYPOINTS and s.split == source.split]
            source.given_elsewhere = {key: place for pose in poses for key, place in pose.places().items()}
        kept.append(source)
    return kept


def _pair(sources: Sequence[CocoFile], tree: ImageTree, *, given: bool) -> None:
    listed = [
        Listed(
            source.file,
            source.images,
            source.split,
            search_for(source.path, tree, given=given),
            source.notices,
        )
        for source in sources
    ]
    with collector_paused():
        pair(tree, listed)
    for source, found in zip(sources, listed, strict=True):
        source.images, source.paths = found.images, found.paths
        source.problems += found.problems


def _relative(file: Path, path: Path) -> str:
    return file.relative_to(path).as_posix() if file.is_relative_to(path) else file.name
