"""A writer that counts in a sample's metadata: each step reads the number and writes the next one.

    python -m tests.support.counting FOLDER STEPS [--die]

Prints each number once the write has returned. With `--die` it kills itself in the middle of its last step: the rows
lie in their table, and the catalog has not taken them over.
"""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

from calotype.app import wiring
from calotype.datasets import repository
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor
from calotype.store import Store

DATASET = "shop"


def counted(snapshot: Snapshot) -> int:
    """The number now."""
    (sample,) = snapshot.iter_samples()
    return int(sample.metadata.get("n", 0) or 0)


def step(actor: Actor, store: Store) -> int:
    """Write the next number and return it."""

    def plan(snapshot: Snapshot) -> Change:
        (sample,) = snapshot.iter_samples()
        return Change(put_samples=[replace(sample, metadata={"n": counted(snapshot) + 1})])

    return counted(datasets.apply(actor, DATASET, plan, store=store))


def main(folder: str, steps: str, die: str = "") -> None:
    """Count."""
    actor = Actor(id=f"test:{os.getpid()}", name="writer")
    store = wiring.open_at(Path(folder))
    for at in range(int(steps)):
        if die and at + 1 == int(steps):
            repository.move_ref = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # type: ignore[assignment]
        print(step(actor, store), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
