"""What every import needs to write: for whom, into which branch, under which import id."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from calotype.acquire import quarantine
from calotype.acquire.quarantine import QuarantinedItem
from calotype.datasets import refs
from calotype.datasets.reading import read
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor
from calotype.foundation.ids import uuid7
from calotype.foundation.progress import Progress, silent
from calotype.store import Store


@dataclass(frozen=True, slots=True)
class ImportJob:
    """One import of images or labels.

    `name` is a dataset or `dataset@branch`; `verb` is the name of the edit in the audit log. A file of the same
    `import_id` and name but with other bytes replaces the image of its sample. `on_invalid` is "quarantine" (keep bad
    items with a reason), "skip" (count them) or "error" (stop at the first).
    The edits of one run share `run_id`, and are undone together.
    """

    actor: Actor
    name: str
    store: Store
    import_id: str
    verb: str
    on_invalid: str = "quarantine"
    progress: Progress = silent
    run_id: str = field(default_factory=uuid7)

    def working_state(self) -> Snapshot:
        """The present state of the branch, edits without a commit included."""
        dataset, branch = refs.split_name(self.name)
        working = f"{dataset}@{branch.removesuffix('+')}+" if branch else dataset
        return read(self.actor, working, store=self.store)

    def recorder(self, items: Sequence[QuarantinedItem]) -> Callable[[sa.Connection], None]:
        """What `apply(record=...)` runs to write quarantine rows; the items may change until then."""
        return quarantine.recorder(self.store, self.name, self.import_id, items)
