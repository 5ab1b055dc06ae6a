"""What every peer's script shares: where the data is, how to time, how to say a figure. Standard library only.

A script `with_<peer>.py` marks functions with `@scenario` and ends with `main()`. It runs in the peer's environment:

    python with_<peer>.py --set SET_FOLDER --work WORK_FOLDER import count filter

and prints one JSON line per scenario: `{"scenario", "seconds", "peak_mb", "load", ...}`. The figures are
`time.perf_counter` around the work alone; `processor_s` is the scenario's time on the processor, its preparation and
repetitions included, which a busy machine changes little; `peak_mb` is the high-water mark of this process meanwhile.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import shutil
import statistics
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
Figure = dict[str, Any]


@dataclass(frozen=True)
class World:
    """The data set of a run, and a folder that lives for one round of one peer."""

    data: Path
    work: Path

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What the data maker wrote down: questions and their answers."""
        return dict(json.loads((self.data / "set.json").read_text()))

    @property
    def images(self) -> Path:
        return self.data / self.facts["images"]

    @property
    def instances(self) -> Path:
        return self.data / "instances.json"

    @property
    def results(self) -> Path:
        return self.data / "results.json"

    @property
    def vectors(self) -> Path:
        return self.data / "vectors.npy"

    def note(self, name: str, value: Any) -> None:
        """Keep a small value for a later process of the same round."""
        (self.work / f"{name}.json").write_text(json.dumps(value))

    def noted(self, name: str) -> Any:
        return json.loads((self.work / f"{name}.json").read_text())


class NotThere(Exception):
    """The peer has no such ability; the message says what exactly is missing."""


_SCENARIOS: dict[str, Callable[[World], Figure]] = {}


def scenario(function: Callable[[World], Figure]) -> Callable[[World], Figure]:
    """Offer a function as the scenario of its name (underscores become hyphens)."""
    _SCENARIOS[function.__name__.strip("_").replace("_", "-")] = function
    return function


def timed(work: Callable[[], T]) -> tuple[float, T]:
    """Seconds that `work` took, and what it gave."""
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


def warm(work: Callable[[], T], times: int = 5) -> tuple[Figure, T]:
    """The median of some runs after a first one, which is reported as `first_seconds`."""
    first, found = timed(work)
    each = [timed(work)[0] for _ in range(times)]
    return {"seconds": statistics.median(each), "first_seconds": first}, found


def folder_mb(folder: Path) -> float:
    """Megabytes of the files below a folder; a file with several names counts once."""
    seen: dict[tuple[int, int], int] = {}
    for root, _folders, files in os.walk(folder):
        for name in files:
            status = os.lstat(os.path.join(root, name))
            seen[status.st_dev, status.st_ino] = status.st_size
    return sum(seen.values()) / 1e6


def since_start() -> float:
    """Seconds since the runner started this process."""
    return time.time() - float(os.environ["BENCH_SPAWNED_AT"])


def main() -> None:
    """Run the scenarios that the command line names, one JSON line each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--set", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("scenarios", nargs="*")
    options = parser.parse_args()
    world = World(options.set, options.work)
    for name in options.scenarios:
        print(json.dumps(_run(world, name)), flush=True)


def _run(world: World, name: str) -> Figure:
    if name not in _SCENARIOS:
        return {"scenario": name, "missing": "has none"}
    gc.collect()
    load = os.getloadavg()[0]
    _reset_peak()
    busy = 0.0 if name == "start" else time.process_time()
    try:
        figure = _SCENARIOS[name](world)
    except NotThere as missing:
        return {"scenario": name, "missing": str(missing)}
    children_mb = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    if children_mb > 20:
        figure.setdefault("children_peak_mb", round(children_mb))
    told = {
        "peak_mb": round(_peak_mb()),
        "load": round(load, 2),
        "processor_s": round(time.process_time() - busy, 3),
    }
    return {"scenario": name, **told, **figure}


def _reset_peak() -> None:
    """Start a new high-water mark (Linux; elsewhere the mark is that of the whole process)."""
    mark = Path("/proc/self/clear_refs")
    if mark.exists():
        mark.write_text("5")


def _peak_mb() -> float:
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def photo_tree(world: World) -> Path:
    """The set's pictures as a tree of hard links that a peer may own."""
    tree = world.work / "tree"
    shutil.copytree(world.images, tree, copy_function=os.link)
    return tree


def change_photos(world: World, tree: Path) -> int:
    """Give every hundredth picture other bytes, by a new file in its place; answers how many."""
    places = range(0, world.facts["n_images"], 100)
    for at in places:
        file = tree / f"{at // 1_000:04d}/{at:08d}.jpg"
        old = file.read_bytes()
        file.unlink()
        file.write_bytes(old[:2] + b"\xff\xfe\x00\x09changed" + old[2:])
    return len(places)


def named_counts(by_id: Iterable[tuple[int, int]]) -> dict[str, int]:
    """Counts by class id as counts by class name (`class-07`)."""
    return {f"class-{class_id:02d}": int(n) for class_id, n in by_id}
