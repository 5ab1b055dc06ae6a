"""The disk gets full at a random point of the work: a clean error, nothing lost, and it goes on when there is room.

The disk is a small tmpfs of its own, so it takes the right to mount (root); without it this fault is skipped.
"""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shop import WORK, Tally, Work, clock, copy_of, judge, worker

FAULT = "full"
_DISK_BYTES = 96_000_000


def rounds(base: Path, folder: Path, *, n: int, seed: int) -> list[Tally]:
    """All rounds, a tally for each kind of work."""
    with _disk(folder / "disk") as disk:
        if disk is None:
            print("full: skipped, a tmpfs cannot be mounted here (it takes root)", flush=True)
            return []
        return [_rounds(base, disk, name, work, n, at, seed) for at, (name, work) in enumerate(WORK.items())]


def _rounds(base: Path, disk: Path, name: str, work: Work, n: int, at: int, seed: int) -> Tally:
    project = base.parent / "project"
    mine = n // len(WORK) + (at < n % len(WORK))
    tally, began = Tally(f"full: {name}"), clock()
    with copy_of(base, disk) as root:
        before = shutil.disk_usage(disk).used
        worker(root, project, work).end()
        needed = shutil.disk_usage(disk).used - before
    rng = random.Random(f"full {name} {seed}")
    for round_ in range(mine):
        left = int((round_ + rng.random()) / mine * needed * 1.1)
        with copy_of(base, disk) as root:
            _one(root, disk, project, work, left, tally, f"{name} with {left} bytes left")
    tally.seconds = clock() - began
    return tally


def _one(root: Path, disk: Path, project: Path, work: Work, left: int, tally: Tally, where: str) -> None:
    tally.rounds += 1
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        room = shutil.disk_usage(disk).free - left
        chunk = bytes(1 << 16)
        for start in range(0, room, len(chunk)):
            file.write(chunk[: room - start])
    told = worker(root, project, work).end()
    tally.hit += any("error" in one or "failed" in one for one in told)
    ballast.unlink()
    judge(root, told, tally, where)


@contextmanager
def _disk(folder: Path) -> Iterator[Path | None]:
    """A tmpfs of a fixed size, or None where mounting is not allowed."""
    folder.mkdir()
    size = f"size={_DISK_BYTES}"
    words = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)]
    if (
        shutil.which("mount") is None
        or subprocess.run(words, capture_output=True, check=False).returncode != 0
    ):
        yield None
        return
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], capture_output=True, check=True)
