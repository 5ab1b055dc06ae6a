"""Which image each XML file describes: by its folder and stated file name, else by its own name; never by luck."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import PurePosixPath

from calotype.formats.image_tree import IMAGE_FOLDERS, ImageTree
from calotype.formats.notices import Notices
from calotype.formats.stated_names import form, name_problem, relative_name
from calotype.formats.windows import Problem
from calotype.vision.images import IMAGE_EXTENSIONS

LABEL_FOLDERS = ("annotations", "annotation", "xml", "xmls", "labels")


@dataclass
class Labelled:
    """One XML file, and the image that it describes.

    `key` is its path, `stated` the file name that it states (empty where it has none that can be used). `root` is the
    folder of its dataset, `below` its folder below the one of the label files. `image` is a path of the tree.
    """

    key: str
    stated: str
    folder: str
    root: str = ""
    below: str = ""
    image: str | None = None
    own: str | None = None

    def __post_init__(self) -> None:
        self.root, self.below = _dataset_of(self.key.rpartition("/")[0])

    @property
    def stem(self) -> str:
        """Its file name without the ending, dots included."""
        return self.key.rpartition("/")[2].rpartition(".")[0]

    @property
    def missing_name(self) -> str:
        """What its image is called where there is none."""
        name = self.stated or f"{self.stem}.jpg"
        return f"{self.below}/{name}" if self.below and "/" not in name else name


@lru_cache(maxsize=10_000)
def _dataset_of(folder: str) -> tuple[str, str]:
    """For the folder of a label file: the folder of its dataset, and its folder below the one of the label files."""
    parts = folder.split("/") if folder else []
    at = next((n for n in reversed(range(len(parts))) if parts[n].lower() in LABEL_FOLDERS), None)
    return "/".join(parts[:at]), "/".join(parts[at + 1 :]) if at is not None else ""


@dataclass
class Pairing:
    """Looks for images in a tree; `problems` and `notices` say what was not clear."""

    tree: ImageTree
    given: bool
    problems: list[Problem] = field(default_factory=list)
    notices: Notices = field(default_factory=Notices)
    _names: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    _bases: dict[str, list[str]] = field(default_factory=dict)
    _near_folders: dict[tuple[str, str, str, str], list[str]] = field(default_factory=dict)

    def usable_name(self, stated: str, key: str) -> str:
        """A stated file name as a relative path; empty, with a notice, where it leads elsewhere."""
        if not stated:
            return ""
        if name_problem(stated):
            last = stated.replace("\\", "/").rpartition("/")[2]
            self.notices.add("path-ignored", f"{key}: {stated[:100]}")
            return "" if name_problem(last) else last
        if "\\" in stated:
            self.notices.add("name-separator", f"{key}: {stated[:100]}")
        return relative_name(stated)

    def pair(self, files: list[Labelled]) -> list[Labelled]:
        """The files without those whose image is ambiguous, each with its image."""
        for file in files:
            file.own = self._near(file, file.stem)
            stated = self._near(file, file.stated) if file.stated else None
            file.image = stated or file.own
        own_of = {file.own: file for file in files if file.own}
        for file in files:
            if file.image != file.own and file.own and own_of.get(file.image or "", file) is not file:
                what = "file name that is the image of another label file: its own name was used"
                self.notices.add("path-ignored", f"{file.key}: {file.stated}", what=what)
                file.image = file.own
        claimed: set[str | None] = {file.image for file in files if file.image}
        for file in files:
            if file.image is None:
                file.image = self._anywhere(file, claimed)
        return self._without_rivals(files)

    def _without_rivals(self, files: list[Labelled]) -> list[Labelled]:
        claims: dict[str, list[Labelled]] = {}
        for file in files:
            if file.image:
                claims.setdefault(file.image, []).append(file)
        left_out: set[str] = set()
        for image, rivals in claims.items():
            if len(rivals) == 1:
                continue
            owners = [file for file in rivals if file.own == image]
            losers = [file for file in rivals if file not in owners] if len(owners) == 1 else rivals
            for file in losers:
                others = ", ".join(other.key for other in rivals[:5] if other is not file)
                reason = f"its image {image!r} is claimed by {others} too"
                self.problems.append(Problem("invalid", "image", file.key, reason))
                self.notices.add("label-ambiguous", f"{file.key}: {reason}")
                left_out.add(file.key)
        return [file for file in files if file.key not in left_out]

    def bases(self, root: str) -> list[str]:
        """The folders of the images of a dataset."""
        if self.given:
            return [""]
        if root not in self._bases:
            inner = [_join(root, name) for name in self.tree.folders_in(root) if name in IMAGE_FOLDERS]
            self._bases[root] = [*inner, root]
        return self._bases[root]

    def _near(self, file: Labelled, name: str) -> str | None:
        """The image of a name where the layout has it."""
        for folder in self._places(file):
            found = self._in(folder, name)
            if found is not None:
                return found
        return None

    def _places(self, file: Labelled) -> list[str]:
        """The folders in which the image of a label file may lie, the surest first."""
        here = "" if self.given else file.key.rpartition("/")[0]
        known = (file.root, file.below, file.folder, here)
        if known not in self._near_folders:
            bases = self.bases(file.root)
            places = [_join(base, file.below) for base in bases]
            if file.folder:
                places += [_join(base, file.folder) for base in bases]
            self._near_folders[known] = list(dict.fromkeys([*places, here, *bases]))
        return self._near_folders[known]

    def _in(self, folder: str, name: str) -> str | None:
        """The image of a name in a folder: exactly, in another form, or with an ending."""
        inner, _, last = name.rpartition("/")
        folder = _join(folder, inner)
        names = self.tree.names_in(folder)
        if last in names and _is_image(last):
            return _join(folder, last)
        if not names:
            return None
        if folder not in self._names:
            by_form: dict[str, list[str]] = {}
            for known in sorted(names):
                if _is_image(known):
                    by_form.setdefault(form(known), []).append(known)
                    by_form.setdefault(form(known.rpartition(".")[0]), []).append(known)
            self._names[folder] = by_form
        matching = self._names[folder].get(form(last), [])
        if len(matching) != 1:
            return None
        if last not in (matching[0], matching[0].rpartition(".")[0]):
            self.notices.add("name-form", f"{name}: {_join(folder, matching[0])}")
        return _join(folder, matching[0])

    def _anywhere(self, file: Labelled, claimed: set[str | None]) -> str | None:
        """The one image of that name that no other label file has."""
        for name in dict.fromkeys((file.stated, file.stem)):
            last = name.rpartition("/")[2]
            stem = str(PurePosixPath(last).stem) if _is_image(last) else last
            paths = dict.fromkeys([*self.tree.named(last), *self.tree.with_stem(stem)]) if last else {}
            free = [path for path in paths if path not in claimed and self._may_be(path, file)]
            if len(free) == 1:
                return free[0]
        return None

    def _may_be(self, path: str, file: Labelled) -> bool:
        """Whether an image can belong to a label file: not one in a folder of another name."""
        folder = path.rpartition("/")[0]
        base = max(
            (b for b in self.bases(file.root) if f"{folder}/".startswith(f"{b}/") or not b),
            key=len,
            default=None,
        )
        if base is None:
            return False
        return not file.below or folder == base


def image_folders(pairing: Pairing, files: list[Labelled]) -> Iterator[str]:
    """Images that lie in a folder of images, or beside those that have a label file."""
    used = {file.image.rpartition("/")[0] for file in files if file.image}
    whole = {
        base
        for root in {file.root for file in files}
        for base in pairing.bases(root)
        if (base != root or pairing.given) and any(f"{f}/".startswith(f"{base}/") or not base for f in used)
    }
    for path in pairing.tree.images:
        folder = path.rpartition("/")[0]
        if folder in used or any(not base or f"{folder}/".startswith(f"{base}/") for base in whole):
            yield path


def _is_image(name: str) -> bool:
    return os.path.splitext(name)[1].lower() in IMAGE_EXTENSIONS


def _join(base: str, name: str) -> str:
    return f"{base}/{name}" if base and name else base or name
