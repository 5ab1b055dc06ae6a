"""How many threads linear algebra uses: one where the matrices are small.

A library's threads wait for each other after each product, and spin while they wait: with matrices of a few megabytes
that costs more than it gains.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_FEW = 20_000


@contextmanager
def threads_for(n: int) -> Iterator[None]:
    """Linear algebra on one thread for data of fewer than 20,000 rows, else on as many as before.

    It holds for libraries that are loaded already: import what is used inside, SciPy for one, before this is entered.
    """
    if n >= _FEW:
        yield
        return
    from threadpoolctl import threadpool_limits  # looks at all loaded libraries

    with threadpool_limits(limits=1, user_api="blas"):
        yield
