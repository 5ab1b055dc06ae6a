"""Time against number of images, one panel a scenario: `curve.py versions.json scaling.svg`. Needs matplotlib."""

from __future__ import annotations

import json
import statistics
import sys
from pathlib import Path

import matplotlib
from matplotlib import pyplot

PANELS = {
    "import": "import COCO",
    "count": "count per class",
    "edit": "other boxes for 1,000 samples",
    "diff": "difference of two versions",
    "open": "open the newest version",
}
PEERS = {"calotype": ("#0b6e4f", "o", "Calotype"), "plain": ("#8a8a8a", "s", "plain files (floor)")}


def main(figures: Path, picture: Path) -> None:
    """Draw the medians; sets of files are left out."""
    matplotlib.rcParams.update({"svg.hashsalt": "calotype", "font.size": 9, "axes.spines.top": False})
    matplotlib.rcParams.update({"axes.spines.right": False})
    found: dict[tuple[str, str], dict[int, list[float]]] = {}
    for figure in json.loads(figures.read_text())["figures"]:
        kind, _, n = figure["set"].partition("-")
        if kind == "coco" and figure["peer"] in PEERS and "seconds" in figure:
            found.setdefault((figure["peer"], figure["scenario"]), {}).setdefault(int(n), []).append(
                figure["seconds"]
            )
    sheet, axes = pyplot.subplots(1, len(PANELS), figsize=(15, 3.2), layout="constrained")
    for axis, (scenario, words) in zip(axes, PANELS.items(), strict=True):
        for peer, (colour, mark, label) in PEERS.items():
            points = sorted(found.get((peer, scenario), {}).items())
            if points:
                medians = [statistics.median(each) for _n, each in points]
                axis.plot(
                    [n for n, _ in points], medians, color=colour, marker=mark, markersize=4, label=label
                )
        axis.set(xscale="log", yscale="log", title=words, xlabel="images")
        axis.grid(alpha=0.25)
    axes[0].set_ylabel("seconds")
    axes[0].legend(frameon=False)
    sheet.savefig(picture, metadata={"Date": None})


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
