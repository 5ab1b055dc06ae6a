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


@dataclass(frozen=True)
class Ratio:
    """A peer's time (of `theirs`, else of the same scenario) through ours: `least` or more is wanted."""

    set: str
    scenario: str
    words: str
    peer: str
    least: float
    theirs: str = ""
    cause: str = ""


_SMALL, _LARGE, _PHOTOS = "coco-50000", "coco-1000000", "photos-100000"
_KEEPS_LESS = (
    "it keeps boxes and classes alone: no ids, area, crowds, licences or other keys, and judges nothing"
)
_DECODES = (
    "every picture is decoded in full to be sure that it is whole, where DVC hashes bytes; by reference or link no "
    "byte is copied"
)
_LOOKS = (
    "a folder is looked through to notice what changed, which takes one look at each file; the commit itself takes "
    "milliseconds"
)
_ROWS = "100,000 rows are read and put in order; a checkout's files would still have to be listed"

TARGETS = (
    Target(_SMALL, "start", "process start to the first count per class", 1.0),
    Target(_SMALL, "import", "memory while importing", 600, "peak_mb"),
    Target(_SMALL, "count", "count per class", 0.020),
    Target(_SMALL, "filter", "samples with at least 3 boxes of a class over an area", 0.020),
    Target(_SMALL, "random", "1,000 samples with their boxes by id", 0.2),
    Target(_SMALL, "edit", "other boxes for 1,000 samples, as a commit", 0.3),
    Target(_SMALL, "diff", "difference of the two versions", 0.3),
    Target(_SMALL, "nearest", "nearest 25 of 50,000 vectors of 512", 0.010),
    Target(_LARGE, "count", "count per class", 0.5),
    Target(_LARGE, "filter", "samples with at least 3 boxes of a class over an area", 0.5),
    Target(_LARGE, "random", "1,000 random samples with their boxes by id", 0.2),
    Target(_LARGE, "edit", "other boxes for 1,000 samples, as a commit", 0.5),
    Target(_LARGE, "diff", "difference of the two versions", 0.3),
    Target(_LARGE, "predictions-columns", "6.5 million predictions from columns", 10.0),
    Target(_LARGE, "import", "memory while importing", 1_500, "peak_mb"),
    Target(_LARGE, "open", "open, and read the newest commit", 0.5),
    Target(_LARGE, "open-after-commits", "the same after 1,000 commits", 0.5),
)

RATIOS = (
    Ratio(_SMALL, "import", "import COCO", "fiftyone", 40),
    Ratio(_SMALL, "import", "import COCO", "lightly_studio", 40),
    Ratio(_SMALL, "import", "import COCO", "datachain", 1),
    Ratio(_SMALL, "import", "import COCO", "deeplake", 1, cause=_KEEPS_LESS),
    Ratio(_SMALL, "import", "import COCO", "supervision", 1),
    Ratio(_SMALL, "import", "import COCO", "datumaro", 1),
    Ratio(_SMALL, "import", "import COCO, a third of the floor's speed", "plain", 1 / 3),
    *(
        Ratio(_SMALL, "predictions", "add as many predictions", peer, 1, cause=cause)
        for peer, cause in (
            ("fiftyone", ""),
            ("lightly_studio", ""),
            ("datachain", ""),
            ("deeplake", _KEEPS_LESS),
        )
    ),
    *(
        Ratio(_SMALL, scenario, f"export {words}", peer, 1)
        for scenario, words in (("export-coco", "COCO"), ("export-yolo", "YOLO"))
        for peer in ("fiftyone", "datumaro")
    ),
    Ratio(_PHOTOS, "photos-add", "100,000 pictures, by reference", "dvc", 5),
    Ratio(_PHOTOS, "photos-link", "100,000 pictures, stored by hard link", "dvc", 5, "photos-add", _DECODES),
    Ratio(_PHOTOS, "photos-copy", "100,000 pictures, stored as copies", "dvc", 5, "photos-add", _DECODES),
    Ratio(
        _PHOTOS,
        "photos-commit",
        "a version after 1 % changed, the folder looked through",
        "dvc",
        100,
        cause=_LOOKS,
    ),
    Ratio(_PHOTOS, "photos-freeze", "the commit of it alone", "dvc", 100, "photos-commit"),
    Ratio(_PHOTOS, "photos-diff", "difference of the two versions", "dvc", 100),
    Ratio(
        _PHOTOS, "photos-open", "open the older version, against a checkout", "dvc", 1000, "photos-checkout"
    ),
    Ratio(
        _PHOTOS, "photos-checkout", "and read name and bytes' place of all 100,000", "dvc", 1000, cause=_ROWS
    ),
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
    "photos-add": "first version (Calotype: by reference)",
    "photos-link": "the same, stored by hard link",
    "photos-copy": "the same, stored as copies",
    "photos-freeze": "of that, the commit alone",
    "photos-commit": "version after 1 % changed",
    "photos-diff": "difference of the two",
    "photos-checkout": "back to the first",
    "photos-open": "open the first where it lies",
}
