"""Which file each listed image is: looked up for all label files of one import, so that no file is claimed twice."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from calotype.formats.image_tree import Found, ImageSearch, ImageTree
from calotype.formats.notices import Notices
from calotype.formats.windows import ImageColumns, Problem
from calotype.vision.images import IMAGE_EXTENSIONS


@dataclass
class Listed:
    """The images of one label file, what was found for them, and which of them are ambiguous."""

    file: str
    images: ImageColumns
    split: str
    search: ImageSearch
    notices: Notices
    paths: list[str | None] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)


def pair(tree: ImageTree, sources: Sequence[Listed]) -> None:
    """Find the files of all images; fills in `paths`, `problems` and `notices`, and replaces `images`.

    A file that is found by its bare name only is given up where another image names it by its path, and is a problem
    where two images lead to it.
    """
    claims = _Claims()
    for source in sources:
        _look_up(source, claims)
    for source in sources:
        _resolve_fallbacks(source, claims)
    _report_splits(sources)
    _rename_same_names(sources)
    for source in sources:
        _leave_out_problems(source)
    for path in tree.links_out if sources else ():
        sources[0].notices.add("file-link", path)
    if sources:
        _report_not_listed(tree, sources)


@dataclass
class _Claims:
    """Files that images name by their path, and the names that lead to a file by its last part only."""

    direct: set[str] = field(default_factory=set)
    by_tail: dict[str, set[str]] = field(default_factory=dict)
    uncertain: dict[tuple[int, int], Found] = field(default_factory=dict)


def _look_up(source: Listed, claims: _Claims) -> None:
    find = source.search.find
    names = source.images.names.to_pylist()
    plain = source.search.find_plain(names)
    if plain is not None:
        source.paths += plain
        claims.direct.update(plain)
        return
    for at, name in enumerate(names):
        found = find(name)
        source.paths.append(None if found is None else found.path)
        if found is None:
            continue
        if found.others or not found.direct:
            claims.uncertain[id(source), at] = found
        if found.direct:
            claims.direct.add(found.path)
        elif not found.others:
            claims.by_tail.setdefault(found.path, set()).add(name)
        if found.other_form:
            source.notices.add("name-form", f"{name}: {found.path}")


def _resolve_fallbacks(source: Listed, claims: _Claims) -> None:
    for at in [at for of, at in claims.uncertain if of == id(source)]:
        found = claims.uncertain[id(source), at]
        names = sorted(claims.by_tail.get(found.path, ()))
        if found.others:
            choices = " or ".join(repr(path) for path in (found.path, *found.others[:4]))
            _ambiguous(source, at, f"it could be {choices}")
        elif found.direct:
            continue
        elif found.path in claims.direct:
            source.paths[at] = None  # another image names this file by its path
        elif len(names) > 1:
            both = " and ".join(repr(name) for name in names[:5])
            _ambiguous(source, at, f"{both} both lead to {found.path!r}")


def _ambiguous(source: Listed, at: int, reason: str) -> None:
    place = source.images.place(at)
    name = source.images.names[at].as_py()
    source.paths[at] = ""
    source.problems.append(Problem("invalid", "image", place, f"image file {name!r} is ambiguous: {reason}"))
    source.notices.add("label-ambiguous", f"{place}: {reason}")


def _report_splits(sources: Sequence[Listed]) -> None:
    """Files that label files of different splits list."""
    if len({source.split for source in sources}) < 2:
        return
    split_of: dict[str, str] = {}
    for source in sources:
        for path in source.paths:
            if path and split_of.setdefault(path, source.split) != source.split:
                source.notices.add("image-in-two-splits", f"{path}: {split_of[path]} and {source.split}")


def _rename_same_names(sources: Sequence[Listed]) -> None:
    """Images of one name that are different files are named by their path."""
    path_of: dict[str, str] = {}
    shared = {
        name
        for source in sources
        for name, path in zip(source.images.names.to_pylist(), source.paths, strict=True)
        if path and path_of.setdefault(name, path) != path
    }
    for source in sources if shared else ():
        names = [
            path.removeprefix("images/") if path and name in shared else name
            for name, path in zip(source.images.names.to_pylist(), source.paths, strict=True)
        ]
        column = pa.chunked_array([pa.array(names, pa.string())])
        source.images = replace(source.images, names=column)


def _leave_out_problems(source: Listed) -> None:
    kept = np.flatnonzero([path != "" for path in source.paths])
    if len(kept) == len(source.paths):
        return
    images, chosen = source.images, pa.array(kept)
    places = kept.tolist()
    columns = {
        name: getattr(images, name).take(chosen)
        for name in ("names", "licences", "splits", "tags", "metadata", "extras")
    }
    source.paths = [source.paths[at] for at in places]
    source.images = ImageColumns(
        ids=images.ids[kept],
        widths=images.widths[kept],
        heights=images.heights[kept],
        place=lambda at: images.place(places[at]),
        **columns,
    )


def _report_not_listed(tree: ImageTree, sources: Sequence[Listed]) -> None:
    """Images in the folders of listed ones that no label file lists."""
    listed: dict[str, set[str]] = {}
    for source in sources:
        for path in filter(None, source.paths):
            folder, _, name = path.rpartition("/")
            if folder not in listed:
                listed[folder] = set()
            listed[folder].add(name)
    for folder, names in sorted(listed.items()):
        others = sorted(
            name
            for name in tree.names_in(folder) - names
            if os.path.splitext(name)[1].lower() in IMAGE_EXTENSIONS
        )
        for name in others:
            sources[0].notices.add("image-not-listed", f"{folder}/{name}".lstrip("/"))
