"""Places vectors on a plane, so that samples that look alike lie near each other.

t-SNE (van der Maaten and Hinton, 2008; started from the principal components, as Kobak and Berens, 2019, advise) places
some thousand landmarks. Every other vector lies at the weighted middle of the landmarks most like it (as in the
landmark methods of de Silva and Tenenbaum, 2004), which takes seconds for a million.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calotype.analysis.maths.blas import threads_for

N_LANDMARKS = 2_000
FIT_ROWS = 20_000
"""More vectors than this are not needed to fit a plane."""
_DIMENSIONS = 50
_N_NEAR = 6
_N_ITERATIONS = 400
_PERPLEXITY = 30.0
_ROWS = 8_192

Points = npt.NDArray[np.float32]


def project(vectors: npt.ArrayLike, *, seed: int = 0, n_landmarks: int = N_LANDMARKS) -> Points:
    """Places of vectors on a plane; the same vectors and seed give the same places.

    Args:
        vectors: (N, D) finite numbers; only their directions count.
        n_landmarks: Vectors that t-SNE places itself.
    Returns: (N, 2) float32, from -1 to 1; distances between far groups mean little.
    """
    matrix = np.asarray(vectors, np.float32)
    return Plane.fit(matrix, seed=seed, n_landmarks=n_landmarks).place(matrix)


@dataclass(frozen=True, slots=True)
class Plane:
    """A plane with landmarks, on which vectors of the same kind can be placed in any number of parts.

    Attributes:
        middle, directions: (D,) and (D, d): what reduces vectors to their d largest directions.
        landmarks, places: (L, d) and (L, 2), from -1 to 1.
    """

    middle: Points
    directions: Points
    landmarks: Points
    places: Points

    @classmethod
    def fit(cls, vectors: npt.ArrayLike, *, seed: int = 0, n_landmarks: int = N_LANDMARKS) -> Plane:
        """The plane of some (N, D) vectors, which should be a random part of all."""
        units = _units(np.asarray(vectors, np.float32))
        some = units[_landmarks(len(units), FIT_ROWS, seed)]
        middle = some.mean(axis=0) if len(some) else np.zeros(units.shape[1], np.float32)
        with threads_for(len(some)):
            directions = np.linalg.svd(some - middle, full_matrices=False)[2][:_DIMENSIONS].T
            landmarks = (units[_landmarks(len(units), n_landmarks, seed)] - middle) @ directions
            places = _tsne(landmarks, seed) if len(landmarks) > 3 else _on_a_line(len(landmarks))
        return cls(middle, directions, landmarks, _scaled(places))

    def place(self, vectors: npt.ArrayLike) -> Points:
        """(N, 2) places of (N, D) vectors. Rows of zeros lie where the middle of all vectors would."""
        matrix = np.asarray(vectors, np.float32)
        places: Points = np.empty((len(matrix), 2), np.float32)
        with threads_for(len(matrix)):
            for start in range(0, len(matrix), _ROWS):
                part = _units(matrix[start : start + _ROWS])
                reduced: Points = ((part - self.middle) @ self.directions).astype(np.float32)
                places[start : start + _ROWS] = _between(reduced, self.landmarks, self.places)
        return places


def _on_a_line(n: int) -> Points:
    return np.linspace([-1.0, 0.0], [1.0, 0.0], n).astype(np.float32).reshape(-1, 2)


def _units(matrix: Points) -> Points:
    """Rows of length 1; zeros stay zeros."""
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    units: Points = np.divide(matrix, lengths, out=np.zeros_like(matrix), where=lengths > 0)
    return units


def _landmarks(n: int, most: int, seed: int) -> npt.NDArray[np.int64]:
    """Rows spread at random over all vectors."""
    if n <= most:
        return np.arange(n)
    return np.sort(np.random.default_rng(seed).choice(n, most, replace=False))


def _tsne(reduced: Points, seed: int) -> Points:
    from sklearn.manifold import TSNE  # heavy

    spread = float(reduced[:, 0].std())
    start = (
        reduced[:, :2] if reduced.shape[1] > 1 else np.column_stack([reduced[:, 0], np.zeros(len(reduced))])
    )
    noise = np.random.default_rng(seed).normal(
        0, 1e-6, (len(reduced), 2)
    )  # equal vectors need not stay equal
    model = TSNE(
        init=(start * (1e-4 / spread if spread > 0 else 0.0) + noise).astype(np.float32),
        perplexity=min(_PERPLEXITY, (len(reduced) - 1) / 3),
        learning_rate="auto",
        max_iter=_N_ITERATIONS,
        random_state=seed,
        n_jobs=1,
    )
    return np.asarray(model.fit_transform(reduced), np.float32)


def _between(reduced: Points, landmarks: Points, placed: Points) -> Points:
    """The weighted middle of the nearest landmarks; the nearest weighs most."""
    n_near = min(_N_NEAR, len(landmarks))
    if n_near == 0:
        return np.zeros((len(reduced), 2), np.float32)
    distances = (reduced**2).sum(axis=1)[:, None] + (landmarks**2).sum(axis=1) - 2 * reduced @ landmarks.T
    near = np.argpartition(distances, n_near - 1, axis=1)[:, :n_near]
    closeness = np.maximum(np.take_along_axis(distances, near, axis=1), 0)
    scale = closeness.mean(axis=1, keepdims=True) / 4 + 1e-12
    weights = np.exp(-(closeness - closeness.min(axis=1, keepdims=True)) / scale)
    weights /= weights.sum(axis=1, keepdims=True)
    middle: Points = np.einsum("nk,nkd->nd", weights, placed[near]).astype(np.float32)
    return middle


def _scaled(places: Points) -> Points:
    """Moved to the middle and scaled to -1 to 1, both ways alike."""
    if len(places) == 0:
        return places
    low, high = places.min(axis=0), places.max(axis=0)
    half = max(float((high - low).max()) / 2, 1e-12)
    scaled: Points = ((places - (low + high) / 2) / half).astype(np.float32)
    return scaled
