"""Labelbox NDJSON: a line for each annotation as its import takes them, or a line for each data row as it exports them.

Source: "Import annotations" (image) and "Export specifications" (image) of the Labelbox documentation. Coordinates are
pixels. A mask is a PNG in base 64, or lies behind an address, which is never fetched. Classifications of an object
become its attributes; those of a whole image its classes or captions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from calotype.datasets.model import Kind
from calotype.formats import json_text
from calotype.formats.base import Abilities, ExportSamples, LabelFileUnreadable, Written
from calotype.formats.fields import BadItem, listing, mapping, number, size_or_none, text, xy_objects
from calotype.formats.files_below import is_file, is_folder, is_own_file
from calotype.formats.image_finder import stated_path
from calotype.formats.split_names import split_of_folder
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedSource
from calotype.foundation.progress import Progress, silent
from calotype.tool_formats import labelbox_writing, shapes
from calotype.tool_formats.collected import Collected, Entry, Facts, read_each
from calotype.tool_formats.mask_runs import image_to_grey
from calotype.tool_formats.shapes import Shape
from calotype.tool_formats.writing import Export

_TITLE = "Labelbox NDJSON"
_SUFFIXES = (".ndjson", ".jsonl", ".json")
_LOOKED_AT = 200
_LINE = re.compile(rb'"dataRow"\s*:\s*\{')
_ROW = re.compile(rb'"data_row"\s*:\s*\{')
_BESIDE = re.compile(rb'"(?:projects|media_attributes|experiments)"\s*:\s*\{')
_SHAPES = ("bbox", "bounding_box", "polygon", "line", "point", "mask", "composite_mask")
_KINDS = frozenset(
    {Kind.BOX, Kind.POLYGON, Kind.POLYLINE, Kind.POINT, Kind.MASK, Kind.CLASSIFICATION, Kind.CAPTION}
)


class Labelbox:
    """Objects and classifications of images, as lines of JSON."""

    name = "labelbox"
    title = _TITLE
    suffixes = _SUFFIXES
    abilities = Abilities(
        reads=_KINDS,
        writes=_KINDS,
        one_file=True,
        loses=(
            "rotated boxes and ellipses (written as polygons)",
            "polygons of several parts (written as a mask)",
            "parts of a line but the longest, points but the first",
            "keypoints (their box is kept)",
            "iscrowd and extra keys of annotations; numbers as attributes become text",
            "ids, supercategories and keypoints of classes; classes without annotations",
            "metadata, licence, source and tags of samples",
        ),
        source="Labelbox documentation: import annotations, export specifications",
        coordinates="pixels",
        ids="images by global key or external id; annotations by uuid or feature id",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """Lines of JSON that refer to data rows."""
        evidence = list(_files(survey))
        return Sighting("lines of JSON", tuple(evidence[:5]), Certainty.DESCRIBED) if evidence else None

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable."""
        root = path if is_folder(path) else path.parent
        files = [path] if is_file(path) else [root / name for name in _files(Survey(path))]
        if not files:
            raise json_text.refused(
                path, _TITLE, "there are no lines of JSON", "give the exported NDJSON file"
            )
        return read_each(files, path, images, progress, _read_file)

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `data_rows.json`, `labels.ndjson` and `images/`; the same input gives the same bytes."""
        export = Export(samples, out, progress)
        labelbox_writing.write(export)
        return export.written()


def _files(survey: Survey) -> Iterator[str]:
    for name in survey.with_suffix(*_SUFFIXES)[:_LOOKED_AT]:
        head = survey.head(name)
        if head.lstrip(b"\xef\xbb\xbf \t\r\n[")[:1] != b"{":
            continue
        if _LINE.search(head) or (_ROW.search(head) and _BESIDE.search(head)):
            yield name


def _read_file(file: Path, collected: Collected) -> None:
    _read_data_rows(file.parent / labelbox_writing.DATA_ROWS, collected)
    listed = list(_listed(file))
    if not any(isinstance(value, dict) for _, value in listed):
        raise json_text.refused(file, _TITLE, "none of its lines is an object")
    for where, value in listed:
        place = f"{collected.file} {where}"
        with collected.item(place):
            _read(mapping(value, "line"), place, collected)


def _listed(file: Path) -> Iterator[tuple[str, Any]]:
    """Place and value of each line, or of each item where the file is one list."""
    data = json_text.file_bytes(file, _TITLE)
    if data.lstrip()[:1] == b"[":
        value = json_text.load(file, _TITLE)
        for at, one in enumerate(value if isinstance(value, list) else [value]):
            yield f"[{at}]", one
        return
    for at, one in json_text.rows(file, _TITLE):
        yield f"line {at}", one


def _read_data_rows(file: Path, collected: Collected) -> None:
    """The data rows as they are uploaded; they list images without annotations, and splits."""
    if not is_own_file(file, file.parent):
        return
    try:
        value = json_text.load(file, _TITLE)
    except LabelFileUnreadable as error:
        collected.notices.add(
            "file-not-labels", file.name, what=f"data rows that cannot be read: {error.message}"[:200]
        )
        return
    for at, one in enumerate(value if isinstance(value, list) else []):
        where = f"{file.name} [{at}]"
        with collected.item(where, "image"):
            _add_image(mapping(one, "data row"), {}, where, collected)


def _add_image(row: Mapping[str, Any], content: Mapping[str, Any], where: str, collected: Collected) -> str:
    """Add the image of a data row; returns its key. Raises: BadItem."""
    keys = ("global_key", "globalKey", "external_id", "externalId", "row_data", "id")
    stated = [str(row[key]) for key in keys if isinstance(row.get(key), str) and row[key].strip()]
    if not stated:
        raise BadItem("its data row has neither a key nor an id")
    media = content.get("media_attributes")
    sides = media if isinstance(media, dict) else {}
    size = size_or_none(sides.get("width"), sides.get("height"))
    split, metadata = _metadata(row.get("metadata_fields") or content.get("metadata_fields") or [])
    for one in stated:
        path = collected.search.find(stated_path(one) or "-") or collected.search.find_stem(one)
        if path is not None:
            entry = Entry(one, where, size, split, metadata=metadata)
            return collected.add_image(entry, path=path)
    named = next((one for one in stated if PurePosixPath(stated_path(one)).suffix), stated[0])
    return collected.add_image(Entry(named, where, size, split, metadata=metadata))


def _metadata(fields: Any) -> tuple[str, dict[str, str | int | float | bool]]:
    split, metadata = "", {}
    for one in fields if isinstance(fields, list) else []:
        if not isinstance(one, dict):
            continue
        name, value = one.get("schema_name") or one.get("name"), one.get("value")
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        if name == "split" and isinstance(value, str):
            split = split_of_folder(value) or value
        elif isinstance(name, str) and isinstance(value, str | int | float | bool):
            metadata[name] = value
    return split, metadata


def _read(line: Mapping[str, Any], where: str, collected: Collected) -> None:
    if "data_row" not in line:
        if "relationship" in line:
            collected.notices.add("value-dropped", where, what="relation between annotations: left out")
            return
        key = _add_image(mapping(line.get("dataRow"), "dataRow"), {}, where, collected)
        _read_annotation(line, key, where, collected)
        return
    key = _add_image(mapping(line["data_row"], "data_row"), line, where, collected)
    found: list[tuple[str, Mapping[str, Any]]] = []
    for project, said in mapping(line.get("projects") or {}, "projects").items():
        for at, one in enumerate(listing(mapping(said, "project").get("labels") or [], "labels")):
            with collected.item(f"{where} {project[:40]} labels[{at}]"):
                found.append((f"{where} labels[{at}]", mapping(one, "label")))
    for place, label in _chosen(found, collected):
        annotations = mapping(label.get("annotations") or {}, "annotations")
        if "frames" in annotations or "segments" in annotations:
            raise BadItem("its labels are those of a video")
        if annotations.get("relationships"):
            collected.notices.add("value-dropped", place, what="relation between annotations: left out")
        for part in ("objects", "classifications"):
            for at, one in enumerate(listing(annotations.get(part) or [], part)):
                with collected.item(f"{place} {part}[{at}]"):
                    _read_annotation(mapping(one, "annotation"), key, f"{place} {part}[{at}]", collected)


def _chosen(
    labels: Sequence[tuple[str, Mapping[str, Any]]], collected: Collected
) -> list[tuple[str, Mapping[str, Any]]]:
    """The labels that were not skipped; where one is a benchmark, only that."""
    kept = []
    for place, label in labels:
        if _flag(label, "performance_details", "skipped"):
            collected.notices.add("label-not-used", place, what="skipped label: left out")
        else:
            kept.append((place, label))
    best = [pair for pair in kept if _flag(pair[1], "label_details", "is_benchmark_reference")] or kept
    for place, _ in kept[: len(kept) - len(best)]:
        collected.notices.add("label-not-used", place, what="label beside a benchmark: left out")
    if len(best) > 1:
        words = "image with several labels, such as those of several annotators: all were read"
        collected.notices.add("value-unknown", best[0][0], what=words)
    return best


def _flag(label: Mapping[str, Any], part: str, name: str) -> bool:
    details = label.get(part)
    return isinstance(details, dict) and details.get(name) is True


def _read_annotation(one: Mapping[str, Any], key: str, where: str, collected: Collected) -> None:
    if "frames" in one or "segments" in one:
        raise BadItem("it is an annotation of a video")
    name = one.get("name") or one.get("schemaId") or one.get("feature_schema_id")
    class_name = text(name, "name")
    identity = one.get("uuid") or one.get("feature_id")
    source_id = identity if isinstance(identity, str) else ""
    score = one.get("confidence")
    kind = next((part for part in _SHAPES if part in one), "")
    if kind:
        attributes = _attributes(one.get("classifications") or [])
        shape = _shape(kind, one[kind], key, collected)
        collected.add(key, class_name, shape, where, Facts(attributes, {}, source_id, score))
        return
    answer, nested = _answer(one)
    if isinstance(answer, str) and not _is_choice(one):
        said = (
            {"text": answer}
            if class_name == labelbox_writing.CAPTION
            else {"text": answer, "question": class_name}
        )
        facts = Facts({**nested, **said}, {}, source_id, score)
        collected.add(key, labelbox_writing.CAPTION, Shape(Kind.CAPTION), where, facts)
        return
    question = {} if class_name == labelbox_writing.QUESTION else {"question": class_name}
    choices = answer if isinstance(answer, list) else [answer]
    for at, choice in enumerate(choices):
        facts = Facts({**nested, **question}, {}, source_id if at == 0 else "", score)
        collected.add(key, str(choice), shapes.whole_image(), where, facts)


def _is_choice(one: Mapping[str, Any]) -> bool:
    return isinstance(one.get("answer"), dict) or "radio_answer" in one


def _answer(one: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    """The answer of a classification, a text or a list of choices, and those of the questions below it."""
    if "text_answer" in one:
        return text(mapping(one["text_answer"], "text_answer").get("content"), "text"), {}
    said = next(
        (one[part] for part in ("answer", "answers", "radio_answer", "checklist_answers") if part in one),
        None,
    )
    if isinstance(said, str):
        return text(said, "answer"), {}
    nested: dict[str, Any] = {}
    choices = []
    for part in said if isinstance(said, list) else [mapping(said, "answer")]:
        choice = mapping(part, "answer")
        choices.append(text(choice.get("name") or choice.get("schemaId"), "answer"))
        nested |= _attributes(choice.get("classifications") or [])
    return (choices if isinstance(said, list) else choices[0]), nested


def _attributes(classifications: Any) -> dict[str, Any]:
    attributes: dict[str, Any] = {}
    for said in listing(classifications, "classifications"):
        one = mapping(said, "classification")
        name = text(one.get("name") or one.get("schemaId") or one.get("feature_schema_id"), "name")
        answer, nested = _answer(one)
        choice = _is_choice(one) and isinstance(answer, str)
        attributes |= {
            name: {"true": True, "false": False}.get(answer, answer) if choice else answer,
            **nested,
        }
    return attributes


def _shape(kind: str, said: Any, key: str, collected: Collected) -> Shape:
    if kind in ("bbox", "bounding_box"):
        box = mapping(said, kind)
        x, y, w, h = (number(box.get(side), side) for side in ("left", "top", "width", "height"))
        return shapes.box(x, y, w, h)
    if kind == "polygon":
        return shapes.polygon([xy_objects(said, kind)])
    if kind == "line":
        return shapes.polyline([xy_objects(said, kind)])
    if kind == "point":
        return shapes.points(xy_objects([said], kind))
    mask = mapping(said, kind)
    if not isinstance(mask.get("png"), str):
        raise BadItem("its mask lies behind an address, which is not fetched")
    inside = image_to_grey(mask["png"]) > 0
    size = (inside.shape[1], inside.shape[0])
    image = collected.images[key]
    if (image.size_wh is not None or image.path is not None) and collected.size_of(key) != size:
        raise BadItem(f"its mask is {size[0]}x{size[1]}, not of the size of its image")
    return shapes.mask(inside, (0, 0), size)
