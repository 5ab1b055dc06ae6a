"""What Calotype wants to reach, figure by figure."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """`most` is the limit of `key` (`seconds`, `first_seconds`, `peak_mb`) of a scenario on a set.

    `cause` says why it is missed, where that is known; the page shows it as long as it is missed.
    """

    set: str
    scenario: str
    words: str
    most: float
    key: str = "seconds"
    cause: str = ""


TARGETS = (
    Target(
        "coco-50000",
        "start",
        "process start to the first count per class",
        1.0,
        cause="imports: FastAPI, SQLAlchemy, DuckDB and Arrow are loaded before the first question",
    ),
    Target("coco-50000", "import", "import COCO, pictures left in place (10,000 images/s)", 5.0),
    Target("coco-50000", "import", "memory while importing", 500, "peak_mb"),
    Target("coco-50000", "predictions", "add 326,000 predictions", 5.0),
    Target("coco-50000", "count", "count per class", 0.020),
    Target("coco-50000", "filter", "samples with at least 3 boxes of a class over an area", 0.020),
    Target("coco-50000", "random", "1,000 samples with their boxes by id", 0.5),
    Target("coco-50000", "edit", "other boxes for 1,000 samples, as a commit", 0.3),
    Target("coco-50000", "diff", "difference of the two versions", 1.0),
    Target("coco-50000", "export-coco", "export COCO", 5.0),
    Target("coco-50000", "export-yolo", "export YOLO", 5.0),
    Target("coco-50000", "nearest", "nearest 25 of 50,000 vectors of 512", 0.005),
    Target("coco-1000000", "count", "count per class", 0.5),
    Target("coco-1000000", "filter", "samples with at least 3 boxes of a class over an area", 0.5),
    Target("coco-1000000", "random", "1,000 samples with their boxes by id", 0.5),
    Target("coco-1000000", "edit", "other boxes for 1,000 samples, as a commit", 0.6),
    Target("coco-1000000", "diff", "difference of the two versions", 0.5),
    Target("coco-1000000", "predictions-columns", "6.5 million predictions from columns", 15.0),
    Target("coco-1000000", "import", "memory while importing", 4_000, "peak_mb"),
    Target("coco-1000000", "open", "open, and read the newest commit", 0.1),
    Target("coco-1000000", "open-after-commits", "the same after 1,000 commits", 0.2),
    Target(
        "photos-100000",
        "photos-add",
        "100,000 pictures into a first version",
        30.0,
        cause="every picture is decoded in full, to be sure that it can be read",
    ),
    Target(
        "photos-100000",
        "photos-commit",
        "a version after 1 % of them changed",
        5.0,
        cause="files that are known are read, decoded and hashed again before they are recognised",
    ),
    Target("photos-100000", "photos-diff", "difference of the two versions", 1.0),
)

CHECKS = {
    "round-trip": "a COCO file that comes in and goes out says the same in every key",
    "together": "a server and a script work on one workspace at the same time",
}
"""Scenarios that are right or wrong, and take no time worth telling."""

WORDS = {
    "import": "import COCO, first version",
    "import-copy": "the same, with the pictures stored",
    "predictions": "add as many predictions",
    "predictions-columns": "the same from columns",
    "count": "count per class",
    "filter": "at least 3 large boxes of a class",
    "random": "1,000 samples with boxes by id",
    "edit": "other boxes for 1,000 samples, a version",
    "diff": "difference of the two",
    "open": "open the newest version",
    "commits": "one commit of a sample, median of 1,000",
    "open-after-commits": "open the newest of 1,000 more versions",
    "export-coco": "export COCO",
    "export-yolo": "export YOLO",
    "export-yolo-link": "export YOLO with the pictures, by link",
    "vectors": "store 50,000 vectors of 512",
    "nearest": "nearest 25 of them",
    "start": "process start to first count",
    "loader": "1,000 pictures and boxes as arrays",
    "photos-add": "first version",
    "photos-commit": "version after 1 % changed",
    "photos-diff": "difference of the two",
    "photos-checkout": "back to the first",
}
