"""How well the consensus' expected number of wrong items holds: worlds of annotators with known truth.

    uv run benchmarks/quality/consensus_calibration.py [--data FOLDER]     # cifar10-noisy, for the worlds `photos`

`tune`: `annotator_worlds.py`, on which the method's constants were chosen. `held out`: `annotator_worlds_held_out.py`,
drawn in other ways. Printed for each, without and with the model, mean of three seeds, of those with a wrong item:
share right, AUROC of wrong items, and the sum of 1 - confidence over the number of wrong items (1 is calibrated); then
how many worlds are near 1.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator

import numpy as np
from annotator_worlds import TUNED, Answers, drawn
from annotator_worlds_held_out import held_out
from peer import data_folder
from sklearn.metrics import roc_auc_score

from calotype.checks import consensus

SEEDS = 3


def figures(answers: Answers, probs: np.ndarray | None) -> tuple[float, float, float]:
    """Share right, AUROC of wrong items, expected over true number of wrong items."""
    judged = consensus(answers.item, answers.who, answers.answer, probs)
    wrong = judged.label != answers.truth
    if not wrong.any():
        return 1.0, np.nan, np.nan
    expected = float((1 - judged.confidence).sum()) / int(wrong.sum())
    return 1 - float(wrong.mean()), float(roc_auc_score(wrong, -judged.confidence)), expected


def all_worlds() -> Iterator[tuple[str, str, Callable[[int], Answers]]]:
    """`tune` or `held out`, name, and answers of a seed."""
    for world in TUNED:
        yield "tune", world.name, lambda seed, world=world: drawn(world, seed)
    given = "--data" in sys.argv or "CALOTYPE_DATA" in os.environ
    for crowd in held_out(data_folder("cifar10-noisy") if given else None):
        yield "held out", crowd.name, crowd.drawn


def main() -> None:
    """Print the table."""
    rows: dict[tuple[str, str], list[np.ndarray]] = {}
    for half, name, answers_of in all_worlds():
        answers = [answers_of(seed) for seed in range(SEEDS)]
        parts = []
        for kind in ("votes", "with model"):
            each = [figures(one, one.probs if kind == "with model" else None) for one in answers]
            row = np.nanmean(each, axis=0)
            rows.setdefault((half, kind), []).append(row)
            parts.append(f"{kind}: right {row[0]:.4f} AUROC {row[1]:.3f} expected/true {row[2]:.2f}")
        print(f"{half:8} {name:30} {' | '.join(parts)}", flush=True)
    for (half, kind), of_worlds in rows.items():
        right, area, ratio = np.array(of_worlds).T
        within = [int((np.abs(ratio - 1) <= share).sum()) for share in (0.15, 0.25)]
        means = f"right {right.mean():.4f}, AUROC {area.mean():.3f}, expected/true {ratio.min():.2f}-{ratio.max():.2f}"
        print(
            f"{half}, {kind}: {len(ratio)} worlds, {means}, median {np.median(ratio):.2f},"
            f" within 15 % {within[0]}, 25 % {within[1]}"
        )


if __name__ == "__main__":
    main()
