"""Nearest vectors: by the index of a large table beside looking at all of them, in one run.

    uv run benchmarks/quality/nearest.py [--rows 100000] [--dim 512] [--vectors FILE.npy]

Drawn are `--rows` vectors around 1,000 centres; `--vectors` takes vectors of your own, (N, D) float32, in their place.
Queries are 100 vectors that are not in the table. Printed: CPU seconds to put and index them; recall@10, the share of
the ten nearest that the index finds; median CPU milliseconds of a query once all is warm, and of the first one in a
workspace just opened, which is what the command line pays. Ratios are exact / index.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from calotype.curate import vectors
from calotype.datasets import rows
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.model import Sample
from calotype.foundation.actor import Actor
from calotype.store import Store, open_workspace
from calotype.store.maintenance import vector_index
from calotype.store.store import create_workspace

ACTOR = Actor(id="bench", name="bench")
MODEL, K, QUERIES = "drawn", 10, 100
QUERIES_BY = ("", 'licence = "half"', 'licence = "rare"')


def drawn(n: int, dim: int) -> np.ndarray:
    """(n, dim) float32 around 1,000 centres."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(1_000, dim)).astype(np.float32)
    return centres[rng.integers(0, len(centres), n)] + 0.7 * rng.normal(size=(n, dim)).astype(np.float32)


def fill(store: Store, matrix: np.ndarray) -> float:
    """Dataset `crowd` with these vectors. Returns CPU seconds of putting and indexing them."""
    samples = [
        Sample(f"{at:032x}", f"{at:064x}", f"{at:07d}.jpg", 64, 48, "image/jpeg", 1, licence=licence(at))
        for at in range(len(matrix))
    ]
    datasets.create(ACTOR, "crowd", store=store)
    datasets.apply(ACTOR, "crowd", Change(put_samples=rows.samples_to_arrow(samples)), store=store)
    began = time.process_time()
    vectors.put_vectors(ACTOR, "crowd", MODEL, [one.sample_id for one in samples], matrix, store=store)
    return time.process_time() - began


def licence(at: int) -> str:
    """One in 1,000 is rare, half of the others are of one kind."""
    return "rare" if at % 1_000 == 7 else "half" if at % 2 else "other"


def timed(call: Callable[[], object]) -> tuple[object, float]:
    """What a call returns and its CPU milliseconds."""
    began = time.process_time()
    return call(), (time.process_time() - began) * 1e3


def asked(store: Store, queries: np.ndarray, where: str, *, exact: bool) -> tuple[list[set[str]], float]:
    """Ids found for each query, and the median CPU milliseconds; the first call does not count."""

    def find(query: np.ndarray) -> set[str]:
        found = vectors.nearest(
            ACTOR, "crowd", MODEL, query, K, store=store, where=where or None, exact=exact
        )
        return set(found["sample_id"].to_pylist())

    find(queries[0])
    answers = [timed(lambda query=query: find(query)) for query in queries]
    return [one for one, _ in answers], float(np.median([ms for _, ms in answers]))


def first(folder: Path, query: np.ndarray, *, exact: bool) -> float:
    """CPU milliseconds of the first query in a workspace just opened."""
    store = open_workspace(folder)
    _, ms = timed(lambda: vectors.nearest(ACTOR, "crowd", MODEL, query, K, store=store, exact=exact))
    store.close()
    return ms


def line(what: str, index_ms: float, exact_ms: float) -> str:
    """Both figures and their ratio."""
    ratio = exact_ms / index_ms
    return f"{what:16} index {index_ms:7.1f} ms   exact {exact_ms:7.1f} ms   ratio {ratio:5.1f}"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=512)
    parser.add_argument("--vectors", type=Path)
    wish = parser.parse_args()
    matrix = np.load(wish.vectors) if wish.vectors else drawn(wish.rows + QUERIES, wish.dim)
    queries, matrix = matrix[:QUERIES], matrix[QUERIES:]
    if len(matrix) <= vector_index.MIN_ROWS:
        print(f"only {len(matrix)} vectors: the limit of {vector_index.MIN_ROWS} is lowered for this run")
        vector_index.MIN_ROWS = len(matrix) // 2
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "workspace"
        store = create_workspace(ACTOR, folder)
        seconds = fill(store, matrix)
        state = datasets.read(ACTOR, "crowd", store=store)
        table = f"{state.dataset.id}/{rows.vector_table(MODEL)}"
        covered = vector_index.n_indexed_rows(
            store.tables, table, state.pins[rows.vector_table(MODEL)], rows.VECTOR
        )
        print(f"{matrix.shape} put and indexed ({covered} rows) in {seconds:.1f} CPU s")
        begun = [first(folder, queries[0], exact=exact) for exact in (False, True)]
        print(line("first query", *begun))
        for where in QUERIES_BY:
            some, fast = asked(store, queries, where, exact=False)
            true, slow = asked(store, queries, where, exact=True)
            recall = sum(len(a & b) for a, b in zip(some, true, strict=True)) / sum(map(len, true))
            print(line(where or "all", fast, slow), f"  recall@{K} {recall:.3f}")
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak_mb:.0f} MB, the drawn vectors included")


if __name__ == "__main__":
    main()
