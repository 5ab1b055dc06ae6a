"""Wrong class labels: ours beside cleanlab, from given probabilities and from vectors alone.

    uv run benchmarks/quality/label_errors.py --data FOLDER            # cifar10-noisy: human noise, 10,000 pictures
    uv run benchmarks/quality/label_errors.py --probs P.npy --labels L.npy --clean C.npy

Of the folder the vectors are made here (EfficientNet-Lite0), the probabilities by cross-validated regression on
them; with
--probs they are given. Printed: F1 of the flagged set and average precision of the ranking, against the clean labels.
"""

from __future__ import annotations

import csv
import sys
import time

import numpy as np
from peer import ask, data_folder, python_with
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


def told(name: str, wrong: np.ndarray, flagged: np.ndarray, score: np.ndarray, seconds: float) -> None:
    """One line of the table."""
    f1, precision = f1_score(wrong, flagged), average_precision_score(wrong, score)
    print(f"{name:34} F1 {f1:.3f}  AP {precision:.3f}  flagged {int(flagged.sum()):6}  {seconds:6.1f} CPU s")


def main() -> None:
    """Print the table."""
    vectors = None
    if "--probs" in sys.argv:
        probs, labels, clean = given("--probs"), given("--labels"), given("--clean")
    else:
        folder = data_folder("cifar10-noisy")
        rows = list(csv.DictReader((folder / "labels.csv").open()))
        names = sorted({row["clean_label"] for row in rows})
        labels, clean = (
            np.asarray([names.index(row[k]) for row in rows]) for k in ("noisy_label", "clean_label")
        )
        vectors = embed([folder / row["path"] for row in rows])
        model = LogisticRegression(C=0.5, max_iter=300)
        probs = cross_val_predict(model, vectors * 8, labels, cv=5, method="predict_proba")
    wrong = labels != clean
    print(f"{len(labels)} labels, {wrong.mean():.1%} wrong")
    peer, seconds = ask(python_with("cleanlab"), CLEANLAB, labels=labels, probs=probs)
    told("cleanlab, given probabilities", wrong, peer["flagged"], peer["score"], seconds)
    began = time.process_time()
    ours = label_errors(labels, probs)
    told("calotype, given probabilities", wrong, ours.flagged, ours.score, time.process_time() - began)
    simple = probs.argmax(axis=1) != labels
    told("class of highest probability", wrong, simple, 1 - probs[np.arange(len(labels)), labels], 0.0)
    if vectors is not None:
        began = time.process_time()
        ours = label_errors_from_embeddings(labels, vectors)
        told("calotype, vectors alone", wrong, ours.flagged, ours.score, time.process_time() - began)
        print(
            f"estimate: {ours.n_errors:.0f} wrong, {ours.n_errors_interval[0]:.0f} to {ours.n_errors_interval[1]:.0f}"
        )


if __name__ == "__main__":
    main()
