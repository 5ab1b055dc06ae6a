"""Wrong class labels: ours beside cleanlab, from given probabilities and from vectors alone.

    uv run benchmarks/quality/label_errors.py --data FOLDER            # cifar10-noisy: human noise, 10,000 images
    uv run benchmarks/quality/label_errors.py --probs P.npy --labels L.npy --clean C.npy

Of the folder the vectors are made here (EfficientNet-Lite0), the probabilities by cross-validated regression on them;
with --probs they are given. A network trained on the images is stronger, and unsure about just the images that
annotators get wrong: it is simulated by a signal of the right class beside the vectors, which leans to the given class
on wrongly labelled images and to another on some of the rest. It also runs with fewer errors (each corrected with
probability .45) and with more (other labels changed as this annotator confuses classes).
Printed: F1 of the flagged set and average precision of the ranking, against the clean labels.
"""

from __future__ import annotations

import csv
import sys
import time

import numpy as np
from peer import ask, data_folder, python_with
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, f1_score
from sklearn.model_selection import cross_val_predict

from calotype.checks import embed, label_errors, label_errors_from_embeddings

CLEANLAB = (
    "from cleanlab.filter import find_label_issues\nfrom cleanlab.rank import get_label_quality_scores\n"
    + (
        "answer['flagged'] = find_label_issues(given['labels'], given['probs'])\n"
        "answer['score'] = 1 - get_label_quality_scores(given['labels'], given['probs'])\n"
    )
)


def given(name: str) -> np.ndarray:
    """The array of an option."""
    return np.load(sys.argv[sys.argv.index(name) + 1], allow_pickle=False)


def show(name: str, wrong: np.ndarray, flagged: np.ndarray, score: np.ndarray, seconds: float) -> None:
    """One line of the table."""
    f1, precision = f1_score(wrong, flagged), average_precision_score(wrong, score)
    print(f"{name:34} F1 {f1:.3f}  AP {precision:.3f}  flagged {int(flagged.sum()):6}  {seconds:6.1f} CPU s")


def noisier(labels: np.ndarray, clean: np.ndarray, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """The same labels with 10 % and 40 % wrong."""
    wrong, k = labels != clean, int(clean.max()) + 1
    corrected = np.where(wrong & (rng.random(len(clean)) < 0.45), clean, labels)
    confused = np.full((k, k), 1e-3)
    np.add.at(confused, (clean[wrong], labels[wrong]), 1)
    np.fill_diagonal(confused, 0)
    more = labels.copy()
    for at in rng.permutation(np.flatnonzero(~wrong))[: int(0.4 * len(clean)) - int(wrong.sum())]:
        more[at] = rng.choice(k, p=confused[clean[at]] / confused[clean[at]].sum())
    return {"fewer errors": corrected, "as they are": labels, "more errors": more}


def network(
    vectors: np.ndarray, labels: np.ndarray, clean: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """(N, K) out-of-sample probabilities of a simulated network."""
    n, k = len(clean), int(clean.max()) + 1
    one = np.eye(k)
    lean, hard = rng.uniform(0, 0.6, n)[:, None], (labels == clean) & (rng.random(n) < 0.2)
    towards = np.where(labels != clean, labels, np.where(hard, (clean + rng.integers(1, k, n)) % k, clean))
    signal = 3.4 * ((1 - lean) * one[clean] + lean * one[towards]) + rng.normal(size=(n, k))
    seen = np.hstack([PCA(128, random_state=0).fit_transform(vectors) * 20, signal * 2])
    model = LogisticRegression(C=0.05, max_iter=300)
    return np.asarray(cross_val_predict(model, seen, labels, cv=5, method="predict_proba"))


def compared(labels: np.ndarray, probs: np.ndarray, clean: np.ndarray) -> None:
    """Three lines: cleanlab, ours, and the plainest rule."""
    wrong = labels != clean
    print(f"{len(labels)} labels, {wrong.mean():.1%} wrong")
    peer, seconds = ask(python_with("cleanlab"), CLEANLAB, labels=labels, probs=probs)
    show("cleanlab, given probabilities", wrong, peer["flagged"], peer["score"], seconds)
    began = time.process_time()
    ours = label_errors(labels, probs)
    show("calotype, given probabilities", wrong, ours.flagged, ours.score, time.process_time() - began)
    simple = probs.argmax(axis=1) != labels
    show("class of highest probability", wrong, simple, 1 - probs[np.arange(len(labels)), labels], 0.0)


def main() -> None:
    """Print the tables."""
    if "--probs" in sys.argv:
        compared(given("--labels"), given("--probs"), given("--clean"))
        return
    folder = data_folder("cifar10-noisy")
    rows = list(csv.DictReader((folder / "labels.csv").open()))
    names = sorted({row["clean_label"] for row in rows})
    labels, clean = (
        np.asarray([names.index(row[k]) for row in rows]) for k in ("noisy_label", "clean_label")
    )
    vectors = embed([folder / row["path"] for row in rows])
    model = LogisticRegression(C=0.5, max_iter=300)
    print("regression on vectors:", end=" ")
    compared(labels, cross_val_predict(model, vectors * 8, labels, cv=5, method="predict_proba"), clean)
    began = time.process_time()
    ours = label_errors_from_embeddings(labels, vectors)
    show("calotype, vectors alone", labels != clean, ours.flagged, ours.score, time.process_time() - began)
    low, high = ours.n_errors_interval
    print(f"estimate: {ours.n_errors:.0f} wrong, {low:.0f} to {high:.0f}")
    rng = np.random.default_rng(0)
    for name, some in noisier(labels, clean, rng).items():
        print(f"simulated network, {name}:", end=" ")
        compared(some, network(vectors, some, clean, rng), clean)


if __name__ == "__main__":
    main()
