"""Selection of samples to label: ours beside ProbCover, TypiClust, k-means, k-centre and random picks.

    uv run benchmarks/quality/selection.py --data FOLDER [--only POOL] [--seeds 5]

Pools (`--only` prints one): `digits` of scikit-learn, their vectors the 64 grey levels; `lite0`, cifar10-noisy with
its clean labels in EfficientNet-Lite0 vectors reduced to 128 directions; `lite0-5`, five unequal classes of it;
`hog-colour`, the same images in vectors without weights; `bccd`, crops of blood cells by box, 85 % of one class, in
Lite0 vectors. `speed`: CPU seconds and memory for 100,000 drawn vectors of 128 numbers.

Printed: accuracy (for `bccd`: mean recall of the classes) of a linear head on what was picked, for 50 and 200 labels,
mean of the seeds and its standard error; each seed is another division into a pool and a test part. In brackets: the
lead over k-means on the same divisions. The width of the kernel of `coverage`, and the neighbourhood of `clusters`,
were chosen on cifar10-noisy with lite0, so those lines favour calotype. That `auto` goes from `clusters` to `typical`
after 100 labels was chosen by the mean over all five pools.
The peers are written here from their papers.
"""

from __future__ import annotations

import csv
import resource
import sys
import time
from collections.abc import Callable

import numpy as np
from defusedxml.ElementTree import parse
from peer import data_folder
from PIL import Image
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from calotype.checks import embed
from calotype.curate import select

BUDGETS = (50, 200)
SEEDS = int(sys.argv[sys.argv.index("--seeds") + 1]) if "--seeds" in sys.argv else 5


def units(x: np.ndarray) -> np.ndarray:
    """Rows of length 1."""
    return x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)


def reduced(x: np.ndarray, n: int = 128) -> np.ndarray:
    """The n largest directions."""
    centred = x - x.mean(axis=0)
    return (centred @ np.linalg.eigh(centred.T @ centred).eigenvectors[:, ::-1][:, :n]).astype(np.float32)


def k_means(x: np.ndarray, n: int, seed: int) -> np.ndarray:
    """The row nearest to each of n centres."""
    u = units(x)
    centres = KMeans(n, n_init=1, max_iter=50, random_state=seed).fit(u).cluster_centers_
    return np.unique(((centres**2).sum(axis=1)[:, None] - 2 * centres @ u.T).argmin(axis=1))


def typiclust(x: np.ndarray, n: int, seed: int) -> np.ndarray:
    """The row of each of n clusters with the smallest mean distance to its 20 nearest (Hacohen et al., 2022)."""
    u = units(x)
    cluster = KMeans(n, n_init=1, max_iter=50, random_state=seed).fit(u).labels_
    picks = []
    for number in range(n):
        rows = np.flatnonzero(cluster == number)
        distances = np.sqrt(np.maximum(2 - 2 * u[rows] @ u[rows].T, 0))
        k = min(20, len(rows) - 1)
        picks.append(rows[np.partition(distances, k, axis=1)[:, : k + 1].mean(axis=1).argmin()])
    return np.asarray(picks)


def probcover(x: np.ndarray, n: int, seed: int) -> np.ndarray:
    """Largest degree first; the radius keeps 95 % of the balls pure in k-means clusters (Yehuda et al., 2022)."""
    u, rng = units(x), np.random.default_rng(seed)
    some = rng.choice(len(u), min(len(u), 1_500), replace=False)
    cluster = KMeans(10, n_init=1, random_state=seed).fit(u).labels_[some]
    squared = 2 - 2 * u[some] @ u[some].T
    other = cluster[:, None] != cluster
    radii = np.arange(0.05, 1.4, 0.05)
    pure = [1 - ((squared < r * r) & other).any(axis=1).mean() for r in radii]
    radius = max([r for r, p in zip(radii, pure, strict=True) if p >= 0.95], default=radii[0])
    near = (2 - 2 * u @ u.T) < radius**2
    degree = near.sum(axis=1).astype(float)
    picks: list[int] = []
    for _ in range(n):
        row = int(degree.argmax())
        picks.append(row)
        covered = np.flatnonzero(near[row])
        degree -= near[:, covered].sum(axis=1)
        near[:, covered] = False
        degree[row] = -np.inf
    return np.asarray(picks)


def k_centre(x: np.ndarray, n: int, seed: int) -> np.ndarray:
    """The farthest row from all picks: what `--by diversity` was."""
    u = units(x)
    row, nearest, picks = seed % len(u), np.full(len(u), 9.0), []
    for _ in range(n):
        picks.append(row)
        nearest = np.minimum(nearest, 2 - 2 * u @ u[row])
        row = int(nearest.argmax())
    return np.asarray(picks)


def ours(by: str) -> Callable[[np.ndarray, int, int], np.ndarray]:
    """A strategy of `select`."""
    return lambda x, n, seed: select(x, n, by, seed=seed).picked


