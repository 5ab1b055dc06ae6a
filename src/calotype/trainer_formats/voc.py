"""Pascal VOC: one XML file per image, boxes by corners. Source: the annotation format of the VOC2012 development kit.

Corners are read as they are, without "+1" (decision 0008); a box without area is kept, and a check reports it.
"""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Protocol
from xml.sax.saxutils import escape

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring

from calotype.datasets.model import Annotation, Kind, Sample
from calotype.formats.base import Abilities, ExportSamples, LabelFileUnreadable, Written
from calotype.formats.files_below import files_below, head_of, is_file, is_folder
from calotype.formats.image_files import images_below
from calotype.formats.notices import Loss
from calotype.formats.passthrough import shown
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedAnnotation, ParsedImage, ParsedLabels, ParsedSource
from calotype.formats.windows import DeclaredClass, Problem
from calotype.foundation.progress import Progress, silent
from calotype.store.files.durable import read_file

_FLAGS = ("pose", "truncated", "difficult", "occluded")
_SPLITS = ("train", "val", "test")
_MAX_BYTES = 20_000_000
_MAX_LISTING = 100_000_000
_FOLDERS = ("Annotations", "annotations")


class Element(Protocol):
    """What is used of a parsed XML element."""

    tag: str

    def find(self, path: str) -> Element | None: ...
    def findall(self, path: str) -> list[Element]: ...
    def findtext(self, path: str) -> str | None: ...


_ROOT = re.compile(rb"<annotation[\s>]")


