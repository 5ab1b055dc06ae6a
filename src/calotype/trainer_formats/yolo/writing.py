"""Writing a YOLO set as its trainers read it: `data.yaml`, `images/<split>/` and `labels/<split>/`, one form of row.

An image has a label file when it was looked at, an empty one when it holds nothing; one that is not labelled has none.
`data.yaml` has no `path`, so that trainers resolve it by its own folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import yaml

from calotype.datasets.model import Kind, Sample
from calotype.formats.base import ExportSamples, Written
from calotype.formats.export_names import file_names
from calotype.formats.notices import MAX_EXAMPLES, Losses
from calotype.formats.small_files import SmallFiles
from calotype.foundation.collector import collector_paused
from calotype.foundation.progress import Progress
from calotype.trainer_formats.yolo import row_text
from calotype.trainer_formats.yolo.opening import BACKGROUND
from calotype.trainer_formats.yolo.row_text import RowForm, RowWriter
from calotype.trainer_formats.yolo.splits import named_split
from calotype.vision.keypoints import stated_mirror_order
from calotype.vision.ontology import Class

NO_SPLIT = "unassigned"
_NO_NAMES = ("", ".", "..")
_COLUMNS = (*row_text.COLUMNS, "sample_id", "class_id", "score", "attributes", "extra", "source_id")
_AT_ONCE = 5_000
"""Samples whose files are made together."""
_IN_MEMORY = 100_000
"""Samples up to which the annotations are read once; of more, twice."""


def write(samples: ExportSamples, out: Path, progress: Progress) -> Written:
    """Write a set into an empty folder; the same input gives the same bytes."""
    losses = Losses()
    classes = list(samples.ontology.classes)
    for at, one in enumerate(classes):
        losses.add("id of a class (numbered from 0)", one.name, n=one.id != at)
    chunks = _Chunks(samples)
    kinds, lengths = chunks.kinds()
    form = row_text.form_of(kinds)
    n_points = max([0, *lengths.values(), *(len(c.keypoints) for c in classes if c.id in lengths)])
    writer = RowWriter(form, n_points, {c.id: at for at, c in enumerate(classes)}, losses)
    names = planned_names(samples.listed)
    _lose_names(samples.listed, names, losses)
    files, n_annotations = ["data.yaml"], 0
    labels = SmallFiles(out)
    for part, table in chunks.parts():
        _lose_columns(part, table, losses)
        for sample, rows, is_labelled in _rows_of(part, table, writer):
            name = names[sample.sample_id]
            if samples.bring(sample, f"{out}/images/{name}"):
                files.append(f"images/{name}")
            n_annotations += len(rows)
            if rows or (BACKGROUND in sample.tags and not is_labelled):
                body = "\n".join([*rows, ""]).encode()
                files.append(labels.write(f"labels/{name.rpartition('.')[0]}.txt", body))
            elif is_labelled:
                losses.add(
                    "image whose annotations YOLO cannot hold (a trainer takes it as background)", sample.name
                )
            else:
                losses.add("image not labelled (a trainer takes it as background)", sample.name)
        progress("writing labels", len(files), len(files))
    folders = {names[sample.sample_id].partition("/")[0]: sample.split for sample in samples.listed}
    described = _splits(folders, losses) | _classes(classes, form, n_points, lengths, losses)
    text = yaml.safe_dump(described, allow_unicode=True, sort_keys=False, width=1_000)
    (out / "data.yaml").write_text(text, encoding="utf-8")
    return Written(tuple(sorted(files)), samples.n_samples, n_annotations, losses.listed())


def planned_names(samples: Sequence[Sample]) -> Mapping[str, str]:
    """The path of each sample's image below `images/`, by its id: its split, then its name without layout folders."""
    return file_names(samples, lambda sample: _wished(sample.name, sample.split))


def _wished(name: str, split: str) -> str:
    """The folder of a split and what follows it; folders are looked at once, as a set has few of them."""
    folder, _, last = name.replace("\\", "/").rpartition("/")
    if last in _NO_NAMES:
        parts = [part for part in folder.split("/") if part not in _NO_NAMES]
        return _wished("/".join(parts or ["image"]), split)
    return _folder(folder, split) + last


