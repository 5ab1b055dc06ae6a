"""Calotype and its peers on the same data in one run: `make bench-versions`, or parts of it.

    uv run benchmarks/versions/run.py                                  # everything; hours, and some 15 GB of disk
    uv run benchmarks/versions/run.py --kinds coco --peers calotype plain --rounds 1
    uv run benchmarks/versions/run.py --small --out figures            # a rehearsal on a few hundred pictures
    uv run benchmarks/versions/run.py --page                           # only write the page again

Each round runs the peers in turn, each in its own environment and a fresh folder. Raw figures go to `versions.json`;
the page `versions.md` and the curves `scaling.svg` are made from it. Figures that are not measured now are kept as they
were, each with the commit, the day and the load under which it was measured.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import data
import page
from environments import ROOT, CannotInstall, commit, python_of, version_of
from peers_table import PEERS, PEOPLE_WAIT_S, Peer

HERE = Path(__file__).resolve().parent
KINDS = ("coco", "photos", "curve", "million")
SIZES = {
    "coco": (50_000,),
    "photos": (100_000,),
    "curve": (10_000, 30_000, 100_000, 300_000),
    "million": (1_000_000,),
}
SMALL = {"coco": (600,), "photos": (500,), "curve": (200, 400), "million": (800,)}
Figure = dict[str, Any]


@dataclass(frozen=True)
class Plan:
    """What to run: whom, on which sets, how often at most, and where files go."""

    peers: tuple[Peer, ...]
    kinds: tuple[str, ...]
    sizes: dict[str, tuple[int, ...]]
    folder: Path
    rounds: int | None
    only: frozenset[str]
    cut_s: int = PEOPLE_WAIT_S

    def rounds_of(self, peer: Peer, kind: str) -> int:
        most = 3 if kind in ("curve", "million") else peer.rounds
        return min(peer.rounds, most) if self.rounds is None else self.rounds


def main() -> None:
    options = _options()
    out: Path = options.out
    if not options.page:
        with _folder(options.data) as folder:
            plan = Plan(
                tuple(peer for peer in PEERS if not options.peers or peer.name in options.peers),
                tuple(options.kinds),
                SMALL if options.small else SIZES,
                folder,
                options.rounds,
                frozenset(options.scenarios),
                options.cut,
            )
            figures = measure(plan)
        page.keep(out / "versions.json", machine(), figures)
    pictures = out.parent / "images" if out == ROOT / "docs" / "benchmarks" else out
    print(page.write(out, pictures, curves=not options.no_curves))


def measure(plan: Plan) -> list[Figure]:
    """All figures, round by round, peers in turn."""
    figures: list[Figure] = []
    for kind in plan.kinds:
        for n in plan.sizes[kind]:
            peers = [peer for peer in plan.peers if kind in peer.steps]
            ready = dict(_installed(peers, plan, figures, f"{_prefix(kind)}-{n}"))
            if not ready:
                continue
            made = _make(plan.folder, kind, n)
            for turn in range(max(plan.rounds_of(peer, kind) for peer in peers)):
                for peer in peers:
                    if peer.name in ready and turn < plan.rounds_of(peer, kind):
                        figures += _round(plan, peer, ready[peer.name], kind, made, turn)
    return figures


def _installed(peers: list[Peer], plan: Plan, figures: list[Figure], name: str) -> Iterator[tuple[str, Path]]:
    for peer in peers:
        try:
            yield peer.name, python_of(peer, plan.folder / "environments")
        except CannotInstall as words:
            figures.append({"peer": peer.name, "set": name, "scenario": "install", "failed": str(words)})
            print(f"{peer.name}: not installed: {words}", file=sys.stderr)


def _prefix(kind: str) -> str:
    return "photos" if kind == "photos" else "coco"


def _make(folder: Path, kind: str, n: int) -> Path:
    print(f"making {_prefix(kind)}-{n}", file=sys.stderr)
    return (
        data.make_photos(folder, n)
        if kind == "photos"
        else data.make_set(folder, n, large=kind in ("curve", "million"))
    )


def _round(plan: Plan, peer: Peer, python: Path, kind: str, made: Path, turn: int) -> Iterator[Figure]:
    """One round of one peer, in a folder that is deleted after it."""
    facts = json.loads((made / "set.json").read_text())
    told = {
        "peer": peer.name,
        "version": version_of(peer, python),
        "set": made.name,
        "kind": kind,
        "round": turn,
        "commit": commit(),
        "at": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    needed = {"import", "edit", "photos-add", "photos-commit"} if plan.only else set()
    with tempfile.TemporaryDirectory(
        prefix=f"{peer.name}-", dir=plan.folder, ignore_cleanup_errors=True
    ) as work:
        for step in peer.steps[kind]:
            wanted = [name for name in step if not plan.only or name in plan.only or name in needed]
            for figure in _step(plan.cut_s, peer, python, made, Path(work), wanted):
                figure |= told | _judge(figure, facts)
                print(page.line(figure), file=sys.stderr, flush=True)
                yield figure


def _step(cut_s: int, peer: Peer, python: Path, made: Path, work: Path, names: list[str]) -> Iterator[Figure]:
    """Figures of one process; after a failure the scenarios behind it get a process of their own."""
    left = list(names)
    while left:
        seen, words = _process(cut_s, peer, python, made, work, left)
        yield from seen
        left = left[len(seen) :]
        if left:
            yield {"scenario": left.pop(0), "failed": words, "load": round(os.getloadavg()[0], 2)}


def _process(
    cut_s: int, peer: Peer, python: Path, made: Path, work: Path, names: list[str]
) -> tuple[list[Figure], str]:
    environment = {
        key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "PYTHONPATH")
    }
    if not peer.requirements:
        environment["PYTHONPATH"] = str(ROOT / "src")
    for key, value in peer.environment.items():
        environment[key] = value.format(work=work)
    environment["BENCH_SPAWNED_AT"] = repr(time.time())
    script = str(HERE / "peers" / peer.script)
    words = [str(python), script, "--set", str(made.resolve()), "--work", str(work), *names]
    with (
        tempfile.TemporaryFile("w+") as talk,
        subprocess.Popen(
            words,
            stdout=subprocess.PIPE,
            stderr=talk,
            text=True,
            env=environment,
            cwd=work,
            start_new_session=True,
        ) as process,
    ):
        cut = threading.Timer(cut_s, process.kill)
        cut.start()
        assert process.stdout is not None
        lines = [line for line in process.stdout if line.startswith('{"scenario"')]
        code = process.wait()
        late = not cut.is_alive()
        cut.cancel()
        talk.seek(0)
        last = re.sub(r"(/[\w.@+~-]+)+/", "", " ".join(talk.read().split()))[
            -300:
        ]  # no paths of this machine
    return [
        json.loads(line) for line in lines
    ], f"cut off after {cut_s} s" if late else f"exit code {code}: {last}"


def _judge(figure: Figure, facts: dict[str, Any]) -> Figure:
    """Whether the answer is the one that the data maker knows; None where there is none to compare."""
    known = {
        "import": "n_boxes",
        "import-copy": "n_boxes",
        "predictions": "n_boxes",
        "predictions-columns": "n_boxes",
        "count": "by_class",
        "start": "by_class",
        "filter": "matching",
        "random": "some_boxes",
        "loader": "some_boxes",
        "diff": "changed_boxes",
        "photos-add": "n_images",
        "photos-checkout": "n_images",
        "photos-open": "n_images",
        "photos-link": "n_images",
        "photos-copy": "n_images",
    }
    scenario = figure["scenario"]
    answer = figure.pop("answer", None)
    if "seconds" not in figure or answer is None:
        return {}
    if scenario == "nearest":
        return {"right": answer == 3}
    if scenario == "together":
        return {"right": answer}
    if scenario == "round-trip":
        return {"right": answer == 0}
    if scenario in known:
        right = answer == facts[known[scenario]]
        return (
            {"right": True}
            if right
            else {"right": False, "answer": answer if isinstance(answer, int) else "other counts"}
        )
    return {}


def machine() -> Figure:
    """The machine, as far as a figure depends on it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cores": os.cpu_count(),
        "memory_gib": round(memory, 1),
        "processor": _processor(),
        "system": f"{platform.system()} {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")),
        platform.machine(),
    )


