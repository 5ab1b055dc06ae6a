"""Which file an entry of a label file means: by its path below the folder, never by luck, never outside."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from calotype.formats.fields import BadItem
from calotype.formats.files_below import is_folder
from calotype.formats.image_files import MAX_IMAGE_BYTES, ImageFolder, images_below
from calotype.formats.split_names import split_of_folder
from calotype.formats.windows import Problem
from calotype.foundation.durable import read_file
from calotype.vision.images import IMAGE_EXTENSIONS, ImageUnreadable, probe

_WRAPPERS = frozenset({"images", "data", "obj_train_data"})


def stated_path(stated: str) -> str:
    """The relative posix path in what a label file calls an image: `\\` as `/`, no drive, no address, no query."""
    name = stated.replace("\\", "/").strip()
    if "://" in name:
        with suppress(ValueError):
            name = unquote(urlsplit(name).path)
    parts = [part for part in name.split("/") if part not in ("", ".", "..")]
    return "/".join(parts[1:] if parts and parts[0].endswith(":") else parts)


class ImageFinder:
    """The images below a folder.

    `find` takes the file whose path ends like the stated one; where several fit as well, none is taken. A stated name
    without the ending of an image is that of a file without its ending, as tools keep names of their own.
    """

    def __init__(self, folder: Path) -> None:
        self.problems: list[Problem] = []
        self._root = Path(os.path.realpath(folder))
        self._exact = ImageFolder(self._root)
        below = images_below(self._root, self.problems) if is_folder(self._root) else []
        self._files = [path.relative_to(self._root).as_posix() for path in below]
        self._by_name: dict[str, list[str]] = {}
        self._by_stem: dict[str, list[str]] = {}
        for file in self._files:
            name = normalized(file.rpartition("/")[2])
            self._by_name.setdefault(name, []).append(file)
            self._by_stem.setdefault(name.rpartition(".")[0], []).append(file)
        self._name_of: dict[str, str] = {}
        self._taken: dict[str, str] = {}

    @property
    def files(self) -> Sequence[str]:
        """All images, relative to the folder, sorted."""
        return self._files

    def find(self, stated: str, *, within: Sequence[str] = ()) -> Path | None:
        """The file of a stated relative path; None where there is none.

        Args:
            within: Folders to look in first, such as that of the label file or of the split.
        Raises: BadItem (several files fit as well).
        """
        for folder in (*within, ""):
            exact = self._exact_file(f"{folder}/{stated}" if folder else stated)
            if exact is not None:
                return exact
        parts = normalized(stated).split("/")
        files = self._by_name.get(parts[-1])
        if files is None and PurePosixPath(parts[-1]).suffix not in IMAGE_EXTENSIONS:
            files = self._by_stem.get(parts[-1])
        best, n_best = [], 0
        for file in files or ():
            shared = 1 + _shared_end(parts[:-1], normalized(file).split("/")[:-1])
            if shared > n_best:
                best, n_best = [file], shared
            elif shared == n_best:
                best.append(file)
        if len(best) > 1:
            raise BadItem(f"several files could be its image: {best[0]!r} and {best[1]!r}")
        return self._root / best[0] if best else None

    def find_stem(self, stem: str) -> Path | None:
        """The file of this name without its extension; None where there is none, or several."""
        files = [file for file in self._files if PurePosixPath(file).stem == stem] if "/" not in stem else []
        return self._root / files[0] if len(files) == 1 else None

    def name_of(self, path: Path) -> str:
        """The name of the sample: its path below the folder, without a first `images/` or `data/` where possible."""
        relative = path.relative_to(self._root).as_posix()
        if relative not in self._name_of:
            first, _, rest = relative.partition("/")
            short = rest if rest and first.lower() in _WRAPPERS else relative
            owner = self._taken.setdefault(short, relative)
            self._name_of[relative] = short if owner == relative else relative
        return self._name_of[relative]

    def _exact_file(self, name: str) -> Path | None:
        file = self._exact.find(name) if name else None
        path = None if file is None else Path(file.path)
        return path if path is not None and path == self._root / name else None


def image_size(path: Path | str) -> tuple[int, int]:
    """Width and height of the upright image at a path. Raises: BadItem."""
    try:
        data = read_file(path, max_bytes=MAX_IMAGE_BYTES)
        facts = probe(data or b"")
    except (OSError, ImageUnreadable):
        raise BadItem("the size of its image is not known") from None
    return facts.width_px, facts.height_px


def sample_split(name: str) -> str:
    """The split that the folders of a path name, the first one that does."""
    return next((split for part in PurePosixPath(name).parts[:-1] if (split := split_of_folder(part))), "")


def normalized(name: str) -> str:
    """A name by which files are joined: in one Unicode form, without case."""
    return unicodedata.normalize("NFC", name).casefold()


def _shared_end(parts: Sequence[str], others: Sequence[str]) -> int:
    n_shared = 0
    for one, other in zip(reversed(parts), reversed(others), strict=False):
        if one != other:
            break
        n_shared += 1
    return n_shared
