"""Annotator worlds that are drawn otherwise than those on which the consensus was tuned; see `annotator_worlds.py`.

`Distributions`: each item has its own distribution of answers, which people sharpen. `Abilities`: J. Whitehill et al.,
2009, ability times ease. `Views`: P. Welinder et al., 2010, people see a point with noise and weigh its axes otherwise.
`Confusions`: each person has a confusion matrix. `Machines`: scikit-learn's digits, people are classifiers that learned
few images and few pixels. `Photos`: cifar10-noisy, answers drawn from its annotators' confusions; the model is a
regression on network vectors.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from annotator_worlds import Answers, assigned, learned, majority
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from calotype.checks import embed


@dataclass(frozen=True)
class Crowd:
    """What all worlds have."""

    name: str
    n: int = 4_000
    k: int = 10
    people: int = 50
    each: tuple[int, ...] = (3,)
    spam: float = 0.0
    blur: float = 0.3
    power: float = 1.0

    def answers(
        self, answer: np.ndarray, truth: np.ndarray, x: np.ndarray, asked: tuple, rng: np.random.Generator
    ) -> Answers:
        """With the probabilities of a model that learned the majority from `x`."""
        item, who = asked
        most = majority(item, answer, (len(truth), self.k), rng)
        return Answers(item, who, answer, truth, learned(x, most, self.k, self.power))

    def spammed(self, answer: np.ndarray, who: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Answers where some people answer anything."""
        anything = rng.random(self.people) < self.spam
        return np.where(anything[who], rng.integers(0, self.k, len(who)), answer)


@dataclass(frozen=True)
class Distributions(Crowd):
    """`clear`: least and additional score of the true class."""

    clear: tuple[float, float] = (0.8, 7.0)
    ability: float = 1.0

    def drawn(self, seed: int) -> Answers:
        """The answers."""
        rng = np.random.default_rng(1000 + seed)
        truth = rng.integers(0, self.k, self.n)
        near = rng.normal(size=(self.k, self.k))
        scores = 0.4 * (near + near.T)[truth] + rng.normal(0, 1.2, (self.n, self.k))
        scores[np.arange(self.n), truth] = self.clear[0] + self.clear[1] * rng.beta(2.0, 1.0, self.n)
        item, who = assigned(self.n, self.people, self.each, rng)
        skill = self.ability * np.exp(rng.normal(0, 0.25, self.people))
        sharpened = scores[item] * skill[who][:, None]
        answer = self.spammed((sharpened + rng.gumbel(size=sharpened.shape)).argmax(axis=1), who, rng)
        x = scores @ rng.normal(size=(self.k, 16)) / 4 + 2 * self.blur * rng.normal(size=(self.n, 16))
        return self.answers(answer, truth, x, (item, who), rng)


@dataclass(frozen=True)
class Abilities(Crowd):
    """A wrong answer is any class."""

    def drawn(self, seed: int) -> Answers:
        """The answers."""
        rng = np.random.default_rng(2000 + seed)
        truth = rng.integers(0, self.k, self.n)
        item, who = assigned(self.n, self.people, self.each, rng)
        ability = np.maximum(rng.normal(1.6, 0.8, self.people), 0)
        ease = np.exp(rng.normal(1.0, 0.9, self.n)) / 2
        chance = 1 / self.k
        share = chance + (1 - chance) * (2 / (1 + np.exp(-ability[who] * ease[item])) - 1)
        other = (truth[item] + rng.integers(1, self.k, len(item))) % self.k
        answer = self.spammed(np.where(rng.random(len(item)) < share, truth[item], other), who, rng)
        centres = rng.normal(size=(self.k, 16)) / 2
        x = centres[truth] * np.minimum(ease, 2)[:, None] / 1.5
        return self.answers(answer, truth, x + (0.4 + self.blur) * rng.normal(size=x.shape), (item, who), rng)