METHODS = {
    "random": lambda x, n, seed: np.random.default_rng(seed).permutation(len(x))[:n],
    "k-centre": k_centre,
    "k-means": k_means,
    "TypiClust": typiclust,
    "ProbCover": probcover,
    "calotype auto": ours("auto"),
    "calotype coverage": ours("coverage"),
    "calotype clusters": ours("clusters"),
    "calotype typical": ours("typical"),
    "calotype diverse": ours("diverse"),
}


def accuracy(x: np.ndarray, classes: np.ndarray, picks: np.ndarray, test: np.ndarray) -> np.ndarray:
    """(2,) accuracy and mean recall of the classes, of logistic regression on the picks."""
    scaled = x * (10 / np.sqrt((x**2).sum(axis=1).mean()))
    right = np.full(len(test), classes[picks[0]]) == classes[test]
    if len(np.unique(classes[picks])) > 1:
        right = (
            LogisticRegression(max_iter=200).fit(scaled[picks], classes[picks]).predict(scaled[test])
            == classes[test]
        )
    return np.array(
        [right.mean(), np.mean([right[classes[test] == c].mean() for c in np.unique(classes[test])])]
    )


def compare(name: str, x: np.ndarray, classes: np.ndarray, by_class: bool = False) -> None:
    """One line a method."""
    results = {method: np.zeros((len(BUDGETS), SEEDS)) for method in METHODS}
    for seed in range(SEEDS):
        order = np.random.default_rng(seed).permutation(len(x))
        pool, test = order[len(x) // 5 :], order[: len(x) // 5]
        for method, pick in METHODS.items():
            for row, n in enumerate(BUDGETS):
                results[method][row, seed] = accuracy(x, classes, pool[pick(x[pool], n, seed)], test)[
                    int(by_class)
                ]
    for method, cells in results.items():
        print(f"{name:22} {method:18}", end="")
        for n, own, peer in zip(BUDGETS, cells, results["k-means"], strict=True):
            error, lead = own.std() / SEEDS**0.5, own - peer
            print(f"  {n} labels {own.mean():.3f} +- {error:.3f} ({lead.mean():+.3f})", end="")
        print(flush=True)


def speed() -> None:
    """CPU seconds and peak memory of 100,000 vectors of 128 numbers."""
    rng = np.random.default_rng(0)
    centres = rng.standard_normal((200, 128))
    x = (centres[rng.integers(0, 200, 100_000)] + rng.standard_normal((100_000, 128))).astype(np.float32)
    for n in (200, 1_000):
        before = time.process_time()
        by = select(x, n).by
        seconds = time.process_time() - before
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
        print(f"100,000 vectors, {n} by {by}: {seconds:.1f} CPU s, peak memory of the process {peak:.2f} GB")


def bccd() -> tuple[np.ndarray, np.ndarray]:
    """Lite0 vectors of crops of the boxes, and the class of each box."""
    crops, names = [], []
    for path in sorted((data_folder("bccd") / "BCCD" / "Annotations").glob("*.xml")):
        image = Image.open(path.parents[1] / "JPEGImages" / f"{path.stem}.jpg").convert("RGB")
        for box in parse(path).iter("object"):
            corners = [
                int(float(box.findtext(f"bndbox/{side}", "0"))) for side in ("xmin", "ymin", "xmax", "ymax")
            ]
            if min(corners[2] - corners[0], corners[3] - corners[1]) >= 8:
                crops.append(np.asarray(image.crop(tuple(corners)).resize((96, 96))))
                names.append(box.findtext("name", ""))
    return embed(crops, "lite0"), np.unique(names, return_inverse=True)[1]


def cifar(model: str) -> tuple[np.ndarray, np.ndarray]:
    """Vectors, and clean classes."""
    folder = data_folder("cifar10-noisy")
    rows = list(csv.DictReader((folder / "labels.csv").open()))
    classes = np.unique([row["clean_label"] for row in rows], return_inverse=True)[1]
    return embed([folder / row["path"] for row in rows], model), classes


def unequal(classes: np.ndarray) -> np.ndarray:
    """Rows of five classes: 1,000, 700, 400, 300 and 1,000."""
    rng, sizes = np.random.default_rng(7), {0: 1_000, 2: 700, 3: 400, 5: 300, 9: 1_000}
    return np.concatenate(
        [rng.choice(np.flatnonzero(classes == c), n, replace=False) for c, n in sizes.items()]
    )


def main() -> None:
    """Print the tables; `--only POOL` prints one."""
    only = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else ""
    if only in ("", "speed"):
        speed()
    if only in ("", "digits"):
        images, classes = load_digits(return_X_y=True)
        compare("digits, grey levels", reduced(images, 64), classes)
    if only in ("", "bccd"):
        vectors, classes = bccd()
        compare("bccd cells, lite0", reduced(vectors), classes, by_class=True)
    for model in ("lite0", "hog-colour"):
        if only not in ("", model, f"{model}-5"):
            continue
        vectors, classes = cifar(model)
        if only in ("", model):
            compare(f"cifar10-noisy, {model}", reduced(vectors), classes)
        if model == "lite0" and only in ("", "lite0-5"):
            rows = unequal(classes)
            compare("five classes, lite0", reduced(vectors[rows]), classes[rows])


if __name__ == "__main__":
    main()
