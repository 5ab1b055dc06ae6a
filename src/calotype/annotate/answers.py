"""Response models of annotate: edited rows, the journal, undone edits."""

from __future__ import annotations

from pydantic import Field

from calotype.foundation.answers import Answer, Timestamp


class EditedRow(Answer):
    """A row after one edit."""

    annotation: str | None = Field(description="Null for an edit of a sample.")
    sample: str
    seen: str | None = Field(description="Token of the row for the next edit; null if it was deleted.")
    copies: int = Field(description="Derived samples or their annotations that the edit concerns.")


class Edited(Answer):
    """What a list of edits did."""

    edit: str | None = Field(description="Id of the edit in the list of edits; null if nothing changed.")
    what: str
    added: int = Field(description="Annotations, those of copies included; as the next two.")
    changed: int
    deleted: int
    samples: int = Field(description="Changed samples.")
    copies: int = Field(description="Derived samples or their annotations that the edits concern.")
    carried: int = Field(description="Those that were changed with `carry_over`.")
    not_carried: dict[str, int] = Field(description="Why others were not changed with `carry_over` -> count.")
    rows: list[EditedRow] = Field(description="In the order of the edits.")
    repeated: bool = Field(description="Whether this is the answer to an earlier request with this id.")


class RowCounts(Answer):
    """Rows of one table; a replaced row was removed and written."""

    written: int
    removed: int


class StagedEdit(Answer):
    """An edit of the working state since the last commit."""

    id: str
    verb: str = Field(description="Name of the edit in the audit log.")
    what: str
    actor: str
    at: Timestamp
    undone: bool = Field(description="Whether it was undone and can be redone.")
    counts: dict[str, RowCounts] = Field(description="By table.")


class StagedEdits(Answer):
    """The edits of a branch since its last commit, newest first; undone ones come before all others."""

    items: list[StagedEdit]
    to_undo: int
    to_redo: int


class SteppedEdit(Answer):
    """An edit that was undone or redone."""

    edit: StagedEdit
    to_undo: int = Field(description="Edits that can be undone now.")
    to_redo: int = Field(description="Edits that can be redone now.")
    dirty: bool = Field(description="Whether the branch has uncommitted edits now.")
