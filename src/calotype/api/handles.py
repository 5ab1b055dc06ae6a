"""What the handles of `api` share: in whose name they work, and the verbs of branches that come together."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Protocol, TypeVar

from calotype.checks import service as checks
from calotype.contracts import service as contracts
from calotype.contracts.known import KnownChecks
from calotype.curate import embedding, vectors
from calotype.curate.embedding import Embedded
from calotype.datasets.commits import Commit
from calotype.datasets.snapshot import Where
from calotype.findings import service as tracking
from calotype.findings.comparison import Comparison
from calotype.findings.fixes import StagedFix
from calotype.findings.gatekeeping import Gatekeeper
from calotype.findings.lifecycle import Decision, Precision, State, TrackedFinding
from calotype.findings.model import CheckReport
from calotype.findings.repository import FindingFilter
from calotype.foundation.actor import Actor
from calotype.foundation.progress import Progress, silent
from calotype.release.model import Splitter
from calotype.store import Store
from calotype.versions import model as merging
from calotype.versions import service as versions
from calotype.versions.blame import Blame
from calotype.versions.model import MergeConflict

T = TypeVar("T")


class Ports(Protocol):
    """What the application wires: who decides on releases, who splits, how to serve."""

    @property
    def splitter(self) -> Splitter: ...
    def known_checks(self) -> KnownChecks: ...
    def gatekeeper(self, store: Store, on: str = "release") -> Gatekeeper: ...
    def serve(self, store: Store, *, port: int, open_browser: bool) -> None: ...


@dataclass(frozen=True, slots=True)
class Hand:
    """In whose name, on which store, with which wiring, and who is told of progress."""

    actor: Actor
    store: Store
    ports: Ports
    progress: Progress = silent


class Merge:
    """A merge or an undo. `state` is landed, or open while conflicts wait to be settled."""

    def __init__(self, hand: Hand, name: str, made: merging.Merge) -> None:
        self.name = name
        self._hand = hand
        self._made = made

    @property
    def state(self) -> str:
        """open, landed or abandoned."""
        return self._made.state

    @property
    def commit(self) -> str | None:
        """The id of the commit it became."""
        return self._made.merge_commit

    @property
    def counts(self) -> Mapping[str, Any]:
        """Rows put and removed on the branch, and conflicts."""
        return self._made.counts

    def conflicts(self) -> list[MergeConflict]:
        """Its conflicts, each with both sides and how it is settled."""
        return self._do(versions.conflicts, self._made.id)[1]

    def resolve(self, how: merging.Resolution, which: str | Sequence[int] = "all") -> Merge:
        """Settle conflicts: `ours`, `theirs`, `union`, `base`, or field -> side or value. Raises: ResolutionInvalid."""
        self._do(versions.resolve, how, which, self._made.id)
        return self

    def land(self, message: str = "") -> Merge:
        """Land it, its conflicts settled. Raises: MergeConflictsOpen, MergeClosed, WorkingStateDirty."""
        gatekeeper = self._hand.ports.gatekeeper(self._hand.store, "merge")
        self._made = self._do(versions.land, self._made.id, message=message, gatekeeper=gatekeeper)
        return self

    def abandon(self) -> Merge:
        """Give it up; both branches stay as they are. Raises: MergeClosed."""
        self._made = self._do(versions.abandon, self._made.id)
        return self

    def _do(self, verb: Callable[..., T], *args: Any, **options: Any) -> T:
        return verb(self._hand.actor, self.name, *args, store=self._hand.store, **options)

    def __repr__(self) -> str:
        return f"Merge({self._made.source!r} into {self._made.target!r}, {self.state})"


class Searches:
    """The part of the handles of datasets and views that finds samples by their vectors."""

    _hand: Hand
    _query: Where = None
    name: str

    def nearest(self, model: str, to: Any, k: int = 25, *, exact: bool = False) -> Any:
        """The `k` samples whose vectors lie nearest, as an Arrow table `sample_id`, `name`, `distance`.

        Args:
            model: Whose vectors; "" where there are those of one model only.
            to: A vector (D,), or a sample by id or name, which is left out itself.
            exact: Look at all vectors, also where there are so many that an index is asked.
        Returns: Nearest first; the distance is 1 - cosine, 0 to 2.
        Raises: VectorsNotFound, VectorsInvalid, SampleNotFound, QueryInvalid.
        """
        hand = self._hand
        return vectors.nearest(
            hand.actor, self.name, model, to, k, store=hand.store, where=self._query, exact=exact
        )


class Checked:
    """The part of a dataset's handle that tests it and deals with what is found."""

    _hand: Hand
    name: str

    def set_contract(self, text: str) -> None:
        """Give the dataset a contract, as YAML text. Raises: ContractInvalid."""
        self._check(contracts.set_contract, text, self._hand.ports.known_checks())

    def check(self, *only: str, whole: bool = False) -> CheckReport:
        """Test the working state against its contract: all of it, or `only` these checks and families.

        Printing the report shows findings and gates. Raises: CheckUnknown, ContractInvalid.
        """
        return self._check(checks.check, only=only, whole=whole, progress=self._hand.progress)

    def findings(
        self,
        *,
        state: Sequence[str] = ("open", "assigned", "fixed"),
        check: str = "",
        severity: str = "",
        limit: int = 1_000,
    ) -> tuple[TrackedFinding, ...]:
        """Findings with what became of them, worst first."""
        wanted = FindingFilter((), tuple(State(one) for one in state), check, severity)
        return self._check(tracking.tracked, wanted, limit=limit).items

    def triage(
        self, keys: Sequence[str], state: str, *, because: str = "", to: str = "", until: date | None = None
    ) -> tuple[TrackedFinding, ...]:
        """Decide on findings: `rejected` or `accepted` (`because`, the latter `until` a day), `assigned` (`to`),
        `fixed`, `open`.

        Raises: FindingNotFound, DecisionInvalid, NotPermitted.
        """
        end = None if until is None else int(datetime.combine(until, time.max, UTC).timestamp() * 1e6)
        return self._check(tracking.triage, keys, Decision(State(state), to, because, end))

    def fix(self, keys: Sequence[str]) -> StagedFix:
        """Stage what findings suggest as one edit; the next check closes what is mended. Raises:
        FindingNotRepairable."""
        return self._check(tracking.fix, keys)

    def undo_fix(self, fix_id: str = "") -> StagedFix:
        """Take a staged fix back, the newest without an id. Raises: FixNotFound, FixOutdated."""
        return self._check(tracking.undo_fix, fix_id)

    def compare_checks(self, before: str, after: str = "") -> Comparison:
        """Which findings are new, fixed and remaining from one ref to another, or to the working state."""
        return self._check(checks.compare, before, after)

    def precision(self) -> dict[str, Precision]:
        """Check -> how often people confirmed what it found."""
        return self._check(tracking.precision)

    def _check(self, verb: Callable[..., T], *args: Any, **options: Any) -> T:
        return verb(self._hand.actor, self.name, *args, store=self._hand.store, **options)


