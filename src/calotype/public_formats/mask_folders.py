"""Folders of mask images: a mask of the same name for each image, one colour or number a class.

Source: the segmentation masks of Pascal VOC 2012, the "Segmentation mask 1.1" export of CVAT (`SegmentationClass/`,
`SegmentationObject/`, `labelmap.txt`) and `labelme2voc.py` of LabelMe (`class_names.txt`; `SegmentationClassPNG/` in
older versions; images that show the labels in folders of visualizations); many datasets are given out in the same way
with other names of folders. Masks are PNG with a palette, in grey (the number of a class) or in colour. Number 0 and
names such as `background` are pixels without a label; 255 is void where other numbers occur. All pixels of one class
are one annotation, also where they do not touch. Where `SegmentationObject/` has an image of the same name, each of its
colours is an annotation.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from calotype.datasets.model import Kind
from calotype.folder_reading.folder import (
    BACKGROUND,
    IMAGE_ERRORS,
    Reading,
    replaced,
    stem_of,
    suffix_of,
)
from calotype.formats.base import Abilities, ExportSamples, Written
from calotype.formats.image_files import MAX_IMAGE_BYTES
from calotype.formats.passthrough import shown
from calotype.formats.survey import Certainty, Sighting, Survey
from calotype.formats.values import ParsedAnnotation, ParsedSource
from calotype.formats.windows import DeclaredClass
from calotype.foundation.durable import read_file
from calotype.foundation.progress import Progress, silent
from calotype.public_formats import colour_maps
from calotype.public_formats.colour_maps import ColourMap
from calotype.public_formats.mask_writing import write_masks
from calotype.vision import images as vision
from calotype.vision import masks

FOLDERS = {
    "masks": ("images", "image", "imgs"),
    "mask": ("image", "images", "img", "imgs"),
    "segmentationclass": ("JPEGImages", "images", "imgs"),
    "segmentationclassraw": ("JPEGImages", "images"),
    "segmentationclasspng": ("JPEGImages",),
    "labels": ("images", "imgs"),
    "annotations": ("images", "imgs"),
    "ann_dir": ("img_dir",),
    "gt": ("images", "imgs"),
    "trainannot": ("train",),
    "valannot": ("val",),
    "testannot": ("test",),
    "train_masks": ("train",),
    "train_labels": ("train",),
    "val_labels": ("val",),
    "test_labels": ("test",),
}
"""Folder of masks in lower case -> folders in which their images lie."""
_OBJECTS = ("SegmentationObject", "SegmentationObjectPNG", "instances")
_DRAWN = "visualization"
_ENDS = ("_mask", "_masks", "_label", "_labels", "_L", "_P", "_gt", "_seg")
_SUFFIXES = frozenset({".png", ".bmp", ".tif", ".tiff", ".gif"})
_NOT_A_MASK = "image beside the masks that is none: left out"
_VOID = 255
_MAX_COLOURS = 4_096
_BLURRED = 0.1
"""Share of the pixels of a black and white JPEG that may be grey: those at edges."""
_GREY, _PALETTE = 0, 3


class MaskFolders:
    """Masks of classes as images."""

    name = "masks"
    title = "Mask folders"
    suffixes = (".png",)
    abilities = Abilities(
        reads=frozenset({Kind.MASK}),
        writes=frozenset({Kind.MASK, Kind.POLYGON, Kind.ROTATED_BOX}),
        loses=(
            "instances: all masks of a class are one (SegmentationObject is read, not written)",
            "pixels that another mask covers",
            "polygons and rotated boxes are drawn as pixels",
            "boxes, ellipses, keypoints, lines, points, classes of whole images and captions",
            "id, score, iscrowd, attributes and extra keys of annotations",
            "metadata, licence, source and tags of samples",
        ),
        source='segmentation masks of the VOC2012 development kit and "Segmentation mask 1.1" of CVAT',
        coordinates="pixels of the mask are pixels of the image",
        ids="images by path and file name; classes by colour (labelmap.txt) or number; annotations have none",
    )

    def recognise(self, survey: Survey) -> Sighting | None:
        """PNG files with a palette or in grey in a folder of masks, named like the images beside."""
        if survey.is_file:
            return None
        stems = {stem_of(name) for name in survey.images}
        lists = survey.named(*colour_maps.NAMES)
        for name in survey.images:
            at = folder_at(name)
            if at is None or not _may_be_mask(name):
                continue
            beside = [stem for stem in stems_of(name, at) if stem in stems]
            if (beside or "Segmentation" in name) and (lists or _is_indexed(survey.head(name, 64))):
                certainty = Certainty.DESCRIBED if lists else Certainty.LABELS
                return Sighting("masks beside images", (name, *lists[:1]), certainty)
        described = [name for name in lists if survey.head(name).startswith(colour_maps.HEAD.encode())]
        return (
            Sighting("a list of colours without masks", (described[0],), Certainty.LAYOUT)
            if described
            else None
        )

    def open(
        self, path: Path, *, images: Path | None = None, progress: Progress = silent
    ) -> list[ParsedSource]:
        """Raises: LabelFileUnreadable when there is no folder of masks."""
        reading = Reading(path, images, self.title)
        names = [
            name
            for name in reading.files.images
            if _may_be_mask(name) and (reading.single or folder_at(name) is not None)
        ]
        names = names if reading.single is None else [reading.single]
        colours = colour_maps.find(reading)
        if not names and not colours.file:
            hint = "give the folder that holds masks/ or SegmentationClass/"
            raise reading.refused("there is no folder of masks", hint)
        drawn = _Drawn(reading, colours)
        for at, name in enumerate(names, 1):
            _read_file(reading, drawn, name)
            progress("reading masks", at, len(names))
        drawn.finish()
        masks_of = {name for name in reading.files.images if folder_at(name) is not None or _is_object(name)}
        used = masks_of if reading.has_own_images else set()
        drawings = {name for name in reading.image_files.images if _is_drawing(name)}
        for name in sorted(drawings):
            reading.notices.add("file-not-labels", name, what="image that shows the labels: left out")
        for name in sorted(masks_of):
            if not _may_be_mask(name):
                reading.notices.add("file-not-labels", name, what=_NOT_A_MASK)
        reading.add_unlabelled(name for name in reading.image_files.images if name not in used | drawings)
        named = [DeclaredClass(name) for name in colours.names()]
        others = sorted({a.class_name for a in reading.annotations} - set(colours.names()))
        return [ParsedSource(path.name, reading.labels([*named, *map(DeclaredClass, others)]))]

    def write(self, samples: ExportSamples, out: Path, *, progress: Progress = silent) -> Written:
        """Writes `images/`, `masks/` and `labelmap.txt`; the same input gives the same bytes."""
        return write_masks(samples, out, progress)


class _Drawn:
    """Turns the values of masks into annotations; whether 255 is void is known at the end only."""

    def __init__(self, reading: Reading, colours: ColourMap) -> None:
        self._reading, self._colours = reading, colours
        self._has_others = False
        self._maybe_void: list[int] = []

    def add(self, key: str, where: str, class_name: str, mask: masks.Rle, *, maybe_void: bool) -> None:
        """Add the pixels of one class."""
        if maybe_void:
            self._maybe_void.append(len(self._reading.annotations))
        self._has_others |= not maybe_void
        self._reading.add(
            ParsedAnnotation(
                key,
                class_name,
                Kind.MASK,
                where,
                bbox_xywh_px=mask.bbox_xywh_px(),
                mask_rle=masks.to_string(mask),
                mask_size_hw=mask.size_hw,
                area_px=float(mask.area_px),
            )
        )

    def name_of(self, number: int, colour: colour_maps.Colour | None, where: str) -> str | None:
        """The class of a value of a mask; None for pixels without a label."""
        by_colour = self._colours.by_colour
        name = by_colour.get(colour or (number, number, number)) or self._colours.by_number.get(number)
        if name is not None:
            return None if colour_maps.is_nothing(name) else name
        if number == 0 or (number < 0 and colour == (0, 0, 0)):
            return None
        if number < 0:
            self._reading.notices.add(
                "class-unnamed", where, what="colour without a name: named after its colour"
            )
            red, green, blue = colour or (0, 0, 0)
            return f"#{red:02x}{green:02x}{blue:02x}"
        if number != _VOID:
            self._reading.notices.add("class-unnamed", where)
        return f"class-{number}"

    def finish(self) -> None:
        """Leave 255 out as void, unless nothing else occurs: then it is the one class of black and white masks."""
        annotations = self._reading.annotations
        names = self._colours.names()
        if self._maybe_void and not self._has_others and len(names) <= 1:
            if not names:
                self._reading.notices.add("class-unnamed", annotations[0].where)
            for at in self._maybe_void:
                annotations[at] = replace(annotations[at], class_name=names[0] if names else "foreground")
            return
        void = set(self._maybe_void)
        for at in self._maybe_void:
            where = annotations[at].where
            self._reading.notices.add("value-dropped", where, what="pixels of the value 255 (void): left out")
        self._reading.annotations = [a for at, a in enumerate(annotations) if at not in void]


def folder_at(name: str) -> int | None:
    """Position of the folder of masks in a relative name."""
    parts = name.split("/")[:-1]
    return next((at for at in reversed(range(len(parts))) if parts[at].lower() in FOLDERS), None)


def stems_of(name: str, at: int) -> list[str]:
    """Where the image of a mask may lie, without its ending."""
    stem = stem_of(name)
    plain = [stem, *(stem.removesuffix(end) for end in _ENDS if stem.endswith(end))]
    folders = FOLDERS[name.split("/")[at].lower()]
    return [replaced(one, at, folder) for one in plain for folder in folders]


def _is_object(name: str) -> bool:
    return any(part in _OBJECTS for part in name.split("/")[:-1])


def _is_drawing(name: str) -> bool:
    """Whether an image shows the labels of another one: in `SegmentationClassVisualization/` and the like."""
    shown = (part.lower() for part in name.split("/")[:-1] if part.lower().endswith(_DRAWN))
    return any(part.startswith(("segmentation", "annotations")) for part in shown)


def _may_be_mask(name: str) -> bool:
    """Whether a file may be a mask by its ending; a JPEG in `masks/` only, where some are black and white."""
    suffix = suffix_of(name)
    return suffix in _SUFFIXES or (suffix in (".jpg", ".jpeg") and "masks" in name.lower().split("/")[:-1])


def _is_indexed(head: bytes) -> bool:
    """Whether the head of a file says one value a pixel: PNG with a palette or in grey, GIF; or a JPEG."""
    if head[:2] == b"\xff\xd8" or head[:4] == b"GIF8":
        return True
    return head[:8] == b"\x89PNG\r\n\x1a\n" and len(head) > 25 and head[25] in (_GREY, _PALETTE)


def _read_file(reading: Reading, drawn: _Drawn, name: str) -> None:
    at = folder_at(name)
    stems = [stem_of(name)] if at is None else stems_of(name, at)
    if not reading.has_own_images and at is not None:
        last = "/".join(stem_of(name).split("/")[at + 1 :])
        stems += [replaced(stem, at, "") for stem in stems[:1]] + [last, last.rpartition("/")[2]]
    image = reading.image_of(stems, name)
    if image is None and reading.is_ambiguous(name):
        return
    data = reading.data(name, max_bytes=MAX_IMAGE_BYTES)
    values = _pixels(data or b"")
    if isinstance(values, str):
        if suffix_of(name) not in _SUFFIXES:
            reading.notices.add("file-not-labels", name, what=_NOT_A_MASK)
        elif data is not None:
            reading.set_aside("image", name, values, kind="unreadable")
        return
    size = reading.size_of(image) if image else None
    if image is not None and size is not None and values.shape[:2] != size[::-1]:
        turned = _turned(values, reading.image_files.path(image))
        if turned.shape[:2] != size[::-1]:
            height, width = values.shape[:2]
            reading.set_aside("image", name, f"it has {width}x{height} px, its image {size[0]}x{size[1]}")
            return
        reading.notices.add(
            "size-turned", name, what="mask of the stored image: turned as the image is shown"
        )
        values = turned
    key = reading.add_image(image, f"{stems[0]}.jpg", name)
    before = len(reading.annotations)
    for number, colour, mask in _parts(reading, name, values, data or b""):
        class_name = drawn.name_of(number, colour, name)
        if class_name is not None:
            drawn.add(key, name, class_name, mask, maybe_void=class_name == f"class-{_VOID}")
    if len(reading.annotations) == before:
        reading.notices.add("image-empty", name)
        reading.images[key] = replace(reading.images[key], tags=(BACKGROUND,))


def _pixels(data: bytes) -> npt.NDArray[np.int64] | str:
    """(H, W) numbers of a mask, or (H, W, 3) colours; or why it is not a mask."""
    try:
        facts = vision.probe(data)
        with Image.open(io.BytesIO(data), formats=["PNG", "BMP", "TIFF", "GIF", "JPEG"]) as image:
            image.load()
            if image.format == "JPEG":
                return _black_and_white(np.asarray(image.convert("L")))
            if image.mode in ("P", "L", "1", "I;16", "I;16B", "I"):
                values = np.asarray(image).astype(np.int64)
            else:
                values = np.asarray(image.convert("RGB")).astype(np.int64)
    except IMAGE_ERRORS as error:
        return f"it cannot be read: {shown(str(error))}"
    if facts.n_frames > 1:
        return f"it holds {facts.n_frames} images"
    return values if values.size else "it is empty"


def _black_and_white(grey: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64] | str:
    """The values 0 and 255 that JPEG blurred; or why it is not such a mask."""
    if np.count_nonzero((grey > 48) & (grey < 207)) > grey.size * _BLURRED:
        return "it is a JPEG of more values than black and white, which JPEG does not keep"
    return np.where(grey > 127, 255, 0).astype(np.int64)


def _turned(values: npt.NDArray[np.int64], image: Path) -> npt.NDArray[np.int64]:
    """A mask of the stored pixels, turned as the EXIF orientation of its image says."""
    try:
        orientation = vision.probe(read_file(image, max_bytes=MAX_IMAGE_BYTES) or b"").orientation
    except (OSError, vision.ImageUnreadable):
        return values
    if orientation in (5, 7):
        transposed = values.swapaxes(0, 1)
        return transposed if orientation == 5 else transposed[::-1, ::-1]
    return np.rot90(values, {6: -1, 8: 1}.get(orientation, 0))


def _parts(
    reading: Reading, name: str, values: npt.NDArray[np.int64], data: bytes
) -> Iterator[tuple[int, colour_maps.Colour | None, masks.Rle]]:
    """Number (-1 for a colour), colour and pixels of each class, or of each object where a file separates them."""
    is_colour = values.ndim == 3
    classes = _packed(values)
    palette = None if is_colour else _palette(data)
    objects = _objects(reading, name, classes.shape)
    both = classes if objects is None else classes * (1 << 25) + objects
    found = runs_of(both)
    if len(found) > _MAX_COLOURS:
        what = f"it has {len(found):,} different values; it is not a mask of classes"
        reading.set_aside("image", name, what)
        return
    for value, starts, stops in found:
        number = value if objects is None else value >> 25
        edges = np.stack([starts, stops], axis=1).ravel()
        counts = np.diff(edges, prepend=0, append=both.size).tolist()
        mask = masks.Rle((both.shape[0], both.shape[1]), tuple(counts if counts[-1] else counts[:-1]))
        if is_colour:
            yield -1, (number >> 16, number >> 8 & 255, number & 255), mask
        else:
            yield number, palette.get(number) if palette else None, mask


def runs_of(
    numbers: npt.NDArray[np.int64],
) -> list[tuple[int, npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Each number of an (H, W) array, with the starts and stops of its runs column by column."""
    flat = numbers.ravel(order="F")
    starts = np.concatenate([[0], np.flatnonzero(flat[1:] != flat[:-1]) + 1])
    stops = np.concatenate([starts[1:], [flat.size]])
    order = np.argsort(flat[starts], kind="stable")
    values, first = np.unique(flat[starts][order], return_index=True)
    groups = np.split(order, first[1:])
    return [(int(value), starts[group], stops[group]) for value, group in zip(values, groups, strict=True)]


def _packed(values: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """(H, W) one number a pixel."""
    return values if values.ndim == 2 else values[..., 0] << 16 | values[..., 1] << 8 | values[..., 2]


def _palette(data: bytes) -> dict[int, colour_maps.Colour] | None:
    with Image.open(io.BytesIO(data)) as image:
        flat = image.getpalette("RGB") if image.mode == "P" else None
    colours = zip(flat[::3], flat[1::3], flat[2::3], strict=True) if flat else ()
    return dict(enumerate(colours)) or None


def _objects(reading: Reading, name: str, shape: tuple[int, ...]) -> npt.NDArray[np.int64] | None:
    """(H, W) one number an object, from the image beside the mask that tells objects apart."""
    at = folder_at(name)
    for folder in _OBJECTS if at is not None else ():
        beside = replaced(name, at or 0, folder)
        if reading.files.has(beside):
            data = reading.data(beside, max_bytes=MAX_IMAGE_BYTES)
            values = _pixels(data or b"")
            if isinstance(values, str) or values.shape[:2] != shape:
                reason = values if isinstance(values, str) else "it has another size than the mask of classes"
                reading.set_aside("image", beside, reason, kind="unreadable")
                return None
            return _packed(values)
    return None
