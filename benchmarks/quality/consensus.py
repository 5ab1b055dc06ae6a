"""Several annotators: ours beside majority and CROWDLAB (cleanlab), on votes simulated from real human confusions.

    uv run benchmarks/quality/consensus.py --data FOLDER     # cifar10-noisy

150 simulated workers of different skill, 3 labels an image; a worker who errs answers as the set's annotators
confuse classes.
"""

from __future__ import annotations

import csv
import time

import numpy as np
from peer import ask, data_folder, python_with
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from calotype.checks import consensus, embed

CROWDLAB = """
import pandas as pd
from cleanlab.multiannotator import get_label_quality_multiannotator
table = pd.DataFrame(given['table'])
found = get_label_quality_multiannotator(table.where(table >= 0), given['probs'], verbose=False)['label_quality']
answer['label'] = found['consensus_label'].to_numpy()
answer['score'] = found['consensus_quality_score'].to_numpy()
"""


def simulated(clean: np.ndarray, noisy: np.ndarray, k: int, people: int = 150, each: int = 3) -> tuple:
    """Item, worker and answer."""
    rng = np.random.default_rng(0)
    confusion = np.full((k, k), 1e-3)
    np.add.at(confusion, (clean[clean != noisy], noisy[clean != noisy]), 1)
    np.fill_diagonal(confusion, 0)
    confusion /= confusion.sum(axis=1, keepdims=True)
    hard = np.where(rng.random(len(clean)) < 0.2, rng.beta(1.2, 3, len(clean)), 0.0)
    item = np.repeat(np.arange(len(clean)), each)
    who = np.concatenate([rng.choice(people, each, replace=False) for _ in range(len(clean))])
    skill = rng.beta(6, 1.25, people)
    right = rng.random(len(item)) < skill[who] * (1 - hard[item])
    other = (confusion[clean[item]].cumsum(axis=1) > rng.random((len(item), 1))).argmax(axis=1)
    return item, who, np.where(right, clean[item], other)


def show(name: str, clean: np.ndarray, label: np.ndarray, trust: np.ndarray, seconds: float) -> None:
    """One line of the table."""
    wrong = label != clean
    area = roc_auc_score(wrong, -trust)
    ratio = (1 - trust).sum() / wrong.sum()
    figures = f"right {1 - wrong.mean():.4f}  AUROC of wrong {area:.3f}  expected/true wrong {ratio:.2f}"
    print(f"{name:24} {figures}  {seconds:6.1f} CPU s", flush=True)


def main() -> None:
    """Print the table."""
    folder = data_folder("cifar10-noisy")
    rows = list(csv.DictReader((folder / "labels.csv").open()))
    names = sorted({row["clean_label"] for row in rows})
    noisy, clean = (np.asarray([names.index(row[k]) for row in rows]) for k in ("noisy_label", "clean_label"))
    item, who, answer = simulated(clean, noisy, len(names))
    counts = np.zeros((len(clean), len(names)))
    np.add.at(counts, (item, answer), 1)
    most = (counts + 1e-6 * np.random.default_rng(1).random(counts.shape)).argmax(axis=1)
    vectors = embed([folder / row["path"] for row in rows])
    model = LogisticRegression(C=0.5, max_iter=300)
    probs = cross_val_predict(model, vectors * 8, most, cv=5, method="predict_proba")
    wrong, right = (answer != clean[item]).mean(), (probs.argmax(axis=1) == clean).mean()
    print(f"single answers wrong: {wrong:.1%}; model right: {right:.3f}")
    show("majority", clean, most, counts.max(axis=1) / counts.sum(axis=1), 0.0)
    table = np.full((len(clean), 150), -1)
    table[item, who] = answer
    peer, seconds = ask(python_with("cleanlab"), CROWDLAB, table=table, probs=probs)
    show("CROWDLAB (cleanlab)", clean, peer["label"], peer["score"], seconds)
    for name, given in (("calotype, votes alone", None), ("calotype, with model", probs)):
        began = time.process_time()
        ours = consensus(item, who, answer, given)
        show(name, clean, ours.label, ours.confidence, time.process_time() - began)


if __name__ == "__main__":
    main()
