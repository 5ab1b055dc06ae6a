"""Which media the rows of a workspace name, over every version that a commit or a ref pins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from calotype.datasets import rows
from calotype.foundation.progress import Progress, silent
from calotype.store import Store
from calotype.store.maintenance import table_files

_SUFFIX = f"/{rows.SAMPLES}"


@dataclass
class NamedMedia:
    """Media that rows name. Each part of a table is read once; `add` may be called again with newer pins."""

    store: Store
    by_dataset: dict[str, set[str]] = field(default_factory=dict)
    _versions: set[tuple[str, int]] = field(default_factory=set)
    _parts: set[Any] = field(default_factory=set)

    def add(self, pins: Mapping[str, set[int]], progress: Progress = silent) -> None:
        """Read the versions that were not read yet. Raises: TableDamaged: then nothing may be removed."""
        waiting = [
            (table, pin)
            for table, versions in pins.items()
            if table.endswith(_SUFFIX)
            for pin in sorted(versions)
            if (table, pin) not in self._versions
        ]
        for done, (table, pin) in enumerate(waiting, start=1):
            found = self.by_dataset.setdefault(table.removesuffix(_SUFFIX), set())
            for part in table_files.fragments(self.store.tables, table, pin):
                if (table, part.key) not in self._parts:
                    read = table_files.read_fragment(self.store.tables, table, pin, part, ["media_sha256"])
                    found.update(read["media_sha256"].to_pylist())
                    self._parts.add((table, part.key))
            self._versions.add((table, pin))
            progress("reading what is in use", done, len(waiting))

    def __contains__(self, sha256: object) -> bool:
        return any(sha256 in found for found in self.by_dataset.values())
