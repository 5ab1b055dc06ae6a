"""A planted slice of three conditions among 20,000 rows and 6 columns: ours beside sliceline.

uv run benchmarks/quality/slices.py
"""

from __future__ import annotations

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


def main() -> None:
    """Print both."""
    rng = np.random.default_rng(0)
    x = np.stack([rng.integers(0, size, 20_000) for size in SIZES], axis=1)
    planted = (x[:, 0] == 1) & (x[:, 1] == 2) & (x[:, 2] == 3)
    errors = rng.random(20_000) < np.where(planted, 0.8, 0.1)
    columns = {f"c{at}": x[:, at] for at in range(len(SIZES))}
    find_slices({"c0": x[:50, 0]}, errors[:50])
    began = time.process_time()
    first = find_slices(columns, errors)[0]
    ours = time.process_time() - began
    right = dict(first.conditions) == {"c0": 1, "c1": 2, "c2": 3}
    print(f"planted: {int(planted.sum())} rows, 80 % wrong instead of 10 %")
    print(f"calotype   first: {dict(first.conditions)} {'(right)' if right else '(wrong)'}, {ours:.3f} CPU s")
    peer, _ = ask(python_with("sliceline"), SLICELINE, x=x, errors=errors)
    seconds = float(peer["seconds"])
    named = {f"c{at}": int(v) for at, v in enumerate(peer["top"].tolist()) if v >= 0}
    verdict = "(right)" if named == {"c0": 1, "c1": 2, "c2": 3} else "(wrong)"
    print(f"sliceline  first: {named} {verdict}, {seconds:.3f} CPU s")
    print(f"ratio {seconds / ours:.0f}")


if __name__ == "__main__":
    main()
