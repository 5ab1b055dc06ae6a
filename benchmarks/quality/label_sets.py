"""Development sets for `label_errors_held_out.py`: labels, out-of-sample probabilities and the truth.

Real annotators' errors (cifar10-noisy) with models on network vectors, on few of their axes, on weightless vectors, on
few images; scikit-learn's digits with planted errors; and drawn worlds, in which annotators and model see the same
hard items. Every model is a cross-validated softmax regression that learned the labels with errors; some are then
sharpened or flattened, as networks are. Sets alternate between `tune` and `judge`: methods were chosen on the first
half, the second half is what counts.
"""

from __future__ import annotations

import csv
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from label_errors import noisier
from sklearn.datasets import load_digits

from calotype.analysis.out_of_sample import features, softmax_regression
from calotype.analysis.temperature import softmax
from calotype.checks import embed


@dataclass(frozen=True)
class LabelSet:
    """`labels` (N,) as given, `probs` (N, K) out of sample, `truth` (N,), -1 where no class is right."""

    name: str
    half: str
    labels: np.ndarray
    probs: np.ndarray
    truth: np.ndarray


def sharpened(probs: np.ndarray, power: float) -> np.ndarray:
    """Probabilities as of a model that is too sure (power > 1) or too unsure."""
    raised = np.maximum(probs, 1e-9).astype(np.float64) ** power
    return raised / raised.sum(axis=1, keepdims=True)


def learned(x: np.ndarray, labels: np.ndarray, k: int, scale: float = 1.0) -> np.ndarray:
    """(N, K) by a cross-validated regression on the labels as given."""
    rows = np.asarray(x, np.float32) * np.float32(scale)
    return softmax_regression(rows, labels, k, np.ones(len(labels), np.float32))


