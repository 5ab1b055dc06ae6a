"""The kill harness: end a command at a random moment, and see that nothing is lost, doubled or half done.

    uv run python benchmarks/reliability/resume.py                       # 50 rounds of each command
    uv run python benchmarks/reliability/resume.py --rounds 10 --only run

Each round copies a prepared workspace, starts the command in a process group of its own, kills the group (SIGKILL) at a
moment drawn by the seed (in even rounds from the whole of the command's duration, in odd ones from the time in which it
has the catalog open), verifies the workspace, runs the same command to its end, and
compares what the workspace holds with that of an undisturbed run. Exit code 1 when any round differs.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from calotype.datasets import service as datasets
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.foundation.actor import Actor
from calotype.foundation.ids import sha256_json
from calotype.pipeline import service as pipelines
from calotype.release import service as releases
from calotype.store import open_workspace

N_IMAGES = 240
DATASET = "streets"
PIPELINE = """\
pipeline: streets
dataset: streets
stages:
  - acquire: {from: images, licence: CC-BY-4.0, source: cam-07}
  - annotate: {from: labels.json, format: coco, images: images}
  - curate: {split: {train: 0.8, val: 0.1, test: 0.1}}
  - augment:
      recipe: {name: turn, copies: 2, seed: 7, steps: [{rotate: {degrees: [-8, 8]}}, {noise: {sigma: [0, 6]}}]}
      splits: [train]
  - check: {gate: go-on}
  - commit: {message: first import}
  - release: {version: 1.0.0}
"""


@dataclass
class Tally:
    """What became of the rounds of one command."""

    command: str
    rounds: int = 0
    killed: int = 0
    opened: int = 0
    verified: int = 0
    resumed: int = 0
    wrong: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        counts = f"{self.rounds} rounds, {self.killed} killed while running, {self.opened} opened"
        return f"{self.command}: {counts}, {self.verified} verified, {self.resumed} resumed"


@dataclass(frozen=True)
class Case:
    """A command, the workspace it starts from, and exit codes that are fine when it is run again."""

    name: str
    words: tuple[str, ...]
    base: Path
    fine: tuple[int, ...] = (0,)


def draw_project(folder: Path, *, seed: int = 0) -> None:
    """Photograph-like JPEG files with two boxes each, their COCO file, and the pipeline."""
    rng = np.random.default_rng(seed)
    (folder / "images").mkdir(parents=True)
    images, boxes = [], []
    for at in range(N_IMAGES):
        ground = rng.integers(0, 256, (24, 32, 3), dtype=np.uint8)
        name = f"{at:06d}.jpg"
        picture = Image.fromarray(ground).resize((320, 240), Image.Resampling.BICUBIC)
        picture.save(folder / "images" / name, quality=92)
        images.append({"id": at, "file_name": name, "width": 320, "height": 240})
        for part in range(2):
            corner = [float(value) for value in rng.integers(0, 150, 2)]
            boxes.append(
                {"id": 2 * at + part, "image_id": at, "category_id": part, "bbox": [*corner, 60.0, 40.0]}
            )
    classes = [{"id": 0, "name": "car"}, {"id": 1, "name": "person"}]
    labels = {"images": images, "annotations": boxes, "categories": classes}
    (folder / "labels.json").write_text(json.dumps(labels))
    (folder / "pipeline.yaml").write_text(PIPELINE)


def command(workspace: Path, words: Sequence[str]) -> list[str]:
    """The command line on a workspace."""
    return [sys.executable, "-m", "calotype", "-w", str(workspace), "--json", *words]


def finish(workspace: Path, words: Sequence[str]) -> tuple[int, str]:
    """Run to the end: exit code and both outputs."""
    done = subprocess.run(command(workspace, words), capture_output=True, text=True, check=False, timeout=300)
    return done.returncode, done.stdout + done.stderr


def must(workspace: Path, words: Sequence[str]) -> float:
    """Run to the end, which has to work; seconds it took."""
    began = time.perf_counter()
    code, said = finish(workspace, words)
    if code != 0:
        raise SystemExit(f"{' '.join(words)} ended with {code}: {said[-2000:]}")
    return time.perf_counter() - began


def killed(workspace: Path, words: Sequence[str], after_s: float, *, at_work: bool) -> bool:
    """Start the command, kill its process group after a while; whether it still ran then.

    The while begins at once, or with `at_work` when the command touches the catalog.
    """
    process = _started(workspace, words)
    if at_work:
        _touched(workspace, process)
    try:
        process.wait(timeout=after_s)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        return True
    return False


def timed(workspace: Path, words: Sequence[str]) -> tuple[float, float]:
    """Seconds until an undisturbed command touches the catalog, and from then to its end."""
    began = time.perf_counter()
    process = _started(workspace, words)
    _touched(workspace, process)
    touched = time.perf_counter()
    if process.wait(timeout=300) != 0:
        raise SystemExit(f"{' '.join(words)} ended with {process.returncode}")
    return touched - began, time.perf_counter() - touched


def _started(workspace: Path, words: Sequence[str]) -> subprocess.Popen[bytes]:
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command(workspace, words), stdout=quiet, stderr=quiet, start_new_session=True)


def _touched(workspace: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until SQLite's log beside the catalog comes or moves."""
    log = workspace / ".calotype" / "catalog.sqlite-wal"

    def seen() -> tuple[int, int]:
        return (log.stat().st_size, log.stat().st_mtime_ns) if log.is_file() else (-1, 0)

    before = seen()
    while seen() == before and process.poll() is None:
        time.sleep(0.002)


