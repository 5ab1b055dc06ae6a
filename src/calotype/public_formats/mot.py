"""MOT Challenge: a folder a video with `gt/gt.txt`, `seqinfo.ini` and `img1/`. Source: the paper of the MOT16 benchmark
and the instructions of MOT Challenge.

A line is `frame, id, left, top, width, height, flag, class, visibility`; of MOT15 it has ten columns, the last three a
place in the world. `det/det.txt` has a confidence in the place of the flag and no class. Frames count from 1. Boxes are
read as they are, without "-1" (decision 0008): the paper counts pixels from 1, most tools write and read them from 0.
A flag of 0 means that the box is not evaluated. Class numbers are named in `gt/labels.txt` where there is one (as
CVAT writes it), else by the list of MOT16.
"""

from __future__ import annotations

import configparser
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from calotype.datasets.model import Kind
from calotype.folder_reading.folder import Reading, lines_of, split_of
from calotype.formats.base import Abilities, ExportSamples, Written
from calotype.formats.passthrough import escaped, shown
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedAnnotation, ParsedSource
from calotype.formats.windows import DeclaredClass
from calotype.foundation.progress import Progress, silent
from calotype.public_formats.mot_writing import write_sequences
from calotype.public_formats.numbers import number, pixels, whole

MOT16 = {
    1: "Pedestrian",
    2: "Person on vehicle",
    3: "Car",
    4: "Bicycle",
    5: "Motorbike",
    6: "Non motorized vehicle",
    7: "Static person",
    8: "Distractor",
    9: "Occluder",
    10: "Occluder on the ground",
    11: "Occluder full",
    12: "Reflection",
    13: "Crowd",
}
_MAX_FRAME = 10_000_000


