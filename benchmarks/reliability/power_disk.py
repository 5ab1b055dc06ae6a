"""A disk that loses what was not flushed: the states that a folder may be in after the power was cut.

Bytes of a file are safe once the file was flushed; a name is safe once its folder was flushed, and every folder above
had its own name flushed. Of everything else a random part is kept: in order up to some point, or any part of it in any
order, writes torn at sectors of 512 bytes.
"""

from __future__ import annotations

import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from power_log import Op

_SECTOR = 512


@dataclass(eq=False)
class File:
    """A file: where its first bytes come from, and what was done to it since: (index, offset, bytes or new length)."""

    origin: Path | None = None
    changes: list[tuple[int, int, bytes | int]] = field(default_factory=list)
    synced: list[int] = field(default_factory=list)


@dataclass(eq=False)
class Folder:
    """A folder: its names at first, and what was done to them since: (index, name, node or None)."""

    entries: dict[str, File | Folder] = field(default_factory=dict)
    now: dict[str, File | Folder] = field(default_factory=dict)
    changes: list[tuple[int, str, File | Folder | None]] = field(default_factory=list)
    synced: list[int] = field(default_factory=list)


class Disk:
    """The history of a folder, from which the states after a cut are made."""

    def __init__(self, base: Path, ops: list[Op]) -> None:
        self.root = _load(base)
        self.acks: list[tuple[int, dict]] = []
        self.n_ops = len(ops)
        for index, op in enumerate(ops):
            if op[0] == "ack":
                self.acks.append((index, op[1]))
            else:
                getattr(self, f"_{op[0]}")(index, *op[1:])

    def after_cut(self, at: int, to: Path, rng: random.Random, *, ordered: bool) -> None:
        """Write one possible state of the folder after a power cut before operation `at`."""
        limit = rng.randint(0, at) if ordered else at
        self._write_out(self.root, to, at, limit, rng, ordered)

    def whole(self, to: Path) -> None:
        """Write the state without any cut."""
        self._write_out(self.root, to, self.n_ops, self.n_ops, random.Random(0), True)

    # ---- what was done

    def _find(self, path: str) -> File | Folder | None:
        node: File | Folder | None = self.root
        for name in path.split("/") if path else []:
            node = node.now.get(name) if isinstance(node, Folder) else None
        return node

    def _parent(self, path: str) -> tuple[Folder, str]:
        folder, _, name = path.rpartition("/")
        found = self._find(folder)
        assert isinstance(found, Folder), path
        return found, name

    def _set(self, index: int, path: str, node: File | Folder | None) -> None:
        folder, name = self._parent(path)
        folder.changes.append((index, name, node))
        if node is None:
            folder.now.pop(name, None)
        else:
            folder.now[name] = node

    def _create(self, index: int, path: str) -> None:
        if self._find(path) is None:
            self._set(index, path, File())

    def _mkdir(self, index: int, path: str) -> None:
        self._set(index, path, Folder())

    def _rename(self, index: int, old: str, new: str) -> None:
        node = self._find(old)
        self._set(index, old, None)
        self._set(index, new, node)

    def _link(self, index: int, old: str, new: str) -> None:
        self._set(index, new, self._find(old))

    def _unlink(self, index: int, path: str) -> None:
        self._set(index, path, None)

    def _write(self, index: int, path: str, at: int | None, data: bytes) -> None:
        file = self._file(path)
        if file is not None:
            file.changes.append((index, _length(file) if at is None else at, data))

    def _trunc(self, index: int, path: str, length: int) -> None:
        file = self._file(path)
        if file is not None:
            file.changes.append((index, 0, length))

    def _copy(self, index: int, path: str, at: int, source: str | Path, start: int, n: int) -> None:
        if isinstance(source, Path):
            data = source.read_bytes()
        else:
            file = self._file(source)
            data = b"" if file is None else _content(file, len(file.changes))
        self._write(index, path, at, data[start : start + n])

    def _sync(self, index: int, path: str) -> None:
        node = self._find(path)
        if node is not None:
            node.synced.append(index)

    def _sync_all(self, index: int) -> None:
        """The whole file system was written: every file and folder that has a name."""
        waiting: list[File | Folder] = [self.root]
        while waiting:
            node = waiting.pop()
            node.synced.append(index)
            waiting += node.now.values() if isinstance(node, Folder) else []

    def _file(self, path: str) -> File | None:
        """None for a file without a name (deleted while open): nobody can see it after a cut."""
        node = self._find(path)
        return node if isinstance(node, File) else None

    # ---- what is left of it

    def _write_out(
        self, folder: Folder, to: Path, at: int, limit: int, rng: random.Random, ordered: bool
    ) -> None:
        to.mkdir(exist_ok=True)
        safe = max((one for one in folder.synced if one < at), default=-1)
        left = dict(folder.entries)
        for index, name, node in folder.changes:
            if index < at and (index < safe or (index <= limit if ordered else rng.random() < 0.5)):
                if node is None:
                    left.pop(name, None)
                else:
                    left[name] = node
        for name, node in left.items():
            if isinstance(node, Folder):
                self._write_out(node, to / name, at, limit, rng, ordered)
            elif not name.endswith("-shm"):  # shared memory: made anew when nobody has it open
                self._write_file(node, to / name, at, limit, rng, ordered)

    def _write_file(
        self, file: File, to: Path, at: int, limit: int, rng: random.Random, ordered: bool
    ) -> None:
        if not file.changes and file.origin is not None:
            shutil.copyfile(file.origin, to)
            return
        safe = max((one for one in file.synced if one < at), default=-1)
        data = bytearray(file.origin.read_bytes() if file.origin is not None else b"")
        for index, offset, change in file.changes:
            if index >= at:
                break
            if index < safe or (ordered and index <= limit):
                _apply(data, offset, change)
            elif not ordered and rng.random() < 0.5:
                _apply(data, offset, change if isinstance(change, int) else _torn(change, rng))
        to.write_bytes(bytes(data))


def _torn(data: bytes, rng: random.Random) -> bytes:
    """All of it, or the first sectors."""
    return data if rng.random() < 0.5 else data[: rng.randrange(0, len(data) + 1) // _SECTOR * _SECTOR]


def _apply(data: bytearray, offset: int, change: bytes | int) -> None:
    if isinstance(change, int):
        if change < len(data):
            del data[change:]
        else:
            data.extend(bytes(change - len(data)))
        return
    if change and offset > len(data):
        data.extend(bytes(offset - len(data)))
    data[offset : offset + len(change)] = change


def _content(file: File, n_changes: int) -> bytes:
    data = bytearray(file.origin.read_bytes() if file.origin is not None else b"")
    for _, offset, change in file.changes[:n_changes]:
        _apply(data, offset, change)
    return bytes(data)


def _length(file: File) -> int:
    return len(_content(file, len(file.changes)))


def _load(path: Path) -> Folder:
    entries: dict[str, File | Folder] = {}
    for one in sorted(path.iterdir()):
        entries[one.name] = _load(one) if one.is_dir() else File(origin=one)
    return Folder(entries, dict(entries))
