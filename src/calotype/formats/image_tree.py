"""The image files below a folder, found by the path that a label file states.

A listed folder is read once; all of them only when a name is not where it says. Links that lead out are not followed.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath

from calotype.formats.files_below import PassedOver, head_of, walk
from calotype.formats.split_names import split_of_folder
from calotype.formats.stated_names import form
from calotype.vision.images import IMAGE_EXTENSIONS

MAX_FILES = 2_000_000
IMAGE_FOLDERS = ("images", "Images", "JPEGImages", "image", "data", "img", "imgs")
"""What people call the folder of the images."""


@dataclass(frozen=True, slots=True)
class Found:
    """The file that a name leads to, relative to the tree.

    `direct` says that the whole name is its path below one of the folders. `others` are files that it could be just as
    well; then `path` is one of them. `other_form` says that the name is written in another case or form of Unicode.
    """

    path: str
    direct: bool
    others: tuple[str, ...] = ()
    other_form: bool = False


class ImageTree:
    """The files below one folder. Paths are relative, posix, as the file system spells them."""

    def __init__(self, root: Path) -> None:
        self.root = Path(os.path.realpath(root))
        self.links_out: list[str] = []
        self._listed: dict[str, frozenset[str]] = {}
        self._listed_folders: dict[str, tuple[str, ...]] = {}

    def file(self, path: str) -> Path:
        """The absolute path of a file of the tree."""
        return self.root / path

    def head(self, path: str, n_bytes: int) -> bytes:
        """The first bytes of a file of the tree; nothing where it cannot be read or is a link out of the tree."""
        return head_of(self.root / path, n_bytes) if self._is_inside(path) else b""

    def location(self, path: str) -> str:
        """`file` as a text: for tens of thousands of them."""
        return os.path.join(self.root, path)

    def relative(self, folder: Path) -> str | None:
        """A folder relative to the tree; None where it is outside."""
        try:
            path = Path(os.path.realpath(folder)).relative_to(self.root).as_posix()
        except ValueError:
            return None
        return "" if path == "." else path

    def names_in(self, folder: str) -> frozenset[str]:
        """The names of the files in a folder; none where it is missing or leads out of the tree."""
        if folder not in self._listed:
            self._list(folder)
        return self._listed[folder]

    def folders_in(self, folder: str) -> tuple[str, ...]:
        """The names of the folders in a folder, sorted."""
        if folder not in self._listed:
            self._list(folder)
        return self._listed_folders[folder]

    def has(self, folder: str) -> bool:
        """Whether there is such a folder in the tree."""
        return bool(self.names_in(folder) or self.folders_in(folder))

    @cached_property
    def images(self) -> list[str]:
        """All image files, in the order of their folders; links to files of the tree are among them."""
        passed_over: list[PassedOver] = []
        start = len(str(self.root)) + (not str(self.root).endswith(os.sep))
        paths = []
        for entry in walk(str(self.root), passed_over, hidden=False):
            if os.path.splitext(entry.name)[1].lower() in IMAGE_EXTENSIONS:
                path = entry.path[start:].replace(os.sep, "/")
                if not entry.is_symlink() or self._is_inside(path):
                    paths.append(path)
            if len(paths) >= MAX_FILES:
                break
        return paths

    def named(self, name: str) -> Sequence[str]:
        """The image files whose last part is this name, in whatever case and form."""
        return self._by_name.get(form(name), ())

    def with_stem(self, stem: str) -> Sequence[str]:
        """The image files whose last part without its ending is this, in whatever case and form."""
        return self._by_stem.get(form(stem), ())

    @cached_property
    def _by_name(self) -> dict[str, list[str]]:
        return _grouped((form(path.rpartition("/")[2]), path) for path in self.images)

    @cached_property
    def _by_stem(self) -> dict[str, list[str]]:
        return _grouped((form(PurePosixPath(path).stem), path) for path in self.images)

    def _list(self, folder: str) -> None:
        names, folders = set(), []
        if self._is_inside(folder):
            try:
                with os.scandir(self.root / folder) as entries:
                    for entry in entries:
                        if entry.is_symlink() and not self._is_inside(f"{folder}/{entry.name}".lstrip("/")):
                            self.links_out.append(f"{folder}/{entry.name}".lstrip("/"))
                        elif entry.is_dir():
                            folders.append(entry.name)
                        else:
                            names.add(entry.name)
            except (OSError, ValueError):
                names, folders = set(), []
        self._listed[folder] = frozenset(names)
        self._listed_folders[folder] = tuple(sorted(folders))

    def _is_inside(self, path: str) -> bool:
        try:
            return Path(os.path.realpath(self.root / path)).is_relative_to(self.root)
        except (OSError, ValueError):
            return False


class ImageSearch:
    """Finds the files of stated names below some folders of a tree.

    Args:
        near: The folders that belong to the label file's split; a file there comes before one in `bases`.
        bases: Other folders that names can be relative to.
        split: The split of the label file; files in a folder of another split are not found by their bare name.
    """

    def __init__(self, tree: ImageTree, near: Sequence[str], bases: Sequence[str], split: str = "") -> None:
        self.tree = tree
        self._tiers = (tuple(dict.fromkeys(near)), tuple(b for b in dict.fromkeys(bases) if b not in near))
        self._split = split
        self._below: dict[str, tuple[list[tuple[str, frozenset[str]]], ...]] = {}

    def find(self, name: str) -> Found | None:
        """The file of a relative posix name; None where there is none."""
        folder, _, last = name.rpartition("/")
        if folder not in self._below:
            self._below[folder] = tuple(self._listings(tier, folder) for tier in self._tiers)
        for listings in self._below[folder]:
            paths = [_join(base, last) for base, names in listings if last in names]
            if paths:
                return Found(paths[0], True, self._different(paths))
        return self._by_tail(name, folder, last) if self.tree.images else None

    def find_plain(self, names: Sequence[str]) -> list[str] | None:
        """The files of names without folders, where the first folder that has any has all of them; None otherwise."""
        if not names or any("/" in name for name in names):
            return None
        self.find(names[0])
        listings = next((listings for listings in self._below[""] if listings), ())
        if len(listings) != 1 or not listings[0][1].issuperset(names):
            return None
        base = listings[0][0]
        return [f"{base}/{name}" for name in names] if base else list(names)

    def _listings(self, bases: Sequence[str], folder: str) -> list[tuple[str, frozenset[str]]]:
        folders = [_join(base, folder) for base in bases]
        return [(path, names) for path in folders if (names := self.tree.names_in(path))]

    def _by_tail(self, name: str, folder: str, last: str) -> Found | None:
        """The file with the longest end of the path in common."""
        paths = [path for path in self.tree.named(last) if self._is_possible(path)]
        parts = [form(part) for part in name.split("/")]
        scored = [(_common_tail(parts, path), path) for path in paths]
        best = max((score for score, _ in scored), default=0)
        chosen = [path for score, path in scored if score == best]
        if best == 1 and folder:
            chosen = [path for path in chosen if not self._folder_of(path)]
        near = [path for path in chosen if any(path.startswith(f"{base}/") for base in self._tiers[0])]
        chosen = near or chosen
        if not chosen:
            return None
        whole = best == len(parts) and self._folder_of(chosen[0]).count("/") < len(parts)
        direct = whole and form(self._folder_of(chosen[0])) == form(folder)
        return Found(chosen[0], direct, self._different(chosen), not f"/{chosen[0]}".endswith(f"/{last}"))

    def _is_possible(self, path: str) -> bool:
        if not self._split:
            return True
        splits = {split_of_folder(part) for part in path.split("/")[:-1]} - {""}
        return not splits or self._split in splits

    def _folder_of(self, path: str) -> str:
        """The folder of a file, relative to the longest of the folders that it is below."""
        folder = path.rpartition("/")[0]
        bases = [base for tier in self._tiers for base in tier if f"{folder}/".startswith(f"{base}/")]
        return folder[len(max(bases, key=len, default="")) :].lstrip("/")

    def _different(self, paths: list[str]) -> tuple[str, ...]:
        """The further paths, unless all are the same file or copies of it."""
        if len(paths) == 1:
            return ()
        first = self.tree.file(paths[0])
        return () if all(_same(first, self.tree.file(path)) for path in paths[1:]) else tuple(paths[1:])


def _same(a: Path, b: Path) -> bool:
    try:
        if os.path.samefile(a, b):
            return True
        return os.path.getsize(a) == os.path.getsize(b) and a.read_bytes() == b.read_bytes()
    except OSError:
        return False


def _common_tail(parts: Sequence[str], path: str) -> int:
    """How many of the last parts of both are the same."""
    n = 0
    for stated, actual in zip(reversed(parts), reversed(path.split("/")), strict=False):
        if stated != form(actual):
            break
        n += 1
    return n


def _join(base: str, name: str) -> str:
    return f"{base}/{name}" if base and name else base or name


def _grouped(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for key, path in pairs:
        groups.setdefault(key, []).append(path)
    return groups