@dataclass(frozen=True)
class Views(Crowd):
    """`own`: noise that people do not share; what they share cannot be seen in their answers."""

    own: float = 0.5
    lean: float = 0.4
    axes: int = 4

    def drawn(self, seed: int) -> Answers:
        """The answers."""
        rng = np.random.default_rng(3000 + seed)
        truth = rng.integers(0, self.k, self.n)
        centres = 1.5 * rng.normal(size=(self.k, self.axes))
        points = centres[truth] + 0.45 * rng.normal(size=(self.n, self.axes))
        item, who = assigned(self.n, self.people, self.each, rng)
        weights = np.exp(rng.normal(0, self.lean, (self.people, self.axes)))
        noise = self.own * np.exp(rng.normal(0, 0.5, self.people))
        view = points[item] + noise[who][:, None] * rng.normal(size=(len(item), self.axes))
        away = np.stack([(weights[who] * (view - centre) ** 2).sum(axis=1) for centre in centres], axis=1)
        answer = self.spammed(away.argmin(axis=1), who, rng)
        x = np.tanh(points @ rng.normal(size=(self.axes, 24)) / 2 + rng.normal(size=24))
        return self.answers(answer, truth, 2 * x + 2 * self.blur * rng.normal(size=x.shape), (item, who), rng)


@dataclass(frozen=True)
class Confusions(Crowd):
    """Items are alike; some classes are harder than others."""

    def drawn(self, seed: int) -> Answers:
        """The answers."""
        rng = np.random.default_rng(4000 + seed)
        truth = rng.choice(self.k, self.n, p=rng.dirichlet(np.full(self.k, 5.0)))
        shared = 0.9 * rng.dirichlet(np.full(self.k, 0.5), self.k) + 0.1 / self.k
        weights = 3.0 * shared + 5.0 * np.eye(self.k) + 0.02
        own = np.array([[rng.dirichlet(row) for row in weights] for _ in range(self.people)])
        item, who = assigned(self.n, self.people, self.each, rng)
        answer = (own[who, truth[item]].cumsum(axis=1) > rng.random((len(item), 1))).argmax(axis=1)
        answer = self.spammed(answer, who, rng)
        x = rng.normal(size=(self.k, 16))[truth] / 2 + (0.4 + self.blur) * rng.normal(size=(self.n, 16))
        return self.answers(answer, truth, x, (item, who), rng)


@dataclass(frozen=True)
class Machines(Crowd):
    """`blur` 0: the model sees all pixels."""

    people: int = 25
    blur: float = 0.0

    def drawn(self, seed: int) -> Answers:
        """The answers."""
        rng = np.random.default_rng(5000 + seed)
        digits = load_digits()
        pixels, truth = digits.data / 16, digits.target
        said = np.empty((self.people, len(truth)), np.int64)
        for person in range(self.people):
            rows = rng.choice(len(truth), rng.integers(40, 200), replace=False)
            part = pixels[:, rng.random(64) < 0.3]
            model = KNeighborsClassifier(1) if person % 2 else LogisticRegression(C=3, max_iter=200)
            said[person] = model.fit(part[rows], truth[rows]).predict(part)
        item, who = assigned(len(truth), self.people, self.each, rng)
        x = 1.4 * (pixels - 0.3) + self.blur * rng.normal(size=pixels.shape)
        return self.answers(said[who, item], truth, x, (item, who), rng)


