"""What curating gives back, and what it refuses."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from calotype.foundation.errors import Invalid, NotFound

UNASSIGNED = ""
"""The split of a sample that is in none."""


class FractionsInvalid(Invalid):
    """Shares that cannot be given out."""

    code = "split-fractions-invalid"
    what = "{got} cannot be the shares of splits: {detail}"
    fix = "name each split with a share between 0 and 1, together 1, such as train=0.8 val=0.1 test=0.1"


class SplitFieldUnknown(Invalid):
    """Nothing of this name that samples could be kept together by."""

    code = "split-field-unknown"
    what = "{dataset} has no field {got!r} to keep samples together by"
    fix = "use one of: {known}"


class NothingToCurate(Invalid):
    """No sample matches."""

    code = "nothing-to-curate"
    what = "no original sample of {dataset} matches"
    fix = "add images first, or widen the query; derived samples are never picked, they follow their parent"


class SelectionTooLarge(Invalid):
    """More picks asked for than there are samples."""

    code = "selection-too-large"
    what = "{n} picks asked for, but {dataset} has {available} original samples that match"
    fix = "ask for between 1 and {available}, or widen the query"


class VectorsInvalid(Invalid):
    """Vectors that break a promise: not finite, of another length, of samples that are not there."""

    code = "vectors-invalid"
    what = "these vectors cannot be used: {detail}"
    fix = "correct them and try again; nothing was written"


class VectorsNotFound(NotFound):
    """No vectors of this model."""

    code = "vectors-not-found"
    what = "{dataset} has no vectors of model {got}"
    fix = "it has those of: {known}; put some with `Dataset.put_vectors(model, sample_ids, vectors)`"


class SelectionNameInvalid(Invalid):
    """A selection's name becomes a tag."""

    code = "selection-name-invalid"
    what = "{got!r} is not a name for a selection"
    fix = "use letters, digits, `.`, `_` and `-`, at most 64"


class StrategyUnknown(Invalid):
    """No way of picking with this name."""

    code = "pick-strategy-unknown"
    what = "no way of picking is called {got!r}"
    fix = "use one of: {known}"


@dataclass(frozen=True, slots=True)
class SplitResult:
    """What `split` did.

    `samples` counts all samples of each split (derived ones too), `originals` those that fractions are about,
    `annotations` is class -> split -> annotations on originals. `changed` samples got another split than
    before. `groups` is the number of units that were kept together.
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
    """One picked sample: `rank` from 1, why in words, and the number behind it (its meaning is in the
    reason).
    """

    sample_id: str
    name: str
    rank: int
    reason: str
    score: float


@dataclass(frozen=True, slots=True)
class Selection:
    """Picks in order, from one state of a dataset."""

    dataset: str
    by: str
    seed: int
    embedder: str
    state_sha256: str
    picks: tuple[Pick, ...]
    unreadable: int = 0

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Ids in order of rank."""
        return tuple(pick.sample_id for pick in self.picks)

    def to_dict(self) -> dict[str, Any]:
        """As every door shows it."""
        return {
            "dataset": self.dataset,
            "by": self.by,
            "seed": self.seed,
            "embedder": self.embedder,
            "unreadable": self.unreadable,
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
    """`train=.8,val=.1,test=.1` as a mapping. Raises: FractionsInvalid."""
    made: dict[str, float] = {}
    for part in text.split(","):
        name, _, share = part.partition("=")
        try:
            made[name.strip()] = float(share)
        except ValueError:
            raise FractionsInvalid(
                got=repr(text[:80]), detail=f"{part.strip()!r} is not NAME=SHARE"
            ) from None
    return made
