"""Wrong class labels on many sets of out-of-sample probabilities: ours beside cleanlab and the two simplest rules.

    uv run benchmarks/quality/label_errors_held_out.py [--data FOLDER] [--fit]

Sets: see `label_sets.py`. The methods and the weights of `analysis/maths/label_counts.py` were chosen on the sets named
`tune` and on drawn worlds; the sets named `judge` are what counts. Printed for each: average precision of
self-confidence and ours; F1 of cleanlab's set, of `argmax != label` and of ours; our interval of the number of wrong
labels over the truth. Then the summary of each half, a model that knows nothing, and nearly clean labels with
weightless vectors. `--fit` fits the weights anew and prints them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from label_errors import CLEANLAB
from label_sets import LabelSet, People, development_sets, random_world
from peer import ask, data_folder, python_with
from scipy.optimize import minimize
from sklearn.metrics import average_precision_score, f1_score

from calotype.analysis.maths import label_counts
from calotype.analysis.temperature import calibrated
from calotype.checks import label_errors, label_errors_from_embeddings

N_WORLDS = 500
SLACK = 0.005


def line(one: LabelSet) -> dict[str, float | bool]:
    """Print the figures of a set and return whether each bar holds."""
    rows, wrong = np.arange(len(one.labels)), one.labels != one.truth
    peer, _ = ask(python_with("cleanlab"), CLEANLAB, labels=one.labels, probs=one.probs)
    ours = label_errors(one.labels, one.probs)
    plain, mine = (
        float(average_precision_score(wrong, score)) for score in (-one.probs[rows, one.labels], ours.score)
    )
    rule = one.probs.argmax(axis=1) != one.labels
    theirs, simple, f1 = (
        float(f1_score(wrong, flagged)) for flagged in (peer["flagged"], rule, ours.flagged)
    )
    n = int(wrong.sum())
    low, high = (limit / n for limit in ours.n_errors_interval)
    print(
        f"{one.half:5} {one.name[:62]:62} {wrong.mean():5.1%} AP {plain:.3f} {mine:.3f}"
        f" F1 {theirs:.3f} {simple:.3f} {f1:.3f} estimate {ours.n_errors / n:.2f} [{low:.2f} {high:.2f}]"
        f"{'' if ours.reliable else ' not reliable'}",
        flush=True,
    )
    return {
        "ap": mine >= plain - SLACK,
        "f1": f1 >= max(theirs, simple) - SLACK,
        "f1 gain": f1 - max(theirs, simple),
        "covered": low <= 1 <= high,
        "width": high - low,
        "reliable": ours.reliable,
    }


def summary(half: str, lines: list[dict[str, float | bool]]) -> None:
    """One line of counts."""
    if not lines:
        return
    ap, f1, covered = (sum(bool(one[key]) for one in lines) for key in ("ap", "f1", "covered"))
    judged = [one for one in lines if one["reliable"]]
    width, gain = (float(np.median([one[key] for one in judged])) for key in ("width", "f1 gain"))
    sure = sum(bool(one["covered"]) for one in judged)
    print(
        f"{half}: of {len(lines)} sets AP at least self-confidence's - {SLACK} on {ap}, F1 at least the better rule's"
        f" - {SLACK} on {f1} (median gain {gain:+.3f}), interval covers {covered};"
        f" of {len(judged)} reliable ones {sure}, median width {width:.2f} of the truth"
    )


def knows_nothing() -> None:
    """Models at chance level."""
    rng = np.random.default_rng(0)
    for k in (2, 10, 100):
        labels = rng.integers(0, k, 5_000)
        for name, probs in (
            ("any probabilities", rng.dirichlet(np.ones(k), 5_000)),
            ("always the same", np.tile(rng.dirichlet(np.ones(k)), (5_000, 1))),
        ):
            found = label_errors(labels, probs)
            print(
                f"{k} classes, {name}: reliable {found.reliable}, flagged {int(found.flagged.sum())}; {found.why}"
            )


def nearly_clean(people: People) -> None:
    """Hardly any error, and vectors of several strengths."""
    labels = people.with_errors("hardly", 0)
    for vectors, x in people.vectors.items():
        found = label_errors_from_embeddings(labels, x)
        print(
            f"{(labels != people.clean).mean():.1%} wrong, {vectors}: flagged {found.flagged.mean():.1%},"
            f" reliable {found.reliable} {found.why}"
        )


def fit(sets: list[LabelSet]) -> None:
    """Print weights that make estimates right on drawn worlds (every second held out) and on the sets for tuning."""
    worlds = [random_world(seed) for seed in range(N_WORLDS)]
    worlds += [(one.labels, one.probs, one.truth) for one in sets if one.half == "tune"]
    seen = [
        label_counts.contradictions(given, calibrated(given, np.asarray(probs, np.float32)))
        for given, probs, _ in worlds
    ]
    n = np.asarray([max(int((labels != truth).sum()), 1) for labels, _, truth in worlds])
    share = n / [one.n for one in seen]
    drawn = np.arange(len(worlds)) < N_WORLDS
    used = np.asarray([one.kappa > 0.15 for one in seen]) & (share > 0.015)
    train, held = (
        used & (~drawn | (np.arange(len(worlds)) % 2 == 0)),
        used & drawn & (np.arange(len(worlds)) % 2 == 1),
    )
    weigh = np.where(drawn, 1 / (used & drawn & train).sum(), 1.5 / max((used & ~drawn).sum(), 1)) * train
    terms = np.asarray([list(label_counts._terms(one).values()) for one in seen])
    rate = np.asarray([one.rate for one in seen])
    target = np.maximum(np.log(share / rate), -1.6)

    def loss(weights: np.ndarray) -> float:
        ratio = label_counts._MOST / (1 + np.exp(-np.clip(terms @ weights, -8, 8)))
        return float(weigh @ np.sqrt((target - np.log(ratio)) ** 2 + 0.01) + 1e-3 * (weights[1:] ** 2).sum())

    starts = [np.random.default_rng(s).normal(0, 0.5, terms.shape[1]) for s in range(3)]
    best = min((minimize(loss, s, method="BFGS") for s in starts), key=lambda found: found.fun)
    names = list(label_counts._terms(seen[0]))
    label_counts.WEIGHTS = dict(zip(names, np.round(best.x, 2).tolist(), strict=True))
    expected = np.asarray([label_counts.n_wrong(one) for one in seen])
    off = np.log(n / expected)
    basis = np.asarray([label_counts.spread_terms(one, e) for one, e in zip(seen, expected, strict=True)])
    limits = []
    for quantile, sign in ((0.05, -1), (0.95, 1)):

        def pinball(v: np.ndarray, q: float = quantile) -> float:
            r = np.clip(off, -1, 1) - basis @ v
            return float(weigh @ np.maximum(q * r, (q - 1) * r) + 1e-3 * (v**2).sum())

        options = {"maxiter": 4000, "maxfev": 4000, "adaptive": True}
        tries = [
            minimize(pinball, sign * np.asarray(s), method="Nelder-Mead", options=options)
            for s in ((0.2, 0.3, 0.1, 0), (0.1, 0.8, 0.3, 0.5))
        ]
        limits.append(np.round(min(tries, key=lambda found: found.fun).x, 2).tolist())
    print("WEIGHTS =", label_counts.WEIGHTS, "\nLOW =", limits[0], "\nHIGH =", limits[1])
    ends = basis @ np.asarray(limits).T
    covered = (off >= ends[:, 0]) & (off <= ends[:, 1])
    able = np.asarray([not label_counts.cannot_be_judged(one) for one in seen])
    for name, chosen in (("held out", held), ("held out and reliable", held & able)):
        print(
            f"drawn worlds {name}: {chosen.sum()}, |log of truth over estimate| median"
            f" {np.median(np.abs(off[chosen])):.2f}, covered {covered[chosen].mean():.2f}"
        )
    label_counts.LOW, label_counts.HIGH = map(tuple, limits)


def main() -> None:
    """Print the tables."""
    folder = data_folder("cifar10-noisy") if "--data" in sys.argv else None
    sets = list(development_sets(folder))
    if "--fit" in sys.argv:
        fit(sets)
    lines = [(one.half, line(one)) for one in sets]
    for half in ("tune", "judge"):
        summary(half, [found for key, found in lines if key == half])
    knows_nothing()
    if folder is not None:
        nearly_clean(People(Path(folder)))


if __name__ == "__main__":
    main()
