"""Reading the tasks of a Label Studio file."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, urlsplit

from calotype.datasets.model import Kind
from calotype.formats.fields import BadItem, listing, mapping, text
from calotype.formats.image_finder import stated_path
from calotype.formats.split_names import split_of_folder
from calotype.tool_formats import shapes
from calotype.tool_formats.collected import BACKGROUND, Collected, Entry, Facts
from calotype.tool_formats.frames import Frames
from calotype.tool_formats.label_studio import regions, video
from calotype.tool_formats.poses import Pose, Poses
from calotype.vision.images import IMAGE_EXTENSIONS

CAPTION = "caption"
VISIBILITY, HIDDEN = "visibility", "hidden"
_UPLOADED = re.compile(r"[0-9a-f]{8}-(?=.)")
_RENAMED = re.compile(r"[^\w.-]")
_IMAGE_KEYS = ("image", "img", "image_url", "url", "ocr")


@dataclass(frozen=True, slots=True)
class Config:
    """What the configuration of the project lists, in its order: classes, keypoints, and controls of texts."""

    classes: Sequence[str] = ()
    points: Sequence[str] = ()
    texts: Sequence[str] = ()


@dataclass
class _Region:
    """The results of one id: a shape, its labels, and what other controls say about it."""

    where: str
    result: Mapping[str, Any]
    kind: str
    names: list[str] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)
    points: list[_Region] = field(default_factory=list)


class Tasks:
    """Reads the tasks of one file. Poses come last: their points are known when all tasks were read."""

    def __init__(self, collected: Collected, config: Config) -> None:
        self._collected = collected
        self._config = config
        self._free_points: set[str] = set()
        self._poses = Poses()
        self._renamed: dict[str, list[str]] = {}
        for file in collected.search.files:
            self._renamed.setdefault(_as_uploaded(PurePosixPath(file).name), []).append(file)

    def read(self, tasks: Sequence[Any]) -> None:
        """All tasks. Predictions are read where no task has an annotation."""
        labelled = any(isinstance(task, dict) and _annotations(task) for task in tasks)
        for at, task in enumerate(tasks):
            where = f"{self._collected.file} task[{at}]"
            with self._collected.item(where, "image"):
                self._read_task(mapping(task, "task"), where, labelled)
        unseen = [name for name in self._config.points if name not in self._free_points]
        self._poses.finish(self._collected, order=self._config.points, unseen=unseen)
        for name in self._config.classes:
            self._collected.declare(name)
        self._collected.sort_classes(self._config.classes)

    def _read_task(self, task: Mapping[str, Any], where: str, labelled: bool) -> None:
        data = mapping(task.get("data"), "data")
        annotations = _annotations(task) if labelled else task.get("predictions")
        if isinstance(data.get("video"), str) and not any(isinstance(data.get(k), str) for k in _IMAGE_KEYS):
            frames = Frames(self._collected, stated_path(_path_of(data["video"])))
            for annotation, results in self._chosen(listing(annotations or [], "annotations"), where):
                video.read(self._collected, frames, results, where, annotation.get("score"))
            return
        stated = _image_of(data)
        split = data.get("split") if isinstance(data.get("split"), str) else ""
        entry = Entry(_path_of(stated), where, split=split_of_folder(str(split)) or str(split))
        chosen = self._chosen(listing(annotations or [], "annotations"), where)
        sizes = (
            regions.stated_size(one) for _, results in chosen for one in results if isinstance(one, dict)
        )
        size = next((size for size in sizes if size is not None), None)
        key = self._collected.add_image(
            Entry(entry.stated, where, size, entry.split), path=self._uploaded(entry.stated)
        )
        if labelled and task.get("predictions"):
            self._collected.notices.add(
                "label-not-used", where, what="predictions beside annotations: left out"
            )
        if labelled and chosen and not any(results for _, results in chosen):
            self._collected.with_tag(key, BACKGROUND)
        for at, (annotation, results) in enumerate(chosen):
            said = {"annotation_id": annotation.get("id"), "completed_by": annotation.get("completed_by")}
            extra = {name: value for name, value in said.items() if value is not None and len(chosen) > 1}
            place = f"{where} {'annotation' if labelled else 'prediction'}[{at}]"
            score = None if labelled else annotation.get("score")
            self._read_results(key, results, place, Facts(extra=extra, score=score))

    def _chosen(
        self, annotations: Sequence[Any], where: str
    ) -> list[tuple[Mapping[str, Any], Sequence[Any]]]:
        """Those that were not cancelled; where some are marked as ground truth, only those."""
        kept = []
        for at, one in enumerate(annotations):
            with self._collected.item(f"{where} annotation[{at}]"):
                annotation = mapping(one, "annotation")
                if annotation.get("was_cancelled") or annotation.get("skipped"):
                    self._collected.notices.add(
                        "label-not-used", where, what="cancelled annotation: left out"
                    )
                    continue
                kept.append((annotation, listing(annotation.get("result") or [], "result")))
        best = [pair for pair in kept if pair[0].get("ground_truth") is True] or kept
        words = "annotation beside one marked as ground truth: left out"
        self._collected.notices.add("label-not-used", where, n=len(kept) - len(best), what=words)
        if len(best) > 1:
            words = "image with several annotations, such as those of several annotators: all were read"
            self._collected.notices.add("value-unknown", where, what=words)
        return best

    def _read_results(self, key: str, results: Sequence[Any], where: str, beside: Facts) -> None:
        found: dict[str, _Region] = {}
        controls: list[tuple[str, Mapping[str, Any]]] = []
        for at, one in enumerate(results):
            place = f"{where} result[{at}]"
            with self._collected.item(place):
                result = mapping(one, "result")
                kind = regions.shape_type(result)
                identity = result.get("id") if isinstance(result.get("id"), str) else place
                if not kind:
                    controls.append((place, result))
                elif identity in found:
                    found[str(identity)].names += regions.class_names(result)
                else:
                    found[str(identity)] = _Region(place, result, kind, regions.class_names(result))
        for place, result in controls:
            with self._collected.item(place):
                self._read_control(key, result, found.get(str(result.get("id"))), place)
        children = [region for region in found.values() if self._parent(region, found) is not None]
        for region in children:
            parent = self._parent(region, found)
            if parent is not None:
                parent.points.append(region)
        for identity, region in found.items():
            if region not in children:
                with self._collected.item(region.where):
                    self._add_region(key, identity, region, beside)

    @staticmethod
    def _parent(region: _Region, found: Mapping[str, _Region]) -> _Region | None:
        parent = found.get(str(region.result.get("parentID")))
        if parent is None or region.kind != "keypoint" or parent.kind != "rectangle":
            return None
        return parent

    def _add_region(self, key: str, identity: str, region: _Region, beside: Facts) -> None:
        names = list(dict.fromkeys(region.names))
        if not names:
            raise BadItem("it has no label")
        shape = self._shape(key, region)
        score = region.result.get("score", beside.score)
        own_id = identity if region.result.get("id") == identity else ""
        for at, name in enumerate(names):
            facts = Facts(region.attributes, beside.extra, own_id if at == 0 else "", score)
            if region.points:
                self._poses.add(
                    Pose(key, name, self._points(key, region), region.where, facts, shape.bbox_xywh_px)
                )
            else:
                self._free_points.update([name] if region.kind == "keypoint" else [])
                self._collected.add(key, name, shape, region.where, facts)
        if region.result.get("image_rotation"):
            words = "rotation of the view while labelling: left out"
            self._collected.notices.add("value-dropped", region.where, what=words)

    def _shape(self, key: str, region: _Region) -> shapes.Shape:
        size = regions.stated_size(region.result) or self._collected.size_of(key)
        return regions.shape(region.kind, mapping(region.result.get("value"), "value"), size)

    def _points(self, key: str, region: _Region) -> dict[str, tuple[float, float, int]]:
        points: dict[str, tuple[float, float, int]] = {}
        for point in region.points:
            with self._collected.item(point.where):
                name = point.names[0] if point.names else ""
                if not name or name in points:
                    raise BadItem(f"its point {name[:40]!r} occurs twice" if name else "it has no label")
                x, y = self._shape(key, point).rings_px[0]
                points[name] = (x, y, 1 if point.attributes.get(VISIBILITY) == HIDDEN else 2)
        return points

    def _read_control(self, key: str, result: Mapping[str, Any], region: _Region | None, where: str) -> None:
        kind = str(result.get("type")).lower()
        name = result.get("from_name") if isinstance(result.get("from_name"), str) else kind
        if kind in ("relation", "pairwise"):
            self._collected.notices.add("value-dropped", where, what="relation between regions: left out")
            return
        values = regions.values_of_control(result)
        if region is not None:
            region.attributes[str(name)] = _value(values, kind)
        elif kind in ("choices", "taxonomy"):
            for value in values:
                facts = Facts(extra={"from_name": name}, score=result.get("score"))
                self._collected.add(key, value, shapes.whole_image(), where, facts)
        elif kind == "textarea":
            for value in values:
                attributes = {"text": text(value, "text")}
                self._collected.add(key, CAPTION, shapes.Shape(Kind.CAPTION), where, Facts(attributes))
        else:
            self._collected.add_metadata(key, str(name), values[0])

    def _uploaded(self, stated: str) -> Path | None:
        """The file of an uploaded image, whose name got eight digits in front and lost its blanks."""
        path = self._collected.search.find(stated_path(stated) or "-")
        name = PurePosixPath(stated_path(stated) or "-").name
        if path is not None or not _UPLOADED.match(name):
            return path
        original = _UPLOADED.sub("", name, count=1)
        path = self._collected.search.find(original)
        renamed = self._renamed.get(_as_uploaded(original), [])
        if path is None and len(renamed) == 1:
            path = self._collected.search.find(renamed[0])
        return path


def _value(values: Sequence[Any], kind: str) -> Any:
    if len(values) != 1:
        return list(values)
    return {"true": True, "false": False}.get(values[0], values[0]) if kind == "choices" else values[0]


def _annotations(task: Mapping[str, Any]) -> Any:
    return task.get("annotations") or task.get("completions")


def _image_of(data: Mapping[str, Any]) -> str:
    """What a task calls its image. Raises: BadItem."""
    for key in _IMAGE_KEYS:
        if isinstance(data.get(key), str):
            return str(data[key])
    for value in data.values():
        if isinstance(value, str) and PurePosixPath(_path_of(value)).suffix.lower() in IMAGE_EXTENSIONS:
            return value
    raise BadItem("its data names no image")


def _path_of(stated: str) -> str:
    """The path in an address of Label Studio. Raises: BadItem."""
    if stated.startswith("data:"):
        raise BadItem("its image is embedded in the file")
    try:
        query = parse_qs(urlsplit(stated).query)
    except ValueError:
        return stated
    if "/local-files" in stated and "d" in query:
        return query["d"][0]
    if "fileuri" in query:
        try:
            return base64.urlsafe_b64decode(query["fileuri"][0]).decode()
        except (binascii.Error, ValueError):
            return stated
    return stated


def _as_uploaded(name: str) -> str:
    return _RENAMED.sub("", name.strip().replace(" ", "_"))