@contextmanager
def _folder(given: Path | None) -> Iterator[Path]:
    """The folder for data and environments; a temporary one is deleted in the end."""
    if given is not None:
        given.mkdir(parents=True, exist_ok=True)
        yield given.resolve()
        return
    made = Path(tempfile.mkdtemp(prefix="calotype-versions-"))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--data", type=Path, help="keep data and environments here (default: a temporary folder)"
    )
    parser.add_argument("--out", type=Path, default=ROOT / "docs" / "benchmarks", help="where the figures go")
    parser.add_argument("--peers", nargs="+", choices=[peer.name for peer in PEERS], default=[])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--scenarios", nargs="+", default=[], help="only these, and what they need")
    parser.add_argument("--rounds", type=int, help="rounds of every peer (default: as its entry says)")
    parser.add_argument(
        "--cut", type=int, default=PEOPLE_WAIT_S, help="seconds after which a process is cut off"
    )
    parser.add_argument("--small", action="store_true", help="a rehearsal on a few hundred pictures")
    parser.add_argument(
        "--no-curves", action="store_true", help="draw no picture (it needs matplotlib, by uv)"
    )
    parser.add_argument("--page", action="store_true", help="measure nothing, write the page again")
    return parser.parse_args()


if __name__ == "__main__":
    main()
