"""Tracks of CVAT XML 1.1 for video: a shape at keyframes, carried on to the frames between them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from calotype.formats.fields import BadItem, size_or_none, written_whole
from calotype.formats.windows import Problem
from calotype.formats.xml_file import Element, named, whole_or_none
from calotype.tool_formats.collected import Collected, Entry
from calotype.tool_formats.cvat.elements import (
    Drawn,
    between,
    cuboid_extra,
    drawn,
    facts,
    is_gone,
    shape,
)
from calotype.tool_formats.cvat.labels import Label, Labels

MAX_FRAME = 100_000_000
MAX_SHAPES = 5_000_000
"""Shapes of one file, those between keyframes too."""
_NUMBER = re.compile(r"([0-9]{1,9})\D*$")
_STEP = re.compile(r"step\s*=\s*([0-9]{1,6})")
_TASKS = ("task", "job", "project")


class Frames:
    """The frames of a task: which exist, how large they are, and the image of each below the folder.

    Args:
        task: What the file says about the task, where it holds several.
        folder: The folder of its images, where it holds several.
    """

    def __init__(
        self, meta: Element | None, collected: Collected, task: Element | None = None, folder: str = ""
    ) -> None:
        said = (_task(meta) if task is None else task, meta)
        self.video = _text(said, "source", "name") or collected.file
        sides = (_text(said, f"original_size/{side}") for side in ("width", "height"))
        self.size_wh = size_or_none(*map(whole_or_none, sides))
        self.start = whole_or_none(_text(said, "start_frame")) or 0
        self.stop = whole_or_none(_text(said, "stop_frame"))
        self.step = int(m.group(1)) or 1 if (m := _STEP.search(_text(said, "frame_filter"))) else 1
        size = whole_or_none(_text(said, "size"))
        if self.stop is None and size:
            self.stop = self.start + (size - 1) * self.step
        self._collected = collected
        self._by_number: dict[int, str] = {}
        self._folder = folder
        for file in collected.search.files:
            if folder and folder not in file.split("/")[:-1]:
                continue
            found = _NUMBER.search(PurePosixPath(file).stem)
            if found:
                self._by_number.setdefault(int(found.group(1)), file)
        numbers = self._by_number.keys()
        self._counted = self.step > 1 or self.start > 0
        if self._counted and self.stop is not None:
            needed = range(self.start, self.stop + 1, self.step)
            self._counted = not (len(needed) <= len(numbers) and all(number in numbers for number in needed))
        self._keys: dict[int, str] = {}

    def exists(self, frame: int) -> bool:
        """Whether the task has this frame."""
        return (frame - self.start) % self.step == 0

    def image(self, frame: int, where: str) -> str:
        """The key of the image of a frame. Raises: BadItem."""
        if frame not in self._keys:
            number = (frame - self.start) // self.step if self._counted else frame
            file = self._by_number.get(number)
            stated = file or f"{self._folder}/frame_{number:06d}.png".lstrip("/")
            metadata: dict[str, str | int | float | bool] = {"video": self.video, "frame": frame}
            entry = Entry(stated, where, self.size_wh, metadata=metadata)
            self._keys[frame] = self._collected.add_image(entry)
        return self._keys[frame]

    @property
    def n_missing(self) -> int:
        """Frames with shapes whose image is not there."""
        images = (self._collected.images[key] for key in self._keys.values())
        return sum(image.path is None for image in images)


@dataclass(frozen=True, slots=True)
class _Key:
    drawn: Drawn
    element: Element
    outside: bool = False


class Tracks:
    """Reads the tracks of one file."""

    def __init__(self, collected: Collected, labels: Labels, meta: Element | None) -> None:
        self._collected = collected
        self._labels = labels
        self._meta = meta
        self._n_shapes = 0

    def read(self, root: Element) -> None:
        """All tracks of a file; those of each task of a project on its own frames."""
        tasks = (
            {named(task, "id"): task for task in self._meta.iter("task")} if self._meta is not None else {}
        )
        tracks_of: dict[str, list[tuple[int, Element]]] = {}
        for at, track in enumerate(root.findall("track")):
            identity = track.get("task_id") or ""
            tracks_of.setdefault(identity if identity in tasks else "", []).append((at, track))
        folders = Counter(_subset(tasks.get(identity)) for identity in tracks_of)
        for identity, tracks in tracks_of.items():
            folder = _subset(tasks.get(identity))
            if folders[folder] > 1:
                reason = f"the frames of several videos lie in {folder!r} by the same names: export each task"
                where = f"{self._collected.file} task {identity}"
                self._collected.problems.append(Problem("invalid", "annotation", where, reason))
                continue
            several = folder if len(tracks_of) > 1 else ""
            self._read_tracks(tracks, Frames(self._meta, self._collected, tasks.get(identity), several))

    def _read_tracks(self, tracks: Sequence[tuple[int, Element]], frames: Frames) -> None:
        self._frames = frames
        stop = frames.stop
        if stop is None:
            lists = (one for _, track in tracks for one in (track, *track.findall("track")))
            numbers = (child.get("frame") or "" for listed in lists for child in listed)
            stop = max((int(n) for n in numbers if n.isascii() and n.isdigit() and len(n) < 9), default=0)
        for at, track in tracks:
            where = f"{self._collected.file} track[{at}]"
            with self._collected.item(where):
                self._read_track(track, where, min(stop, MAX_FRAME))
        n_missing = self._frames.n_missing
        if n_missing:
            reason = f"{n_missing} labelled frames of {self._frames.video!r} are not there as images"
            self._collected.problems.append(Problem("missing-file", "folder", self._collected.file, reason))

    def _read_track(self, track: Element, where: str, stop: int) -> None:
        name = (track.get("label") or "").strip()
        if not name:
            raise BadItem("it has no label")
        label = self._label(name, track)
        keys = self._keys(track, label, where)
        for frame, at, element in self._shapes(keys, where, stop):
            self._n_shapes += 1
            if self._n_shapes > MAX_SHAPES:
                raise BadItem(f"the tracks of the file have more than {MAX_SHAPES:,} shapes")
            place = f"{where} frame {frame}"
            with self._collected.item(place):
                key = self._frames.image(frame, place)
                known = facts(element, label, self._collected.notices, place)
                attributes = {**known.attributes, "track_id": _identity(track, where)}
                if track.get("group_id") not in (None, "0", ""):
                    attributes.setdefault("group_id", track.get("group_id"))
                size = self._collected.images[key].size_wh
                if size is None and at.tag == "mask":
                    size = self._collected.size_of(key)
                beside = replace(known, attributes=attributes, extra={**known.extra, **cuboid_extra(at)})
                if at.tag == "cuboid":
                    self._collected.notices.add("shape-converted", place, what="cuboid: read as its outline")
                self._collected.add(key, name, shape(at, size), place, beside)

    def _label(self, name: str, track: Element) -> Label:
        """The label of a track; where it declares no points, with those of the skeleton. Raises: BadItem."""
        label = self._labels.label(name)
        parts = [] if label.keypoints else [*track.findall("track"), *track.findall("skeleton/points")]
        names = tuple(filter(None, dict.fromkeys((part.get("label") or "").strip() for part in parts)))
        if not names:
            return label
        self._labels[name] = replace(label, keypoints=names)
        self._collected.classes.pop(name, None)
        self._collected.declare(name, keypoints=names)
        return self._labels[name]

    def _keys(self, track: Element, label: Label, where: str) -> dict[int, _Key]:
        """The listed frames in order."""
        keys: dict[int, _Key] = {}
        for at, element in enumerate(track):
            if element.tag in ("attribute", "track"):
                continue
            with self._collected.item(f"{where} {element.tag[:40]}[{at}]"):
                frame = written_whole(element.get("frame"), "frame", most=MAX_FRAME)
                if frame in keys:
                    raise BadItem(f"frame {frame} is listed twice in its track")
                at_frame = drawn(element, label)
                keys[frame] = _Key(at_frame, element, element.get("outside") == "1" or is_gone(at_frame))
        keys = dict(sorted(keys.items()))
        return self._joined(track, label, keys, where) if track.find("track") is not None else keys

    def _joined(self, track: Element, label: Label, keys: dict[int, _Key], where: str) -> dict[int, _Key]:
        """The frames of a skeleton whose points are tracks inside its own, each with its own keyframes."""
        points: dict[str, dict[int, _Key]] = {}
        for at, inner in enumerate(track.findall("track")):
            name = (inner.get("label") or "").strip()
            if name in label.keypoints:
                points[name] = self._keys(inner, Label(name), f"{where} track[{at}]")
            else:
                reason = f"its point {name[:40]!r} is not one of its label"
                self._collected.problems.append(Problem("invalid", "annotation", where, reason))
        joined: dict[int, _Key] = {}
        element = track
        for frame in sorted({*keys, *(frame for listed in points.values() for frame in listed)}):
            element = keys[frame].element if frame in keys else element
            places = [_point_at(points.get(name, {}), frame) for name in label.keypoints]
            at_frame = Drawn(
                "skeleton", tuple(v for x, y, _ in places for v in (x, y)), tuple(v for *_, v in places)
            )
            joined[frame] = _Key(at_frame, element, element.get("outside") == "1" or is_gone(at_frame))
        return joined

    def _shapes(self, keys: dict[int, _Key], where: str, stop: int) -> Iterator[tuple[int, Drawn, Element]]:
        """Frame and shape, at the listed frames and between them, until one where the object is outside."""
        listed = list(keys.items())
        for at, (frame, key) in enumerate(listed):
            if key.outside:
                continue
            yield frame, key.drawn, key.element
            until, following = listed[at + 1] if at + 1 < len(listed) else (stop + 1, None)
            for inner in range(frame + 1, until):
                if not self._frames.exists(inner):
                    continue
                share = (inner - frame) / (until - frame)
                shown = key.drawn if following is None else between(key.drawn, following.drawn, share)
                if shown is None:
                    reason = f"frames {inner} to {until - 1} cannot be derived: its shapes have other points"
                    self._collected.problems.append(Problem("invalid", "annotation", where, reason))
                    break
                yield inner, shown, key.element


def _point_at(listed: dict[int, _Key], frame: int) -> tuple[float, float, int]:
    """Place and state of one point of a skeleton at a frame, by its keyframes in order."""
    before = max((number for number in listed if number <= frame), default=None)
    if before is None or listed[before].outside or len(listed[before].drawn.numbers) != 2:
        return 0.0, 0.0, 0
    key = listed[before]
    after = min((number for number in listed if number > frame), default=None)
    share = 0.0 if after is None else (frame - before) / (after - before)
    moved = key.drawn if after is None else between(key.drawn, listed[after].drawn, share) or key.drawn
    return moved.numbers[0], moved.numbers[1], 1 if key.element.get("occluded") == "1" else 2


def _identity(track: Element, where: str) -> int | str:
    written = (track.get("id") or "").strip()
    if written.isascii() and written.isdigit() and len(written) < 19:
        return int(written)
    return written or where


def _subset(task: Element | None) -> str:
    """The folder of a task's images in an export of its project; `default` is that of tasks without a subset."""
    return "" if task is None else named(task, "subset") or "default"


def _task(meta: Element | None) -> Element | None:
    """What `meta` says about the task."""
    if meta is None:
        return None
    return next((found for name in _TASKS if (found := meta.find(name)) is not None), meta)


def _text(elements: Sequence[Element | None], *paths: str) -> str:
    texts = (named(element, path) for path in paths for element in elements)
    return next((text for text in texts if text), "")
