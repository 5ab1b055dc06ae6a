"""CPU seconds and memory of imports and exports of labels, beside other tools on the same machine in the same run.

    uv run python benchmarks/exchange/run.py [--images 50000] [--boxes 326222] [--work DIR] [--peers PYTHON]
        [--steps voc-export,...] [--keep]

`--peers` is the Python of a throw-away environment with datumaro and supervision; what it lacks is left out. Images
are hard links of a few files, so that reading labels is what is measured. Each step runs in a process of its own, and
its time is CPU seconds of that process, all threads, in the system as well: a busy machine changes them less than
those of a clock. Every step runs once on a few images first, so that all code is compiled. Right before each step,
`json.loads` of the COCO file is measured in the same way; `x json` is the step in units of that, and is what to compare
between machines and runs. `--keep` uses the set of an earlier run.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from label_set import N_BOXES, N_IMAGES, write_coco
from peak import peak_mb
from PIL import Image

import calotype as ct

HERE = Path(__file__).parent
LABELS = "coco/annotations/instances_train.json"
STEPS = (
    "coco-import", "coco-export", "results-import", "voc-export", "voc-import", "yolo-export", "yolo-import",
)  # fmt: skip
LINKS = 50_000
"""File systems limit the links of one file; ext4 to 65,000."""
PEERS = ("datumaro", "supervision")


def generate(folder: Path, n_images: int, n_boxes: int) -> None:
    """The set: `coco/annotations/instances_train.json` and `coco/images`."""
    (folder / "coco/annotations").mkdir(parents=True)
    (folder / "coco/images").mkdir()
    write_coco(folder / LABELS, n_images=n_images, n_boxes=n_boxes)
    (folder / "coco/annotations/results.json").rename(folder / "results.json")
    sources: dict[tuple[int, int, int], Path] = {}
    for at, row in enumerate(json.loads((folder / LABELS).read_text())["images"]):
        source = (row["width"], row["height"], at // LINKS)
        if source not in sources:
            sources[source] = folder / f"{'x'.join(map(str, source))}.jpg"
            Image.new("RGB", source[:2], (90, 120, 90)).save(sources[source])
        os.link(sources[source], folder / "coco/images" / row["file_name"])


def step(name: str, folder: Path) -> dict[str, Any]:
    """One step of Calotype in this process."""
    label_format, _, way = name.partition("-")
    with ct.open(folder / "ws") as ws:
        if way == "export":
            view, out = ws.dataset("coco").where(), folder / label_format / "out"
            work: Callable[[], Any] = lambda: view.export(label_format, out, images="none")  # noqa: E731
        elif label_format == "results":
            labels = ws.dataset("coco")
            work = lambda: labels.add_annotations(folder / "results.json", label_set="model:peer")  # noqa: E731
        else:
            is_first = label_format not in ws.datasets()
            dataset = ws.create(label_format if is_first else f"{label_format}-{os.getpid()}")
            path = folder / LABELS if label_format == "coco" else folder / label_format / "out"
            images = folder / "coco/images"
            work = lambda: dataset.add_annotations(  # noqa: E731
                path, format=label_format, images=images, media="reference"
            )
        before_mb = peak_mb()
        start = time.process_time()
        work()
        seconds = time.process_time() - start
    return {
        "seconds": max(round(seconds, 2), 0.01),
        "peak_mb": round(peak_mb()),
        "before_mb": round(before_mb),
    }


def floor(folder: Path) -> dict[str, float]:
    """CPU seconds of parsing the COCO file alone, with `json.loads`; the best of two."""
    text = (folder / LABELS).read_text()
    times = []
    for _ in range(2):
        start = time.process_time()
        json.loads(text)
        times.append(time.process_time() - start)
    return {"seconds": max(round(min(times), 3), 0.001)}


def _process(command: list[str]) -> dict[str, Any] | None:
    """The last line that a command prints, as JSON; None where it fails. Compiled code is kept."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    env["PYTHONPYCACHEPREFIX"] = f"{tempfile.gettempdir()}/calotype-exchange-compiled"
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def main() -> None:
    """Run the steps and print a table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--images", type=int, default=N_IMAGES)
    parser.add_argument("--boxes", type=int, default=N_BOXES)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--peers", help="the Python of an environment with datumaro and supervision")
    parser.add_argument("--steps", default=",".join(STEPS), help="only these; each export before its import")
    parser.add_argument("--keep", action="store_true", help="use the set and the workspace of an earlier run")
    parser.add_argument("--step", choices=(*STEPS, "floor"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.step:
        done = floor(options.work) if options.step == "floor" else step(options.step, options.work)
        print(json.dumps(done))
        return
    folder = Path(options.work or tempfile.mkdtemp(prefix="calotype-exchange-")) / "set"
    if not options.keep:
        shutil.rmtree(folder, ignore_errors=True)
        generate(folder, options.images, options.boxes)
    peers = PEERS if options.peers else ()
    with tempfile.TemporaryDirectory() as few:
        generate(Path(few), 20, 100)
        for name in STEPS:
            _line(name, Path(few), options.peers, peers)
    print(f"{options.images:,} images, {options.boxes:,} boxes; CPU seconds, and in units of json.loads")
    print(f"{'step':16}{'json.loads':>12}{'calotype':>32}" + "".join(f"{peer:>30}" for peer in peers))
    for name in options.steps.split(","):
        print(_line(name, folder, options.peers, peers), flush=True)


def _line(name: str, folder: Path, python_of_peers: str, peers: tuple[str, ...]) -> str:
    """One step of all tools as a line of the table."""
    this = [sys.executable, __file__, "--work", str(folder), "--step"]
    unit, ours = _process([*this, "floor"]), _process([*this, name])
    if ours is None or unit is None:
        return f"{name:16}{'failed':>44}"
    times = f"{ours['seconds'] / unit['seconds']:.1f}x json"
    line = f"{name:16}{unit['seconds']:>10.2f} s{ours['seconds']:>10} s {times:>12} {ours['peak_mb']:>5} MB"
    for peer in peers:
        theirs = _process([python_of_peers, str(HERE / "peers.py"), peer, name, str(folder)])
        times = f"{theirs['seconds'] / ours['seconds']:.1f}x" if theirs else ""
        line += f"{theirs['seconds']:>12} s {theirs['peak_mb']:>6} MB {times:>6}" if theirs else f"{'-':>30}"
    return line


if __name__ == "__main__":
    main()
