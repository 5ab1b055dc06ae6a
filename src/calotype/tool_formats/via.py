"""VGG Image Annotator (VIA) 2: a project, or its annotations as JSON or CSV.

Source: "VIA annotation file formats" of the VIA documentation. Coordinates are pixels; the angle of an ellipse is in
radians. A region has one shape and any number of attributes; which of them is its class is the user's choice: the one
with a usual name, or else the only one, or else the first list.
"""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from calotype.datasets.model import Annotation, Kind, Sample
from calotype.formats.base import Abilities, ExportSamples, Written
from calotype.formats.csv_cells import long_cells
from calotype.formats.fields import BadItem, mapping, number, numbers, text
from calotype.formats.files_below import is_file, is_folder
from calotype.formats.json_text import file_bytes, load, parsed, refused
from calotype.formats.passthrough import Broken
from calotype.formats.split_names import split_of_folder
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedSource
from calotype.foundation.progress import Progress, silent
from calotype.tool_formats import shapes
from calotype.tool_formats.collected import BACKGROUND, Collected, Entry, Facts, read_each
from calotype.tool_formats.shapes import Shape, Turned
from calotype.tool_formats.writing import Export, json_bytes
from calotype.vision.masks import rings_of

_TITLE = "VIA"
_PROJECT = "via_project.json"
_UNNAMED = "region"
_CLASS_NAMES = ("class", "label", "name", "type", "category", "object", "class_name", "object_class")
_FILE_CLASSES = ("class", "label", "category")
_CSV_COLUMNS = ("filename", "file_attributes", "region_shape_attributes", "region_attributes")
_LOOKED_AT = 200
_OWN = re.compile(rb'"shape_attributes"\s*:|"_via_img_metadata"\s*:|"file_attributes"\s*:')
_CSV_HEAD = re.compile(rb"#?\"?filename\"?,[^\n]*region_shape_attributes")
_KINDS = frozenset(
    {Kind.BOX, Kind.POLYGON, Kind.POLYLINE, Kind.POINT, Kind.ELLIPSE, Kind.CLASSIFICATION, Kind.CAPTION}
)


