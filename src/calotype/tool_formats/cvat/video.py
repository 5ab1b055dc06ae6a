"""Tracks of CVAT XML 1.1 for video: a shape at keyframes, carried on to the frames between them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from calotype.formats.windows import Problem
from calotype.formats.xml_file import Element, named, whole_or_none
from calotype.tool_formats.collected import Collected, Entry
from calotype.tool_formats.cvat.elements import Drawn, between, cuboid_extra, drawn, facts, shape
from calotype.tool_formats.cvat.labels import Label, Labels
from calotype.tool_formats.fields import BadItem, size_or_none, written_whole

MAX_FRAME = 100_000_000
MAX_SHAPES = 5_000_000
"""Shapes of one file, those between keyframes too."""
_NUMBER = re.compile(r"([0-9]{1,9})\D*$")
_STEP = re.compile(r"step\s*=\s*([0-9]{1,6})")
_TASKS = ("task", "job", "project")


class Frames:
    """The frames of a file: which exist, how large they are, and the image of each below the folder."""

    def __init__(self, meta: Element | None, collected: Collected) -> None:
        said = (_task(meta), meta)
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
        for file in collected.search.files:
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
            stated = file or f"frame_{number:06d}.png"
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
        self._frames = Frames(meta, collected)
        self._n_shapes = 0

    def read(self, root: Element) -> None:
        """All tracks of a file."""
        tracks = root.findall("track")
        stop = self._frames.stop
        if stop is None:
            numbers = (child.get("frame") or "" for track in tracks for child in track)
            stop = max((int(n) for n in numbers if n.isascii() and n.isdigit() and len(n) < 9), default=0)
        for at, track in enumerate(tracks):
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
        label = self._labels.label(name)
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

    def _keys(self, track: Element, label: Label, where: str) -> dict[int, _Key]:
        """The listed frames in order."""
        keys: dict[int, _Key] = {}
        for at, element in enumerate(track):
            if element.tag == "attribute":
                continue
            with self._collected.item(f"{where} {element.tag[:40]}[{at}]"):
                frame = written_whole(element.get("frame"), "frame", most=MAX_FRAME)
                if frame in keys:
                    raise BadItem(f"frame {frame} is listed twice in its track")
                keys[frame] = _Key(drawn(element, label), element, element.get("outside") == "1")
        return dict(sorted(keys.items()))

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


def _identity(track: Element, where: str) -> int | str:
    written = (track.get("id") or "").strip()
    if written.isascii() and written.isdigit() and len(written) < 19:
        return int(written)
    return written or where


def _task(meta: Element | None) -> Element | None:
    """What `meta` says about the task."""
    if meta is None:
        return None
    return next((found for name in _TASKS if (found := meta.find(name)) is not None), meta)


def _text(elements: Sequence[Element | None], *paths: str) -> str:
    texts = (named(element, path) for path in paths for element in elements)
    return next((text for text in texts if text), "")