class Mot:
    """Boxes of objects that are followed through a video."""

    name = "mot"
    title = "MOT Challenge"
    suffixes = (".txt",)
    abilities = Abilities(
        reads=frozenset({Kind.BOX}),
        writes=frozenset({Kind.BOX}),
        loses=(
            "shapes other than boxes (their box is kept)",
            "classes of whole images and captions",
            "names of images: frames of a video are numbered",
            "a track id that is not a whole number (numbered); an annotation without one gets a number of its own",
            "an unknown frame rate (30 is written)",
            "frames without objects and frames that nobody labelled look the same",
            "id, score and iscrowd of annotations, attributes other than track_id and occluded",
            "metadata other than video and frame, licence, source and tags of samples",
        ),
        source="MOT16: A Benchmark for Multi-Object Tracking, and the instructions of MOT Challenge",
        coordinates="left, top, width, height in pixels, as they are; frames count from 1",
        ids="images by video and frame number; track ids are kept; class numbers by gt/labels.txt or MOT16",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """`gt/gt.txt` or `det/det.txt` with numbers between commas, or a `seqinfo.ini` with a [Sequence]."""
        if survey.is_file:
            is_rows = survey.path.suffix == ".txt" and _looks_like_rows(survey.head(survey.path.name))
            return Sighting("one label file", (survey.path.name,), Certainty.DESCRIBED) if is_rows else None
        named = [*survey.named("gt.txt"), *survey.named("det.txt")]
        rows = [name for name in named if _looks_like_rows(survey.head(name), enough=1)]
        described = [n for n in survey.named("seqinfo.ini") if b"[sequence]" in survey.head(n).lower()]
        if rows:
            return Sighting("a folder a video", (*rows[:1], *described[:1]), Certainty.DESCRIBED)
        if described:
            return Sighting("a folder a video, without labels", tuple(described[:1]), Certainty.LAYOUT)
        return None

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """`gt.txt` is read; where no video has one, `det.txt`. Raises: LabelFileUnreadable when there is neither."""
        reading = Reading(path, images, self.title)
        videos = _videos(reading)
        files = {name: kind for v in videos.values() for kind, name in v.labels.items()}
        if not files and not any(video.frames for video in videos.values()):
            raise reading.refused("there is no gt/gt.txt", "give the folder of a video, or the folder above")
        wanted = "gt" if "gt" in files.values() else "det"
        classes: dict[str, DeclaredClass] = {}
        for at, video in enumerate(videos.values()):
            for kind, name in video.labels.items():
                if kind == wanted:
                    _read_rows(reading, video, name, classes)
                else:
                    reading.notices.add("label-not-used", name)
            for frame, image in sorted(video.frames.items()):
                if image not in reading.images and reading.single is None:
                    reading.notices.add("image-without-labels", image)
                    reading.add_image(image, image, image, metadata=video.metadata(frame))
            progress("reading labels", at + 1, len(videos))
        return [ParsedSource(path.name, reading.labels(list(classes.values())))]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes a folder a video, below a folder for each split; the same input gives the same bytes."""
        return write_sequences(samples, out, progress)


@dataclass
class _Video:
    """One video: its folder, and the image of each frame."""

    folder: str
    name: str
    extension: str = ".jpg"
    facts: dict[str, Any] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    frames: dict[int, str] = field(default_factory=dict)
    unclear: set[int] = field(default_factory=set)

    def metadata(self, frame: int) -> dict[str, str | int | float | bool]:
        """The metadata of the sample of a frame."""
        rate = {"frame_rate": self.facts["frame_rate"]} if "frame_rate" in self.facts else {}
        return {"video": self.name, "frame": frame, **rate}


def _looks_like_rows(head: bytes, *, enough: int = 3) -> bool:
    """Whether at least `enough` of the first three rows, or all of fewer, are numbers between commas."""
    rows = [line.split(",") for line in head.decode("utf-8", "replace").splitlines()[:3] if line.strip()]
    like = [
        6 <= len(row) <= 10
        and all(number(field.strip()) is not None for field in row)
        and whole(row[0].strip()) is not None
        for row in rows
    ]
    return sum(like) >= min(enough, max(1, len(rows)))


def _videos(reading: Reading) -> dict[str, _Video]:
    """Folder -> video. A video is where gt/gt.txt, det/det.txt or seqinfo.ini is."""
    videos: dict[str, _Video] = {}

    def video(folder: str) -> _Video:
        name = escaped(folder.rpartition("/")[2] or reading.files.root.name)
        return videos.setdefault(folder, _Video(folder, name))

    if reading.single is not None:
        kind = "det" if reading.single == "det.txt" else "gt"
        one = video("")
        one.name = escaped(reading.single.rpartition(".")[0])
        one.labels[kind] = reading.single
        return videos
    for name in reading.files.names:
        folder, _, last = name.rpartition("/")
        above, _, parent = folder.rpartition("/")
        if last in ("gt.txt", "det.txt"):
            kind = last.partition(".")[0]
            video(above if parent == kind else folder).labels[kind] = name
        elif last == "seqinfo.ini":
            one = video(folder)
            _read_seqinfo(reading, name, one)
    for one in videos.values():
        _find_frames(reading, one)
    return videos


def _read_seqinfo(reading: Reading, name: str, video: _Video) -> None:
    parser = configparser.ConfigParser(interpolation=None, strict=False)
    try:
        parser.read_string(reading.text(name, max_bytes=100_000) or "")
        facts = {key: value for section in parser.sections() for key, value in parser.items(section)}
    except configparser.Error as error:
        reading.set_aside("image", name, f"it is not a list of settings: {str(error).splitlines()[0][:120]}")
        return
    rate = number(facts.get("framerate", ""))
    if rate is not None and rate > 0:
        video.facts["frame_rate"] = int(rate) if rate == int(rate) else rate
    video.name = facts.get("name", "").strip()[:200] or video.name
    video.facts["folder"] = facts.get("imdir", "img1").strip().strip("/") or "img1"
    video.extension = facts.get("imext", video.extension).strip()[:10]


def _find_frames(reading: Reading, video: _Video) -> None:
    """The images of a video by the number that is their name; a number that two images have is a problem."""
    inside = f"{video.folder}/" if video.folder else ""
    folders = [f"{inside}{video.facts.get('folder', 'img1')}", f"{inside}img1"]
    if not reading.has_own_images:
        folders += [f"{video.name}/img1", video.name, "img1", ""]
    for folder in dict.fromkeys(folders):
        names = reading.image_files.images_in(folder)
        for name in names:
            frame = whole(name.rpartition("/")[2].rpartition(".")[0])
            if frame is None or not 0 <= frame <= _MAX_FRAME:
                reading.notices.add("value-unknown", name, what="image in a video whose name is not a number")
            elif frame in video.frames:
                reading.set_aside("image", name, f"frame {frame} could be {video.frames[frame]} or {name}")
                video.unclear.add(frame)
            else:
                video.frames[frame] = name
        if names:
            break
    for frame in video.unclear:
        del video.frames[frame]


def _class_names(reading: Reading, file: str) -> dict[int, str]:
    """Number from 1 -> name, from the list beside the label file; else the classes of MOT16."""
    beside = f"{file.rpartition('/')[0]}/labels.txt".lstrip("/")
    if not reading.files.has(beside):
        return MOT16
    return {at: name for at, name in lines_of(reading.text(beside, max_bytes=10_000_000) or "")}


def _read_rows(reading: Reading, video: _Video, file: str, classes: dict[str, DeclaredClass]) -> None:
    text = reading.text(file, max_bytes=1_000_000_000)
    names = _class_names(reading, file)
    if names is not MOT16:
        classes |= {name: DeclaredClass(name) for name in names.values()}
    is_detection = video.labels.get("det") == file
    for at, line in lines_of(text or ""):
        where = f"{file}:{at}"
        row = [cell.strip() for cell in line.split(",")]
        parsed = _parsed(row)
        if isinstance(parsed, str):
            reading.set_aside("annotation", where, parsed, item=line[:500])
            continue
        frame, box = parsed
        if frame in video.unclear:
            reading.set_aside("annotation", where, f"two images are frame {frame}")
            continue
        image = video.frames.get(frame)
        inside = f"{video.folder}/" if video.folder else ""
        missing = f"{inside}img1/{frame:06}{video.extension}"
        key = reading.add_image(
            image, missing, where, metadata=video.metadata(frame), split=split_of(image or missing)
        )
        name, facts = _facts(reading, row, where, names, is_detection=is_detection)
        classes.setdefault(name, DeclaredClass(name))
        reading.add(
            ParsedAnnotation(key, name, Kind.BOX, where, bbox_xywh_px=box, area_px=box[2] * box[3], **facts)
        )


def _parsed(row: list[str]) -> tuple[int, tuple[float, float, float, float]] | str:
    """Frame and box of a line, or why it is invalid."""
    if not 6 <= len(row) <= 10:
        return f"it has {len(row)} columns; a box has 9, of MOT15 10"
    bad = next((cell for cell in row if number(cell) is None), None)
    if bad is not None:
        return f"it holds {shown(bad)}, which is not a number"
    frame, box = whole(row[0]), pixels(row[2:6])
    if frame is None or not 0 <= frame <= _MAX_FRAME:
        return f"its frame is {shown(row[0])}"
    if box is None or box[2] < 0 or box[3] < 0:
        return f"its box is {shown(', '.join(row[2:6]))}"
    return frame, (box[0], box[1], box[2], box[3])


def _facts(
    reading: Reading, row: list[str], where: str, names: Mapping[int, str], *, is_detection: bool
) -> tuple[str, dict[str, Any]]:
    """Class name, and what is kept of the columns beside the box."""
    attributes: dict[str, Any] = {}
    kept: dict[str, Any] = {}
    facts: dict[str, Any] = {"attributes": attributes}
    track = whole(row[1])
    if track is not None and track >= 0:
        attributes["track_id"] = track
    flag = number(row[6]) if len(row) > 6 else None
    if is_detection and flag is not None:
        if 0 <= flag <= 1:
            facts["score"] = flag
        else:
            reading.notices.add("value-unknown", where, what="confidence outside 0 to 1: kept as it is")
            kept["confidence"] = flag
    elif flag is not None and flag != 1:
        kept["flag"] = flag
    is_world = len(row) == 10 or is_detection
    if len(row) == 10 and not is_detection:
        kept["world_xyz"] = [number(cell) for cell in row[7:]]
    visibility = number(row[8]) if len(row) >= 9 and not is_world else None
    if visibility is not None and visibility >= 0:
        kept["visibility"] = visibility
        attributes["occluded"] = visibility < 1
    facts["extra"] = {"mot": kept} if kept else {}
    number_of_class = whole(row[7]) if len(row) > 7 and not is_world else None
    if number_of_class is None or number_of_class < 0:
        return "Pedestrian", facts
    if number_of_class not in names:
        reading.notices.add("class-unnamed", where)
    return names.get(number_of_class, f"class-{number_of_class}"), facts