@lru_cache(maxsize=1)
def photos(folder: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vectors (N, 128), labels and annotators' labels of cifar10-noisy."""
    rows = list(csv.DictReader((folder / "labels.csv").open()))
    names = sorted({row["clean_label"] for row in rows})
    noisy, clean = (
        np.array([names.index(row[key]) for row in rows]) for key in ("noisy_label", "clean_label")
    )
    vectors = embed([folder / row["path"] for row in rows])
    centred = vectors - vectors.mean(axis=0)
    axes = np.linalg.eigh(centred.T @ centred)[1][:, -128:]
    return 8 * centred @ axes, clean, noisy


@dataclass(frozen=True)
class Photos(Crowd):
    """A fifth of the images is difficult; with `alike`, those that its annotator got wrong, for the same class."""

    people: int = 150
    alike: float = 0.0
    folder: Path = Path()

    def drawn(self, seed: int) -> Answers:
        """The answers."""
        rng = np.random.default_rng(6000 + seed)
        vectors, clean, noisy = photos(self.folder)
        confusion = np.full((self.k, self.k), 1e-3)
        np.add.at(confusion, (clean[clean != noisy], noisy[clean != noisy]), 1)
        np.fill_diagonal(confusion, 0)
        confusion /= confusion.sum(axis=1, keepdims=True)
        rows = rng.permutation(len(clean))[: self.n]
        clean, noisy, vectors = clean[rows], noisy[rows], vectors[rows]
        hard = np.where(rng.random(len(rows)) < 0.2, rng.beta(1.2, 3.0, len(rows)), 0.0)
        if self.alike:
            hard = np.where(clean != noisy, rng.beta(3.0, 2.0, len(rows)), 0.5 * hard)
        item, who = assigned(len(rows), self.people, self.each, rng)
        right = rng.random(len(item)) < rng.beta(6.0, 1.25, self.people)[who] * (1 - hard[item])
        other = (confusion[clean[item]].cumsum(axis=1) > rng.random((len(item), 1))).argmax(axis=1)
        same = (rng.random(len(item)) < self.alike) & (noisy != clean)[item]
        answer = np.where(right, clean[item], np.where(same, noisy[item], other))
        return self.answers(answer, clean, vectors, (item, who), rng)


def held_out(folder: Path | None) -> list[Crowd]:
    """All worlds; those of photos only with a folder."""
    drawn: list[Crowd] = [
        Distributions("distributions"),
        Distributions("distributions, spammers", spam=0.2, each=(5,)),
        Distributions("distributions, ten answers", ability=0.5, each=(10,)),
        Distributions("distributions, two classes", k=2, clear=(0.2, 4.0), ability=0.7),
        Distributions("distributions, 100 classes", k=100, n=3_000, people=120, clear=(2.0, 7.0)),
        Distributions("distributions, too sure model", power=3.0),
        Distributions("distributions, two to four", each=(2, 3, 4), n=10_000),
        Abilities("abilities", k=5),
        Abilities("abilities, two classes", k=2, each=(5,)),
        Abilities("abilities, spammers", k=5, spam=0.3, each=(5,)),
        Abilities("abilities, 200 items", k=5, n=200, people=10, each=(4,)),
        Abilities("abilities, weak model", k=5, blur=1.5),
        Views("views", k=8, people=30),
        Views("views, alike", k=8, people=30, own=0.2, lean=0.15, each=(5,)),
        Views("views, seven answers", k=8, people=30, each=(7,), spam=0.15),
        Views("views, two answers", k=8, people=30, each=(2,)),
        Views("views, 20 classes", k=20, people=100, axes=6),
        Confusions("confusions", k=6, people=20, each=(4,)),
        Confusions("confusions, two classes", k=2, people=20),
        Confusions("confusions, spammers", k=6, people=20, spam=0.3, each=(6,)),
        Confusions("confusions, 30 classes", k=30, n=6_000, people=60),
        Machines("machines"),
        Machines("machines, seven answers", each=(7,)),
        Machines("machines, two answers", each=(2,)),
        Machines("machines, weak model", blur=0.7),
        Machines("machines, too sure model", power=3.0),
    ]
    if folder is None:
        return drawn
    return [
        *drawn,
        Photos("photos", n=10_000, folder=folder),
        Photos("photos, five answers", n=10_000, each=(5,), folder=folder),
        Photos("photos, 1,000", n=1_000, people=30, folder=folder),
        Photos("photos, errors alike", n=10_000, alike=0.5, folder=folder),
        Photos("photos, errors alike, five", n=10_000, alike=0.5, each=(5,), folder=folder),
    ]
