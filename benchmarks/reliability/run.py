"""The reliability harness: faults at random moments, and proof after each that nothing acknowledged is lost.

    uv run python benchmarks/reliability/run.py                               # 200 rounds of each fault
    uv run python benchmarks/reliability/run.py --rounds 20 --fault kill --fault stop

Each round copies a small prepared workspace, lets processes work on it, strikes, and verifies the workspace deeply,
looks for every acknowledged commit, image and count, and lets the next writer go on. Exit code 1 when anything was
lost, unreadable, or ended in an error that a user could not understand.
"""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
import tempfile
import warnings
from pathlib import Path

import shop

FAULTS = ("kill", "stop", "full", "power", "increments")


def main() -> int:
    """Every fault in turn, then the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--fault", action="append", choices=FAULTS)
    asked = parser.parse_args()
    warnings.filterwarnings(
        "ignore", message="lance is not fork-safe"
    )  # nothing of Lance is open when we fork
    tallies = []
    with tempfile.TemporaryDirectory(prefix="calotype-reliability-") as name:
        folder = Path(name)
        base = shop.prepare(folder)
        for fault in asked.fault or FAULTS:
            done = importlib.import_module(fault).rounds(base, folder, n=asked.rounds, seed=asked.seed)
            tallies += done
            for tally in done:
                print(line(tally), flush=True)
    print(
        f"\n{platform.system()} {platform.machine()}, Python {platform.python_version()}, seed {asked.seed}"
    )
    for tally in tallies:
        for wrong in tally.wrong:
            print(f"{tally.fault}: {wrong}")
    return 1 if any(tally.wrong for tally in tallies) else 0


def line(tally: shop.Tally) -> str:
    """One row of the table."""
    return (
        f"{tally.fault:<24} {tally.rounds:>5} rounds {tally.hit:>5} hit at work {tally.acknowledged:>6} acknowledged "
        f"{len(tally.lost):>3} lost {len(tally.unreadable):>3} unreadable {len(tally.unclean):>3} unclean "
        f"{tally.seconds:>7.1f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
