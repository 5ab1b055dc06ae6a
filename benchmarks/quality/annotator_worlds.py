"""Annotator worlds for `consensus_calibration.py`: who answers what, where the truth is known because it is drawn.

The constants of the method were chosen on these worlds; `annotator_worlds_held_out.py` has others.

A worker gives the right class with probability skill x (1 - difficulty of the item). A wrong answer is the item's own
look-alike class (so that workers err together), or any class by the confusions of the world. The model is a
cross-validated regression on blurred features that learned the majority, so it repeats what the majority gets wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from calotype.analysis.out_of_sample import softmax_regression


@dataclass(frozen=True)
class World:
    """Parameters of a world; see the module."""

    name: str
    n: int = 4_000
    k: int = 10
    people: int = 60
    each: tuple[int, ...] = (3,)
    skill: tuple[float, float] = (6.0, 1.25)
    hard_share: float = 0.2
    hard: tuple[float, float] = (1.2, 3.0)
    together: float = 0.5
    apart: float = 2.0
    blur: float = 0.2
    skew: float = 0.0
    power: float = 1.0


@dataclass(frozen=True)
class Answers:
    """(M,) item, worker and answer, the (N,) truth and (N, K) out-of-sample probabilities."""

    item: np.ndarray
    who: np.ndarray
    answer: np.ndarray
    truth: np.ndarray
    probs: np.ndarray


def assigned(
    n: int, people: int, each: tuple[int, ...], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Item and worker of each answer; nobody answers twice."""
    votes = rng.choice(each, n)
    return np.repeat(np.arange(n), votes), np.concatenate(
        [rng.choice(people, v, replace=False) for v in votes]
    )


def majority(
    item: np.ndarray, answer: np.ndarray, shape: tuple[int, int], rng: np.random.Generator
) -> np.ndarray:
    """(N,) the answer given most often, ties at random."""
    counts = np.zeros(shape)
    np.add.at(counts, (item, answer), 1)
    return np.asarray((counts + 1e-6 * rng.random(shape)).argmax(axis=1))


def learned(x: np.ndarray, labels: np.ndarray, k: int, power: float) -> np.ndarray:
    """(N, K) out-of-sample probabilities of a regression, raised to a power."""
    probs = softmax_regression(np.asarray(x, np.float32), labels, k, np.ones(len(labels), np.float32))
    raised = np.maximum(probs, 1e-9).astype(np.float64) ** power
    return np.asarray(raised / raised.sum(axis=1, keepdims=True))


def drawn(world: World, seed: int) -> Answers:
    """A world's answers."""
    rng = np.random.default_rng(seed)
    n, k = world.n, world.k
    share = np.exp(-world.skew * np.arange(k) / k)
    truth = rng.choice(k, n, p=share / share.sum())
    hardness = np.where(rng.random(n) < world.hard_share, rng.beta(*world.hard, n), 0.0)
    confusion = rng.dirichlet(np.full(k, 0.5), k) + 0.02
    np.fill_diagonal(confusion, 0)
    confusion /= confusion.sum(axis=1, keepdims=True)

    def another(rows: np.ndarray) -> np.ndarray:
        return np.asarray((confusion[truth[rows]].cumsum(axis=1) > rng.random((len(rows), 1))).argmax(axis=1))

    look_alike = another(np.arange(n))
    item, who = assigned(n, world.people, world.each, rng)
    skill = rng.beta(*world.skill, world.people)
    right = rng.random(len(item)) < skill[who] * (1 - hardness[item])
    shared = rng.random(len(item)) < world.together * (hardness[item] > 0)
    wrong = np.where(shared, look_alike[item], another(item))
    answer = np.where(right, truth[item], wrong)
    centres = world.apart * rng.normal(size=(k, 16)) / 4
    lean = 0.6 * hardness[:, None]
    x = (
        (1 - lean) * centres[truth]
        + lean * centres[look_alike]
        + (0.4 + world.blur) * rng.normal(size=(n, 16))
    )
    return Answers(item, who, answer, truth, learned(x, majority(item, answer, (n, k), rng), k, world.power))


TUNED = (
    World("as published studies"),
    World("weaker workers", skill=(3.0, 1.5)),
    World("harder items", hard_share=0.4, hard=(2.0, 2.0)),
    World("five answers", each=(5,)),
    World("weak model", apart=1.3),
    World("two classes", k=2, skill=(4.0, 1.2)),
    World("fifty classes", k=50, n=6_000, people=120),
    World("one to five answers", each=(1, 2, 3, 5)),
    World("errors never shared", together=0.0),
    World("errors mostly shared", together=0.9),
    World("no hard items", hard_share=0.0, skill=(4.0, 1.5)),
    World("careful workers", skill=(20.0, 1.5)),
    World("poor workers", skill=(2.0, 2.0), people=200),
    World("rare classes", skew=3.0, k=12),
    World("strong model", apart=3.5),
    World("useless model", apart=0.3),
    World("few workers", people=8, each=(3,)),
    World("half of the items hard", hard_share=0.5, hard=(1.5, 2.0), together=0.6),
    World("seven answers", each=(7,), skill=(3.0, 1.5), hard_share=0.4),
    World("two answers", each=(2,)),
    World("ten answers", each=(10,)),
    World("200 items", n=200, people=12),
    World("200 items, four classes", n=200, people=12, k=4, skill=(3.0, 1.0)),
    World("10,000 items", n=10_000),
    World("hundred classes", k=100, n=6_000, people=120),
    World("spammers", skill=(1.2, 0.35)),
    World("overconfident model", power=3.0),
    World("timid model", power=0.4),
)
