"""What every fault is tried on: a small workspace with a history, the work that is interrupted, and the judge.

Work runs in forked processes that have calotype imported and nothing opened, so that a round costs a fraction of a
second. A worker tells each verb that *returned* through a pipe: that is what must not be lost, whatever happens next.
"""

from __future__ import annotations

import filecmp
import json
import os
import shutil
import signal
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from calotype.acquire import service as acquire
from calotype.app import wiring
from calotype.curate import service as curate
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.edit import WorkingStateMoved, apply
from calotype.datasets.model import Annotation, Kind
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor
from calotype.foundation.errors import CalotypeError
from calotype.foundation.ids import uuid7
from calotype.pipeline import service as pipelines
from calotype.release import service as releases
from calotype.release.model import ExportSpec
from calotype.reliability import service as reliability
from calotype.store import Store, create_workspace, open_workspace
from calotype.store.catalog import catalog
from calotype.vision.ontology import Class, Ontology

ACTOR = Actor("harness", "harness")
DATASET = "shop"
COUNTER = "counter.png"
EXPORTS = ("yolo", "voc")
N_IMAGES = 12
BASE_COUNT = 3
PIPELINE = """\
pipeline: piped
dataset: piped
stages:
  - acquire: {from: images, source: cam, licence: CC0-1.0}
  - curate: {split: {train: 0.5, val: 0.25, test: 0.25}}
  - commit: {message: piped}
  - release: {version: 1.0.0}
"""

Told = dict[str, Any]
Tell = Callable[[Told], None]
Work = Callable[[Store, Path, Tell], None]


@dataclass
class Tally:
    """What became of the rounds of one fault."""

    fault: str
    rounds: int = 0
    hit: int = 0
    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    unclean: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def wrong(self) -> list[str]:
        """Everything that must not happen."""
        return self.lost + self.unreadable + self.unclean


def draw(path: Path, seed: int) -> None:
    """A small picture that differs for each seed."""
    rng = np.random.default_rng(seed)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)).save(path)


def prepare(folder: Path) -> Path:
    """The workspace that every round starts from a copy of: three commits, a branch, a tag, edits, orphans."""
    project = folder / "project"
    draw(project / "first" / COUNTER, 999)
    for at in range(N_IMAGES - 1):
        draw(project / "first" / f"{at:03d}.png", at)
    for at in range(8):
        draw(project / "more" / f"more-{at}.png", 1_000 + at)
        draw(project / "images" / f"piped-{at}.png", 2_000 + at)
    (project / "pipeline.yaml").write_text(PIPELINE)
    base = folder / "base"
    forked(lambda tell: _prepare(base, project, tell))
    return base


def _prepare(base: Path, project: Path, tell: Tell) -> None:
    store = create_workspace(ACTOR, base)
    datasets.create(ACTOR, DATASET, store=store)
    apply(ACTOR, DATASET, Change(ontology=Ontology((Class(0, "thing"),))), store=store)
    acquire.add(ACTOR, DATASET, [project / "first"], store=store)
    label(store, n=2)
    datasets.commit(ACTOR, DATASET, "first", store=store)
    datasets.branch(ACTOR, DATASET, "side", store=store)
    for at in range(2):
        increment(store)
        label(store, n=1)
        datasets.commit(ACTOR, DATASET, f"more {at}", store=store)
    datasets.tag(ACTOR, DATASET, "v1", store=store)
    label(store, n=1, name=f"{DATASET}@side")
    increment(store)
    store.catalog.engine.raw_connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    tell({"done": True})


# ---- the work


def counter(state: Snapshot) -> int:
    """The number that increments count up, kept in the metadata of one sample."""
    (sample,) = [one for one in state.iter_samples() if one.name == COUNTER]
    return int(sample.metadata.get("n", 0))


def increment(store: Store, name: str = DATASET) -> int:
    """Read, add one, write: lost when anybody writes over what he has not seen."""

    def plan(state: Snapshot) -> Change:
        (sample,) = [one for one in state.iter_samples() if one.name == COUNTER]
        metadata = {**sample.metadata, "n": int(sample.metadata.get("n", 0)) + 1}
        return Change(put_samples=[replace(sample, metadata=metadata)])

    return counter(apply(ACTOR, name, plan, store=store))


def label(store: Store, *, n: int, name: str = DATASET, remove: int = 0) -> None:
    """Boxes on every sample, and as many samples gone as asked for (never the counter): several tables in one edit."""

    def plan(state: Snapshot) -> Change:
        samples = list(state.iter_samples())
        gone = [one.sample_id for one in samples if one.name != COUNTER][:remove]
        boxes = [
            Annotation(uuid7(), one.sample_id, Kind.BOX, 0, bbox_xywh_px=(float(at), 1.0, 5.0, 5.0))
            for one in samples
            if one.sample_id not in gone
            for at in range(n)
        ]
        return Change(put_annotations={"ground_truth": boxes}, remove_samples=gone)

    apply(ACTOR, name, plan, store=store)


