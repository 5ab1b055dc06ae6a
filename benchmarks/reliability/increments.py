"""Eight processes count one number up at once, while a ninth compacts and sweeps: no increment may be missing."""

from __future__ import annotations

import time
from pathlib import Path

from shop import ACTOR, BASE_COUNT, Child, Tally, Tell, clock, copy_of, increment, judge

from calotype.datasets.edit import WorkingStateMoved
from calotype.reliability import service as reliability
from calotype.store import open_workspace

FAULT = "increments"
WRITERS = 8
_GRACE_S = 5.0


def rounds(base: Path, folder: Path, *, n: int, seed: int) -> list[Tally]:
    """One round of `n` increments for each writer."""
    tally, began = Tally(f"{FAULT}: {WRITERS} x {n}", rounds=1, hit=1), clock()
    with copy_of(base, folder) as root:
        sweeper = Child(lambda tell: _sweep(root, tell))
        children = [Child(lambda tell: _count(root, n, tell)) for _ in range(WRITERS)]
        told = [one for child in children for one in child.end(seconds=1_800)]
        done = [one for one in told if "counter" in one]
        sweeper.stop()
        tally.unclean += [
            f"gc: {one}"
            for one in sweeper.end()
            if one.get("error") != "workspace-busy" and "swept" not in one
        ]
        if len(done) != WRITERS * n:
            tally.unclean.append(
                f"{len(done)} increments were acknowledged, {WRITERS * n} asked for: {told[-1]}"
            )
        if sorted(one["counter"] for one in done) != list(range(BASE_COUNT + 1, BASE_COUNT + 1 + len(done))):
            tally.lost.append("two writers were told the same number")
        judge(root, told, tally, FAULT, workers=0)
    tally.seconds = clock() - began
    return [tally]


def _count(root: Path, n: int, tell: Tell) -> None:
    store = open_workspace(root)
    for _ in range(n):
        while True:
            try:
                tell({"counter": increment(store)})
                break
            except WorkingStateMoved:  # a clean refusal: nothing was kept, so the user tries again
                time.sleep(0.05)


def _sweep(root: Path, tell: Tell) -> None:
    store = open_workspace(root)
    while True:
        reliability.gc(ACTOR, store=store, grace_s=_GRACE_S, always_compact=True)
        tell({"swept": True})
        time.sleep(0.5)