@lru_cache(maxsize=10_000)
def _folder(folder: str, split: str) -> str:
    """The folder of a split, then this one without parts `images` and without leading ones that say the split again."""
    parts = [part for part in folder.split("/") if part not in _NO_NAMES]
    parts = [part for part in parts if part.strip(" .").lower() != "images"]
    splits = {split.lower(), named_split(split)} - {""} if split else {NO_SPLIT}
    while parts and (parts[0].lower() in splits or named_split(parts[0]) in splits):
        parts = parts[1:]
    return "/".join([_split_folder(split), *parts, ""])


def _split_folder(split: str) -> str:
    folder = re.sub(r"[/\\]", "-", split).strip(" .") or NO_SPLIT
    return f"split-{folder}" if folder.lower() in ("images", "labels") else folder


def _with_names(samples: Sequence[Sample], names: Mapping[str, str]) -> Iterator[tuple[Sample, str]]:
    return ((sample, names[sample.sample_id]) for sample in samples)


def _lose_names(samples: Sequence[Sample], names: Mapping[str, str], losses: Losses) -> None:
    """Names that are not the end of the old one: an inner folder was left out, or a part was made safe or unique."""
    for sample, name in _with_names(samples, names):
        inner = name.partition("/")[2]
        if not f"/{sample.name}".endswith(f"/{inner}"):
            losses.add("name of an image (changed)", f"{sample.name}: {inner}")