def symmetric(truth: np.ndarray, k: int, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Any other class, at the same rate everywhere."""
    wrong = rng.random(len(truth)) < rate
    return np.where(wrong, (truth + rng.integers(1, k, len(truth))) % k, truth)


def asymmetric(truth: np.ndarray, k: int, rate: float, rng: np.random.Generator) -> np.ndarray:
    """Each class for one other, for some classes more often."""
    of_class = np.clip(rate * rng.gamma(2, 0.5, k), 0, 0.45)
    partner = (np.arange(k) + 1 + rng.integers(0, k - 1, k)) % k
    return np.where(rng.random(len(truth)) < of_class[truth], partner[truth], truth)


def mistaken(
    x: np.ndarray, centres: np.ndarray, truth: np.ndarray, rate: float, rng: np.random.Generator
) -> np.ndarray:
    """Errors of annotators who are unsure about items between classes; `rate` of the labels are wrong."""
    away = -((x[:, None, :] - centres[None]) ** 2).sum(axis=2) if len(centres) < 30 else None
    if away is None:
        away = 2 * x @ centres.T - (centres**2).sum(axis=1)
    away = away / away.std()
    rows = np.arange(len(truth))
    own = away[rows, truth].copy()
    away[rows, truth] = -np.inf
    gap = away.max(axis=1) - own + rng.gumbel(0, 0.35, len(truth))
    other = (away + rng.gumbel(0, 0.3, away.shape)).argmax(axis=1)
    wrong = np.zeros(len(truth), bool)
    wrong[np.argsort(-gap)[: int(rate * len(truth))]] = True
    return np.where(wrong, other, truth)


def world(
    n: int,
    k: int,
    *,
    noise: str,
    rate: float,
    apart: float,
    blind: float,
    power: float = 1.0,
    skew: float = 0.0,
    junk: float = 0.0,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, probabilities, truth. Classes lie `apart`; the model sees items blurred; `junk` has no class."""
    rng = np.random.default_rng(seed)
    d = 24 if k < 30 else 48
    groups = rng.normal(size=(max(2, k // 4), d))
    centres = apart * (groups[np.arange(k) % len(groups)] + 0.8 * rng.normal(size=(k, d))) / np.sqrt(d)
    share = np.exp(-skew * np.arange(k) / k)
    truth = rng.choice(k, n, p=share / share.sum())
    hard = np.exp(rng.normal(0, 0.35, n))[:, None]
    x = centres[truth] + hard * rng.normal(size=(n, d)) * 0.5
    if noise == "instance":
        labels = mistaken(x, centres, truth, rate, rng)
    else:
        labels = {"symmetric": symmetric, "asymmetric": asymmetric}[noise](truth, k, rate, rng)
    bad = rng.random(n) < junk
    x[bad] = 0.5 * rng.normal(size=(int(bad.sum()), d)) + centres.mean(axis=0)
    truth = np.where(bad, -1, truth)
    seen = x + blind * rng.normal(size=x.shape)
    return labels, sharpened(learned(seen, labels, k, 0.5), power), truth


def quickly_learned(x: np.ndarray, labels: np.ndarray, k: int) -> np.ndarray:
    """(N, K) as `learned`, by a few accelerated steps in three folds: for hundreds of worlds."""
    n, d = x.shape
    x = np.hstack([x / x.std(axis=0), np.ones((n, 1))]).astype(np.float32) / np.sqrt(d)
    fold, one = np.random.default_rng(0).permutation(n) % 3, np.eye(k, dtype=np.float32)[labels]
    probs = np.empty((n, k), np.float32)
    for held in range(3):
        rows, target = x[fold != held], one[fold != held]
        weights = ahead = np.zeros((d + 1, k), np.float32)
        steepest, speed = 0.5 * np.linalg.norm(rows.T @ rows / len(rows), 2) + 1e-4, 1.0
        for _ in range(40):
            slope = (rows.T @ (softmax(rows @ ahead) - target) + 0.1 * ahead) / len(rows)
            new, faster = ahead - slope / steepest, (1 + np.sqrt(1 + 4 * speed**2)) / 2
            ahead, weights, speed = new + (speed - 1) / faster * (new - weights), new, faster
        probs[fold == held] = softmax(x[fold == held] @ weights)
    return probs


def random_world(seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels, probabilities and truth, with everything drawn: classes, noise, hardness, what the model sees besides."""
    rng = np.random.default_rng(10_000 + seed)
    k, n, d = (
        int(rng.choice(v)) for v in ((2, 3, 4, 6, 10, 10, 10, 20, 40), (1000, 2000, 4000), (12, 24, 40))
    )
    apart, blind = np.exp(rng.uniform(np.log(1.5), np.log(7))), rng.choice([0, 0.2, 0.4, 0.8])
    groups, alike = rng.normal(size=(max(2, k // 4), d)), rng.choice([0.4, 0.8, 1.5])
    centres = apart * (groups[np.arange(k) % len(groups)] + alike * rng.normal(size=(k, d))) / np.sqrt(d)
    share = np.exp(-rng.choice([0, 0, 2]) * np.arange(k) / k)
    truth = rng.choice(k, n, p=share / share.sum())
    hard = np.exp(rng.normal(0, rng.choice([0.1, 0.35, 0.7]), n))[:, None]
    x = centres[truth] + hard * rng.normal(size=(n, d)) * 0.5
    rate = min(float(np.exp(rng.uniform(np.log(0.02), np.log(0.42)))), 0.3 if k == 2 else 0.5)
    kind = rng.choice(["instance", "instance", "instance", "symmetric", "asymmetric", "mixed"])
    if kind == "instance":
        labels = mistaken(x, centres, truth, rate, rng)
    elif kind == "mixed":
        labels = mistaken(x, centres, truth, rate / 2, rng)
        labels = np.where(labels == truth, symmetric(labels, k, rate / 2, rng), labels)
    else:
        labels = {"symmetric": symmetric, "asymmetric": asymmetric}[kind](truth, k, rate, rng)
    bad = rng.random(n) < rng.choice([0, 0, 0, 0.05])
    x[bad] = 0.5 * rng.normal(size=(int(bad.sum()), d)) + centres.mean(axis=0)
    right, truth = truth, np.where(bad, -1, truth)
    seen = x + blind * rng.normal(size=x.shape)
    extra = rng.choice([0, 0, 1.5, 3, 5])
    if extra:
        one, lean = np.eye(k), rng.uniform(0, 0.6, n)[:, None]
        torn = (labels == right) & (rng.random(n) < 0.15)
        towards = np.where(
            labels != right, labels, np.where(torn, (right + rng.integers(1, k, n)) % k, right)
        )
        signal = extra * ((1 - lean) * one[right] + lean * one[towards]) + rng.normal(size=(n, k))
        seen = np.hstack([seen, signal])
    power = float(np.exp(rng.uniform(-0.3, 1.0)))
    return labels, sharpened(quickly_learned(seen, labels, k), power), truth


def digits(noise: str, rate: float, *, axes: int, power: float, seed: int) -> tuple[np.ndarray, ...]:
    """The 1,797 digits with planted errors, seen along their first axes."""
    rng = np.random.default_rng(seed)
    x, truth = load_digits(return_X_y=True)
    x = features(x.astype(np.float32))
    if noise == "instance":
        centres = np.stack([x[truth == c].mean(axis=0) for c in range(10)])
        labels = mistaken(x, centres, truth, rate, rng)
    else:
        labels = {"symmetric": symmetric, "asymmetric": asymmetric}[noise](truth, 10, rate, rng)
    scatter = np.linalg.eigh(x.T @ x).eigenvectors[:, ::-1][:, :axes]
    return labels, sharpened(learned(x @ scatter, labels, 10, 2.0), power), truth


class People:
    """cifar10-noisy: what people answered, and models on several vectors."""

    def __init__(self, folder: Path) -> None:
        rows = list(csv.DictReader((folder / "labels.csv").open()))
        names = sorted({row["clean_label"] for row in rows})
        self.noisy, self.clean = (
            np.asarray([names.index(row[k]) for row in rows]) for k in ("noisy_label", "clean_label")
        )
        paths = [folder / row["path"] for row in rows]
        self.vectors = {m: features(embed(paths, m)) for m in ("lite0", "hog-colour-v2")}

    def with_errors(self, kind: str, seed: int) -> np.ndarray:
        """`fewer` (9.8 % wrong), `same` (17.8 %), `more` (40 %) or `hardly` (1 %)."""
        rng = np.random.default_rng(seed)
        if kind == "hardly":
            kept = rng.random(len(self.clean)) < 0.056
            return np.where(kept, self.noisy, self.clean)
        names = {"fewer": "fewer errors", "same": "as they are", "more": "more errors"}
        return noisier(self.noisy, self.clean, rng)[names[kind]]

    def judged(
        self, kind: str, vectors: str, *, n: int = 10_000, axes: int = 256, power: float = 1.0, seed: int = 0
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Labels, probabilities and truth of `n` images by a model on the first axes of some vectors."""
        rng = np.random.default_rng(seed)
        rows = np.sort(rng.permutation(len(self.clean))[:n])
        labels = self.with_errors(kind, seed)[rows]
        x = self.vectors[vectors][rows, :axes]
        return labels, sharpened(learned(x, labels, 10), power), self.clean[rows]

    def network(
        self, kind: str, *, signal: float, leaning: float, power: float, n: int = 10_000, seed: int = 0
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The same of a stronger model: beside the vectors it sees the right class, but leans to the answers where
        people erred, and is torn on some others."""
        rng = np.random.default_rng(seed)
        rows = np.sort(rng.permutation(len(self.clean))[:n])
        labels, truth = self.with_errors(kind, seed)[rows], self.clean[rows]
        one = np.eye(10)
        people = self.noisy[rows]
        torn = rng.random(n) < 0.15
        towards = np.where(
            people != truth, people, np.where(torn, (truth + rng.integers(1, 10, n)) % 10, truth)
        )
        lean = rng.uniform(0, leaning, n)[:, None]
        seen = signal * ((1 - lean) * one[truth] + lean * one[towards]) + rng.normal(size=(n, 10))
        x = np.hstack([self.vectors["lite0"][rows, :64], seen * 0.25])
        return labels, sharpened(learned(x, labels, 10, 1.0), power), truth


def _recipes(people: People | None) -> Iterator[tuple[str, Callable[[], tuple[np.ndarray, ...]]]]:
    """Name and maker of each set."""
    if people is not None:
        for kind in ("fewer", "same", "more"):
            for seed, (signal, leaning, power) in enumerate(
                [(2.6, 0.6, 1.0), (3.4, 0.6, 1.6), (4.2, 0.5, 2.5), (5.5, 0.5, 1.5)]
            ):
                yield (
                    f"people {kind}, network {signal} x{power}",
                    lambda a=kind, b=signal, c=leaning, d=power, e=seed: people.network(
                        a, signal=b, leaning=c, power=d, seed=e
                    ),
                )
            for vectors, n, axes, power in (
                ("lite0", 10_000, 256, 1.0),
                ("lite0", 10_000, 24, 2.0),
                ("lite0", 1_500, 128, 1.3),
                ("hog-colour-v2", 10_000, 256, 1.0),
            ):
                yield (
                    f"people {kind}, {vectors} {n}x{axes} x{power}",
                    lambda a=kind, b=vectors, c=n, d=axes, e=power: people.judged(
                        a, b, n=c, axes=d, power=e, seed=3
                    ),
                )
    for seed, (noise, rate, axes, power) in enumerate(
        [
            ("symmetric", 0.05, 64, 1.0),
            ("symmetric", 0.2, 64, 2.0),
            ("symmetric", 0.4, 24, 1.0),
            ("asymmetric", 0.1, 64, 1.5),
            ("asymmetric", 0.25, 16, 1.0),
            ("instance", 0.03, 64, 1.0),
            ("instance", 0.1, 64, 2.0),
            ("instance", 0.2, 24, 1.0),
            ("instance", 0.13, 8, 2.0),
            ("symmetric", 0.02, 64, 1.0),
        ]
    ):
        yield (
            f"digits {noise} {rate:.0%} {axes} axes x{power}",
            lambda a=noise, b=rate, c=axes, d=power, e=seed: digits(a, b, axes=c, power=d, seed=e),
        )
    worlds = [
        dict(n=6000, k=10, noise="symmetric", rate=0.2, apart=4.0, blind=0.0),
        dict(n=6000, k=10, noise="symmetric", rate=0.2, apart=3.0, blind=0.3, power=2.0),
        dict(n=3000, k=10, noise="instance", rate=0.13, apart=3.0, blind=0.4, junk=0.06, power=2.0),
        dict(n=2500, k=10, noise="instance", rate=0.10, apart=3.5, blind=0.3, junk=0.04, power=1.5),
        dict(n=3000, k=10, noise="symmetric", rate=0.08, apart=3.0, blind=0.4, junk=0.06, power=2.5),
        dict(n=3000, k=10, noise="instance", rate=0.13, apart=2.5, blind=0.5, power=1.0),
        dict(n=5000, k=2, noise="symmetric", rate=0.1, apart=3.0, blind=0.2),
        dict(n=5000, k=2, noise="instance", rate=0.15, apart=2.5, blind=0.3, power=1.5),
        dict(n=4000, k=3, noise="asymmetric", rate=0.15, apart=3.0, blind=0.3),
        dict(n=4000, k=4, noise="instance", rate=0.05, apart=3.0, blind=0.2, skew=2.0, power=2.0),
        dict(n=8000, k=100, noise="symmetric", rate=0.15, apart=5.0, blind=0.0),
        dict(n=8000, k=100, noise="instance", rate=0.18, apart=5.0, blind=0.3, power=1.5),
        dict(n=6000, k=50, noise="asymmetric", rate=0.1, apart=5.0, blind=0.2, skew=2.0),
        dict(n=6000, k=50, noise="instance", rate=0.05, apart=4.0, blind=0.2, power=2.0),
        dict(n=6000, k=20, noise="instance", rate=0.3, apart=4.0, blind=0.2),
        dict(n=6000, k=20, noise="symmetric", rate=0.3, apart=3.0, blind=0.3, skew=3.0),
        dict(n=6000, k=20, noise="asymmetric", rate=0.2, apart=4.0, blind=0.0, power=1.5),
        dict(n=1200, k=6, noise="instance", rate=0.08, apart=3.5, blind=0.2, power=2.0),
        dict(n=1200, k=6, noise="symmetric", rate=0.12, apart=3.0, blind=0.2),
        dict(n=10000, k=10, noise="instance", rate=0.09, apart=5.0, blind=0.0, power=2.0),
        dict(n=10000, k=10, noise="instance", rate=0.4, apart=5.0, blind=0.0, power=1.5),
        dict(n=10000, k=10, noise="symmetric", rate=0.02, apart=4.5, blind=0.0, power=1.5),
    ]
    for seed, settings in enumerate(worlds):
        name = "drawn " + " ".join(f"{key}={value}" for key, value in settings.items())
        yield name, lambda a=settings, b=seed: world(**a, seed=b)


def development_sets(folder: Path | None) -> Iterator[LabelSet]:
    """All sets, in turn for tuning and for judging; those of cifar10-noisy only where its folder is given."""
    people = None if folder is None else People(folder)
    for number, (name, make) in enumerate(_recipes(people)):
        labels, probs, truth = make()
        yield LabelSet(
            name, ("tune", "judge")[(number + zlib.crc32(name.encode())) % 2], labels, probs, truth
        )
