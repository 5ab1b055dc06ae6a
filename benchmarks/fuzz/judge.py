"""What becomes of one mutant: accepted, set aside or refused with a code; or wrong: a crash, or a silent loss.

The reader and everything the import does to its rows run in process; the whole import, with the checks and an export
after it, runs on a share of the mutants (`whole`).
"""

from __future__ import annotations

import json
import math
import os
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import yaml
from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import ParseError, fromstring
from mutants import Files

import calotype as ct
from calotype.acquire.labels.label_rows import PassResult, ResolvedSource, RowContext, annotation_batches
from calotype.acquire.labels.model import quarantined_problem, with_declared_classes
from calotype.checks import measures as check_measures
from calotype.checks import service as checks
from calotype.checks.suite.registry import known_checks
from calotype.contracts import text as contract_text
from calotype.datasets import rows
from calotype.exchange import registry
from calotype.findings.isolation import FAULT
from calotype.formats.survey import Survey
from calotype.foundation.errors import CalotypeError
from calotype.foundation.ids import uuid8
from calotype.pipeline import text as pipeline_text
from calotype.store.tables.tables import RestageNeeded
from calotype.trainer_formats.yolo import splits
from calotype.vision import images
from calotype.vision.images import IMAGE_EXTENSIONS
from calotype.vision.ontology import Ontology

