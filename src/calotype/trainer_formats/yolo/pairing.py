"""Which label file belongs to which image: by its path, and only where nothing contradicts it by its name.

The first rule is the trainer's own: the last folder `images` of the path of an image becomes `labels`, its ending
`.txt`. A label file that several images of equal right could mean belongs to none of them.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

_ROOTS = frozenset(
    {"images", "labels", "image", "label", "img", "imgs", "jpegimages", "annotations", "txt"}
    | {f"obj_{part}_data" for part in ("train", "valid", "val", "test")}
)
"""Names of folders that hold all images or all labels of a set, in lower case."""


@dataclass
class Pairs:
    """The result.

    Attributes:
        label_of: Image -> label file.
        renamed: Label files that were joined in spite of another case or Unicode form.
        ambiguous: Label file -> the images that it could belong to.
        contested: Image -> the label files that could belong to it, by name alone.
        unused: Label file -> the image that has another one.
        without_image: Label files whose image is not there.
    """

    label_of: dict[str, str] = field(default_factory=dict)
    renamed: list[str] = field(default_factory=list)
    ambiguous: dict[str, list[str]] = field(default_factory=dict)
    contested: dict[str, list[str]] = field(default_factory=dict)
    unused: dict[str, str] = field(default_factory=dict)
    without_image: list[str] = field(default_factory=list)


def pair(images: Sequence[str], labels: Sequence[str]) -> Pairs:
    """Join images and label files, given by their paths (posix) below one folder."""
    pairs = Pairs()
    stems = {label: _stem(label) for label in labels}
    _by_path(pairs, images, stems, lambda text: text)
    if len(pairs.label_of) + len(pairs.ambiguous) < min(len(images), len(labels)):
        before = set(pairs.label_of.values())
        if any(_form(path) != path for path in (*labels, *images)):
            _by_path(pairs, images, stems, _form)
        pairs.renamed = [label for label in pairs.label_of.values() if label not in before]
        _below_other_roots(pairs, images, stems)
        _by_name(pairs, images, stems)
    left = _open(labels, pairs)
    if not left:
        return pairs
    owners = {stem: image for image in images if image in pairs.label_of for stem in trainer_stems(image)}
    for label in left:
        owner = owners.get(stems[label])
        if owner is None:
            pairs.without_image.append(label)
        else:
            pairs.unused[label] = owner
    return pairs


def trainer_stems(image: str) -> list[str]:
    """The paths, less `.txt`, at which a label file of an image may lie, the one that trainers read first."""
    stem = _stem(image)
    stems = [stem, image]
    parts = stem.split("/")
    if "images" in parts[:-1]:
        at = len(parts) - 2 - parts[-2::-1].index("images")
        labels = "/".join([*parts[:at], "labels", *parts[at + 1 :]])
        stems = [labels, stem, labels + image[len(stem) :], image]
    return stems


def image_stem(label: str) -> str:
    """The path, less its ending, of the image that a label file names."""
    parts = _stem(label).split("/")
    if "labels" in parts[:-1]:
        at = len(parts) - 2 - parts[-2::-1].index("labels")
        parts[at] = "images"
    return "/".join(parts)


def _stem(path: str) -> str:
    dot = path.rfind(".")
    return path[:dot] if dot > path.rfind("/") + 1 else path


def _form(text: str) -> str:
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", text).casefold())


def _open(labels: Iterable[str], pairs: Pairs) -> list[str]:
    """The label files that are not decided yet."""
    taken = set(pairs.label_of.values())
    contested = {label for group in pairs.contested.values() for label in group}
    return [
        label
        for label in labels
        if label not in taken and label not in pairs.ambiguous and label not in contested
    ]


def _free(images: Iterable[str], pairs: Pairs) -> list[str]:
    """The images that are not decided yet."""
    claimed = {image for group in pairs.ambiguous.values() for image in group}
    return [
        image
        for image in images
        if image not in pairs.label_of and image not in claimed and image not in pairs.contested
    ]


def _by_path(
    pairs: Pairs, images: Sequence[str], stems: Mapping[str, str], form: Callable[[str], str]
) -> None:
    """The trainer's place first, then the one beside the image, then both with the whole file name."""
    wanted: dict[str, list[str]] = {}
    for label in _open(stems, pairs):
        wanted.setdefault(form(stems[label]), []).append(label)
    if not wanted:
        return
    free = _free(images, pairs)
    open_images = {image: list(map(form, trainer_stems(image))) for image in free}
    n_places = 4 if any(len(places) == 4 for places in open_images.values()) else 2
    for place in range(n_places):
        claims: dict[str, list[str]] = defaultdict(list)
        for image, places in open_images.items():
            at = place if len(places) == n_places else {0: 0, 2: 1}.get(place, -1)
            if at >= 0 and places[at] in wanted:
                claims[places[at]].append(image)
        for stem, claimants in claims.items():
            _settle_claim(pairs, wanted.pop(stem), claimants)
            for image in claimants:
                del open_images[image]


