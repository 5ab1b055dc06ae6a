"""How many labels are wrong, and whether that can be said: from where a model contradicts labels, and how surely.

A model contradicts a label because the label is wrong or because the model is. Where the model contradicts as often
when it is sure as when it is not, labels are wrong whatever the sample shows, and that rate is the answer. Otherwise
the share of contradictions that are wrong labels follows from how they are spread over the model's confidence. Its
weights were fitted on drawn worlds and half of the development sets by
`benchmarks/quality/label_errors_held_out.py --fit`, which also prints how they do on the other half.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int64]
SHARES = (0.10, 0.25, 0.50, 0.75)
"""The surest rows of each predicted class in which contradictions are counted."""
WEIGHTS: dict[str, float] = {
    "one": 0.89,
    "unsure": -3.61,
    "s10": -0.42,
    "s50": -0.04,
    "decisive": 3.08,
    "s75": -2.07,
    "confident": 4.47,
    "flat": 0.55,
    "unsure^2": -0.89,
    "unsure s50": 1.2,
    "unsure decisive": 0.38,
    "s50 decisive": -1.34,
    "rate": -0.81,
    "classes": -0.94,
}
LOW: tuple[float, ...] = (-0.3, -0.27, -0.09, -1.38)
HIGH: tuple[float, ...] = (0.31, 0.4, 0.34, -0.53)
_MOST = 1.08
"""Wrong labels per contradicted one, at most: a model repeats some errors that it learned."""
_FLAT = (0.75, 0.95)
"""Rate of contradictions among the surest tenth over that among the surest three quarters: where it counts as equal."""
_LEAST_KAPPA, _LEAST_GAIN = 0.10, 0.05
_MOST_DOUBT = 0.27
"""Share of all labels that the model contradicts beyond the rate at which it does where it is surest."""
_SOME_DOUBT, _MOSTLY_UNSURE = 0.15, 0.42
"""The same where the surest half of the labels is contradicted at less than this share of the whole rate."""


@dataclass(frozen=True, slots=True)
class Contradictions:
    """What a model says against N labels.

    Attributes:
        rate: Share of labels that are not the model's likeliest class.
        surest: The same among the surest 10, 25, 50 and 75 % of each predicted class.
        unsure: Share of the rate that calibrated probabilities, cubed, leave to other classes than the likeliest.
        decisive: Share of labels whose probability is below a tenth of the likeliest class's.
        confident: Share of labels that confident learning counts as wrong.
        kappa: Agreement of model and labels beyond chance, 0 to 1.
        gain: Share of the labels' entropy that the calibrated model takes away; 0 for one that knows nothing.
        n_classes: K.
        n: N.
    """

    rate: float
    surest: tuple[float, float, float, float]
    unsure: float
    decisive: float
    confident: float
    kappa: float
    gain: float
    n_classes: int
    n: int

    @property
    def flat(self) -> float:
        """0 to 1: whether the model contradicts as often where it is sure as elsewhere."""
        low, high = _FLAT
        return float(np.clip((self.surest[0] / max(self.surest[3], 1e-6) - low) / (high - low), 0, 1))

    @property
    def concentrated(self) -> float:
        """0 to 1: whether nearly all contradictions are where the model is unsure."""
        return float(np.clip((0.36 - self.surest[2] / self.rate) / 0.1, 0, 1))


def contradictions(given: Ints, probs: Floats) -> Contradictions:
    """Count them.

    Args:
        given: (N,) labels, N > 0.
        probs: (N, K) calibrated probabilities.
    """
    n, k = probs.shape
    rows, best = np.arange(n), probs.argmax(axis=1)
    top, own = probs[rows, best], probs[rows, given]
    differs = best != given
    counts = np.bincount(best, minlength=k)
    rank = np.empty(n)
    rank[np.lexsort((-top, best))] = np.arange(n) - np.repeat(np.cumsum(counts) - counts, counts) + 0.5
    rank /= counts[best]
    surest = [(differs[rank <= q].sum() + 0.25) / ((rank <= q).sum() + 1) for q in SHARES]
    cubed = probs**3
    left = 1 - (cubed.max(axis=1) / np.maximum(cubed.sum(axis=1), 1e-30)).mean()
    share = np.bincount(given, minlength=k) / n
    chance = float(share @ (counts / n))
    rate = max(float(differs.mean()), 1 / n)
    entropy = -float((share * np.log(np.maximum(share, 1e-12))).sum())
    loss = -float(np.log(np.maximum(own, 1e-12)).mean())
    return Contradictions(
        rate=rate,
        surest=(float(surest[0]), float(surest[1]), float(surest[2]), float(surest[3])),
        unsure=float(left) / rate,
        decisive=float((own < 0.1 * top).mean()),
        confident=_confident(given, probs, share),
        kappa=(1 - rate - chance) / max(1 - chance, 1e-9),
        gain=1 - loss / max(entropy, 1e-9),
        n_classes=k,
        n=n,
    )


def _confident(given: Ints, probs: Floats, share: npt.NDArray[np.float64]) -> float:
    """Share of labels with a confident class that is another one.

    Source: C. Northcutt et al., "Confident learning", 2021: a class is confident above its mean self-confidence.
    """
    n, k = probs.shape
    own = probs[np.arange(n), given].astype(np.float64)
    least = np.where(share > 0, np.bincount(given, own, k) / np.maximum(share * n, 1), 1.0)
    reached = np.where(probs >= least, probs, -1)
    return float(((reached.argmax(axis=1) != given) & (reached.max(axis=1) > 0)).mean())


def n_wrong(seen: Contradictions) -> float:
    """The expected number of wrong labels."""
    rate, flat = seen.rate, seen.flat
    terms = _terms(seen)
    ratio = _MOST / (1 + np.exp(-np.clip(sum(WEIGHTS[name] * terms[name] for name in WEIGHTS), -8, 8)))
    level = min(sum(seen.surest[1:]) / 3, rate)
    return float(seen.n * ((1 - flat) * ratio * rate + flat * level))


def _terms(seen: Contradictions) -> dict[str, float]:
    rate = seen.rate
    s10, _, s50, s75 = (min(value / rate, 1.0) for value in seen.surest)
    unsure, half, decisive = seen.unsure - 0.25, s50 - 0.5, seen.decisive / rate - 0.35
    return {
        "one": 1.0,
        "unsure": unsure,
        "s10": s10 - 0.4,
        "s50": half,
        "decisive": decisive,
        "s75": s75 - 0.6,
        "confident": seen.confident / rate - 0.5,
        "flat": min(s10 / max(s75, 1e-3), 1.0) - 0.5,
        "unsure^2": 4 * unsure**2,
        "unsure s50": 4 * unsure * half,
        "unsure decisive": 4 * unsure * decisive,
        "s50 decisive": 4 * half * decisive,
        "rate": rate - 0.25,
        "classes": 0.3 * (np.log(seen.n_classes) - 2.3),
    }


def interval(seen: Contradictions, expected: float) -> tuple[float, float]:
    """90 %: quantiles of truth over estimate as fitted, widened by the error of counting.

    Source: quantile regression, R. Koenker and G. Bassett, "Regression quantiles", 1978.
    """
    steep = 1 - seen.flat
    terms = spread_terms(seen, expected)
    low, high = (float(np.exp(np.dot(weights, terms))) for weights in (LOW, HIGH))
    few = 1.6 * float(np.sqrt(expected + 1))
    return max(0.0, expected * min(low, 1) - few * steep), min(float(seen.n), expected * max(high, 1) + few)


def spread_terms(seen: Contradictions, expected: float) -> list[float]:
    """What the width of the interval depends on."""
    steep, ratio = 1 - seen.flat, min(expected / (seen.rate * seen.n), 1.0)
    s50 = min(seen.surest[2] / seen.rate, 1.0)
    return [1.0, steep * (1 - ratio), steep * (1 - s50) * (1 - seen.rate), steep * (seen.unsure - 0.25)]


def n_to_flag(seen: Contradictions, expected: float) -> int:
    """The number of most suspect labels whose F1 is expected to be best.

    It is the expected number of wrong labels, and all contradicted ones where the model is rarely wrong itself, where
    most contradictions are right because errors are many, and where they are all among the least sure rows.
    """
    all_of_them = seen.rate * seen.n
    ratio = expected / all_of_them
    heavy = np.clip((ratio - 0.7) / 0.1, 0, 1) * np.clip((seen.rate - 0.2) / 0.15, 0, 1)
    strong = max(np.clip((ratio - 0.9) / 0.07, 0, 1), np.clip((0.21 - seen.unsure) / 0.04, 0, 1))
    certain = np.clip((0.13 - seen.unsure) / 0.04, 0, 1)
    most = max(float(heavy), float(strong), seen.concentrated) * (1 - seen.flat)
    most = max(most, float(certain))
    return min(seen.n, round(expected + (all_of_them - expected) * most))


def cannot_be_judged(seen: Contradictions) -> str:
    """Why labels cannot be judged by this model; empty where they can."""
    if seen.kappa < _LEAST_KAPPA or seen.gain < _LEAST_GAIN:
        return (
            f"the model agrees with {1 - seen.rate:.0%} of the labels, which is hardly more than by chance "
            f"(kappa {max(seen.kappa, 0):.2f}): it cannot judge them"
        )
    doubt = seen.rate - seen.surest[0]
    own_errors = doubt > _SOME_DOUBT and seen.surest[2] < _MOSTLY_UNSURE * seen.rate
    if doubt > _MOST_DOUBT or own_errors:
        return (
            f"the model contradicts {seen.rate:.0%} of the labels but {seen.surest[0]:.0%} where it is surest: most of "
            "the difference are its own errors; use better vectors or a stronger model"
        )
    return ""