def work_commit(store: Store, _project: Path, tell: Tell) -> None:
    """Edits and commits in turn."""
    for _ in range(3):
        tell({"counter": increment(store)})
        made = datasets.commit(ACTOR, DATASET, "work", store=store)
        tell({"commit": made.id, "stats": dict(made.stats)})


def work_add(store: Store, project: Path, tell: Tell) -> None:
    """Images taken in."""
    acquire.add(ACTOR, DATASET, [project / "more"], store=store)
    tell({"images": sorted(path.name for path in (project / "more").iterdir())})


def work_edit(store: Store, _project: Path, tell: Tell) -> None:
    """Edits over several tables and two branches, like those of a merge."""
    for _ in range(2):
        label(store, n=2, remove=1)
        tell({"counter": increment(store)})
        label(store, n=1, name=f"{DATASET}@side")


def work_run(store: Store, project: Path, tell: Tell) -> None:
    """A pipeline from images to a release."""
    pipeline = pipelines.load(project / "pipeline.yaml")
    pipelines.run(ACTOR, pipeline, store=store, ports=wiring)
    (made,) = datasets.log(ACTOR, "piped", store=store)[:1]
    tell({"commit": made.id, "stats": dict(made.stats), "dataset": "piped", "release": "1.0.0"})


def work_gc(store: Store, _project: Path, tell: Tell) -> None:
    """Compaction, marks and removal without a grace period, between edits."""
    for _ in range(2):
        tell({"counter": increment(store)})
        reliability.gc(ACTOR, store=store, grace_s=0, always_compact=True)
        tell({"swept": True})


def work_backup(store: Store, project: Path, tell: Tell) -> None:
    """Backups with an edit in between; those that were acknowledged must restore."""
    target = str(store.root / "backups")
    for _ in range(2):
        tell({"counter": increment(store)})
        tell({"backup": reliability.backup(ACTOR, target, store=store).manifest.id})


def work_export(store: Store, _project: Path, tell: Tell) -> None:
    """Exports to folders of the user, images included."""
    for format_name in EXPORTS:
        _export(store, format_name, store.root / "exports" / format_name)
        tell({"export": format_name})


def _export(store: Store, format_name: str, out: Path) -> None:
    spec = ExportSpec(format=format_name)
    releases.export(ACTOR, DATASET, spec, out, store=store)


WORK: dict[str, Work] = {
    "commit": work_commit,
    "add": work_add,
    "edit": work_edit,
    "run": work_run,
    "gc": work_gc,
    "backup": work_backup,
    "export": work_export,
}


# ---- processes


def forked(task: Callable[[Tell], None], *, seconds: float = 120.0) -> list[Told]:
    """Run a task in a forked process to its end and return what it told; it must not fail."""
    child = Child(task)
    told = child.end(seconds)
    failed = [one["failed"] for one in told if "failed" in one]
    if failed or child.status != 0:
        raise SystemExit(f"a task of the harness failed ({child.status}): {failed}")
    return told


class Child:
    """A forked process that tells lines of JSON through a pipe."""

    def __init__(self, task: Callable[[Tell], None]) -> None:
        read, write = os.pipe()
        self.pid = os.fork()
        self.status: int | None = None
        self._file = os.fdopen(read, "rb")
        if self.pid == 0:
            _child(task, write)
        os.close(write)

    def line(self) -> Told | None:
        """Wait for the next thing told; None when the process is gone."""
        found = self._file.readline()
        return json.loads(found) if found.endswith(b"\n") else None

    def stop(self) -> None:
        """End it now."""
        os.kill(self.pid, signal.SIGKILL)

    def end(self, seconds: float = 120.0) -> list[Told]:
        """Everything told until the process ended (the pipe closes), killed when it takes too long."""
        signal.signal(signal.SIGALRM, lambda *_: os.kill(self.pid, signal.SIGKILL))
        signal.setitimer(signal.ITIMER_REAL, seconds)
        told = []
        while (one := self.line()) is not None:
            told.append(one)
        self.status = os.waitpid(self.pid, 0)[1]
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._file.close()
        return told


def _child(task: Callable[[Tell], None], write: int) -> None:
    def tell(value: Told) -> None:
        os.write(write, json.dumps(value).encode() + b"\n")

    status = 0
    try:
        os.setpgid(0, 0)
        task(tell)
    except CalotypeError as error:
        tell({"error": error.code, "said": str(error)[:300]})
    except OSError as error:
        tell({"error": "storage-failed", "said": str(error)[:300]})
    except BaseException:  # the parent has to hear of it, whatever it was
        tell({"failed": traceback.format_exc()[-1500:]})
        status = 1
    finally:
        os._exit(status)


def worker(root: Path, project: Path, work: Work, *, busy_s: float = 60.0) -> Child:
    """A process that opens the workspace, says that it begins, does the work and says that it ended."""

    def task(tell: Tell) -> None:
        catalog.BUSY_TIMEOUT_S = busy_s
        store = open_workspace(root)
        tell({"begin": True})
        work(store, project, tell)
        tell({"end": True})

    return Child(task)


