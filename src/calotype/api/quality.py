"""The methods of a dataset that test it and work on its findings."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, time

from calotype.acquire import service as acquire
from calotype.acquire.quarantine import QuarantinedItem
from calotype.api.context import DatasetHandle
from calotype.checks import service as checks
from calotype.contracts import service as contracts
from calotype.findings import service as findings
from calotype.findings.comparison import Comparison
from calotype.findings.fixes import StagedFix
from calotype.findings.lifecycle import Decision, Precision, State, TrackedFinding
from calotype.findings.model import CheckReport
from calotype.findings.repository import FindingFilter
from calotype.findings.service import Undone
from calotype.foundation.clock import to_us


class QualityMethods(DatasetHandle):
    """The methods of a dataset that test it and work on its findings."""

    def set_contract(self, text: str) -> None:
        """Set the dataset's contract from YAML text. Raises: ContractInvalid."""
        self._call(contracts.set_contract, text, self._context.ports.known_checks())

    def contract(self) -> str | None:
        """The dataset's contract as YAML text; None for the built-in one."""
        return self._call(contracts.contract, self._context.ports.known_checks())[1]

    def quarantined(self, *, limit: int = 1_000) -> list[QuarantinedItem]:
        """Files and annotations that were rejected, with their reasons, newest first."""
        return self._call(acquire.quarantined, limit=limit)

    def check(self, *only: str, whole: bool = False) -> CheckReport:
        """Test the working state against its contract, with all checks or `only` these checks and families.

        The printed report shows findings and gates.

        Args:
            whole: Test all samples, also those that did not change since an earlier run.
        Raises: CheckUnknown, ContractInvalid.
        """
        return self._call(checks.check, only=only, whole=whole, progress=self._context.progress)

    def findings(
        self,
        *,
        state: Sequence[str] = ("open", "assigned", "fixed"),
        check: str = "",
        severity: str = "",
        limit: int = 1_000,
    ) -> tuple[TrackedFinding, ...]:
        """Findings with their state and history, most severe first."""
        wanted = FindingFilter((), tuple(State(name) for name in state), check, severity)
        return self._call(findings.tracked, wanted, limit=limit).items

    def triage(
        self, keys: Sequence[str], state: str, *, because: str = "", to: str = "", until: date | None = None
    ) -> tuple[TrackedFinding, ...]:
        """Set the state of findings.

        Args:
            state: `rejected` or `accepted` (with `because`), `assigned` (with `to`), `fixed`, or `open`.
            until: Last day of an accepted risk.
        Raises: FindingNotFound, DecisionInvalid, NotPermitted.
        """
        until_us = None if until is None else to_us(datetime.combine(until, time.max, UTC))
        return self._call(findings.triage, keys, Decision(State(state), to, because, until_us)).items

    def undo_triage(self, action: str = "") -> Undone:
        """Undo a decision or a fix of findings, by default your newest. Raises: ActionUndone, FixOutdated."""
        return self._call(findings.undo, action)

    def fix(self, keys: Sequence[str]) -> StagedFix:
        """Stage the suggested fixes of findings as one edit; the next check closes the findings.

        Raises: FindingNotRepairable.
        """
        return self._call(findings.fix, keys)

    def undo_fix(self, fix_id: str = "") -> StagedFix:
        """Revert a staged fix, by default the latest. Raises: FixNotFound, FixOutdated."""
        return self._call(findings.undo_fix, fix_id)

    def compare_checks(self, before: str, after: str = "") -> Comparison:
        """New, fixed and remaining findings between two refs, or a ref and the working state."""
        return self._call(checks.compare, before, after)

    def precision(self) -> dict[str, Precision]:
        """Check -> share of its findings that people confirmed."""
        return self._call(findings.precision)
