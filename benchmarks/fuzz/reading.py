"""Reads a set of labels in every way that an import does, and judges what comes of it."""

from __future__ import annotations

import atexit
import dataclasses
import functools
import json
import math
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa

import calotype as ct
from calotype.acquire.labels.label_rows import PassResult, ResolvedSource, RowContext, annotation_batches
from calotype.acquire.labels.model import ImportOptions, quarantined_problem
from calotype.acquire.labels.service import import_annotations
from calotype.datasets import rows
from calotype.exchange import registry
from calotype.exchange.classes import with_declared_classes
from calotype.formats.notices import NOTICES
from calotype.foundation.errors import CalotypeError
from calotype.foundation.ids import uuid8
from calotype.store.tables.tables import RestageNeeded
from calotype.vision.ontology import Ontology


class Silent(Exception):
    """Something was lost, invented or read without a word."""


@dataclass
class Reading:
    """What a reader gave: rows, items quarantined, the classes used, the images listed, the codes of its notices."""

    n_rows: int = 0
    n_images: int = 0
    is_results: bool = False
    problems: list[Any] = field(default_factory=list)
    classes: set[str] = field(default_factory=set)
    named: set[str] = field(default_factory=set)


def read(format: str, folder: Path) -> Reading:
    """Open a folder, find its files, read all windows twice, and do to each row what an import does."""
    reading = Reading()
    for source in registry.reader(format).open(folder):
        for problem in source.problems:
            _is_placed(problem)
        reading.problems += [quarantined_problem(problem) for problem in source.problems]
        for notice in source.warnings:
            _is_said(notice)
            reading.named.add(notice.code)
        for loss in source.losses:
            (loss.what + "".join(loss.examples)).encode()
        json.dumps(source.info, allow_nan=False)
        reading.n_images += len(source.images)
        if source.index is None:
            reading.is_results = True
            continue
        listed = source.images.values(range(len(source.images)))
        if len(list(source.locate(0, len(source.images)))) != len(listed):
            raise Silent("images and files differ in number")
        if _all_windows(source) != _all_windows(source):
            raise Silent("a second reading of the windows differs")
        _rows(source, reading)
    json.dumps([item.to_dict() for item in reading.problems], allow_nan=False).encode()
    for item in reading.problems:
        (item.place + item.reason).encode()
    return reading


def _all_windows(source: Any) -> list[Any]:
    windows = []
    for window in source.windows(source.index):
        for problem in window.problems:
            _is_placed(problem)
        columns = {name: column.to_pylist() for name, column in window.columns.items()}
        places = [window.place(at) for at in range(len(window))]
        if not all(places):
            raise Silent("an annotation has no place")
        found = [
            repr(columns),
            window.image.tolist(),
            window.category.tolist(),
            window.source_id.to_pylist(),
            places,
        ]
        windows.append([*found, window.identities, [(p.what, p.where, p.reason) for p in window.problems]])
    return windows


def _is_placed(problem: Any) -> None:
    if not (problem.where and problem.reason and problem.code):
        raise Silent(f"a problem without its place: {problem.what}, {problem.reason[:100]!r}")


def _is_said(notice: Any) -> None:
    if notice.code not in NOTICES or not notice.what or notice.count < 1:
        raise Silent(f"a notice that says nothing: {notice.code}")
    (notice.what + "".join(notice.examples)).encode()


def _rows(source: Any, reading: Reading) -> None:
    ontology = with_declared_classes(Ontology(), source.classes)
    Ontology.from_json(msgspec.json.decode(msgspec.json.encode(ontology.to_json())))
    context = RowContext(ontology, frozenset(), "ground_truth", "0" * 32, "fuzz")
    size = len(source.index.image_ids)
    ids = pa.array([uuid8("sample", str(at)) for at in range(size)], pa.string())
    resolved = ResolvedSource(source, source.index, ids)
    while True:
        result, n, used = PassResult(), 0, set()
        try:
            for batch in annotation_batches(resolved, context, result):
                n += batch.num_rows
                for annotation in rows.annotations_from_arrow(pa.Table.from_batches([batch])):
                    _check(annotation)
                    found = ontology.by_id(annotation.class_id)
                    if found is None:
                        raise Silent(f"a class {annotation.class_id} that nobody declared")
                    used.add(found.name)
        except RestageNeeded:
            continue
        reading.n_rows += n
        reading.problems += result.quarantined
        reading.classes |= used
        return


def _check(annotation: Any) -> None:
    """The record's own validation, and numbers that are finite."""
    dataclasses.replace(annotation)
    numbers = [*(annotation.bbox_xywh_px or ()), *annotation.keypoints_xyv]
    numbers += [v for ring in annotation.rings_px for v in ring]
    numbers += [v for v in (annotation.area_px, annotation.score) if v is not None]
    if not all(math.isfinite(number) for number in numbers):
        raise Silent("a number that is not finite was accepted")
    json.dumps([dict(annotation.attributes), dict(annotation.extra)], allow_nan=False)


def detected(folder: Path) -> str | CalotypeError:
    """The name of the format that is taken, or why none is."""
    try:
        return registry.detect(folder).format.name
    except CalotypeError as error:
        return error


def planned(folder: Path) -> str:
    """Plan the import as `--format auto --dry-run` does; the code of the first item that is quarantined, or nothing.

    Raises: CalotypeError.
    """
    _, context = _workspace()
    imported = import_annotations(
        context.actor, "fuzz", folder, ImportOptions(dry_run=True), store=context.store
    )
    json.dumps(imported.to_dict(), allow_nan=False).encode()
    for item in imported.set_aside:
        if not (item.code and item.place and item.reason):
            raise Silent(f"quarantined without its place: {item.code} {item.reason[:100]!r}")
    return next(iter(imported.reasons), "")


def workspace_folder() -> str:
    """The folder of the workspace that imports are planned in."""
    return str(_folder())


@functools.cache
def _folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="calotype-fuzz-plans-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@functools.cache
def _workspace() -> tuple[Any, Any]:
    workspace = ct.open(_folder() / "ws")
    return workspace, workspace.create("fuzz")._context
