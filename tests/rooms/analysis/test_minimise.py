"""Our own minimisers against functions whose minima are known."""

import numpy as np
import pytest

from calotype.analysis.maths.blas import threads_for
from calotype.analysis.maths.minimise import descend, minimum_between
from calotype.analysis.out_of_sample import features


@pytest.mark.parametrize("lowest", [-2.4, -0.3, 0.0, 1.7], ids=str)
def test_the_minimum_of_one_number_is_approached_to_the_tolerance(lowest):
    calls = []

    def f(x):
        calls.append(x)
        return np.cosh(x - lowest)

    assert minimum_between(f, -2.5, 2.5, tolerance=1e-2) == pytest.approx(lowest, abs=1e-2)
    assert len(calls) < 20


@pytest.mark.parametrize("rising", [1, -1], ids=["rising", "falling"])
def test_a_minimum_at_an_end_is_approached(rising):
    end = minimum_between(lambda x: rising * x, 0.0, 1.0, tolerance=1e-3)
    assert end == pytest.approx(0 if rising == 1 else 1, abs=2e-3)


def test_a_narrow_valley_is_descended_to_its_end():
    curvatures = np.logspace(0, 4, 30)
    lowest = np.linspace(-1, 1, 30)

    def loss(x):
        return float(curvatures @ (x - lowest) ** 2) / 2, curvatures * (x - lowest)

    np.testing.assert_allclose(descend(loss, np.zeros(30), max_steps=500, tolerance=1e-15), lowest, atol=1e-4)


def test_descent_stops_where_it_starts_in_a_minimum_and_after_the_given_steps():
    def loss(x):
        return float(x @ x), 2 * x

    assert descend(loss, np.zeros(3), max_steps=9, tolerance=1e-6).tolist() == [0, 0, 0]
    start = np.full(3, 10.0)
    assert descend(loss, start, max_steps=0, tolerance=1e-6).tolist() == start.tolist()


@pytest.mark.parametrize("n", [40, 600], ids=["fewer rows than axes", "more"])
def test_features_keep_what_the_first_eigenvectors_hold(n):
    rng = np.random.default_rng(0)
    vectors = (rng.standard_normal((n, 400)) * 0.99 ** np.arange(400)).astype(np.float32)
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    unit -= unit.mean(axis=0)
    with threads_for(n):
        _, axes = np.linalg.eigh((unit.T @ unit).astype(np.float64))
        wanted = unit @ axes[:, -256:]
        wanted /= np.linalg.norm(wanted, axis=1, keepdims=True)
        found = features(vectors)
    assert found.shape == (n, 256)
    np.testing.assert_allclose(found @ found.T, wanted @ wanted.T, atol=2e-3)