def held(workspace: Path) -> dict[str, Any]:
    """What a workspace holds, without ids and times: samples, annotations, commits, releases."""
    actor = Actor.local()
    store = open_workspace(workspace)
    try:
        state = datasets.read(actor, DATASET, store=store)
        samples = list(state.iter_samples())
        names = {sample.sample_id: sample.name for sample in samples}
        rows = sorted([s.name, s.media_sha256, s.split, names.get(s.parent_id, "")] for s in samples)
        of_samples = state.annotations_of(list(names), DEFAULT_LABEL_SET)
        found = [one for listed in of_samples.values() for one in listed]
        boxes = sorted([names[one.sample_id], one.class_id, str(one.bbox_xywh_px)] for one in found)
        made = releases.releases(actor, DATASET, store=store)
        ran = pipelines.runs(actor, store=store)
        return {
            "samples": len(rows),
            "names": len({row[0] for row in rows}),
            "annotations": len(boxes),
            "rows": sha256_json(rows),
            "boxes": sha256_json(boxes),
            "commits": len(datasets.log(actor, DATASET, store=store)),
            "releases": [one.version for one in made],
            "built": [releases.location(store, DATASET, one.version).is_dir() for one in made],
            "running": [one.id for one in ran if str(one.state) == "running"],
        }
    finally:
        store.close()


def prepare(folder: Path) -> list[Case]:
    """The project and the workspaces that the commands start from."""
    project = folder / "project"
    draw_project(project)
    for name in ("run", "add", "commit"):
        must(folder / name, ["init", str(folder / name)])
    for name in ("add", "commit"):
        must(folder / name, ["dataset", "create", DATASET])
    must(folder / "commit", ["add", DATASET, str(project / "images")])
    must(
        folder / "commit",
        ["import", DATASET, str(project / "labels.json"), "--images", str(project / "images")],
    )
    return [
        Case("run", ("run", str(project / "pipeline.yaml")), folder / "run"),
        Case("add", ("add", DATASET, str(project / "images")), folder / "add"),
        Case("commit", ("commit", DATASET, "-m", "first import"), folder / "commit", fine=(0, 4)),
    ]


def rounds(case: Case, folder: Path, *, n: int, seed: int) -> Tally:
    """All rounds of one command."""
    whole = folder / "whole"
    shutil.copytree(case.base, whole)
    startup_s, work_s = timed(whole, case.words)
    wanted = held(whole)
    shutil.rmtree(whole)
    rng = random.Random(f"{case.name} {seed}")
    tally = Tally(case.name)
    for at in range(n):
        part, at_work = (at + rng.random()) / n, at % 2 == 1
        after_s = part * (work_s if at_work else startup_s + work_s)
        place = folder / f"{case.name}-{at}"
        shutil.copytree(case.base, place)
        _one(case, place, after_s, wanted, tally, at_work=at_work)
        shutil.rmtree(place)
    print(f"{tally} (the command takes {startup_s:.2f} s to start and {work_s:.2f} s to work)", flush=True)
    return tally


def _one(
    case: Case, place: Path, after_s: float, wanted: dict[str, Any], tally: Tally, *, at_work: bool
) -> None:
    told = f"{case.name} killed after {after_s:.3f} s{' of work' if at_work else ''}"
    tally.rounds += 1
    tally.killed += killed(place, case.words, after_s, at_work=at_work)
    code, said = finish(place, ["verify"])
    tally.opened += code in (0, 1)
    if code != 0:
        tally.wrong.append(f"{told}: verify ended with {code}: {said[-800:]}")
        return
    tally.verified += 1
    code, said = finish(place, case.words)
    if code not in case.fine:
        tally.wrong.append(f"{told}: run again it ended with {code}: {said[-800:]}")
        return
    code, said = finish(place, ["verify"])
    got = held(place)
    differs = {name: (got[name], wanted[name]) for name in wanted if got[name] != wanted[name]}
    if code != 0 or differs:
        tally.wrong.append(f"{told}: then verify ended with {code}; it differs (got, wanted): {differs}")
        return
    tally.resumed += 1


def main() -> int:
    """Every command in turn."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=["run", "add", "commit"])
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="calotype-kill-") as name:
        folder = Path(name)
        cases = [case for case in prepare(folder) if asked.only in (None, case.name)]
        tallies = [rounds(case, folder, n=asked.rounds, seed=asked.seed) for case in cases]
    for tally in tallies:
        for line in tally.wrong:
            print(line)
    return 1 if any(tally.wrong for tally in tallies) else 0


if __name__ == "__main__":
    sys.exit(main())
