"""The methods of a dataset that edit its working state in small steps, and undo edits of any kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from calotype.annotate import service as annotate
from calotype.annotate.model import Edited
from calotype.annotate.service import EditOptions, Undone
from calotype.api.annotate import Annotate
from calotype.api.context import DatasetHandle
from calotype.datasets.commits import EditEntry
from calotype.datasets.model import DEFAULT_LABEL_SET


class EditMethods(DatasetHandle):
    """Small edits, undo and redo of the edits since the last commit, and the handle of annotation work."""

    @cached_property
    def annotate(self) -> Annotate:
        """Annotation work: batches of samples to label, reviews, predictions of a model."""
        return Annotate(self._context, self.name)

    def edit(
        self,
        edits: Sequence[Mapping[str, Any]],
        *,
        label_set: str = DEFAULT_LABEL_SET,
        carry_over: bool = False,
        id: str = "",
    ) -> Edited:
        """Stage small edits as one change: all of them, or none. Shapes are in pixels of the upright image.

        Args:
            edits: Each with `do`, such as `{"do": "set-class", "annotation": ID, "class": "bus"}`.
            carry_over: Change the copies of originals too: classes, attributes, deletions, fields of samples.
            id: Id of this list; repeating it gives the first answer and changes nothing.
        Raises: EditsInvalid, EditTargetNotFound, EditOutdated, EditIdTaken.
        """
        options = EditOptions(label_set, carry_over, id)
        return self._call(annotate.edit, [dict(edit) for edit in edits], options=options)

    def edits(self) -> list[EditEntry]:
        """The edits since the last commit, newest first; undone ones come before all others."""
        return self._call(annotate.edits)

    def undo_edit(self, expect: str = "") -> Undone:
        """Undo the last edit since the commit, whatever made it. Raises: NoEditToUndo, EditNotLast."""
        return self._call(annotate.undo_edit, expect=expect)

    def redo_edit(self, expect: str = "") -> Undone:
        """Bring back the edit that was undone last. Raises: NoEditToRedo, EditNotLast."""
        return self._call(annotate.redo_edit, expect=expect)
