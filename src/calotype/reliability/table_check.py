"""The part of a verification that reads tables: each part of a table once, in however many versions it occurs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets import rows
from calotype.datasets.commits import Pins
from calotype.foundation.ids import sha256_json
from calotype.reliability.model import Problem
from calotype.store import Store
from calotype.store.maintenance import table_files
from calotype.store.maintenance.table_files import FragmentState
from calotype.store.tables.tables import TableDamaged

_FIX = "copy the table back from a backup: `calotype repair --from BACKUP --yes`"


@dataclass
class TableCheck:
    """What was read so far. `media` maps SHA-256 to the size in bytes that a sample claims, or None."""

    store: Store
    deep: bool
    media: dict[str, int | None] = field(default_factory=dict)
    versions: int = 0
    _keys: dict[Any, npt.NDArray[np.uint64]] = field(default_factory=dict)
    _counts: dict[tuple[str, int], int | None] = field(default_factory=dict)

    def state(
        self, place: str, dataset_id: str, pins: Pins, stats: Mapping[str, Any], *, whole: bool
    ) -> list[Problem]:
        """Check every table of one commit or ref; with `whole` also that no id occurs twice."""
        found = []
        for table, pin in pins.items():
            found += self._version(place, dataset_id, table, pin, whole=whole or self.deep)
        return found + self._against_stats(place, dataset_id, pins, stats)

    def _version(self, place: str, dataset_id: str, table: str, pin: int, *, whole: bool) -> list[Problem]:
        full = f"{dataset_id}/{table}"
        facts = {"table": full, "version": pin}
        if (full, pin) in self._counts and not whole:
            return []
        new = (full, pin) not in self._counts
        self._counts[full, pin] = None
        self.versions += new
        try:
            parts = table_files.fragments(self.store.tables, full, pin)
            hashes = [self._part(full, table, pin, part) for part in parts]
        except TableDamaged as error:
            return [Problem("table-damaged", place, error.message, _FIX, facts=facts)] if new else []
        self._counts[full, pin] = sum(map(len, hashes))
        if not whole or not hashes:
            return []
        every = np.concatenate(hashes)
        twice = len(every) - len(np.unique(every))
        said = f"{twice} rows of {table} have the id of another row (version {pin})"
        fix = "roll back to an older commit, or restore from a backup; please report it"
        return [Problem("ids-twice", place, said, fix, facts=facts)] if twice else []

    def _part(self, full: str, table: str, pin: int, part: FragmentState) -> npt.NDArray[np.uint64]:
        """64-bit hashes of the ids of a part; read once."""
        seen = self._keys.get((full, part.key))
        if seen is not None:
            return seen
        key = rows.key_of(table)
        wanted = [key, "media_sha256", "n_bytes"] if table == rows.SAMPLES else [key]
        read = table_files.read_fragment(self.store.tables, full, pin, part, None if self.deep else wanted)
        if table == rows.SAMPLES:
            self.media.update(zip(read["media_sha256"].to_pylist(), read["n_bytes"].to_pylist(), strict=True))
        self._keys[full, part.key] = _hashed(read[key])
        return self._keys[full, part.key]

    def _against_stats(
        self, place: str, dataset_id: str, pins: Pins, stats: Mapping[str, Any]
    ) -> list[Problem]:
        """The numbers that a commit wrote down when it was made, against the rows that are there now."""
        wanted: dict[str, int] = {}
        if "samples" in stats:
            wanted[rows.SAMPLES] = int(stats["samples"])
        for label_set, count in dict(stats.get("label_sets") or {}).items():
            wanted[rows.annotation_table(label_set)] = int(count)
        found = []
        for table, count in wanted.items():
            pin = pins.get(table)
            got = 0 if pin is None else self._counts.get((f"{dataset_id}/{table}", pin))
            if got is not None and got != count:
                said = f"{table} has {got} rows, the commit was made with {count}"
                facts = {"table": f"{dataset_id}/{table}", "version": pin}
                found.append(Problem("rows-missing", place, said, _FIX, facts=facts))
        return found


def _hashed(keys: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """Ids of 32 hexadecimal digits (random or themselves a hash) folded to 64 bits; other texts by their hash."""
    texts = keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
    if len(texts) and pc.all(pc.equal(pc.utf8_length(texts), 32)).as_py():
        try:
            raw = np.frombuffer(bytes.fromhex("".join(texts.to_pylist())), dtype=np.uint64)
            mixed: npt.NDArray[np.uint64] = raw[0::2] * np.uint64(0x9E3779B97F4A7C15) ^ raw[1::2]
            return mixed
        except ValueError:
            pass
    return np.array([int(sha256_json(text)[:16], 16) for text in texts.to_pylist()], np.uint64)