def _settle_claim(pairs: Pairs, labels: list[str], images: list[str]) -> None:
    """Join one image and one label file; anything else is reported with all that have an equal right."""
    if len(images) > 1:
        for label in labels:
            pairs.ambiguous[label] = images
    elif len(labels) > 1:
        pairs.contested[images[0]] = labels
    else:
        pairs.label_of[images[0]] = labels[0]


def _below_other_roots(pairs: Pairs, images: Sequence[str], stems: Mapping[str, str]) -> None:
    """The same path below folders such as `train/images` and `labels/train`."""
    claims: dict[str, list[str]] = {}
    for label in _open(stems, pairs):
        claims.setdefault("/".join(_inner(stems[label])), []).append(label)
    claimants: dict[str, list[str]] = {}
    for image in _free(images, pairs):
        inner = "/".join(_inner(_stem(image)))
        if inner in claims:
            claimants.setdefault(inner, []).append(image)
    for inner, labels in claims.items():
        if inner in claimants:
            _settle_claim(pairs, labels, claimants[inner])


def _inner(stem: str) -> list[str]:
    """The parts of a path without the folders that hold all images or all labels."""
    folder, _, last = _form(stem).rpartition("/")
    return [*_inner_folders(folder), last]


@lru_cache(maxsize=10_000)
def _inner_folders(folder: str) -> tuple[str, ...]:
    return tuple(part for part in folder.split("/") if part not in _ROOTS) if folder else ()


def _by_name(pairs: Pairs, images: Sequence[str], stems: Mapping[str, str]) -> None:
    """The rest by name, where the one path ends in the other and neither has a place of its own.

    An image whose own folder of labels holds labels has none; a label file whose own folder of images holds images
    has lost its image.
    """
    label_folders = {_folder(label) for label in stems}
    image_folders = {_folder(image) for image in images}
    labels = [
        label
        for label in _open(stems, pairs)
        if _image_folder(_folder(label)) not in image_folders and _folder(label) not in image_folders
    ]
    free = [
        image for image in _free(images, pairs) if label_folders.isdisjoint(_label_folders(_folder(image)))
    ]
    label_keys = _below_common_folder([stems[label] for label in labels])
    image_keys = _below_common_folder([_stem(image) for image in free])
    by_name: dict[str, list[int]] = defaultdict(list)
    for at, key in enumerate(image_keys):
        by_name[key[-1]].append(at)
    wants: dict[int, list[int]] = {}
    for at, key in enumerate(label_keys):
        found = [image for image in by_name.get(key[-1], ()) if _ends_alike(key, image_keys[image])]
        if len(found) > 1:
            pairs.ambiguous[labels[at]] = [free[image] for image in found]
        elif found:
            wants.setdefault(found[0], []).append(at)
    refused = {image for group in pairs.ambiguous.values() for image in group}
    for image, claimants in wants.items():
        if free[image] in refused or len(claimants) > 1:
            pairs.contested[free[image]] = [labels[at] for at in claimants]
        else:
            pairs.label_of[free[image]] = labels[claimants[0]]


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


@lru_cache(maxsize=10_000)
def _image_folder(folder: str) -> str:
    """The folder of the images that the label files in a folder name."""
    return _folder(image_stem(f"{folder}/a.txt" if folder else "a.txt"))


@lru_cache(maxsize=10_000)
def _label_folders(folder: str) -> tuple[str, ...]:
    """The folders in which trainers look for the label files of the images in a folder."""
    return tuple(map(_folder, trainer_stems(f"{folder}/a.jpg" if folder else "a.jpg")))


def _below_common_folder(stems: list[str]) -> list[list[str]]:
    """The paths below the folder of all images or all labels: one of a usual name, else the first that all share."""
    keys = [_inner(stem) for stem in stems]
    has_root = any(len(key) <= stem.count("/") for key, stem in zip(keys, stems, strict=True))
    if has_root or len({key[0] for key in keys}) != 1 or any(len(key) == 1 for key in keys):
        return keys
    return [key[1:] for key in keys]


def _ends_alike(a: list[str], b: list[str]) -> bool:
    shorter = min(len(a), len(b))
    return a[-shorter:] == b[-shorter:]
