"""Writing MOT Challenge: samples are grouped into videos, and their images numbered as frames."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from calotype.datasets.model import Annotation, Sample
from calotype.formats.base import ExportSamples, Written
from calotype.formats.notices import Losses
from calotype.foundation.progress import Progress
from calotype.public_formats.numbers import shortest
from calotype.public_formats.writing import (
    FileWriter,
    WrittenClassNames,
    box_of,
    lose_annotation,
    lose_sample,
)

_Key = tuple[str, str, str, int, int]
_KEPT = ("video", "frame", "frame_rate")
_MAX_FRAME = 999_999
_FRAME_RATE = 30
"""Written where nothing is known: many readers of the format need one."""


def write_sequences(samples: ExportSamples, out: Path, progress: Progress) -> Written:
    """Write a folder a video, below a folder for each split; the same input gives the same bytes."""
    losses, files, n_annotations = Losses(), FileWriter(out), 0
    videos = _videos(samples)
    places = {
        sample.sample_id: (folder, frame)
        for folder, members in videos.items()
        for sample, frame in _numbered(members, losses)
    }
    number_of = {c.id: at for at, c in enumerate(samples.ontology.classes, 1)}
    classes = [(c.id, c.name) for c in samples.ontology.classes]
    names = WrittenClassNames(classes, losses, _one_line, "line breaks are written as blanks")
    rows: dict[str, list[tuple[int, Annotation]]] = {folder: [] for folder in videos}
    for done, (sample, labels) in enumerate(samples.items(), 1):
        folder, frame = places[sample.sample_id]
        suffix = PurePosixPath(samples.file_name(sample)).suffix
        files.image(samples, sample, f"{folder}/img1/{frame:06}{suffix}")
        for a in labels:
            if box_of(losses, a, sample.name) is not None:
                rows[folder].append((frame, a))
                lose_annotation(losses, a, sample.name, keeps=("mot",), attributes=("track_id", "occluded"))
        lose_sample(losses, sample, keeps=_KEPT)
        losses.add("name of an image (its frame number is written)", sample.name)
        progress("writing labels", done, samples.n_samples)
    for folder, members in videos.items():
        tracks = _Tracks(a for _, a in rows[folder])
        lines = [_row(frame, a, number_of[a.class_id], tracks.of(a, losses)) for frame, a in rows[folder]]
        n_annotations += len(lines)
        files.text(f"{folder}/gt/gt.txt", "".join(f"{line}\n" for line in lines))
        files.text(f"{folder}/gt/labels.txt", "".join(f"{names[number]}\n" for number, _ in classes))
        last = max(frame for place, frame in places.values() if place == folder)
        files.text(f"{folder}/seqinfo.ini", _seqinfo(folder, members, last, samples, losses))
    return Written(files.listed(), samples.n_samples, n_annotations, losses.listed())


def _videos(samples: ExportSamples) -> dict[str, list[Sample]]:
    """Folder -> samples in order of their frames. A video has one size and one type of image."""
    groups: dict[_Key, list[Sample]] = {}
    for sample in samples.listed:
        video = str(sample.metadata.get("video", "")) or "images"
        suffix = PurePosixPath(samples.file_name(sample)).suffix
        key = (sample.split, _safe(video), suffix, sample.width_px, sample.height_px)
        groups.setdefault(key, []).append(sample)
    folders: dict[str, list[Sample]] = {}
    for (split, video, _, width, height), members in sorted(groups.items()):
        name, at = f"{split}/{video}".lstrip("/"), 1
        while name.casefold() in {folder.casefold() for folder in folders}:
            at += 1
            name = f"{split}/{video}-{width}x{height}-{at}".lstrip("/")
        folders[name] = members
    return folders


def _numbered(members: list[Sample], losses: Losses) -> list[tuple[Sample, int]]:
    """Samples with their frame numbers; counted from 1 where they have no numbers that can be used."""
    frames = [sample.metadata.get("frame") for sample in members]
    whole = [frame for frame in frames if isinstance(frame, int) and 0 <= frame < _MAX_FRAME]
    if len(set(whole)) == len(members):
        shift = 1 if min(whole) == 0 else 0
        if shift:
            losses.add("frame number (counted from 1)", members[0].name, n=len(members))
        return sorted(zip(members, (f + shift for f in whole), strict=True), key=lambda pair: pair[1])
    stated = [sample for sample, frame in zip(members, frames, strict=True) if frame is not None]
    if stated:
        losses.add("frame number (numbered in order of name)", stated[0].name, n=len(stated))
    return [(sample, at) for at, sample in enumerate(members, 1)]


class _Tracks:
    """Whole numbers for the track ids of one video."""

    def __init__(self, annotations: Any) -> None:
        stated = [a.attributes.get("track_id") for a in annotations]
        self._taken = {value for value in stated if type(value) is int and 0 <= value < 2**53}
        self._by_text: dict[str, int] = {}
        self._next = max(self._taken, default=0) + 1

    def of(self, a: Annotation, losses: Losses) -> int:
        """The number of an annotation's track."""
        stated = a.attributes.get("track_id")
        if stated in self._taken and type(stated) is int:
            return stated
        if stated is None:
            losses.add("missing track id of an annotation (it gets a number of its own)")
            self._next += 1
            return self._next - 1
        losses.add("track id that is not a whole number (numbered)", str(stated))
        if str(stated) not in self._by_text:
            self._by_text[str(stated)] = self._next
            self._next += 1
        return self._by_text[str(stated)]


def _row(frame: int, a: Annotation, class_number: int, track: int) -> str:
    kept = a.extra.get("mot")
    facts = kept if isinstance(kept, Mapping) else {}
    flag, visibility = facts.get("flag", 1), facts.get("visibility")
    occluded = a.attributes.get("occluded")
    is_true = occluded in (True, 1, "1")
    if not isinstance(visibility, int | float) or (occluded is not None and is_true != (visibility < 1)):
        visibility = 0 if is_true else 1
    flag = flag if isinstance(flag, int | float) else 1
    box = [shortest(value) for value in a.bbox_xywh_px or ()]
    return ",".join([str(frame), str(track), *box, shortest(flag), str(class_number), shortest(visibility)])


def _seqinfo(folder: str, members: list[Sample], last: int, samples: ExportSamples, losses: Losses) -> str:
    first = members[0]
    rates = {sample.metadata.get("frame_rate") for sample in members}
    rate = rates.pop() if len(rates) == 1 else None
    lines = ["[Sequence]", f"name={folder.rpartition('/')[2]}", "imDir=img1"]
    if not isinstance(rate, int | float):
        losses.add("unknown frame rate of a video (30 is written)", folder)
        rate = _FRAME_RATE
    lines += [f"frameRate={shortest(rate)}"]
    lines += [f"seqLength={last}", f"imWidth={first.width_px}", f"imHeight={first.height_px}"]
    return "\n".join([*lines, f"imExt={PurePosixPath(samples.file_name(first)).suffix}", ""])


def _safe(name: str) -> str:
    safe = "".join(c if c.isalnum() or c in "-_." else "_" for c in name).strip(". ")
    return safe[:100] or "video"


def _one_line(name: str) -> str:
    return " ".join(name.split()) if name != name.strip() or len(name.splitlines()) > 1 else name
