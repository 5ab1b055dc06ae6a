"""The fuzzer: mutants of small valid inputs, and proof that none crashes, hangs, or loses anything without a word.

    uv run benchmarks/fuzz/run.py                                   # 20,000 mutants of each kind
    uv run benchmarks/fuzz/run.py --format coco --mutants 300 --seed 2 --keep failures

Each mutant is made from its seed and number alone. It is read in a worker process with everything that an import does
to its rows; a share of the mutants goes through the whole import, all checks, a commit and all exports (`--whole`), and
accepted images through all checks together. No reader may open a file outside the folder. A worker that takes longer
than 5 seconds on one mutant is killed and the mutant tried once more by itself; twice is a hang. Exit code 1 after any
crash, hang or silent loss; `--keep` saves what failed, with only the changes that it takes.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from pathlib import Path

import sets
import workers

WRONG = ("crash", "hang", "silent")


def main() -> int:
    """Every kind in turn, then the table."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--format", nargs="+", choices=(*sets.KINDS, "all"), default=["all"])
    parser.add_argument("--mutants", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--whole", type=float, default=0.01, help="Share that goes through the whole import.")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--keep", type=Path)
    asked = parser.parse_args()
    kinds = sets.KINDS if "all" in asked.format else asked.format
    tallies = []
    for kind in kinds:
        job = workers.Job(kind, asked.mutants, asked.seed, asked.whole)
        began = time.monotonic()
        tally = workers.run(job, asked.workers)
        tally.seconds = time.monotonic() - began
        tallies.append((kind, tally))
        print(line(kind, tally), flush=True)
        for number, outcome in tally.wrong:
            print(f"  {kind} {number}: {outcome.what} {outcome.code}: {outcome.detail}", flush=True)
            if asked.keep is not None and number >= 0:
                workers.keep(job, number, outcome, asked.keep)
    version = platform.python_version()
    print(f"\n{platform.system()} {platform.machine()}, Python {version}, seed {asked.seed}")
    return 1 if any(tally.wrong for _, tally in tallies) else 0


def line(kind: str, tally: workers.Tally) -> str:
    """One row of the table."""
    n = tally.counts
    return (
        f"{kind:<15} {sum(n.values()):>6} mutants {n['accepted']:>6} accepted {n['quarantined']:>6} quarantined "
        f"{n['refused']:>6} refused {n['not written']:>3} not written {tally.n_whole:>4} whole {n['crash']:>3} crashes "
        f"{n['hang']:>3} hangs {n['silent']:>3} silent {tally.seconds:>7.0f} s"
    )


if __name__ == "__main__":
    sys.exit(main())
