"""Writing Croissant: tables of images, boxes and classes, and the description of them."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from calotype.datasets.model import Kind
from calotype.formats.base import ExportSamples, Written
from calotype.formats.notices import Losses
from calotype.foundation.progress import Progress
from calotype.public_formats.numbers import shortest
from calotype.public_formats.writing import FileWriter, box_of, lose_annotation, lose_sample

FILE = "croissant.json"
_TEXT, _INT, _FLOAT = "sc:Text", "sc:Integer", "sc:Float"
_IMAGES = (("file_name", _TEXT), ("split", _TEXT), ("width", _INT), ("height", _INT))
_BOXES = (
    ("file_name", _TEXT),
    ("class", _TEXT),
    ("x", _FLOAT),
    ("y", _FLOAT),
    ("width", _FLOAT),
    ("height", _FLOAT),
    ("iscrowd", _INT),
)
_LABELS = (("file_name", _TEXT), ("class", _TEXT))
_TABLES = {
    "samples": (_IMAGES, "Every image with its split and its size in pixels."),
    "boxes": (
        _BOXES,
        "One row a box: left, top, width and height in pixels from the top-left corner of the image.",
    ),
    "labels": (_LABELS, "One row a class of a whole image."),
}
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def write_described(samples: ExportSamples, out: Path, progress: Progress) -> Written:
    """Write images, tables and their description; the same input gives the same bytes."""
    losses, files, n_annotations = Losses(), FileWriter(out), 0
    names = {c.id: c.name for c in samples.ontology.classes}
    rows: dict[str, list[Sequence[Any]]] = {table: [] for table in _TABLES}
    suffixes: set[str] = set()
    for done, (sample, labels) in enumerate(samples.items(), 1):
        place = "/".join(filter(None, ("images", sample.split, samples.file_name(sample))))
        files.image(samples, sample, place)
        suffixes.add(sample.mime)
        rows["samples"].append((place, sample.split, sample.width_px, sample.height_px))
        for a in labels:
            if a.kind is Kind.CLASSIFICATION:
                rows["labels"].append((place, names[a.class_id]))
                lose_annotation(losses, a, sample.name)
            elif (box := box_of(losses, a, sample.name)) is not None:
                sides = [shortest(value) for value in box]
                rows["boxes"].append((place, names[a.class_id], *sides, int(a.iscrowd)))
                lose_annotation(losses, a, sample.name, keeps=("iscrowd",))
        lose_sample(losses, sample)
        progress("writing labels", done, samples.n_samples)
    n_annotations = len(rows["boxes"]) + len(rows["labels"])
    hashes: dict[str, str] = {}
    for table, listed in rows.items():
        if listed or table == "samples":
            data = _csv([[column for column, _ in _TABLES[table][0]], *listed])
            files.data(f"{table}.csv", data)
            hashes[table] = hashlib.sha256(data).hexdigest()
    has_images = any(name.startswith("images/") for name in files.files)
    value = _description(hashes, sorted(suffixes) if has_images else [], sorted(names.values()))
    files.text(FILE, json.dumps(value, indent=2, ensure_ascii=False) + "\n")
    return Written(files.listed(), samples.n_samples, n_annotations, losses.listed())


def _description(hashes: dict[str, str], image_types: list[str], names: list[str]) -> dict[str, Any]:
    distribution: list[dict[str, Any]] = [
        {
            "@type": "cr:FileObject",
            "@id": f"{table}.csv",
            "name": f"{table}.csv",
            "contentUrl": f"{table}.csv",
            "encodingFormat": "text/csv",
            "sha256": sha256,
        }
        for table, sha256 in hashes.items()
    ]
    record_sets = [_record_set(table) for table in hashes]
    if image_types:
        distribution.append(
            {
                "@type": "cr:FileSet",
                "@id": "image-files",
                "name": "image-files",
                "encodingFormat": image_types if len(image_types) > 1 else image_types[0],
                "includes": "images/**",
            }
        )
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": "dataset",
        "description": f"Images with labels of {len(names)} classes: {', '.join(names[:50])}",
        "distribution": distribution,
        "recordSet": record_sets,
    }


def _record_set(table: str) -> dict[str, Any]:
    columns, text = _TABLES[table]
    fields = []
    for column, kind in columns:
        source = {"fileObject": {"@id": f"{table}.csv"}, "extract": {"column": column}}
        field = {
            "@type": "cr:Field",
            "@id": f"{table}/{column}",
            "name": column,
            "dataType": kind,
            "source": source,
        }
        if column == "file_name" and table != "samples":
            field["references"] = {"field": {"@id": "samples/file_name"}}
        fields.append(field)
    key = {"key": {"@id": "samples/file_name"}} if table == "samples" else {}
    return {"@type": "cr:RecordSet", "@id": table, "name": table, "description": text, **key, "field": fields}


def _csv(rows: list[Sequence[Any]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8", "backslashreplace")
