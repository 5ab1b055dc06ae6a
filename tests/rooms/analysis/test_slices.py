"""Slices in which errors concentrate; coverage, balance, drift and outliers beside them."""

from __future__ import annotations

import numpy as np
import pytest

from calotype.analysis.coverage import balance, combined
from calotype.analysis.drift import field_shift, novelty, outliers
from calotype.analysis.intervals import q_values, upper_tails, wilson
from calotype.analysis.validation import InputsInvalid
from calotype.checks import find_slices

SIZES = {"light": 4, "weather": 5, "camera": 8, "road": 3, "speed": 6, "lens": 2}


def table(n=20_000, seed=0):
    rng = np.random.default_rng(seed)
    columns = {
        name: np.asarray([f"{name}{k}" for k in range(size)])[rng.integers(0, size, n)]
        for name, size in SIZES.items()
    }
    return columns, rng.random(n) < 0.1, rng


def test_a_planted_slice_of_three_conditions_is_first():
    columns, wrong, rng = table()
    hit = (
        (columns["light"] == "light1") & (columns["weather"] == "weather2") & (columns["camera"] == "camera3")
    )
    wrong[hit] = rng.random(hit.sum()) < 0.7
    first = find_slices(columns, wrong)[0]
    assert first.conditions == {"light": "light1", "weather": "weather2", "camera": "camera3"}
    assert (first.n, first.n_errors) == (int(hit.sum()), int(wrong[hit].sum()))
    assert first.interval[0] < first.error_rate < first.interval[1]
    assert first.q_value < 1e-6


def no_slice(n, rate, seed):
    """Columns of texts, numbers and 30 values that have nothing to do with the errors."""
    rng = np.random.default_rng(seed)
    columns = {name: rng.integers(0, size, n) for name, size in SIZES.items()}
    columns |= {"speed": rng.normal(size=n), "place": rng.integers(0, 30, n).astype(str)}
    return columns, rng.random(n) < rate


@pytest.mark.parametrize("n, rate", [(2_000, 0.01), (2_000, 0.1), (8_000, 0.005)])
def test_chance_alone_reports_nothing(n, rate):
    worlds = (no_slice(n, rate, seed) for seed in range(20))
    assert sum(map(bool, (find_slices(columns, wrong, max_conditions=2) for columns, wrong in worlds))) <= 1


@pytest.mark.parametrize("rate", [0.005, 0.1])
def test_a_slice_is_reported_without_those_that_contain_it_or_lie_in_it(rate):
    columns, _, rng = table()
    hit = (
        (columns["light"] == "light1") & (columns["weather"] == "weather2") & (columns["camera"] == "camera3")
    )
    reported = find_slices(columns, rng.random(len(hit)) < np.where(hit, 0.5, rate))
    assert [s.conditions for s in reported] == [
        {"light": "light1", "weather": "weather2", "camera": "camera3"}
    ]


def test_a_slice_of_its_own_is_reported_beside_another():
    columns, _, rng = table()
    dark, wet = columns["light"] == "light1", columns["weather"] == "weather2"
    reported = find_slices(columns, rng.random(len(dark)) < np.where(dark | wet, 0.4, 0.05))
    assert {"light": "light1"} in [s.conditions for s in reported]
    assert {"weather": "weather2"} in [s.conditions for s in reported]


def test_the_tail_is_that_of_the_hypergeometric_distribution():
    scipy_stats = pytest.importorskip("scipy.stats")
    hits, drawn, all_hits, n = (
        np.asarray(v) for v in ([3, 20, 9, 5], [20, 100, 9, 40], [9, 300, 9, 100], [2_000, 9_000, 30, 2_000])
    )
    exact = scipy_stats.hypergeom.sf(hits - 1, n, all_hits, drawn)
    tails = upper_tails(hits, drawn, all_hits, n)
    rare = exact < 0.1
    assert rare.any()
    assert tails[rare] == pytest.approx(exact[rare], rel=1e-6)


def test_one_condition_is_told_without_idle_ones():
    columns, wrong, rng = table()
    wrong[columns["lens"] == "lens1"] = rng.random((columns["lens"] == "lens1").sum()) < 0.3
    assert find_slices(columns, wrong)[0].conditions == {"lens": "lens1"}


def test_numbers_are_cut_into_intervals_and_missing_is_a_value():
    n = 1_000
    speed = np.linspace(0, 100, n)
    speed[:100] = np.nan
    found = find_slices({"speed": speed, "flag": [None, True] * 500}, np.isnan(speed))
    assert found[0].conditions == {"speed": None}
    high = find_slices({"speed": np.linspace(0, 100, n)}, np.linspace(0, 100, n) > 80)
    assert high[0].conditions == {"speed": "[80, 100]"}


def test_what_cannot_be_searched_is_refused_or_empty():
    assert find_slices({"a": ["x"] * 5}, [True] * 5) == ()
    with pytest.raises(InputsInvalid, match=r"not \(2,\)"):
        find_slices({"a": ["x"]}, [True, False])
    with pytest.raises(InputsInvalid, match="use 1, 2 or 3"):
        find_slices({"a": ["x"]}, [True], max_conditions=4)


def test_combinations_that_do_not_occur_are_listed():
    columns: dict[str, list[object]] = {"light": ["day", "day", "night"], "rain": [True, False, False]}
    found = combined(columns, {"light": ["day", "night"], "rain": [True, False]}, ways=2)
    assert (found.n_combinations, found.n_holes, found.fraction) == (4, 1, 0.75)
    assert found.holes == (({"light": "night", "rain": True}, 0),)


def test_balance_counts_effective_classes():
    assert balance({"a": 10, "b": 10}).effective_classes == pytest.approx(2)
    assert balance({"a": 1_000, "b": 1}).ratio == 1_000
    assert balance({"a": 1}).effective_number["a"] == pytest.approx(1)


def test_a_shift_is_zero_for_equal_and_one_for_strange_values():
    assert field_shift(["a", "b"] * 50, ["b", "a"] * 50).distance == 0
    strange = field_shift(["c"] * 50, ["a"] * 50)
    assert (strange.distance, strange.p_value < 1e-6) == (1.0, True)


def test_novel_vectors_and_outliers_stand_out():
    rng = np.random.default_rng(0)
    usual = rng.normal(size=(300, 16)) * 0.1 + np.eye(16)[0]
    strange = -np.eye(16)[:1]
    assert novelty(strange, usual)[0] > 5 * novelty(usual[:50], usual).max()
    assert outliers(np.vstack([usual, strange])).argmax() == 300


def test_intervals_and_rates_of_false_discoveries_are_the_known_ones():
    assert list(wilson(8, 10)) == pytest.approx([0.4902, 0.9433], abs=1e-4)
    assert q_values([0.01, 0.04, 0.03]).tolist() == pytest.approx([0.03, 0.04, 0.04])
