"""Shares are met, classes are even, what belongs together stays together, and ids do not matter."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from calotype.curate.assign import Units, assign, connected

SHARES = [0.8, 0.1, 0.1]


def units(sizes, counts) -> Units:
    n = len(sizes)
    keys = [f"media-{at}" for at in range(n)]
    return Units(keys, np.asarray(sizes), np.asarray(counts, dtype=float), np.full(n, -1))


def test_single_samples_meet_their_shares_exactly_and_a_rare_class_is_spread():
    labels = np.array([0] * 170 + [1] * 20 + [2] * 10)
    chosen = assign(units(np.ones(200, int), np.eye(3)[labels]), SHARES, seed=3)
    assert np.bincount(chosen).tolist() == [160, 20, 20]
    assert np.bincount(chosen[labels == 2], minlength=3).tolist() == [8, 1, 1]
    assert np.bincount(chosen[labels == 1], minlength=3).tolist() == [16, 2, 2]


def test_no_split_is_empty_where_there_are_groups_enough():
    assert set(assign(units([50, 1, 1], np.zeros((3, 0))), SHARES, seed=0).tolist()) == {0, 1, 2}


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.integers(0, 29), min_size=1, max_size=5), max_size=12), st.integers(0, 5))
def test_what_is_linked_has_one_split_and_the_seed_decides(links, seed):
    roots, unit_of = np.unique(connected(30, links), return_inverse=True)
    made = units(np.bincount(unit_of), np.zeros((len(roots), 0)))
    split_of = assign(made, SHARES, seed=seed)[unit_of]
    assert all(len({int(split_of[at]) for at in together}) == 1 for together in links)
    assert (assign(made, SHARES, seed=seed)[unit_of] == split_of).all()
