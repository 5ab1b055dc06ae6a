"""Handles for merges, and the methods of a dataset that work on its history."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from calotype.api.context import Context, DatasetHandle, ref_text
from calotype.datasets.commits import Commit
from calotype.versions import model
from calotype.versions import service as versions
from calotype.versions.approval import Approval
from calotype.versions.blame import Blame
from calotype.versions.model import MergeConflict, Resolution


class Merge(DatasetHandle):
    """A merge or an undo. Its `state` is `open` while conflicts wait for a resolution."""

    def __init__(self, context: Context, name: str, merge: model.Merge) -> None:
        super().__init__(context, name)
        self._merge = merge

    @property
    def state(self) -> str:
        """open, landed or abandoned."""
        return self._merge.state

    @property
    def commit(self) -> str | None:
        """Id of the resulting commit; None while the merge is open."""
        return self._merge.merge_commit

    @property
    def counts(self) -> Mapping[str, Any]:
        """Numbers of rows added and removed on the branch, and of conflicts."""
        return self._merge.counts

    def conflicts(self) -> list[MergeConflict]:
        """The conflicts, each with both sides and its resolution."""
        return self._call(versions.conflicts, self._merge.id)[1]

    def resolve(self, how: Resolution, which: str | Sequence[int] = "all") -> Merge:
        """Resolve conflicts: `ours`, `theirs`, `union`, `base`, or a mapping of field to side or value.

        Raises: ResolutionInvalid.
        """
        self._call(versions.resolve, how, which, self._merge.id)
        return self

    def land(self, message: str = "") -> Merge:
        """Commit the merge once its conflicts are resolved.

        Raises: MergeConflictsOpen, MergeClosed, WorkingStateDirty.
        """
        gatekeeper = self._context.ports.gatekeeper(self._context.store, "merge")
        self._merge = self._call(versions.land, self._merge.id, message=message, gatekeeper=gatekeeper)
        return self

    def abandon(self) -> Merge:
        """Abandon the merge; both branches stay as they are. Raises: MergeClosed."""
        self._merge = self._call(versions.abandon, self._merge.id)
        return self

    def __repr__(self) -> str:
        return f"Merge({self._merge.source!r} into {self._merge.target!r}, {self.state})"


class HistoryMethods(DatasetHandle):
    """The methods of a dataset that merge, revert and explain commits."""

    def merge(
        self, source: str | Commit, *, into: str = "", strategy: str | None = None, message: str = ""
    ) -> Merge:
        """Merge a branch into this one. With conflicts the result is open: resolve them, then call `land`.

        Raises: NothingToMerge, WorkingStateDirty, MergeBlocked, MergeBehind, RefNotFound.
        """
        merge = self._call(
            versions.merge,
            ref_text(source),
            options=versions.MergeOptions(into, strategy, message),
            gatekeeper=self._context.ports.gatekeeper(self._context.store, "merge"),
        )
        return Merge(self._context, self.name, merge)

    def merges(self, state: str = "") -> list[Merge]:
        """Merges and undos, newest first; `state` selects open, landed or abandoned ones."""
        return [Merge(self._context, self.name, merge) for merge in self._call(versions.merges, state=state)]

    def preview_merge(self, source: str | Commit, *, into: str = "") -> Mapping[str, Any]:
        """Counts of the rows and conflicts that `merge` would produce. Changes nothing.

        Raises: NothingToMerge, WorkingStateDirty, RefNotFound.
        """
        return self._call(versions.preview, ref_text(source), into=into)

    def undo(self, commit: str | Commit, *, strategy: str | None = None, message: str = "") -> Merge:
        """Revert the changes of one commit as a new commit. Raises: RefNotFound, NothingToUndo."""
        merge = self._call(versions.undo, ref_text(commit), strategy=strategy, message=message)
        return Merge(self._context, self.name, merge)

    def blame(self, which: str) -> list[Blame]:
        """Who created and last changed an annotation, or a sample and all its annotations."""
        return self._call(versions.blame, which)

    def protect(self, branch: str = "main", rules: Mapping[str, Any] | None = None) -> None:
        """Restrict a branch to merges with green gates; empty rules lift the protection.

        Args:
            rules: `{"gates": True, "approval": True}` also asks for the approval of a second person.
        Raises: RefNotFound, ProtectionInvalid.
        """
        self._call(versions.protect, branch, rules)

    def approve(self, commit: str | Commit, *, reason: str = "") -> Approval:
        """Approve a commit of somebody else, for branches that ask for it. Raises: NotPermitted, RefNotFound."""
        return self._call(versions.approve, ref_text(commit), reason=reason)

    def approvals(self, commit: str | Commit) -> list[Approval]:
        """Who approved a commit, oldest first. Raises: RefNotFound."""
        return self._call(versions.approvals, ref_text(commit))
