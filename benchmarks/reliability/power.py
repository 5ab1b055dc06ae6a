"""The power is cut: only what was flushed is sure to be on the disk, and of the rest any part.

Each kind of work is recorded once (strace) and checked by playing it back whole; then every round cuts it at a random
moment, half of them right after something was acknowledged, and judges what is left.
"""

from __future__ import annotations

import os
import random
import shutil
import tempfile
from pathlib import Path

from power_disk import Disk
from power_log import Recorder
from shop import WORK, Child, Tally, Tell, Work, clock, differences, judge

from calotype.store import open_workspace

FAULT = "power"


def rounds(base: Path, folder: Path, *, n: int, seed: int) -> list[Tally]:
    """All rounds, a tally for each kind of work."""
    if shutil.which("strace") is None:
        print("power: skipped, strace is not installed", flush=True)
        return []
    tallies = []
    for at, (name, work) in enumerate(WORK.items()):
        disk = _recorded(base, folder, name, work)
        if disk is None:
            print("power: skipped, strace may not attach to a process here", flush=True)
            return []
        mine = n // len(WORK) + (at < n % len(WORK))
        tallies.append(_rounds(disk, folder, name, mine, seed))
    return tallies


def _rounds(disk: Disk, folder: Path, name: str, n: int, seed: int) -> Tally:
    tally, began = Tally(f"power: {name}"), clock()
    rng = random.Random(f"power {name} {seed}")
    moments = [index for index, _ in disk.acks]
    for round_ in range(n):
        cut = rng.choice(moments) + 1 if round_ % 2 else rng.randrange(disk.n_ops)
        ordered = rng.random() < 0.5
        root = folder / "cut"
        disk.after_cut(cut, root, rng, ordered=ordered)
        told = [one for index, one in disk.acks if index < cut]
        tally.rounds += 1
        tally.hit += "end" not in (told[-1] if told else {})
        judge(root, told, tally, f"{name} cut at {cut} of {disk.n_ops} ({'ordered' if ordered else 'any'})")
        shutil.rmtree(root, ignore_errors=True)
    tally.seconds = clock() - began
    return tally


def _recorded(base: Path, folder: Path, name: str, work: Work) -> Disk | None:
    """The work done once under strace; None where that is not allowed."""
    root, project = folder / "recorded", base.parent / "project"
    shutil.copytree(base, root)
    go_read, go_write = os.pipe()

    def task(tell: Tell) -> None:
        os.read(go_read, 1)
        tempfile.tempdir = str(root)  # so that what is copied through temporary files is recorded too
        store = open_workspace(root)
        tell({"begin": True})
        work(store, project, tell)
        tell({"end": True})
        os._exit(0)  # as a process that is cut off: nothing is closed tidily

    child = Child(task)
    recorder = Recorder(child.pid, folder / f"{name}.strace")
    os.write(go_write, b"x")
    told = child.end(seconds=300)
    os.close(go_read)
    os.close(go_write)
    if not recorder.attached:
        shutil.rmtree(root)
        return None
    disk = Disk(base, recorder.ops(root))
    if not told or "end" not in told[-1] or [one for _, one in disk.acks] != told:
        raise SystemExit(f"power: the recording of {name} is not whole: {told} {disk.acks}")
    disk.whole(folder / "whole")
    differs = [name for name in differences(root, folder / "whole") if not name.endswith("-shm")]
    if differs:
        raise SystemExit(f"power: played back, {name} differs in {differs[:5]}")
    shutil.rmtree(folder / "whole")
    shutil.rmtree(root)
    return disk
