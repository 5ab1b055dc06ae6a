"""Likelihood ratios of faults, learned from faults planted on purpose in the same data.

Most labels are right. So labels as they are stand for right ones and copies with planted errors for wrong ones. What
separates the two is learned for each data set and each model that judges it: no threshold has to suit all.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_FOLDS = 5
_MOST = 40_000
_FEW = 60
_LEAST, _GREATEST = 0.02, 0.15


def likelihood_ratio(
    real: Floats,
    planted: Floats,
    real_image: Ints,
    planted_image: Ints,
    *,
    rising: tuple[int, ...] | None = None,
) -> Floats:
    """(M,) likelihood ratio of each row of `real` to be planted rather than real; 1 is neutral.

    Args:
        real: (M, F) features of things as they are.
        planted: (P, F) features of things with planted errors.
        real_image, planted_image: which image each is of; an image is judged by what was learned from others.
        rising: of each of the F numbers, whether the fault grows likelier with it (1), less likely (-1), or either (0).
    Source: density ratios by classification, M. Sugiyama et al., 2012; gradient boosting on histograms.
    """
    ratios = np.ones(len(real))
    if len(planted) < _FEW or len(real) < _FEW:
        return ratios
    rng = np.random.default_rng(0)
    images, numbered = np.unique(np.concatenate([real_image, planted_image]), return_inverse=True)
    fold = rng.permutation(len(images)) % _FOLDS
    real_fold, planted_fold = fold[numbered[: len(real)]], fold[numbered[len(real) :]]
    for k in range(_FOLDS):
        rows = np.flatnonzero(real_fold == k)
        right = _some(np.flatnonzero(real_fold != k), rng)
        wrong = _some(np.flatnonzero(planted_fold != k), rng)
        if len(rows) and len(right) and len(wrong):
            ratios[rows] = _ratio(real[right], planted[wrong], real[rows], rising)
    return ratios


def _some(rows: Ints, rng: np.random.Generator) -> Ints:
    return rows if len(rows) <= _MOST else np.sort(rng.choice(rows, _MOST, replace=False))


def _ratio(right: Floats, wrong: Floats, asked: Floats, rising: tuple[int, ...] | None) -> Floats:
    """The geometric mean of two models: trees capture interactions, a linear model works with few labels."""
    from sklearn.ensemble import HistGradientBoostingClassifier  # heavy to load
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    trees = HistGradientBoostingClassifier(
        max_iter=80,
        learning_rate=0.1,
        max_leaf_nodes=8,
        min_samples_leaf=20,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=0,
        monotonic_cst=rising,
    )
    line = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=300))
    rows, which = np.vstack([right, wrong]), np.repeat([0, 1], [len(right), len(wrong)])
    ratios = []
    for model in (trees, line):
        chance = np.clip(model.fit(rows, which).predict_proba(asked)[:, 1], 1e-6, 1 - 1e-6)
        ratios.append(np.log(chance / (1 - chance)))
    return np.asarray(np.exp(np.mean(ratios, axis=0)) * len(right) / len(wrong))


def chances(ratios: Floats, *, usual: float) -> Floats:
    """(M, K) the probability of each of K kinds of fault.

    Args:
        ratios: (M, K) likelihood ratio of each kind, against things as they are.
        usual: the prior share of one kind.
    Things as they are contain faults themselves: a kind whose share is s has no ratio above 1 / s. So the share lies
    below what the largest ratios allow; it is taken half way (in logarithms) between that and the usual.

    Source: C. Elkan and K. Noto, "Learning classifiers from only positive and unlabeled data", 2008.
    """
    if not len(ratios):
        return ratios
    top = np.sort(ratios, axis=0)[::-1][: max(1, len(ratios) // 100)].mean(axis=0)
    share = np.clip(np.sqrt(usual / np.maximum(top, 1e-9)), _LEAST, _GREATEST)
    return np.asarray(np.clip(ratios * share, 0, 1))
