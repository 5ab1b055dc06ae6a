"""Files, functions, classes and `__all__` stay small; exceptions only shrink."""

from __future__ import annotations

import pytest
from tests.house.reading import script

budgets = script("budgets")


def test_nothing_is_over_its_budget():
    found = budgets.problems(list(budgets.measure()), budgets.read_exceptions())
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "size, listed, n_problems",
    [(400, None, 0), (401, None, 1), (450, 450, 0), (451, 450, 1), (449, 450, 0)],
    ids=["at the budget", "over", "as listed", "grown", "shrunk"],
)
def test_an_exception_may_only_shrink(size, listed, n_problems):
    exceptions = {} if listed is None else {"python-file": {"src/a.py": listed}}
    assert len(budgets.problems([budgets.Size("python-file", "src/a.py", size)], exceptions)) == n_problems


def test_shrinking_lowers_what_got_smaller_and_drops_what_fits():
    sizes = [budgets.Size("python-file", "a.py", 420), budgets.Size("python-file", "b.py", 390)]
    listed = {"python-file": {"a.py": 450, "b.py": 410, "gone.py": 500}}
    assert budgets.shrunk(sizes, listed) == {"python-file": {"a.py": 420}}
