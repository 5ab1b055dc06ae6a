"""What becomes of one mutant: accepted, quarantined or refused with a code; or wrong: a crash, or a silent loss.

The reader and everything the import does to its rows run in process; the whole import, with the checks and an export
after it, runs on a share of the mutants (`whole`).
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import reading
import said
import seeds
import watch
from containers import Special
from mutants import Files
from reading import Silent
from sets import LABELS

import calotype as ct
from calotype.checks import measures as check_measures
from calotype.checks import service as checks
from calotype.checks.suite.registry import known_checks
from calotype.contracts import text as contract_text
from calotype.exchange import registry
from calotype.findings.isolation import FAULT
from calotype.formats.survey import Survey
from calotype.foundation.errors import CalotypeError
from calotype.pipeline import text as pipeline_text
from calotype.vision import images

_OURS = {"bug", "internal", "storage-failed"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`what` is accepted, quarantined, refused, crash or silent; `code` says more."""

    what: str
    code: str = ""
    detail: str = ""


def put(files: Files, folder: Path) -> bool:
    """Write the files of a mutant; False where the file system cannot hold one of them."""
    try:
        for name, data in files.items():
            path = os.path.join(os.fsencode(folder), name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if isinstance(data, Special):
                _put_special(data.what, path, folder)
                continue
            with open(path, "wb") as file:
                file.write(data)
    except (OSError, ValueError):
        return False
    return True


def _put_special(what: str, path: bytes, folder: Path) -> None:
    """A pipe, a folder or a link at a path."""
    outside = folder.parent / "outside"
    if what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        os.mkdir(path)
    elif what == "outside-file":
        target = outside / f"secret{os.fsdecode(os.path.splitext(path)[1])}"
        if not target.exists():
            target.write_bytes(_SECRETS.get(target.suffix, b"{}"))
        os.symlink(target, path)
    else:
        os.symlink(what.removeprefix("link:"), path)


_SECRETS = {".txt": b"0 0.5 0.5 0.2 0.2\n", ".png": seeds.images()[0], ".jpg": seeds.images()[1]}


def judge(kind: str, files: Files, *, whole: bool) -> Outcome:
    """The outcome of one mutant."""
    with tempfile.TemporaryDirectory(prefix="calotype-fuzz-", dir=_SHM) as name:
        folder, outside = Path(name) / "set", Path(name) / "outside"
        folder.mkdir()
        outside.mkdir()
        (outside / "a.png").write_bytes(_SECRETS[".png"])
        (outside / "labels.txt").write_bytes(_SECRETS[".txt"])
        if not put(files, folder):
            return Outcome("not written")
        try:
            if kind == "images":
                return _image(files)
            if kind in ("contracts", "pipelines"):
                return _text(kind, files, Path(name), whole)
            more = reading.workspace_folder()
            with watch.watched(Path(name), more=(more,)) as opened:
                outcome = _refusals(
                    lambda: _whole(kind, folder, Path(name)) if whole else _labels(kind, folder)
                )
            if opened:
                raise Silent(f"opened outside the folder: {opened[0]}")
            return outcome
        except CalotypeError as error:
            return Outcome("crash" if error.code in _OURS else "refused", error.code, str(error)[:300])
        except Silent as error:
            return Outcome("silent", "silent", str(error)[:300])


_SHM = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None


def _refusals(judged: Callable[[], Outcome]) -> Outcome:
    """The outcome; a refusal has a code and says where."""
    try:
        return judged()
    except CalotypeError as error:
        _is_placed(error)
        return Outcome("crash" if error.code in _OURS else "refused", error.code, str(error)[:300])


def _is_placed(error: CalotypeError) -> None:
    json.dumps(error.to_dict()).encode()
    str(error).encode()
    if not error.where:
        raise Silent(f"refused without a place: {error.code}: {str(error)[:200]}")


def _labels(kind: str, folder: Path) -> Outcome:
    """Plan an import, and read as `--format auto` and by name."""
    expected = LABELS[kind]
    auto = reading.detected(folder)
    try:
        reading.planned(folder)
    except CalotypeError as error:
        _is_placed(error)
        if error.code in _OURS:
            raise
    if isinstance(auto, str) and auto != expected:
        try:
            reading.read(auto, folder)
        except CalotypeError as error:
            _is_placed(error)
    found = reading.read(expected, folder)
    is_panoptic = auto == "coco-panoptic" and kind == "coco" and any(folder.rglob("panoptic_*.json"))
    if isinstance(auto, str) and auto != expected and not is_panoptic and not _is_other(kind, folder, found):
        raise Silent(f"taken as {auto}")
    if found.is_results:
        return Outcome("accepted", "results")
    if _has_links(folder):
        return Outcome("quarantined" if found.problems else "accepted", "links")
    if not found.named & {
        "file-not-labels",
        "label-not-used",
        "file-left-out",
    }:  # whole files that are not counted
        _conserved(kind, folder, found.n_rows, found.problems, found.classes, found.n_images)
    return Outcome(
        "quarantined" if found.problems else "accepted", found.problems[0].code if found.problems else ""
    )


def _has_links(folder: Path) -> bool:
    """Whether a path is no regular file; what is read of it is not counted."""
    return any(
        not stat.S_ISREG(os.lstat(os.path.join(root, name)).st_mode)
        for root, below, files in os.walk(folder)
        for name in (*files, *(one for one in below if os.path.islink(os.path.join(root, one))))
    )


def _is_other(kind: str, folder: Path, found: reading.Reading) -> bool:
    """Whether the change made the folder a valid set of another format, too, or took all labels away."""
    if kind not in ("coco", "yolo", "voc") or (kind == "voc" and any(folder.rglob("Segmentation*"))):
        return kind == "folders" or not found.n_rows
    return registry.FORMATS["coco"].recognise(Survey(folder)) is not None


def _conserved(
    kind: str, folder: Path, n_rows: int, problems: Sequence[Any], classes: set[str], n_images: int
) -> None:
    """What the files say in number is what was accepted and quarantined; classes are those of the files."""
    endings = {"yolo": ".txt", "voc": ".xml"}
    hidden = said.hidden(folder, endings[kind]) if kind in endings else []
    unnamed = set(hidden) - {item.place for item in problems}
    if unnamed:
        raise Silent(f"hidden and not named: {min(unnamed)}")
    n_aside = sum(item.what == "annotation" for item in problems)
    if kind == "coco":
        n_listed, names = said.by_coco(folder)
    elif kind == "yolo":
        n_listed, names = said.by_yolo(folder)
    elif kind == "voc":
        if any(folder.rglob("Segmentation*")):
            return  # masks add rows, and their palette classes
        n_listed, names = said.by_voc(folder)
    elif kind != "folders":
        return
    else:
        n_listed, names = said.by_folders(folder)
        if n_images + sum(item.what == "image" for item in problems) < n_listed:
            raise Silent(f"{n_listed} image files, {n_images} listed")
        n_listed = None
    if n_listed is not None and n_rows + n_aside != n_listed:
        raise Silent(f"{n_listed} rows in the files, {n_rows} accepted and {n_aside} quarantined")
    if names is not None and not classes <= names:
        raise Silent(f"classes {sorted(classes - names)[:3]} are not in the files")


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
    images.encode_png(rgb)
    images.decode_cuts(data, [(1.0, 1.0, 3.0, 3.0), None], min_side_px=8)
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
        imported = dataset.add_annotations(folder, format=LABELS[kind])
        json.dumps(imported.to_dict(), allow_nan=False).encode()
        _no_failed_check(dataset.check())
        dataset.commit("fuzz")
        for name in registry.WRITABLE:
            dataset.where().export(name, place / f"out-{name}")
            shutil.rmtree(place / f"out-{name}", ignore_errors=True)
    code = next(iter(imported.reasons), "")
    return Outcome("quarantined" if imported.skipped else "accepted", code)


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