FORMATS = {"coco": "coco", "yolo": "yolo", "voc": "voc", "folders": "folder"}
_XML_ERRORS = (ParseError, DefusedXmlException, ValueError, LookupError, RecursionError)
_OURS = {"bug", "internal", "storage-failed"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`what` is accepted, set aside, refused, crash or silent; `code` says more."""

    what: str
    code: str = ""
    detail: str = ""


class Silent(Exception):
    """Something was lost or invented without a word."""


def put(files: Files, folder: Path) -> bool:
    """Write the files of a mutant; False where the file system cannot hold one of them."""
    try:
        for name, data in files.items():
            path = os.path.join(os.fsencode(folder), name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(data)
    except (OSError, ValueError):
        return False
    return True


def judge(kind: str, files: Files, *, whole: bool) -> Outcome:
    """The outcome of one mutant."""
    with tempfile.TemporaryDirectory(prefix="calotype-fuzz-", dir=_SHM) as name:
        folder = Path(name) / "set"
        folder.mkdir()
        if not put(files, folder):
            return Outcome("not written")
        try:
            if kind == "images":
                return _image(files)
            if kind in ("contracts", "pipelines"):
                return _text(kind, files, Path(name), whole)
            if whole:
                return _whole(kind, folder, Path(name))
            return _labels(kind, folder)
        except CalotypeError as error:
            return Outcome("crash" if error.code in _OURS else "refused", error.code, str(error)[:300])
        except Silent as error:
            return Outcome("silent", "silent", str(error)[:300])


_SHM = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _labels(kind: str, folder: Path) -> Outcome:
    """Read as `--format auto` and by name, and do to every row what an import does."""
    expected = FORMATS[kind]
    auto: str | CalotypeError
    try:
        auto = registry.detect(folder).format.name
    except CalotypeError as error:
        auto = error
    sources = registry.reader(expected).open(folder)
    if isinstance(auto, str) and auto != expected and not _is_other(kind, folder):
        raise Silent(f"taken as {auto}")
    n_rows, problems, classes, n_images = 0, [], set(), 0
    named = {warning.code for source in sources for warning in source.warnings}
    for source in sources:
        problems += [quarantined_problem(problem) for problem in source.problems]
        if source.index is None:
            return Outcome("accepted", "results")
        n_images += len(source.images)
        listed = source.images.values(range(len(source.images)))
        located = list(source.locate(0, len(source.images)))
        if len(located) != len(listed):
            raise Silent("images and files differ in number")
        n, aside, used = _rows(source)
        n_rows, problems, classes = n_rows + n, problems + aside, classes | used
        json.dumps(source.info, allow_nan=False)
    json.dumps([item.to_dict() for item in problems], allow_nan=False).encode()
    for item in problems:
        (item.place + item.reason).encode()
    if not named & {"file-not-labels", "label-not-used"}:  # whole files whose lines are not counted
        _conserved(kind, folder, n_rows, problems, classes, n_images)
    return Outcome("set aside" if problems else "accepted", problems[0].code if problems else "")


def _rows(source: Any) -> tuple[int, list[Any], set[str]]:
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
                table = pa.Table.from_batches([batch])
                for annotation in rows.annotations_from_arrow(table):
                    _check(annotation)
                    found = ontology.by_id(annotation.class_id)
                    if found is None:
                        raise Silent(f"a class {annotation.class_id} that nobody declared")
                    used.add(found.name)
        except RestageNeeded:
            continue
        return n, result.quarantined, used


def _check(annotation: Any) -> None:
    numbers = [
        *(annotation.bbox_xywh_px or ()),
        *annotation.keypoints_xyv,
        *(v for r in annotation.rings_px for v in r),
    ]
    numbers += [v for v in (annotation.area_px, annotation.score) if v is not None]
    if not all(math.isfinite(number) for number in numbers):
        raise Silent("a number that is not finite was accepted")
    json.dumps([dict(annotation.attributes), dict(annotation.extra)], allow_nan=False)


def _is_other(kind: str, folder: Path) -> bool:
    """Whether the change made the folder a valid set of another format, too."""
    return kind == "folders" or registry.FORMATS["coco"].recognise(Survey(folder)) is not None


def _conserved(
    kind: str, folder: Path, n_rows: int, problems: Sequence[Any], classes: set[str], n_images: int
) -> None:
    """What the files say in number is what was accepted and set aside; classes are those of the files."""
    n_aside = sum(item.what == "annotation" for item in problems)
    if kind == "coco":
        n_listed, names = _coco_says(folder)
    elif kind == "yolo":
        n_listed, names = _yolo_says(folder)
    elif kind == "voc":
        n_listed, names = _voc_says(folder)
    else:
        n_listed, names = _folder_says(folder)
        if n_images + sum(item.what == "image" for item in problems) < n_listed:
            raise Silent(f"{n_listed} image files, {n_images} listed")
        n_listed = None
    if n_listed is not None and n_rows + n_aside != n_listed:
        raise Silent(f"{n_listed} rows in the files, {n_rows} accepted and {n_aside} set aside")
    if names is not None and not classes <= names:
        raise Silent(f"classes {sorted(classes - names)[:3]} are not in the files")


def _coco_says(folder: Path) -> tuple[int | None, set[str] | None]:
    files = sorted((folder / "annotations").glob("*.json")) or sorted(folder.glob("*.json"))
    n, names = 0, set()
    for file in files:
        try:
            value = json.loads(file.read_bytes().decode("utf-8-sig"))
            n += len(value.get("annotations") or ())
            names |= {
                c["name"]
                for c in value.get("categories") or ()
                if isinstance(c, dict) and isinstance(c.get("name"), str)
            }
        except (ValueError, AttributeError, RecursionError, TypeError):
            return None, None
    return n, names


def _yolo_says(folder: Path) -> tuple[int | None, set[str] | None]:
    n, names = 0, None
    for root, _, files in os.walk(folder):
        for name in files:
            if not name.lower().endswith(".txt") or name.lower() == "classes.txt":
                continue
            try:
                text = Path(root, name).read_bytes().decode("utf-8-sig")
            except UnicodeDecodeError:
                continue  # no text: set aside as a whole
            if "\0" in text or splits.is_list_of_images(text.encode()):
                continue
            n += sum(bool(line.strip()) for line in text.splitlines())
    yamls = [file for file in (folder / "data.yaml", *sorted(folder.glob("*.y*ml"))) if file.is_file()]
    try:
        value = yaml.load(yamls[0].read_text("utf-8-sig"), yaml.BaseLoader)["names"] if yamls else None
        if isinstance(value, list | dict):
            names = {str(v).strip() for v in (value if isinstance(value, list) else value.values())}
    except (yaml.YAMLError, TypeError, KeyError, UnicodeDecodeError):
        names = None
    return n, _as_read(names)


def _as_read(names: set[str] | None) -> set[str] | None:
    """The names, and what YAML makes of those that look like numbers and switches."""
    if names is None:
        return None
    read = set(names)
    for name in names:
        try:
            read.add(str(yaml.safe_load(name)).strip())
        except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError):
            continue
    return read


def _voc_says(folder: Path) -> tuple[int | None, set[str] | None]:
    n, names = 0, set()
    for place in ("Annotations", "annotations", "."):
        files = [
            file
            for file in (folder / place).rglob("*")
            if file.suffix.lower() == ".xml" and not file.is_symlink()
        ]
        if files:
            break
    for file in files:
        try:
            tree = fromstring(file.read_bytes())
        except _XML_ERRORS:
            continue  # set aside as a whole
        objects = tree.findall("object") if tree.tag == "annotation" else []
        n += len(objects)
        names |= {(element.findtext("name") or "").strip() for element in objects}
    return n, names


def _folder_says(folder: Path) -> tuple[int, set[str]]:
    n, names = 0, set()
    for root, below, files in os.walk(folder):
        below[:] = [name for name in below if not name.startswith(".")]
        images_here = [
            f for f in files if os.path.splitext(f)[1].lower() in IMAGE_EXTENSIONS and not f.startswith(".")
        ]
        n += len(images_here)
        inner = os.path.relpath(root, folder).split(os.sep)
        names |= {"/".join(inner), "/".join(inner[1:])}
    return n, names


def _image(files: Files) -> Outcome:
    """Verify an image; if it is accepted, everything that ever reads its pixels has to manage."""
    (data,) = list(files.values())[:1]
    facts = images.verify(data)
    upright = images.decode_upright(data)
    if upright.image.size != (facts.width_px, facts.height_px):
        raise Silent(f"{facts.width_px}x{facts.height_px} px in the header, {upright.image.size} decoded")
    for measure in check_measures._MEASURES.values():
        np.asarray(measure.compute(data, upright))
    rgb = images.decode_rgb(data)
    images.decode_rgb(data, max_side_px=16)
    images.decode_reduced(data, min_side_px=8)
    images.decode_grey(data)
    images.decode_working(data, lambda _: 2)
    images.thumbnail(data, max_side_px=24)
    images.encode_png(images.cut_out(rgb, (1.0, 1.0, 3.0, 3.0)))
    return Outcome("accepted", facts.mime)


def _text(kind: str, files: Files, folder: Path, whole: bool) -> Outcome:
    (data,) = list(files.values())[:1] or [b""]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Outcome("refused", "not UTF-8")
    if kind == "contracts":
        contract_text.parse(text, checks=known_checks())
        if whole:
            _checked_with(text, folder)
    else:
        pipeline_text.parse(text, folder=folder)
    return Outcome("accepted")


def _checked_with(text: str, folder: Path) -> None:
    with ct.open(folder / "ws") as ws:
        context = ws.create("fuzz")._context
        report = checks.check(context.actor, "fuzz", store=context.store, contract_text=text)
        _no_failed_check(report)


def _whole(kind: str, folder: Path, place: Path) -> Outcome:
    """The import into a workspace, the checks, a commit and an export."""
    with ct.open(place / "ws") as ws:
        dataset = ws.create("fuzz")
        imported = dataset.add_annotations(folder, format=FORMATS[kind])
        json.dumps(imported.to_dict(), allow_nan=False).encode()
        _no_failed_check(dataset.check())
        dataset.commit("fuzz")
        for name in registry.WRITABLE:
            dataset.where().export(name, place / f"out-{name}")
            shutil.rmtree(place / f"out-{name}", ignore_errors=True)
    code = next(iter(imported.reasons), "")
    return Outcome("set aside" if imported.skipped else "accepted", code)


def check_accepted(named: Sequence[tuple[str, bytes]]) -> Outcome:
    """Add accepted images to one workspace and run all checks over them."""
    with tempfile.TemporaryDirectory(prefix="calotype-fuzz-", dir=_SHM) as name:
        folder = Path(name) / "in"
        folder.mkdir()
        for file, data in named:
            (folder / file).write_bytes(data)
        try:
            with ct.open(Path(name) / "ws") as ws:
                dataset = ws.create("fuzz")
                added = dataset.add_images(folder)
                if added.added + added.duplicates + added.quarantined != len(named):
                    raise Silent(f"{len(named)} files, {added}")
                _no_failed_check(dataset.check())
        except CalotypeError as error:
            return Outcome("crash", error.code, str(error)[:300])
        except Silent as error:
            return Outcome("silent", "check", str(error)[:300])
    return Outcome("accepted")


def _no_failed_check(report: Any) -> None:
    for finding in report.findings:
        if finding.fault in (FAULT, "not-measured"):
            raise Silent(f"{finding.check}: {finding.reason}")
        if finding.check == "readable" and "cannot be read" in finding.reason:
            raise Silent(f"accepted, but {finding.reason}")
