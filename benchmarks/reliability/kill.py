"""SIGKILL at a random moment of each kind of work."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from pathlib import Path

from shop import WORK, Tally, Work, clock, copy_of, judge, worker

FAULT = "kill"


def rounds(base: Path, folder: Path, *, n: int, seed: int) -> list[Tally]:
    """All rounds, a tally for each kind of work."""
    project = base.parent / "project"
    tallies = []
    for at, (name, work) in enumerate(WORK.items()):
        mine = n // len(WORK) + (at < n % len(WORK))
        tally, began = Tally(f"kill: {name}"), clock()
        length_s = length(base, folder, project, work)
        rng = random.Random(f"{name} {seed}")
        for round_ in range(mine):
            after_s = (round_ + rng.random()) / mine * length_s * 1.05
            with copy_of(base, folder) as root:
                _one(root, project, work, after_s, tally, f"{name} killed after {after_s:.4f} s")
        tally.seconds = clock() - began
        tallies.append(tally)
    return tallies


def length(base: Path, folder: Path, project: Path, work: Work) -> float:
    """Seconds that the work takes when nothing happens to it, from begin to end: the best of three."""
    return min(_once(base, folder, project, work) for _ in range(3))


def _once(base: Path, folder: Path, project: Path, work: Work) -> float:
    with copy_of(base, folder) as root:
        child = worker(root, project, work)
        child.line()
        began = clock()
        told = child.end()
    if not told or "end" not in told[-1]:
        raise SystemExit(f"the undisturbed work failed: {told}")
    return clock() - began


def _one(root: Path, project: Path, work: Work, after_s: float, tally: Tally, where: str) -> None:
    tally.rounds += 1
    child = worker(root, project, work)
    child.line()
    timer = threading.Timer(after_s, send, [child.pid, signal.SIGKILL])
    timer.start()
    told = child.end()
    timer.cancel()
    timer.join()
    tally.hit += os.WIFSIGNALED(child.status or 0)
    judge(root, told, tally, where)


def after(seconds: float, pid: int, signal_: int) -> None:
    """Wait, then send a signal; the process may have ended by then."""
    time.sleep(seconds)
    send(pid, signal_)


def send(pid: int, signal_: int) -> None:
    """Send a signal to a process that may be gone."""
    try:
        os.kill(pid, signal_)
    except ProcessLookupError:
        return
