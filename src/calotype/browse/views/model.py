"""Saved views: what is kept under a name, and what is refused."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.foundation.clock import iso
from calotype.foundation.errors import AlreadyExists, Conflict, Invalid, NotFound
from calotype.foundation.printable import one_line

MAX_NAME_CHARACTERS = 100
MAX_WITHIN_CHARACTERS = 8_000
MAX_VIEWS = 1_000
MAX_HIDDEN = 1_000
SIZES_PX = (96, 480)
"""The smallest and the largest image of a grid."""
SHOWN = ("samples", "objects")
COLOURS = ("author", "score", "set", "finding")


class ViewNotFound(NotFound):
    """No saved view of this name."""

    code = "view-not-found"
    what = "{dataset} has no saved view {name!r}"
    fix = "list the saved views with `calotype view list {dataset}`"


class ViewExists(AlreadyExists):
    """A saved view of this name already exists."""

    code = "view-exists"
    what = "{dataset} already has a saved view {name!r}"
    fix = "choose another name, or overwrite it: `--overwrite`, in Python `overwrite=True`"


class ViewNameInvalid(Invalid):
    """A name that cannot be shown on one line, or not be part of an address."""

    code = "view-name-invalid"
    what = "{got!r} is not a valid name for a saved view"
    fix = "use 1 to 100 characters without `/`, without line breaks, and without spaces at the ends"


class ViewInvalid(Invalid):
    """A value of a saved view that is out of its range."""

    code = "view-invalid"
    what = "cannot save the view: {detail}"
    fix = "correct the named value; an image size is 96 to 480 pixels, and at most 1,000 classes are hidden"


class ViewsFull(Conflict):
    """The dataset has as many saved views as it can have."""

    code = "views-full"
    what = "{dataset} already has {limit} saved views"
    fix = "delete those that nobody uses: `calotype view delete {dataset} VIEW`"


@dataclass(frozen=True, slots=True)
class ViewSpec:
    """What a saved view shows.

    Attributes:
        where: The query; empty matches all samples.
        ref: A branch, tag or commit; empty is the working state of main.
        within: A part of an embedding map, `MODEL:x,y;x,y;x,y`; empty is all of it.
        size_px: Longer side of the images in the grid; None is the usual size.
        hidden: Ids of the classes that are not drawn.
        show: "samples", or "objects" for each annotation by itself.
        of_class: The class of the objects that are shown; empty is all classes.
        colour: What annotations are coloured by, one of `COLOURS`; empty is their class.
        beside: A label set that is shown beside `label_set`; empty is none.
        against: A branch, tag or commit that is shown beside `ref`; empty is none.
    """

    where: str = ""
    sort: str = "name"
    label_set: str = DEFAULT_LABEL_SET
    ref: str = ""
    within: str = ""
    size_px: int | None = None
    hidden: tuple[int, ...] = ()
    show: str = "samples"
    of_class: str = ""
    colour: str = ""
    beside: str = ""
    against: str = ""

    def checked(self) -> ViewSpec:
        """The same with the hidden classes in order. Raises: ViewInvalid."""
        low, high = SIZES_PX
        if self.size_px is not None and not low <= self.size_px <= high:
            raise ViewInvalid(where="size_px", detail=f"images of {self.size_px} pixels cannot be shown")
        if len(self.hidden) > MAX_HIDDEN:
            raise ViewInvalid(where="hidden", detail=f"{len(self.hidden):,} classes are hidden")
        if self.show not in SHOWN:
            raise ViewInvalid(where="show", detail=f"{self.show[:80]!r} is not one of {', '.join(SHOWN)}")
        if self.colour and self.colour not in COLOURS:
            raise ViewInvalid(
                where="colour", detail=f"{self.colour[:80]!r} is not one of {', '.join(COLOURS)}"
            )
        if len(self.within) > MAX_WITHIN_CHARACTERS:
            raise ViewInvalid(where="within", detail="the part of the map has too many corners")
        return replace(self, hidden=tuple(sorted(set(self.hidden))))


@dataclass(frozen=True, slots=True)
class SavedView:
    """A view with a name, and who saved and last changed it."""

    name: str
    spec: ViewSpec
    created_by: str
    created_at_us: int
    changed_by: str
    changed_at_us: int

    def to_dict(self) -> dict[str, Any]:
        """Plain values, as every door shows them."""
        spec = self.spec
        return {
            "name": self.name,
            "where": spec.where,
            "sort": spec.sort,
            "label_set": spec.label_set,
            "ref": spec.ref,
            "within": spec.within,
            "size_px": spec.size_px,
            "hidden": list(spec.hidden),
            "show": spec.show,
            "of_class": spec.of_class,
            "colour": spec.colour,
            "beside": spec.beside,
            "against": spec.against,
            "created_by": self.created_by,
            "created_at": iso(self.created_at_us),
            "changed_by": self.changed_by,
            "changed_at": iso(self.changed_at_us),
        }


def check_view_name(name: str) -> None:
    """Raises: ViewNameInvalid."""
    is_short = 0 < len(name) <= MAX_NAME_CHARACTERS
    if not is_short or name != name.strip() or "/" in name or one_line(name) != name or name in (".", ".."):
        raise ViewNameInvalid(got=name[:MAX_NAME_CHARACTERS])