@contextmanager
def copy_of(base: Path, folder: Path) -> Iterator[Path]:
    """A copy of the prepared workspace, removed afterwards."""
    place = folder / "round"
    shutil.copytree(base, place)
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


# ---- the judge


def judge(root: Path, told: list[Told], tally: Tally, where: str, *, workers: int = 1) -> None:
    """Verify deeply, look for everything that was acknowledged, then let the next writer go on."""
    told = [one for one in told if "begin" not in one and "end" not in one]
    tally.acknowledged += sum(1 for one in told if not {"error", "failed"} & one.keys())
    tally.unclean += [f"{where}: {one['failed']}" for one in told if "failed" in one]
    child = Child(lambda tell: _judge(root, told, workers, tell))
    found = child.end()
    for one in found:
        if "lost" in one:
            tally.lost.append(f"{where}: {one['lost']}")
        elif "done" not in one:
            tally.unreadable.append(f"{where}: {one}")
    if not any("done" in one for one in found):
        tally.unreadable.append(f"{where}: the judge did not come to an end ({child.status})")


def _judge(root: Path, told: list[Told], workers: int, tell: Tell) -> None:
    store = open_workspace(root)
    found = reliability.verify(ACTOR, store=store, deep=True)
    for problem in found.problems:
        tell({"problem": str(problem)})
    for lost in _lost(store, root, told, workers):
        tell({"lost": lost})
    before = counter(datasets.read(ACTOR, DATASET, store=store))
    if increment(store) != before + 1:
        tell({"lost": "the next writer's increment"})
    made = datasets.commit(ACTOR, DATASET, "after", store=store)
    if counter(datasets.read(ACTOR, f"{DATASET}@{made.id}", store=store)) != before + 1:
        tell({"problem": "the next commit does not hold what was committed"})
    reliability.gc(ACTOR, store=store, grace_s=0, always_compact=True)
    after = reliability.verify(ACTOR, store=store)
    for problem in after.problems:
        tell({"problem": f"after the next writer: {problem}"})
    tell({"done": True})


def _lost(store: Store, root: Path, told: list[Told], workers: int) -> Iterator[str]:
    state = datasets.read(ACTOR, DATASET, store=store)
    counted = max([one["counter"] for one in told if "counter" in one], default=BASE_COUNT)
    if not counted <= counter(state) <= counted + workers:
        yield f"the counter is {counter(state)}, {counted} was acknowledged"
    names = {one.name for one in state.iter_samples()}
    for one in told:
        if "images" in one and not set(one["images"]) <= names:
            yield f"images {sorted(set(one['images']) - names)}"
        if "commit" in one:
            name = f"{one.get('dataset', DATASET)}@{one['commit']}"
            held = datasets.read(ACTOR, name, store=store).count()
            if held != {word: one["stats"][word] for word in ("samples", "annotations")}:
                yield f"commit {one['commit'][:12]} holds {held}, it was made with {one['stats']}"
        if "backup" in one:
            yield from _of_backup(root, one["backup"])
        if (
            "release" in one
            and not (root / "releases" / "piped" / one["release"] / "manifest.json").is_file()
        ):
            yield f"files of release {one['release']}"
    yield from _of_exports(store, root, told)


def _of_exports(store: Store, root: Path, told: list[Told]) -> Iterator[str]:
    """Exports that are gone or, though they have their name, are not what an export gives now."""
    there = {path.name for path in (root / "exports").glob("[!.]*")}
    for format_name in {one["export"] for one in told if "export" in one} - there:
        yield f"export {format_name}"
    for format_name in sorted(there):
        with tempfile.TemporaryDirectory(dir=root) as folder:
            _export(store, format_name, Path(folder) / "again")
            differs = differences(root / "exports" / format_name, Path(folder) / "again")
        if differs:
            yield f"files of export {format_name}, which has its name: {differs[:3]}"


def differences(a: Path, b: Path) -> list[str]:
    """The files that are not the same, byte for byte, in two folders."""
    names = {str(path.relative_to(side)) for side in (a, b) for path in side.rglob("*") if not path.is_dir()}
    return sorted(name for name in names if not _alike(a / name, b / name))


def _alike(a: Path, b: Path) -> bool:
    return a.is_file() and b.is_file() and filecmp.cmp(a, b, shallow=False)


def _of_backup(root: Path, at: str) -> Iterator[str]:
    with tempfile.TemporaryDirectory(dir=root) as folder:
        done = reliability.restore(ACTOR, str(root / "backups"), Path(folder) / "ws", at=at, deep=True)
    if not done.ok:
        yield f"backup {at}: {done.differs} {done.verified.problems[:3]}"


def clock() -> float:
    """Seconds, for durations."""
    return time.perf_counter()


__all__ = ["WORK", "WorkingStateMoved", "curate"]
