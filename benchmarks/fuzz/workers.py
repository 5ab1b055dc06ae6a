"""Worker processes that can be killed, the watchdog over them, and the search for the least change that fails."""

from __future__ import annotations

import multiprocessing
import random
import time
import traceback
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

import judge
import mutants
import sets

HANG_S = 5.0
HANG_WHOLE_S = 90.0
"""The whole import with checks and exports takes seconds by itself on a busy machine."""
_BATCH = 150
"""Accepted images that go through the checks together."""
_CONTEXT = multiprocessing.get_context("spawn")


@dataclass(frozen=True, slots=True)
class Job:
    """What to fuzz: mutants 0 to n - 1 of a kind; a share of them through the whole import."""

    kind: str
    n: int
    seed: int
    whole: float


@dataclass
class Tally:
    """Outcomes by name, and those that are wrong; a batch of accepted images that fails has the number -1."""

    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[int, judge.Outcome]] = field(default_factory=list)
    codes: Counter[str] = field(default_factory=Counter)
    n_whole: int = 0
    seconds: float = 0.0

    def add(self, number: int, outcome: judge.Outcome) -> None:
        """Count one."""
        if number >= 0:
            self.counts[outcome.what] += 1
            self.codes[outcome.code] += 1
        elif outcome.what != "accepted":
            self.counts[outcome.what] += 1
        if outcome.what in ("crash", "hang", "silent"):
            self.wrong.append((number, outcome))


def rng_of(job: Job, number: int) -> random.Random:
    """The source of everything about one mutant."""
    return random.Random(f"{job.seed}:{job.kind}:{number}")


def made(job: Job, number: int, only: Sequence[int] | None = None) -> tuple[mutants.Files, bool, int]:
    """The files of a mutant, whether it goes through the whole import, and its number of changes."""
    rng = rng_of(job, number)
    base = sets.base(job.kind, rng)
    changes = sets.changes(job.kind, rng)
    is_whole = job.kind not in ("images", "pipelines") and rng.random() < job.whole
    chosen = changes if only is None else [changes[at] for at in only]
    return mutants.mutate(base, chosen), is_whole, len(changes)


def outcome_of(job: Job, number: int, only: Sequence[int] | None = None) -> judge.Outcome:
    """Judge one mutant; what nobody expects is a crash."""
    try:
        files, is_whole, _ = made(job, number, only)
        return judge.judge(job.kind, files, whole=is_whole)
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{Path(frame.filename).name}:{frame.lineno}"
        return judge.Outcome("crash", f"{type(error).__name__} at {place}", str(error)[:300])


def _work(job: Job, pipe: Connection) -> None:
    """Judge the numbers that come through the pipe until None comes."""
    accepted: list[tuple[str, bytes]] = []
    while (number := pipe.recv()) is not None:
        outcome = outcome_of(job, number)
        pipe.send((number, outcome))
        if job.kind == "images" and outcome.what == "accepted":
            (data, *_) = made(job, number)[0].values()
            accepted.append((f"{number}{_SUFFIXES[outcome.code]}", data))
            if len(accepted) >= _BATCH:
                pipe.send((-1, _batch(accepted)))
                accepted = []
    if accepted:
        pipe.send((-1, _batch(accepted)))
    pipe.send(None)


_SUFFIXES = {
    "image/jpeg": ".jpg",
    "image/png": ".png",
    "image/webp": ".webp",
    "image/tiff": ".tif",
    "image/bmp": ".bmp",
    "image/gif": ".gif",
}


