"""Which split each image is in: as the description and lists of images state it, else by the names of folders.

Every path is looked up among the files that were listed below the folder; none is opened because a text names it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from calotype.formats.notices import Notices
from calotype.formats.passthrough import escaped, shown
from calotype.trainer_formats.yolo.config import SPLIT_KEYS, Config
from calotype.vision.images import IMAGE_EXTENSIONS

_FOLDER = re.compile(r"(train|training|val|valid|validation|test|testing)[-_]?\d{0,4}")
_SPLIT_OF = {**SPLIT_KEYS, "training": "train", "testing": "test"}
_LIST = re.compile(r"(?:.*/)?(?:autosplit_|images?_?list_)?(train|val|valid|validation|test)(?:_?list)?\.txt")
_ENDINGS = tuple(extension.encode() for extension in IMAGE_EXTENSIONS)
_MAX_LINES = 5_000_000


@dataclass
class Splits:
    """What the files state.

    Attributes:
        of: Image -> split.
        lists: List files that were read.
        missing: Entries of splits that lead to nothing, as written.
        outside: Those of them that lead out of the folder.
    """

    of: dict[str, str] = field(default_factory=dict)
    lists: set[str] = field(default_factory=set)
    missing: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)


def named_split(name: str) -> str:
    """The split that a name such as `valid` or `train2017` means: train, val, test or none."""
    match = _FOLDER.fullmatch(name.lower())
    return _SPLIT_OF[match.group(1)] if match else ""


@lru_cache(10_000)
@lru_cache(maxsize=10_000)
def split_of_folders(folder: str) -> str:
    """The split that the first folder of a path with such a name states, or none."""
    return next(filter(None, map(named_split, folder.split("/"))), "")


def is_list_of_images(text: bytes) -> bool:
    """Whether the first line that is not blank is the path of an image."""
    first = text[:4_096].lstrip().partition(b"\n")[0].rstrip().lower()
    return first.endswith(_ENDINGS)


class SplitReader:
    """Reads the splits of one set.

    Args:
        images: Paths of the images below the folder.
        folders: Paths of the folders below it.
        texts: List files below it -> text, as far as they are lists of images.
        here: The folder that holds the description, relative to the folder given; None where the images are in another
            folder than the description means, so that no path can be as it is written.
    """

    def __init__(
        self,
        images: Sequence[str],
        folders: set[str],
        texts: Mapping[str, str],
        here: str | None,
        notices: Notices,
    ) -> None:
        self._images = images
        self._folders = folders
        self._texts = texts
        self._here = here or ""
        self._is_elsewhere = here is None
        self._notices = notices
        self._names = set(images)
        self._by_last: dict[str, list[str]] | None = None

    def read(self, config: Config) -> Splits:
        """The splits that the description states; without any, those of lists such as `train.txt`."""
        splits = Splits()
        groups = {
            split: [self._entry(config, split, entry, splits) for entry in entries]
            for split, entries in config.splits.items()
        }
        if not any(group for found in groups.values() for group in found):
            groups = defaultdict(list)
            for split, name in self._loose_lists():
                groups[split].append(self._listed(name))
                splits.lists.add(name)
        self._assign(
            {split: [i for group in found for i in group] for split, found in groups.items()}, splits
        )
        return splits

    def _assign(self, groups: Mapping[str, list[str]], splits: Splits) -> None:
        alike: set[str] = set()
        members = {split: frozenset(group) for split, group in groups.items()}
        for split, named in members.items():
            if named and any(named == other for name, other in members.items() if name != split):
                alike.add(split)
        for split, group in groups.items():
            for image in group:
                before = splits.of.get(image)
                if split in alike:
                    splits.of.setdefault(image, "")
                elif not before:
                    splits.of[image] = split
                elif before != split:
                    self._notices.add("image-in-two-splits", f"{escaped(image)}: {before}, {split}")
        if alike:
            names = " and ".join(f"`{split}`" for split in sorted(alike))
            group = groups[min(alike)]
            what = f"image that {names} list alike: no split taken from it"
            for image in group[:5]:
                self._notices.add("image-in-two-splits", escaped(image), what=what)
            self._notices.add("image-in-two-splits", what=what, n=len(group) - len(group[:5]))

    def _loose_lists(self) -> list[tuple[str, str]]:
        found = []
        for name in self._texts:
            match = _LIST.fullmatch(name.lower())
            if match:
                found.append((_SPLIT_OF[match.group(1)], name))
        return found

    def _entry(self, config: Config, split: str, entry: str, splits: Splits) -> list[str]:
        """The images of one entry: those below a folder, or those of a list file."""
        if "\\" in entry:
            self._notices.add("name-separator", shown(entry))
        for place, as_written in self._places(config.base, entry):
            found: list[str] | None = None
            if place in self._texts:
                splits.lists.add(place)
                found = self._listed(place)
            elif place in self._folders or place == "":
                start = f"{place}/" if place else ""
                found = [image for image in self._images if image.startswith(start)]
            elif place in self._names:
                found = [place]
            if found is not None:
                if not as_written and not self._is_elsewhere:
                    self._ignored(config, split, entry)
                return found
        splits.missing.append(f"{split}: {entry}"[:200])
        if self._leads_out(config.base, entry):
            splits.outside.append(f"{split}: {entry}"[:200])
        self._notices.add("split-missing", f"{config.file} {split}: {shown(entry)}")
        return []

    def _ignored(self, config: Config, split: str, entry: str) -> None:
        if config.base and self._path([self._here], config.base) is None:
            self._notices.add("path-ignored", f"{config.file} path: {shown(config.base)}")
        else:
            self._notices.add("path-ignored", f"{config.file} {split}: {shown(entry)}")

    def _leads_out(self, base: str, entry: str) -> bool:
        return self._path([self._here, base], entry) is None or self._path([self._here], base) is None

    def _places(self, base: str, entry: str) -> Iterator[tuple[str, bool]]:
        """Where an entry may lead, and whether that is what is written; the surest first."""
        exact = self._path([self._here, base], entry)
        if exact is not None:
            yield exact, True
        beside = self._path([self._here], entry)
        if beside is not None:
            yield beside, not base
        parts = [part for part in entry.replace("\\", "/").split("/") if part not in ("", ".", "..")]
        while parts:
            for start in (self._here, ""):
                yield "/".join([*(part for part in start.split("/") if part), *parts]), False
            parts = parts[1:]

    @staticmethod
    def _path(starts: Iterable[str], entry: str) -> str | None:
        """A path below the folder; None for an absolute one and one that leads out."""
        parts: list[str] = []
        for text in (*starts, entry):
            text = text.replace("\\", "/")
            if text.startswith("/") or re.match(r"[A-Za-z]:/", text):
                return None
            for part in text.split("/"):
                if part == "..":
                    if not parts:
                        return None
                    parts.pop()
                elif part not in ("", "."):
                    parts.append(part)
        return "/".join(parts)

    def _listed(self, name: str) -> list[str]:
        """The images that a list file names."""
        here = name.rpartition("/")[0]
        found = []
        for line in self._texts[name].splitlines()[:_MAX_LINES]:
            entry = line.strip()
            if not entry:
                continue
            image = self._image(here, entry)
            if image is None:
                self._notices.add("label-without-image", f"{escaped(name)}: {shown(entry)}")
            else:
                found.append(image)
        return found

    def _image(self, here: str, entry: str) -> str | None:
        """The image of a line: below the list or the folder, else the only one whose path ends alike."""
        for start in (here, self._here, ""):
            place = self._path([start], entry)
            if place in self._names:
                return place
        parts = [part for part in entry.replace("\\", "/").split("/") if part not in ("", ".", "..")]
        if not parts:
            return None
        if self._by_last is None:
            self._by_last = {}
            for image in self._images:
                self._by_last.setdefault(image.rpartition("/")[2], []).append(image)
        found = self._by_last.get(parts[-1], [])
        common = [_common_end(image.split("/"), parts) for image in found]
        best_images = [image for image, n in zip(found, common, strict=True) if n == max(common)]
        return best_images[0] if len(best_images) == 1 else None


def _common_end(a: Sequence[str], b: Sequence[str]) -> int:
    count = 0
    for left, right in zip(reversed(a), reversed(b), strict=False):
        if left != right:
            break
        count += 1
    return count
