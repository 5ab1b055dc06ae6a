"""What a reader adjusted or left out, and what a writer could not keep: counted by kind, with a few examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from calotype.formats.passthrough import escaped

MAX_EXAMPLES = 5
MAX_WORDINGS = 8
"""Different words of one code that are counted apart; further ones are counted together."""

_OTHER = "other cases of this kind"

NOTICES = {
    "image-without-labels": "image without a label file: imported as not labelled",
    "image-not-listed": "image beside the listed ones that no label file lists: left out",
    "image-empty": "image that was looked at and holds no object",
    "label-without-image": "label file or entry whose image is not there: left out",
    "label-ambiguous": "label that could belong to several images: left out",
    "label-not-used": "label file that another one of the same image overrides: left out",
    "file-not-labels": "file beside the labels that holds none: left out",
    "file-left-out": "label file of another kind: left out, import it by itself",
    "file-link": "link to a file outside the folder: left out",
    "image-in-two-splits": "image that several splits list: it keeps the first",
    "split-missing": "split that is described and is not there",
    "path-ignored": "path written for another machine: ignored, the files beside the description were read",
    "name-separator": "file name with `\\`: read as `/`",
    "name-form": "file name in another Unicode form or case than the file: joined",
    "id-as-text": "number written as a text: read as a number",
    "size-differs": "stated size differs from the image",
    "size-turned": "stated size is that of the stored pixels; the image is shown turned, so its boxes were turned",
    "clipped": "shape beyond the edge of the image by rounding: clipped",
    "beyond-edge": "shape a little beyond the edge of the image: kept as it is",
    "shape-converted": "shape converted to one that can be kept",
    "value-unknown": "value that the format does not define: kept as it is",
    "value-aside": "metadata whose name or type cannot be a field: kept with the further keys of its image",
    "value-dropped": "value that cannot be kept: left out",
    "class-unnamed": "class without a name: named after its number",
    "changed-here": "annotation that people changed or removed since the last import: kept as it is now",
    "checksum-differs": "file whose checksum is not the stated one: read as it is",
    "duplicate": "the same annotation given twice: read once",
}
"""Code of each notice -> what it means, in words that follow a count."""

INFORMATION = frozenset({"image-empty", "changed-here", "beyond-edge"})
"""Codes of notices that a strict import takes: nothing is left out of it."""

LOSS_WORDS = {"extra": "extra keys"}
"""Field of a sample or an annotation -> how the name of a loss calls it, where that differs."""


@dataclass(frozen=True, slots=True)
class Loss:
    """Something that a format cannot hold, how often, and the first examples."""

    what: str
    count: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that a reader adjusted or left out: a code of `NOTICES`, how often, and the first places."""

    code: str
    what: str
    count: int
    examples: tuple[str, ...] = ()


@dataclass
class _Counted:
    count: int = 0
    examples: list[str] = field(default_factory=list)

    def add(self, n: int, example: str) -> None:
        self.count += n
        example = escaped(example)
        if example and len(self.examples) < MAX_EXAMPLES and example not in self.examples:
            self.examples.append(example)


class Notices:
    """Collects notices while a file is read."""

    def __init__(self) -> None:
        self._counted: dict[tuple[str, str], _Counted] = {}
        self._wordings: Counter[str] = Counter()

    def add(self, code: str, place: str = "", *, n: int = 1, what: str = "") -> None:
        """Count `n` cases of a code of `NOTICES`.

        Args:
            place: Where it is, as an example.
            what: Words that say more than those of the code.
        """
        if n:
            key = (code, what or NOTICES[code])
            if key not in self._counted and self._wordings[code] >= MAX_WORDINGS:
                key, place = (code, _OTHER), f"{place}: {key[1]}" if place else key[1]
            self._entry(key).add(n, place)

    def add_each(self, code: str, places: Iterable[str]) -> None:
        """Count a case at each of these places."""
        for place in places:
            self.add(code, place)

    def add_all(self, notices: Iterable[Notice]) -> None:
        """Count those of another reading too."""
        for notice in notices:
            counted = self._entry((notice.code, notice.what))
            for example in notice.examples:
                counted.add(0, example)
            counted.count += notice.count

    def listed(self) -> tuple[Notice, ...]:
        """All notices, by code."""
        return tuple(
            Notice(code, what, counted.count, tuple(counted.examples))
            for (code, what), counted in sorted(self._counted.items())
        )

    def _entry(self, key: tuple[str, str]) -> _Counted:
        if key not in self._counted:
            self._counted[key] = _Counted()
            self._wordings[key[0]] += 1
        return self._counted[key]


class Losses:
    """Collects losses while a file is written, or keys that cannot be kept while one is read."""

    def __init__(self) -> None:
        self._counted: dict[str, _Counted] = {}

    def add(self, what: str, example: str = "", *, n: int = 1) -> None:
        """Count `n` cases."""
        if n:
            self._counted.setdefault(what, _Counted()).add(int(n), example)

    def listed(self) -> tuple[Loss, ...]:
        """All losses, by name."""
        return tuple(
            Loss(what, counted.count, tuple(counted.examples))
            for what, counted in sorted(self._counted.items())
        )