def _batch(accepted: list[tuple[str, bytes]]) -> judge.Outcome:
    try:
        outcome = judge.check_accepted(accepted)
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        outcome = judge.Outcome(
            "crash", f"{type(error).__name__} at {frame.filename}:{frame.lineno}", str(error)[:300]
        )
    if outcome.what == "accepted" or len(accepted) == 1:
        detail = accepted[0][0] + ": " + outcome.detail if len(accepted) == 1 else outcome.detail
        return judge.Outcome(outcome.what, outcome.code, detail)
    for half in (accepted[: len(accepted) // 2], accepted[len(accepted) // 2 :]):
        smaller = _batch(half)
        if smaller.what != "accepted":
            return smaller
    return outcome


class _Worker:
    """One process, the mutant that it works on, and since when."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self.pipe, theirs = _CONTEXT.Pipe()
        self.process: Any = _CONTEXT.Process(target=_work, args=(job, theirs), daemon=True)
        self.process.start()
        theirs.close()
        self.number: int | None = None
        self.since = time.monotonic()
        self.is_warm = False
        self.is_ending = False

    def give(self, number: int | None) -> None:
        """Hand over the next mutant; None ends the process."""
        self.number, self.since = number, time.monotonic()
        self.is_ending = number is None
        self.pipe.send(number)

    def is_late(self) -> bool:
        """Whether it has been at one mutant for too long."""
        if self.number is None:
            return False
        limit = HANG_S if self.is_warm and not made(self._job, self.number)[1] else HANG_WHOLE_S
        if self._job.kind == "images":
            limit = HANG_WHOLE_S  # a batch of checks may come between; single images are timed by themselves
        return time.monotonic() - self.since > limit

    def kill(self) -> None:
        """End the process."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def run(job: Job, n_workers: int) -> Tally:
    """Judge all mutants of a job."""
    tally = Tally()
    tally.n_whole = sum(made_whole(job, number) for number in range(job.n))
    waiting = iter(range(job.n))
    workers = [_Worker(job) for _ in range(max(1, min(n_workers, job.n)))]
    for worker in workers:
        worker.give(next(waiting, None))
    while workers:
        ready = wait([worker.pipe for worker in workers], timeout=0.5)
        for worker in list(workers):
            if worker.pipe in ready:
                _hear(worker, tally, waiting, workers)
            elif worker.is_late() or not (worker.process.is_alive() or worker.pipe.poll()):
                _replace(worker, job, tally, waiting, workers)
    return tally


def made_whole(job: Job, number: int) -> bool:
    """Whether a mutant goes through the whole import."""
    if job.kind in ("images", "pipelines"):
        return False
    rng = rng_of(job, number)
    sets.base(job.kind, rng)
    sets.changes(job.kind, rng)
    return rng.random() < job.whole


def _hear(worker: _Worker, tally: Tally, waiting: Any, workers: list[_Worker]) -> None:
    try:
        message = worker.pipe.recv()
    except EOFError:
        return
    if message is None:
        worker.process.join()
        workers.remove(worker)
        return
    number, outcome = message
    tally.add(number, outcome)
    worker.is_warm = True
    if number >= 0 and not worker.is_ending:
        worker.give(next(waiting, None))


def _replace(worker: _Worker, job: Job, tally: Tally, waiting: Any, workers: list[_Worker]) -> None:
    """A worker that hangs or died: its mutant is tried once more by itself, and another worker goes on."""
    workers.remove(worker)
    number = worker.number
    worker.kill()
    if number is not None:
        tally.add(number, alone(job, number))
    fresh = _Worker(job)
    workers.append(fresh)
    fresh.give(next(waiting, None))


def alone(job: Job, number: int, only: Sequence[int] | None = None) -> judge.Outcome:
    """Judge one mutant in a process of its own that has been warmed up, within the limit of time."""
    pipe, theirs = _CONTEXT.Pipe()
    process = _CONTEXT.Process(target=_once, args=(job, number, only, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        pipe.poll(120)
        pipe.recv()  # it has started
        limit = HANG_WHOLE_S if made(job, number)[1] else HANG_S
        if not pipe.poll(limit):
            return judge.Outcome("hang", "hang", f"more than {limit:g} s")
        outcome: judge.Outcome = pipe.recv()
        return outcome
    except EOFError:
        return judge.Outcome("crash", f"exit {process.exitcode}", "the process died")
    finally:
        process.kill()
        process.join()


def _once(job: Job, number: int, only: Sequence[int] | None, pipe: Connection) -> None:
    judge.judge(job.kind, sets.base(job.kind, random.Random(0)), whole=False)
    pipe.send("started")
    pipe.send(outcome_of(job, number, only))


def keep(job: Job, number: int, outcome: judge.Outcome, folder: Path) -> None:
    """Save a mutant that fails, with as few of its changes as fail in the same way."""
    n = made(job, number)[2]
    best = list(range(n))
    for at in range(n):
        fewer = [change for change in best if change != at]
        if fewer and alone(job, number, fewer).what == outcome.what:
            best = fewer
    target = folder / f"{job.kind}-{job.seed}-{number}"
    target.mkdir(parents=True, exist_ok=True)
    judge.put(made(job, number, best)[0], target)
    (folder / f"{target.name}.txt").write_text(f"{outcome.what} {outcome.code}: {outcome.detail}\n", "utf-8")