class _Chunks:
    """The annotations of an export, chunk by chunk; several times without reading a small export again."""

    def __init__(self, samples: ExportSamples) -> None:
        self._samples = samples
        self._kept: list[tuple[list[Sample], pa.Table]] | None = None
        if samples.n_samples <= _IN_MEMORY:
            self._kept = list(samples.tables(_COLUMNS))

    def parts(self) -> Iterator[tuple[list[Sample], pa.Table]]:
        """Some thousand samples at a time with their annotations; what was read is given up on the way."""
        kept, self._kept = self._kept, None
        for chunk, table in self._samples.tables(_COLUMNS) if kept is None else _popped(kept):
            ids = pa.array([sample.sample_id for sample in chunk], pa.string())
            of_row = pc.index_in(table["sample_id"], value_set=ids).to_numpy()
            for start in range(0, len(chunk), _AT_ONCE):
                part = chunk[start : start + _AT_ONCE]
                low, high = np.searchsorted(of_row, (start, start + len(part))).tolist()
                with collector_paused():
                    yield part, table.slice(low, high - low).combine_chunks()

    def kinds(self) -> tuple[set[str], dict[int, int]]:
        """The kinds of annotations, and for classes of poses the number of keypoints."""
        kinds: set[str] = set()
        lengths: dict[int, int] = {}
        columns = ("kind", "class_id", "keypoints")
        for _, table in self._samples.tables(columns) if self._kept is None else self._kept:
            kinds.update(pc.unique(table["kind"]).to_pylist())
            posed = table.filter(pc.equal(table["kind"], str(Kind.KEYPOINTS)))
            counts = pc.fill_null(pc.list_value_length(posed["keypoints"]), 0).to_pylist()
            for class_id, count in zip(posed["class_id"].to_pylist(), counts, strict=True):
                lengths[class_id] = max(lengths.get(class_id, 0), count // 3)
        return kinds, lengths


def _popped(kept: list[tuple[list[Sample], pa.Table]]) -> Iterator[tuple[list[Sample], pa.Table]]:
    while kept:
        yield kept.pop(0)


def _rows_of(
    samples: Sequence[Sample], table: pa.Table, writer: RowWriter
) -> Iterator[tuple[Sample, list[str], bool]]:
    """Each sample with the rows of its label file, and whether it has annotations at all."""
    texts = writer.texts(samples, table)
    are_whole = all(texts)
    ids = pa.array([sample.sample_id for sample in samples], pa.string())
    of_row = pc.index_in(table["sample_id"], value_set=ids).to_numpy()
    ends = np.searchsorted(of_row, np.arange(len(samples)), side="right").tolist()
    start = 0
    for sample, end in zip(samples, ends, strict=True):
        rows = texts[start:end] if are_whole else [text for text in texts[start:end] if text]
        if len(rows) > 1 and (n := len(rows) - len(set(rows))):
            writer.losses.add("annotation given twice (a trainer reads it once)", sample.name, n=n)
        yield sample, rows, end > start
        start = end


def _splits(folders: Mapping[str, str], losses: Losses) -> dict[str, Any]:
    """The entries of the splits: folder in `images/` -> split. `train` and `val` are always there: trainers ask for
    them."""
    entries: dict[str, list[str]] = {}
    for folder, split in sorted(folders.items()):
        key = named_split(split) or (folder if split else "")
        if key:
            entries.setdefault(key, []).append(f"images/{folder}")
    order = [key for key in ("train", "val", "test") if key in entries]
    others = [f"images/{folder}" for folder in sorted(folders)]
    stand_in = entries.get("train") or entries.get("val") or others
    described = {key: entries.get(key, stand_in) for key in ("train", "val")}
    described |= {key: entries[key] for key in [*order, *sorted(entries.keys() - set(order))]}
    for key in ("train", "val"):
        if key not in entries:
            losses.add(
                f"split {key} (there is none: data.yaml names another folder for it)", described[key][0]
            )
    return {key: found[0] if len(found) == 1 else found for key, found in described.items() if found}


def _classes(
    classes: Sequence[Class], form: RowForm, n_points: int, lengths: Mapping[int, int], losses: Losses
) -> dict[str, Any]:
    """The classes and, for poses, their keypoints. `task` says what all rows are."""
    described: dict[str, Any] = {"nc": len(classes), "names": dict(enumerate(c.name for c in classes))}
    described["task"] = str(form)
    if form is not RowForm.POSE:
        return described
    posed = [(at, c) for at, c in enumerate(classes) if c.id in lengths]
    orders = [_padded(stated_mirror_order(c.keypoints, c.extra) or (), n_points) for _, c in posed]
    full = [order for order, (_, c) in zip(orders, posed, strict=True) if len(c.keypoints) == n_points]
    kept = next(iter([*full, *orders]), list(range(n_points)))
    for order, (_, one) in zip(orders, posed, strict=True):
        losses.add("flip_idx of a class (a set has one for all)", one.name, n=order != kept)
    for _, one in posed:
        few = lengths[one.id] < n_points
        losses.add(
            "number of keypoints of a class (padded with points that are not labelled)", one.name, n=few
        )
    described |= {"kpt_shape": [n_points, 3], "flip_idx": kept}
    described["kpt_names"] = {at: _named_points(c.keypoints, n_points) for at, c in posed}
    return described


def _padded(order: Sequence[int], n_points: int) -> list[int]:
    return [*order, *range(len(order), n_points)]


def _named_points(names: Sequence[str], n_points: int) -> list[str]:
    return [*names, *(f"point-{at}" for at in range(len(names), n_points))]


def _lose_columns(samples: Sequence[Sample], table: pa.Table, losses: Losses) -> None:
    """What no row and no file of a set has room for."""
    name_of = {sample.sample_id: sample.name for sample in samples}

    def lose(what: str, mask: pa.ChunkedArray) -> None:
        found = table["sample_id"].filter(mask.fill_null(False))
        for sample_id in found.slice(0, MAX_EXAMPLES).to_pylist():
            losses.add(what, name_of[sample_id])
        losses.add(what, n=max(0, len(found) - MAX_EXAMPLES))

    lose("id of an annotation", pc.not_equal(table["source_id"], ""))
    lose("score of an annotation", pc.is_valid(table["score"]))
    lose("extra keys of an annotation", pc.not_equal(table["extra"], ""))
    with_attributes = table.filter(pc.not_equal(table["attributes"], "").fill_null(False))
    for sample_id, text in zip(
        with_attributes["sample_id"].to_pylist(), with_attributes["attributes"].to_pylist(), strict=True
    ):
        losses.add("attribute of an annotation", name_of[sample_id], n=len(msgspec.json.decode(text)))
    facts: dict[str, Callable[[Sample], object]] = {
        "metadata of a sample": attrgetter("metadata"),
        "licence of a sample": attrgetter("licence"),
        "source of a sample": attrgetter("source"),
        "tags of a sample": lambda sample: any(tag != BACKGROUND for tag in sample.tags),
    }
    for what, fact in facts.items():
        for sample in filter(fact, samples):
            losses.add(what, sample.name)
