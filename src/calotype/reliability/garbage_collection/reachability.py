"""The media that rows refer to, over every version pinned by a commit or ref."""

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
class ReferencedMedia:
    """Referenced media. Each fragment is read once; call `add` again to include newer pins."""

    store: Store
    by_dataset: dict[str, set[str]] = field(default_factory=dict)
    _versions: set[tuple[str, int]] = field(default_factory=set)
    _parts: set[Any] = field(default_factory=set)

    def add(self, pins: Mapping[str, set[int]], progress: Progress = silent) -> None:
        """Read new versions. Raises: TableDamaged (then nothing may be removed)."""
        unread = [
            (table, pin)
            for table, versions in pins.items()
            if table.endswith(_SUFFIX)
            for pin in sorted(versions)
            if (table, pin) not in self._versions
        ]
        for done, (table, pin) in enumerate(unread, start=1):
            media = self.by_dataset.setdefault(table.removesuffix(_SUFFIX), set())
            for fragment in table_files.fragments(self.store.tables, table, pin):
                if (table, fragment.key) not in self._parts:
                    rows_read = table_files.read_fragment(
                        self.store.tables, table, pin, fragment, ["media_sha256"]
                    )
                    media.update(rows_read["media_sha256"].to_pylist())
                    self._parts.add((table, fragment.key))
            self._versions.add((table, pin))
            progress("reading references", done, len(unread))

    def __contains__(self, sha256: object) -> bool:
        return any(sha256 in media for media in self.by_dataset.values())
