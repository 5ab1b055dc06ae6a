"""Values and errors of the room `curate`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from calotype.datasets.snapshot import Where
from calotype.foundation.errors import Invalid, NotFound

UNASSIGNED = ""
"""The split of a sample that has no split."""


class FractionsInvalid(Invalid):
    """Shares of splits that are not valid."""

    code = "split-fractions-invalid"
    what = "{got} are not valid shares of splits: {detail}"
    fix = "give each split a share between 0 and 1 that add up to 1, such as train=0.8,val=0.1,test=0.1"


class SplitFieldUnknown(Invalid):
    """Samples cannot be kept together by a field that does not exist."""

    code = "split-field-unknown"
    what = "{dataset} has no field {got!r} to keep samples together by"
    fix = "use one of: {known}"


class NothingToCurate(Invalid):
    """No sample matches."""

    code = "nothing-to-curate"
    what = "no original sample of {dataset} matches"
    fix = "add images first, or widen the query; derived samples are never picked, they follow their parent"


class SelectionTooLarge(Invalid):
    """More picks than samples."""

    code = "selection-too-large"
    what = "cannot pick {n} samples: {dataset} has {available} original samples that match"
    fix = "pick between 1 and {available} samples, or widen the query"


class VectorsInvalid(Invalid):
    """Vectors that are not finite, have a wrong length, or belong to unknown samples."""

    code = "vectors-invalid"
    what = "these vectors cannot be used: {detail}"
    fix = "correct them and try again; nothing was written"


class VectorsNotFound(NotFound):
    """The dataset has no vectors of this model."""

    code = "vectors-not-found"
    what = "{dataset} has no vectors of model {got}"
    fix = "models with vectors: {known}; add some with `Dataset.put_vectors(model, sample_ids, vectors)`"


class LassoInvalid(Invalid):
    """Not a polygon on an embedding map."""

    code = "lasso-invalid"
    what = "{got!r} is not a polygon on an embedding map"
    fix = "write MODEL:x,y;x,y;x,y with 3 to 400 corners from -1 to 1"


class MapColourUnknown(Invalid):
    """Points of a map cannot be coloured by this."""

    code = "map-colour-unknown"
    what = "cannot colour the points of a map by {got!r}"
    fix = "use one of: {known}"


class MapPointNotFound(NotFound):
    """A map has no point with this number."""

    code = "map-point-not-found"
    what = "the map has {total} points, and no point {got}"
    fix = "use a number from 0 to {total} - 1"


class SelectionNameInvalid(Invalid):
    """A selection with a name that cannot become a tag."""

    code = "selection-name-invalid"
    what = "{got!r} is not a valid name of a selection"
    fix = "use at most 64 letters, digits, `.`, `_` and `-`, starting with a letter or digit"


class StrategyUnknown(Invalid):
    """An unknown strategy of selecting samples."""

    code = "pick-strategy-unknown"
    what = "there is no selection strategy {got!r}"
    fix = "use one of: {known}"


@dataclass(frozen=True, slots=True)
class SplitSpec:
    """How to split a dataset.

    Attributes:
        fractions: Share of each split; the shares add up to 1.
        by: Keep samples with the same value in one split: a metadata field, or `group`, `source`, `licence`, `folder`.
        stratify: Spread the classes evenly.
        keep_existing: Samples in one of these splits stay there, and new samples of their group join them.
        where, pool: Only these samples (a query, sample ids); others keep their split unless that would leak.
        together: Lists of sample ids that must stay together, such as near duplicates.
    """

    fractions: Mapping[str, float]
    by: str | None = None
    stratify: bool = True
    seed: int = 0
    keep_existing: bool = True
    where: Where = None
    pool: Collection[str] | None = None
    together: Sequence[Sequence[str]] = ()

    def check(self) -> None:
        """Raises: FractionsInvalid."""
        shares = dict(self.fractions)
        if not shares:
            raise FractionsInvalid(got="nothing", detail="no split is named")
        shown = ", ".join(f"{name}={value:g}" for name, value in shares.items())[:200]
        for name, value in shares.items():
            if not name or len(name) > 64 or name != name.strip() or any(ord(c) < 32 for c in name):
                raise FractionsInvalid(got=shown, detail=f"{name[:64]!r} is not a valid name of a split")
            if not 0.0 <= value <= 1.0:
                raise FractionsInvalid(got=shown, detail=f"{name} is not between 0 and 1")
        if abs(sum(shares.values()) - 1.0) > 1e-6:
            raise FractionsInvalid(got=shown, detail=f"they add up to {sum(shares.values()):.6g}, not to 1")


@dataclass(frozen=True, slots=True)
class SelectionSpec:
    """How to select samples.

    Attributes:
        n: Number of samples to pick.
        by: A strategy of `calotype.curate.select`; `auto` decides by what is known.
        where: Only samples that match this query.
        embedder: Model of the vectors; "" for the best that the dataset has.
        predictions: Label sets of models, separated by commas, for `uncertain` (one) and `disagreement` (several).
        group: Keep the share of each value of this field: a metadata field, `group`, `source`, `licence` or `split`.
    """

    n: int
    by: str = "auto"
    where: Where = None
    seed: int = 0
    embedder: str = ""
    predictions: str = ""
    group: str = ""


@dataclass(frozen=True, slots=True)
class SplitResult:
    """What `split` did.

    Attributes:
        samples: Split -> samples, including derived ones.
        originals: Split -> original samples, which the fractions refer to.
        annotations: Class -> split -> annotations on originals.
        groups: Number of units that were kept together.
        changed: Number of samples whose split changed.
    """

    samples: Mapping[str, int]
    originals: Mapping[str, int]
    annotations: Mapping[str, Mapping[str, int]]
    groups: int
    changed: int
    warnings: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "samples": dict(self.samples),
            "originals": dict(self.originals),
            "annotations": {name: dict(row) for name, row in self.annotations.items()},
            "groups": self.groups,
            "changed": self.changed,
            "warnings": list(self.warnings),
        }


@dataclass(frozen=True, slots=True)
class Pick:
    """One picked sample: `rank` from 1, the reason, and the score that the reason explains."""

    sample_id: str
    name: str
    rank: int
    reason: str
    score: float


@dataclass(frozen=True, slots=True)
class Selection:
    """Picks in order, from one state of a dataset.

    Attributes:
        by: The strategy that was used; never `auto`.
        embedder: Model of the vectors; "" if none were needed.
        notes: What else is worth knowing, such as how to get better vectors.
    """

    dataset: str
    by: str
    seed: int
    embedder: str
    state_sha256: str
    picks: tuple[Pick, ...]
    unreadable: int = 0
    notes: tuple[str, ...] = ()

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Sample ids in order of rank."""
        return tuple(pick.sample_id for pick in self.picks)

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "dataset": self.dataset,
            "by": self.by,
            "seed": self.seed,
            "embedder": self.embedder,
            "unreadable": self.unreadable,
            "notes": list(self.notes),
            "picks": [
                {
                    "sample_id": p.sample_id,
                    "name": p.name,
                    "rank": p.rank,
                    "reason": p.reason,
                    "score": p.score,
                }
                for p in self.picks
            ],
        }


def fractions(text: str) -> dict[str, float]:
    """Parse `train=.8,val=.1,test=.1`. Raises: FractionsInvalid."""
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.partition("=")
        try:
            shares[name.strip()] = float(share)
        except ValueError:
            raise FractionsInvalid(
                got=repr(text[:80]), detail=f"{part.strip()!r} is not NAME=SHARE"
            ) from None
    return shares
