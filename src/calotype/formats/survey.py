"""What lies at a path: one walk over the files, so that every format can say whether it recognises them."""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from pathlib import Path

from calotype.formats.files_below import PassedOver, head_of, is_file, is_folder, suffix_of, walk
from calotype.vision.images import IMAGE_EXTENSIONS

MAX_FILES = 200_000
"""A survey stops there: what comes later hardly changes which format it is."""
HEAD_BYTES = 64_000


class Certainty(IntEnum):
    """How sure a format is. The highest wins; formats that are as sure as each other are asked in their order."""

    LAYOUT = 1
    """Only folders and names: what an image folder is."""
    LABELS = 2
    """Files that look like its labels."""
    DESCRIBED = 3
    """A file that only this format writes, and labels that go with it."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """What a format recognises.

    `layout` says how the files lie, such as "a JSON file in each split folder"; `evidence` names the files that show
    it. `broken` says that a file of the format is there and `open` will refuse it with the reason; such a sighting wins
    over a mere layout, and nothing else.
    """

    layout: str
    evidence: tuple[str, ...]
    certainty: Certainty = Certainty.LABELS
    broken: bool = False


class Survey:
    """The files at a path. Paths are relative to `root`, posix, sorted; links are listed as what they lead to.

    Links that lead out of the folder are never read: images among them are listed by their names, other files not.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.is_file = is_file(path)
        self.root = path.parent if self.is_file else path
        self._links_out: set[str] = set()

    @cached_property
    def files(self) -> list[str]:
        """The file itself, or all files below the folder, hidden ones left out."""
        if self.is_file:
            return [self.path.name]
        if not is_folder(self.path):
            return []
        passed_over: list[PassedOver] = []
        inside = os.path.join(os.path.realpath(self.path), "")
        start = len(str(self.path)) + (not str(self.path).endswith(os.sep))
        listed = []
        for entry in walk(str(self.path), passed_over, hidden=False):
            name = entry.path[start:].replace(os.sep, "/")
            if entry.is_symlink() and not os.path.realpath(entry.path).startswith(inside):
                self._links_out.add(name)
                if suffix_of(name) not in IMAGE_EXTENSIONS:
                    continue
            listed.append(name)
            if len(listed) >= MAX_FILES:
                break
        return sorted(listed, key=lambda name: name.split("/"))

    def links_out(self, *suffixes: str) -> list[str]:
        """Links with one of these extensions that lead out of the folder."""
        _ = self.files
        return sorted(name for name in self._links_out if suffix_of(name) in suffixes)

    @cached_property
    def images(self) -> list[str]:
        """The image files, by their extension."""
        return [name for name in self.files if suffix_of(name) in IMAGE_EXTENSIONS]

    @cached_property
    def _by_suffix(self) -> dict[str, list[str]]:
        by_suffix: dict[str, list[str]] = {}
        for name in self.files:
            by_suffix.setdefault(suffix_of(name), []).append(name)
        return by_suffix

    @cached_property
    def _heads(self) -> dict[str, bytes]:
        return {}

    def with_suffix(self, *suffixes: str) -> list[str]:
        """The files with one of these extensions, in whatever case; those of the first extension first."""
        return [name for suffix in suffixes for name in self._by_suffix.get(suffix, ())]

    def named(self, *names: str) -> list[str]:
        """The files whose last part is one of these names, in whatever case; those nearest to the root first."""
        wanted = {name.lower() for name in names}
        found = [name for name in self.files if name.rpartition("/")[2].lower() in wanted]
        return sorted(found, key=lambda name: name.count("/"))

    def head(self, name: str, n_bytes: int = HEAD_BYTES) -> bytes:
        """The first bytes of a file; nothing where it cannot be read or is a link that leads out of the folder."""
        if name in self._links_out:
            return b""
        known = self._heads.get(name)
        if known is None or (len(known) < n_bytes and len(known) >= HEAD_BYTES):
            known = self._heads[name] = head_of(self.root / name, max(n_bytes, HEAD_BYTES))
        return known[:n_bytes]