class Voc:
    """Boxes, one XML file per image."""

    name = "voc"
    title = "Pascal VOC"
    suffixes = (".xml",)
    abilities = Abilities(
        reads=frozenset({Kind.BOX}),
        writes=frozenset({Kind.BOX}),
        one_file=True,
        loses=(
            "polygons, masks and keypoints (their box is kept)",
            "classes of whole images",
            "id, score, iscrowd and extra keys of annotations",
            f"attributes other than {', '.join(_FLAGS)}",
            "metadata, licence, source and tags of samples",
        ),
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """XML files with an `annotation` in them; broken: XML where label files are kept, and none of them has one."""
        path = survey.path
        files = _label_files(path, [])
        like = next((file for file in files if _ROOT.search(head_of(file, 2_000))), None)
        if like is not None:
            return Sighting("an XML file an image", (like.name,), Certainty.DESCRIBED)
        kept_apart = path.suffix.lower() == ".xml" or any(is_folder(path / name) for name in _FOLDERS)
        return (
            Sighting("XML without an annotation", (files[0].name,), broken=True)
            if files and kept_apart
            else None
        )

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable when no file can be read."""
        problems: list[Problem] = []
        files = _label_files(path, problems)
        if not files:
            hint = "give the folder that holds Annotations/, or one XML file"
            raise _refused(path, "it contains no XML file", hint)
        root = path if is_folder(path) else path.parent
        folder = Path(os.path.realpath(images or _image_folder(root)))
        below = images_below(folder, problems) if is_folder(folder) else []
        problems = list({problem.where: problem for problem in problems}.values())
        by_stem = {file.stem: file for file in below}
        splits = _splits(root)
        listed: list[ParsedImage] = []
        annotations: list[ParsedAnnotation] = []
        for at, file in enumerate(files):
            try:
                tree = _load(file)
            except LabelFileUnreadable as error:
                if len(files) == 1:
                    raise
                problems.append(Problem("invalid", "image", file.name, error.message))
                continue
            image = _image(tree, file, folder, by_stem)
            name = image.relative_to(folder).as_posix() if image else _stated_name(tree, file)
            listed.append(ParsedImage(file.name, name, image, splits.get(file.stem, ""), where=file.name))
            _read_objects(tree, file.name, annotations, problems)
            progress("reading labels", at + 1, len(files))
        classes = [DeclaredClass(name) for name in sorted({a.class_name for a in annotations})]
        return [ParsedSource(path.name, ParsedLabels(listed, annotations, classes, problems))]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `Annotations/`, `JPEGImages/` and `ImageSets/Main/`; the same input gives the same bytes."""
        losses: Counter[str] = Counter()
        files: list[str] = []
        stems: dict[str, list[str]] = {}
        n_annotations = 0
        for sample, labels in samples.items():
            place = samples.file_name(sample)
            stem = PurePosixPath(place).with_suffix("").as_posix()
            stems.setdefault(sample.split, []).append(stem)
            brought = samples.bring(sample, out / "JPEGImages" / place)
            boxes = [a for a in labels if a.bbox_xywh_px is not None]
            n_annotations += len(boxes)
            losses.update(_lost(sample, labels))
            target = out / "Annotations" / f"{stem}.xml"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(_xml(sample, place, boxes, {c.id: c.name for c in samples.ontology.classes}))
            files += [f"Annotations/{stem}.xml", *([f"JPEGImages/{place}"] if brought else [])]
        for split, names in sorted(stems.items()):
            if split:
                listing = out / "ImageSets" / "Main" / f"{split}.txt"
                listing.parent.mkdir(parents=True, exist_ok=True)
                listing.write_text("".join(f"{name}\n" for name in names), encoding="utf-8")
                files.append(f"ImageSets/Main/{split}.txt")
        lost = tuple(Loss(what, count) for what, count in sorted(losses.items()))
        return Written(tuple(sorted(files)), samples.n_samples, n_annotations, lost)


def _read_objects(
    tree: Element, file: str, annotations: list[ParsedAnnotation], problems: list[Problem]
) -> None:
    for at, element in enumerate(tree.findall("object")):
        where = f"{file} object[{at}]"
        name = (element.findtext("name") or "").strip()
        box = _box(element.find("bndbox"))
        if not name or isinstance(box, str):
            reason = box if isinstance(box, str) else "it has no class name"
            problems.append(Problem("invalid", "annotation", where, reason))
            continue
        attributes = {flag: str(element.findtext(flag)).strip() for flag in _FLAGS if element.findtext(flag)}
        annotations.append(
            ParsedAnnotation(
                file, name, Kind.BOX, where, bbox_xywh_px=box, area_px=box[2] * box[3], attributes=attributes
            )
        )


def _box(element: Element | None) -> tuple[float, float, float, float] | str:
    """The box, or why it is invalid."""
    if element is None:
        return "it has no bndbox"
    corners = []
    for side in ("xmin", "ymin", "xmax", "ymax"):
        text = (element.findtext(side) or "").strip()
        try:
            value = float(text if text.isascii() and "_" not in text else "no number")
        except ValueError:
            return f"its {side} is {shown(text)}, which is not a number"
        if not math.isfinite(value) or abs(value) > 1e7:
            return f"its {side} is {shown(text)}"
        corners.append(value)
    x1, y1, x2, y2 = corners
    if x2 < x1 or y2 < y1:
        return f"its corners are swapped: {x1:g}, {y1:g}, {x2:g}, {y2:g}"
    return x1, y1, x2 - x1, y2 - y1


def _load(file: Path) -> Element:
    hint = "export the file again; it is broken as a whole"
    try:
        data = read_file(file, max_bytes=_MAX_BYTES)
    except OSError as error:
        detail = f"it cannot be read: {error.strerror or type(error).__name__}"
        raise _refused(file, detail, "check the path and its permissions") from None
    if data is None:
        raise _refused(file, f"it is larger than {_MAX_BYTES // 1_000_000} MB", hint)
    try:
        tree: Element = fromstring(data, forbid_dtd=True)
    except (ParseError, DefusedXmlException, RecursionError, ValueError, LookupError) as error:
        raise _refused(file, str(error)[:200] or type(error).__name__, hint) from None
    if tree.tag != "annotation":
        raise _refused(file, f"its top element is {tree.tag[:40]!r}, not `annotation`", hint)
    return tree


def _stated_name(tree: Element, file: Path) -> str:
    stated = PureWindowsPath((tree.findtext("filename") or "").strip()).name
    return stated or f"{file.stem}.jpg"


def _image(tree: Element, file: Path, folder: Path, by_stem: dict[str, Path]) -> Path | None:
    stated = PureWindowsPath((tree.findtext("filename") or "").strip()).name
    direct = Path(os.path.realpath(folder / stated))
    if stated and is_file(direct) and direct.is_relative_to(folder):
        return direct
    if stated and PurePosixPath(stated).stem in by_stem:
        return by_stem[PurePosixPath(stated).stem]
    return None if stated else by_stem.get(file.stem)


def _label_files(path: Path, problems: list[Problem]) -> list[Path]:
    if is_file(path):
        return [path]
    for folder in (*(path / name for name in _FOLDERS), path):
        files = files_below(folder, {".xml"}, problems) if is_folder(folder) else []
        if files:
            return files
    return []


def _image_folder(root: Path) -> Path:
    for base in (root, root.parent):
        for name in ("JPEGImages", "images"):
            if is_folder(base / name):
                return base / name
    return root


def _splits(root: Path) -> dict[str, str]:
    split_of: dict[str, str] = {}
    for split in _SPLITS:
        listing = head_of(root / "ImageSets" / "Main" / f"{split}.txt", _MAX_LISTING)
        for line in listing.decode("utf-8", "replace").splitlines():
            if line.strip():
                split_of.setdefault(PurePosixPath(line.split()[0]).name, split)
    return split_of


def _xml(sample: Sample, place: str, boxes: list[Annotation], names: dict[int, str]) -> bytes:
    lines = [
        "<?xml version='1.0' encoding='utf-8'?>",
        "<annotation>",
        _leaf("filename", place, 1),
        "  <size>",
    ]
    sides = (("width", sample.width_px), ("height", sample.height_px), ("depth", 3))
    lines += [*(_leaf(side, value, 2) for side, value in sides), "  </size>"]
    for a in boxes:
        x, y, w, h = a.bbox_xywh_px or (0.0, 0.0, 0.0, 0.0)
        corners = (("xmin", x), ("ymin", y), ("xmax", x + w), ("ymax", y + h))
        lines += ["  <object>", _leaf("name", names[a.class_id], 2)]
        lines += [_leaf(flag, a.attributes[flag], 2) for flag in _FLAGS if flag in a.attributes]
        lines += ["    <bndbox>", *(_leaf(side, f"{number:.10g}", 3) for side, number in corners)]
        lines += ["    </bndbox>", "  </object>"]
    return "\n".join([*lines, "</annotation>", ""]).encode("utf-8")


def _leaf(tag: str, value: object, depth: int) -> str:
    return f"{'  ' * depth}<{tag}>{escape(str(value))}</{tag}>"


def _lost(sample: Sample, labels: list[Annotation]) -> Counter[str]:
    losses: Counter[str] = Counter()
    for a in labels:
        if a.bbox_xywh_px is None:
            losses[f"annotation of kind {a.kind}"] += 1
        elif a.kind is not Kind.BOX:
            losses[f"shape of a {a.kind} (its box is kept)"] += 1
        facts = {
            "id of an annotation": a.source_id,
            "score": a.score is not None,
            "iscrowd": a.iscrowd,
            "extra": a.extra,
        }
        losses.update(what for what, value in facts.items() if value)
        losses["attribute of an annotation"] += sum(name not in _FLAGS for name in a.attributes)
    facts = {
        "metadata": sample.metadata,
        "licence": sample.licence,
        "source": sample.source,
        "tags": sample.tags,
    }
    losses.update(f"{what} of a sample" for what, value in facts.items() if value)
    return +losses


def _refused(file: Path, detail: str, hint: str) -> LabelFileUnreadable:
    return LabelFileUnreadable(where=file.name, file=file.name, format="Pascal VOC", detail=detail, hint=hint)