class Via:
    """Regions of images, as a project, JSON or CSV."""

    name = "via"
    title = _TITLE
    suffixes = (".json", ".csv")
    abilities = Abilities(
        reads=_KINDS,
        writes=_KINDS,
        one_file=True,
        loses=(
            "rotated boxes and masks (written as polygons, one region a part, holes filled)",
            "parts of a polygon or line and points of one annotation (one region each)",
            "keypoints (their box is kept)",
            "id, score, iscrowd and extra keys of annotations; numbers as attributes become text",
            "ids, supercategories and keypoints of classes",
            "metadata, licence, source and tags of samples",
        ),
        source="VIA 2 documentation: annotation file formats",
        coordinates="pixels; ellipses by centre, radii and an angle in radians",
        ids="images by file name; the class is an attribute of the region",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """JSON or CSV files with regions of images."""
        evidence = list(_files(survey))
        return Sighting("a VIA file", tuple(evidence[:5]), Certainty.DESCRIBED) if evidence else None

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable."""
        survey = Survey(path)
        root = path if is_folder(path) else path.parent
        files = [path] if is_file(path) else [root / name for name in _files(survey)]
        if not files:
            raise refused(
                path, _TITLE, "there is no VIA file", "give the project, or the exported JSON or CSV"
            )
        return read_each(files, path, images, progress, _read)

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes a project, `via_project.json`, and `images/`; the same input gives the same bytes."""
        export = Export(samples, out, progress)
        export.lose_of_classes()
        _write(export)
        return export.written()


def _files(survey: Survey) -> Iterator[str]:
    for name in survey.with_suffix(".json")[:_LOOKED_AT]:
        head = survey.head(name)
        if head.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{" and _OWN.search(head):
            yield name
    for name in survey.with_suffix(".csv")[:_LOOKED_AT]:
        if _CSV_HEAD.match(survey.head(name).removeprefix(b"\xef\xbb\xbf")):
            yield name


def _read(file: Path, collected: Collected) -> None:
    (_read_csv if file.suffix.lower() == ".csv" else _read_json)(file, collected)


def _read_json(file: Path, collected: Collected) -> None:
    content = load(file, _TITLE)
    if not isinstance(content, dict):
        raise refused(file, _TITLE, "it is not an object", "export the annotations as JSON")
    listed = content.get("_via_img_metadata", content)
    if not isinstance(listed, dict):
        raise refused(file, _TITLE, "its images are not an object", "save the project again")
    settings = content.get("_via_attributes")
    reading = _Reading(collected, settings if isinstance(settings, dict) else {})
    for key, one in listed.items():
        where = f"{collected.file} {key[:80]!r}"
        with collected.item(where, "image"):
            image = mapping(one, "content")
            listed_regions = image.get("regions") or []
            if isinstance(listed_regions, dict):  # as VIA 1 wrote them
                listed_regions = list(listed_regions.values())
            sample = reading.add_image(image.get("filename"), image.get("file_attributes"), where)
            regions = listed_regions if isinstance(listed_regions, list) else [listed_regions]
            for at, region in enumerate(regions):
                place = f"{where} regions[{at}]"
                with collected.item(place):
                    reading.add_region(sample, mapping(region, "region"), place)
    reading.finish()


def _read_csv(file: Path, collected: Collected) -> None:
    lines = file_bytes(file, _TITLE).decode("utf-8", "replace").replace("\0", "\ufffd")
    with long_cells():
        _read_rows(lines, file, collected)


def _read_rows(lines: str, file: Path, collected: Collected) -> None:
    reader = csv.DictReader(io.StringIO(lines.removeprefix("#"), newline=""))
    missing = [name for name in _CSV_COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise refused(file, _TITLE, f"it has no column {missing[0]!r}", "export the annotations as CSV")
    reading = _Reading(collected, {})
    rows = enumerate(_rows(reader, file), 2)
    for at, row in rows:
        where = f"{collected.file} row {at}"
        with collected.item(where):
            values = {name: _cell(row.get(name), name) for name in _CSV_COLUMNS[1:]}
            sample = reading.add_image(row.get("filename"), values["file_attributes"], where)
            if values["region_shape_attributes"]:
                region = {
                    "shape_attributes": values["region_shape_attributes"],
                    "region_attributes": values["region_attributes"],
                }
                reading.add_region(sample, region, where)
    reading.finish()


def _rows(reader: csv.DictReader[str], file: Path) -> Iterator[dict[str, str | None]]:
    try:
        yield from reader
    except csv.Error as error:
        raise refused(file, _TITLE, f"it is not CSV: {error}"[:200]) from None


def _cell(written: str | None, name: str) -> Any:
    if not isinstance(written, str) or not written.strip():
        return {}
    value = parsed(written.encode("utf-8", "surrogatepass"))
    if isinstance(value, Broken):
        raise BadItem(f"its {name} cannot be read: {value.reason}"[:150])
    return value


class _Reading:
    """Reads regions; the class of each is chosen when all attributes are known."""

    def __init__(self, collected: Collected, settings: Mapping[str, Any]) -> None:
        self._collected = collected
        declared = settings.get("region")
        self._declared = declared if isinstance(declared, dict) else {}
        self._waiting: list[tuple[str, Shape, dict[str, Any], str]] = []
        self._seen_files: set[str] = set()

    def add_image(self, stated: Any, attributes: Any, where: str) -> str:
        """Add an image with its own attributes; returns its key. Raises: BadItem."""
        known = mapping(attributes or {}, "file_attributes")
        split = known.get("split") if isinstance(known.get("split"), str) else ""
        skipped = {"split", *_FILE_CLASSES, "caption", BACKGROUND}
        metadata = {
            name: value
            for name, value in known.items()
            if isinstance(value, str | int | float | bool) and name not in skipped and value != ""
        }
        tags = (BACKGROUND,) if known.get(BACKGROUND) in ("true", True) else ()
        entry = Entry(
            text(stated, "filename"), where, None, split_of_folder(str(split)) or str(split), tags, metadata
        )
        key = self._collected.add_image(entry)
        if key in self._seen_files:
            return key
        self._seen_files.add(key)
        for name in (one for one in _FILE_CLASSES if one in known):
            for chosen in _chosen(known[name]):
                self._collected.add(key, chosen, shapes.whole_image(), where)
        if isinstance(known.get("caption"), str) and known["caption"]:
            self._collected.add(key, "caption", Shape(Kind.CAPTION), where, Facts({"text": known["caption"]}))
        return key

    def add_region(self, key: str, region: Mapping[str, Any], where: str) -> None:
        """Add a region. Raises: BadItem."""
        shape = _shape(mapping(region.get("shape_attributes"), "shape_attributes"))
        attributes = dict(mapping(region.get("region_attributes") or {}, "region_attributes"))
        self._waiting.append((key, shape, attributes, where))

    def finish(self) -> None:
        """Choose the attribute that is the class and hand over the regions."""
        class_key = self._class_key()
        options = self._declared.get(class_key) if class_key else None
        if isinstance(options, dict) and isinstance(options.get("options"), dict):
            for name in options["options"]:
                if isinstance(name, str) and name.strip():
                    self._collected.declare(name.strip())
        for key, shape, attributes, where in self._waiting:
            names = _chosen(attributes.get(class_key)) if class_key else []
            if not names:
                self._collected.notices.add(
                    "class-unnamed", where, what=f"region without a class: named {_UNNAMED!r}"
                )
                names = [_UNNAMED]
            others = {name: _flat(value) for name, value in attributes.items() if name != class_key}
            for name in names:
                self._collected.add(key, name, shape, where, Facts(others))

    def _class_key(self) -> str | None:
        names: list[str] = list(
            dict.fromkeys([*self._declared, *(name for *_, found, _ in self._waiting for name in found)])
        )
        usual = [name for wanted in _CLASS_NAMES for name in names if name.strip().lower() == wanted]
        if usual:
            return usual[0]
        listed = [
            name
            for name in names
            if isinstance(self._declared.get(name), dict)
            and self._declared[name].get("type") in ("dropdown", "radio", "checkbox")
        ]
        return next(iter(listed), names[0] if len(names) == 1 else None)


def _shape(said: Mapping[str, Any]) -> Shape:
    kind = text(said.get("name"), "name")

    def value(name: str) -> float:
        return number(said.get(name), name)

    if kind in ("rect", "extreme_rect") and "x" in said:
        return shapes.box(value("x"), value("y"), value("width"), value("height"))
    if kind in ("circle", "extreme_circle"):
        return shapes.ellipse(Turned(value("cx"), value("cy"), 2 * value("r"), 2 * value("r"), 0.0))
    if kind == "ellipse":
        angle = math.degrees(number(said.get("theta") or 0, "theta"))
        return shapes.ellipse(Turned(value("cx"), value("cy"), 2 * value("rx"), 2 * value("ry"), angle))
    if kind == "point":
        return shapes.points([(value("cx"), value("cy"))])
    if kind in ("polygon", "polyline"):
        xs, ys = (numbers(said.get(f"all_points_{axis}"), f"all_points_{axis}") for axis in "xy")
        if len(xs) != len(ys):
            raise BadItem(f"it has {len(xs)} x and {len(ys)} y")
        points = list(zip(xs, ys, strict=True))
        return shapes.polygon([points]) if kind == "polygon" else shapes.polyline([points])
    raise BadItem(f"{kind[:40]!r} is not a shape that can be read")


def _chosen(value: Any) -> list[str]:
    """The options that an attribute holds: a text, or those of a checkbox that are true."""
    if isinstance(value, dict):
        return [name.strip() for name, on in value.items() if on in (True, "true") and name.strip()]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 10**15:
        return [str(value)]
    return [value.strip()] if isinstance(value, str) and value.strip() else []


def _flat(value: Any) -> Any:
    """An attribute as it is; the options of a checkbox as a list; `true` and `false` as such."""
    if isinstance(value, dict):
        return _chosen(value)
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _write(export: Export) -> None:
    images: dict[str, Any] = {}
    region_names: dict[str, None] = {}
    for sample, labels in export.samples.items():
        place = export.samples.file_name(sample)
        export.add_image(sample, f"images/{place}")
        export.lose_of_sample(sample, keeps={"split", BACKGROUND})
        attributes: dict[str, Any] = {"split": sample.split} if sample.split else {}
        if BACKGROUND in sample.tags:
            attributes[BACKGROUND] = "true"
        listed: list[dict[str, Any]] = []
        for a in labels:
            if a.kind is Kind.CAPTION and "caption" in attributes:
                export.lose("further caption of an image", a)
                continue
            export.lose_of_annotation(a)
            export.count()
            if a.kind is Kind.CAPTION:
                attributes["caption"] = a.attributes["text"]
            elif a.kind is Kind.CLASSIFICATION or a.bbox_xywh_px is None:
                chosen = attributes.setdefault("class", {})
                if export.names[a.class_id] in chosen:
                    export.lose("the same class of an image given twice", a)
                    export.count(-1)
                chosen[export.names[a.class_id]] = True
            else:
                said = {name: export.as_text(a, value) for name, value in a.attributes.items()}
                said = {"class": export.names[a.class_id], **{n: v for n, v in said.items() if n != "class"}}
                region_names |= dict.fromkeys(said)
                listed += [
                    {"shape_attributes": one, "region_attributes": said} for one in _drawn(export, a, sample)
                ]
        images[f"{place}{sample.n_bytes}"] = {
            "filename": place,
            "size": sample.n_bytes,
            "regions": listed,
            "file_attributes": attributes,
        }
    export.write(_PROJECT, json_bytes(_project(export, images, region_names)))


def _project(
    export: Export, images: Mapping[str, Any], region_names: Sequence[str] | Mapping[str, None]
) -> Any:
    options = {c.name: "" for c in export.samples.ontology.classes}
    listed = {"type": "dropdown", "description": "", "options": options, "default_options": {}}
    written = {"type": "text", "description": "", "default_value": ""}
    of_region = {name: listed if name == "class" else written for name in ("class", *region_names)}
    of_file = {
        "split": written,
        "caption": written,
        "class": {"type": "checkbox", "description": "", "options": options, "default_options": {}},
    }
    core = {"buffer_size": 18, "filepath": {}, "default_filepath": "images/"}
    return {
        "_via_settings": {"ui": {}, "core": core, "project": {"name": "calotype"}},
        "_via_img_metadata": images,
        "_via_attributes": {"region": of_region, "file": of_file},
        "_via_data_format_version": "2.0.10",
        "_via_image_id_list": list(images),
    }


def _drawn(export: Export, a: Annotation, sample: Sample) -> list[dict[str, Any]]:
    if a.kind is Kind.ELLIPSE:
        at = shapes.turned(a.rings_px[0])
        sides = {"cx": at.x, "cy": at.y, "rx": at.width / 2, "ry": at.height / 2}
        return [{"name": "ellipse", **sides, "theta": math.radians(at.angle_deg)}]
    if a.kind is Kind.POINT:
        points = shapes.paired(a.rings_px[0])
        if len(points) > 1:
            export.lose("annotation of several points (one region each)", a)
        return [{"name": "point", "cx": x, "cy": y} for x, y in points]
    rings = a.rings_px
    if a.kind is Kind.MASK:
        export.lose("mask (written as polygons, holes filled)", a)
        rings = rings_of(shapes.mask_of(a, (sample.width_px, sample.height_px)))
    elif a.kind is Kind.ROTATED_BOX:
        export.lose("rotated box (written as a polygon)", a)
    if rings:
        if len(rings) > 1:
            export.lose("annotation of several parts (one region each)", a)
        name = "polyline" if a.kind is Kind.POLYLINE else "polygon"
        return [
            {"name": name, "all_points_x": list(ring[0::2]), "all_points_y": list(ring[1::2])}
            for ring in rings
        ]
    if a.kind is not Kind.BOX:
        export.lose(f"shape of a {a.kind} (its box is kept)", a)
    x, y, w, h = a.bbox_xywh_px or (0.0, 0.0, 0.0, 0.0)
    return [{"name": "rect", "x": x, "y": y, "width": w, "height": h}]
