"""A planted slice of three conditions among 20,000 rows and 6 columns, 20 times; tables without any slice, 20 of each.

uv run benchmarks/quality/slices.py
uv run benchmarks/quality/slices.py --peer    # sliceline, on one of the planted slices
"""

from __future__ import annotations

import sys
import time

import numpy as np
from peer import ask, python_with

from calotype.checks import find_slices

SLICELINE = """
import time
from sliceline.slicefinder import Slicefinder
before = time.process_time()
finder = Slicefinder(alpha=0.95, k=1, max_l=3, min_sup=20, verbose=False)
finder.fit(given['x'] + 1, given['errors'].astype(float))
answer['seconds'] = np.asarray(time.process_time() - before)
answer['top'] = np.asarray([-1 if v is None else int(v) - 1 for v in finder.top_slices_[0]])
"""
SIZES = (4, 5, 8, 3, 6, 2)


N_RUNS = 20
DESIGNS = (
    ("20,000 rows, .5 % wrong", 20_000, 0.005, False),
    ("2,000 rows, 1 % wrong", 2_000, 0.01, False),
    ("2,000 rows, 1 % wrong, a numeric and a 30-value column", 2_000, 0.01, True),
    ("20,000 rows, .5 % wrong, a numeric and a 30-value column", 20_000, 0.005, True),
    ("20,000 rows, 10 % wrong, a numeric and a 30-value column", 20_000, 0.1, True),
)
"""Tables in which errors are independent of everything: name, rows, share of errors, and whether columns are added."""
PLANTED = {"c0": 1, "c1": 2, "c2": 3}


def table(n_rows: int, more: bool, seed: int) -> tuple[dict[str, np.ndarray], np.random.Generator]:
    """Six columns of codes; and, if asked for, one of numbers and one of 30 values."""
    rng = np.random.default_rng(seed)
    columns = {f"c{at}": rng.integers(0, size, n_rows) for at, size in enumerate(SIZES)}
    if more:
        columns |= {"number": rng.normal(size=n_rows), "place": rng.integers(0, 30, n_rows).astype(str)}
    return columns, rng


def planted(seed: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """A table of 20,000 rows, 10 % of them wrong but 80 % in one slice of three conditions."""
    columns, rng = table(20_000, False, seed)
    inside = np.logical_and.reduce([columns[name] == value for name, value in PLANTED.items()])
    return columns, rng.random(20_000) < np.where(inside, 0.8, 0.1)


def nulls() -> None:
    """Print how often a slice is reported where there is none."""
    for name, n_rows, rate, more in DESIGNS:
        n_reporting = 0
        for seed in range(N_RUNS):
            columns, rng = table(n_rows, more, seed)
            n_reporting += bool(find_slices(columns, rng.random(n_rows) < rate))
        print(f"no slice, {name}: {n_reporting} of {N_RUNS} runs report one")


def main() -> None:
    """Print the tables without a slice, and those with one."""
    nulls()
    find_slices({"c0": np.arange(50) % 2}, np.arange(50) % 3 == 0)
    n_first, n_alone, seconds = 0, 0, []
    for seed in range(N_RUNS):
        columns, errors = planted(seed)
        began = time.process_time()
        reported = find_slices(columns, errors)
        seconds.append(time.process_time() - began)
        n_first += bool(reported) and dict(reported[0].conditions) == PLANTED
        n_alone += len(reported) == 1
    print(
        f"planted, 20,000 rows, 80 % wrong instead of 10 %: first in {n_first}, alone in {n_alone} of {N_RUNS}"
    )
    print(f"CPU s: median {np.median(seconds):.3f}, longest {max(seconds):.3f}")
    if "--peer" in sys.argv:
        beside_sliceline(float(np.median(seconds)))


def beside_sliceline(ours: float) -> None:
    """Print what sliceline names first."""
    columns, errors = planted(0)
    x = np.stack(list(columns.values()), axis=1)
    peer, _ = ask(python_with("sliceline"), SLICELINE, x=x, errors=errors)
    seconds = float(peer["seconds"])
    named = {f"c{at}": int(v) for at, v in enumerate(peer["top"].tolist()) if v >= 0}
    print(f"sliceline names {named} ({'right' if named == PLANTED else 'wrong'}), {seconds:.3f} CPU s")
    print(f"ratio {seconds / ours:.0f}")


if __name__ == "__main__":
    main()
