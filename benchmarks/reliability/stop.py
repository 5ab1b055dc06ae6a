"""SIGSTOP in the middle of the work: others go on or are told cleanly, and after SIGCONT nothing is lost or doubled."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import kill
from shop import BASE_COUNT, WORK, Tally, Tell, clock, copy_of, increment, judge, worker

from calotype.store import Store

FAULT = "stop"
_BUSY_S = 0.3


def rounds(base: Path, folder: Path, *, n: int, seed: int) -> list[Tally]:
    """All rounds: one process is stopped at its work, another works on the same branch."""
    project = base.parent / "project"
    tally, began = Tally("stop: edit and commit"), clock()
    length_s = kill.length(base, folder, project, WORK["commit"])
    rng = random.Random(f"stop {seed}")
    refused = 0
    for round_ in range(n):
        after_s = (round_ + rng.random()) / n * length_s * 1.05
        with copy_of(base, folder) as root:
            refused += _one(root, project, after_s, tally, f"stopped after {after_s:.4f} s")
    tally.fault += f" ({refused} refused)"
    tally.seconds = clock() - began
    return [tally]


def _one(root: Path, project: Path, after_s: float, tally: Tally, where: str) -> int:
    tally.rounds += 1
    stopped = worker(root, project, WORK["commit"])
    stopped.line()
    kill.after(after_s, stopped.pid, signal.SIGSTOP)
    tally.hit += _is_stopped(stopped.pid)
    other = worker(root, project, _two_increments, busy_s=_BUSY_S).end(seconds=30)
    kill.send(stopped.pid, signal.SIGCONT)
    told = other + stopped.end()
    counted = [one["counter"] for one in told if "counter" in one]
    if len(set(counted)) != len(counted):
        tally.lost.append(f"{where}: two writers were told the same number {sorted(counted)}")
    judge(root, [*told, {"counter": BASE_COUNT + len(counted)}], tally, where, workers=0)
    return sum(1 for one in told if "error" in one)


def _two_increments(store: Store, _project: Path, tell: Tell) -> None:
    for _ in range(2):
        tell({"counter": increment(store)})


def _is_stopped(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state == "T" and os.getpgid(pid) == pid
