"""How well the consensus' expected number of wrong items holds: drawn annotator worlds with known truth.

    uv run benchmarks/quality/consensus_calibration.py

Worlds: see `annotator_worlds.py`; those of `unseen` were not used to choose anything. Printed for each, without and
with the model, mean of three seeds: share right, AUROC of wrong items, and the sum of 1 - confidence over the number
of wrong items (1 is calibrated).
"""

from __future__ import annotations

import numpy as np
from annotator_worlds import Answers, all_worlds, drawn
from sklearn.metrics import roc_auc_score

from calotype.checks import consensus

SEEDS = 3


def figures(answers: Answers, probs: np.ndarray | None) -> tuple[float, float, float]:
    """Share right, AUROC of wrong items, expected over true number of wrong items."""
    judged = consensus(answers.item, answers.who, answers.answer, probs)
    wrong = judged.label != answers.truth
    expected = float((1 - judged.confidence).sum()) / max(int(wrong.sum()), 1)
    return 1 - float(wrong.mean()), float(roc_auc_score(wrong, -judged.confidence)), expected


def main() -> None:
    """Print the table."""
    for half, world in all_worlds():
        answers = [drawn(world, seed) for seed in range(SEEDS)]
        parts = []
        for with_model in (False, True):
            rows = [figures(one, one.probs if with_model else None) for one in answers]
            right, area, ratio = np.mean(rows, axis=0)
            parts.append(f"right {right:.4f} AUROC {area:.3f} expected/true {ratio:.2f}")
        print(f"{half:6} {world.name:24} votes: {parts[0]} | with model: {parts[1]}", flush=True)


if __name__ == "__main__":
    main()