class Branches(Searches):
    """The part of a dataset's handle that brings branches together and looks back."""

    def __init__(self, hand: Hand, name: str) -> None:
        self.name = name
        self._hand = hand

    def merge(
        self, source: str | Commit, *, into: str = "", strategy: str | None = None, message: str = ""
    ) -> Merge:
        """Bring the commits of a branch into this one; with conflicts the answer is open: settle, then `land`.

        Raises: NothingToMerge, WorkingStateDirty, MergeBlocked, MergeBehind, RefNotFound.
        """
        return Merge(
            self._hand,
            self.name,
            self._do(
                versions.merge,
                ref_text(source),
                options=versions.MergeOptions(into, strategy, message),
                gatekeeper=self._hand.ports.gatekeeper(self._hand.store, "merge"),
            ),
        )

    def embed(self, model: str = "default") -> Embedded:
        """Make a vector of each sample that has none by this model; a path ending in .onnx is a model of your own."""
        return self._do(embedding.embed, model, progress=self._hand.progress)

    def put_vectors(self, model: str, sample_ids: Sequence[str], values: Any) -> int:
        """Put a model's vectors of samples, (N, D) float32, in place of older ones. Raises: VectorsInvalid."""
        return self._do(vectors.put_vectors, model, sample_ids, values)

    def remove_vectors(self, sample_ids: Sequence[str], model: str = "") -> None:
        """Take away vectors of samples, there or removed, and what indexes keep of them; older commits keep theirs."""
        self._do(vectors.remove_vectors, sample_ids, model)

    def undo(self, commit: str | Commit, *, strategy: str | None = None, message: str = "") -> Merge:
        """Take back what one commit changed, as a new commit. Raises: RefNotFound, NothingToUndo."""
        return Merge(
            self._hand,
            self.name,
            self._do(versions.undo, ref_text(commit), strategy=strategy, message=message),
        )

    def blame(self, which: str) -> list[Blame]:
        """Who created and last changed an annotation, or a sample and all its annotations."""
        return self._do(versions.blame, which)

    def protect(self, branch: str = "main", rules: Mapping[str, Any] | None = None) -> None:
        """Let a branch take only merges with green gates; empty rules lift that. Raises: RefNotFound."""
        self._do(versions.protect, branch, rules)

    def _do(self, verb: Callable[..., T], *args: Any, **options: Any) -> T:
        return verb(self._hand.actor, self.name, *args, store=self._hand.store, **options)


def ref_text(value: str | Commit) -> str:
    """A ref as the verbs take it: a commit by its id."""
    return value if isinstance(value, str) else value.id
