"""Samples for training as NumPy arrays, without any framework.

Class indices are dense: 0 to C - 1 in the order of the ontology (ascending class id). `classes` are their
names and `class_ids` their ids, so `class_ids[index]` is the id of a class. Samples are in order of name and
can be looked up by id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets import rows
from calotype.datasets.fields import parsed
from calotype.datasets.model import CORNERED, DEFAULT_LABEL_SET, WHOLE_IMAGE, Kind
from calotype.datasets.snapshot import SampleNotFound, Snapshot
from calotype.release.model import SplitNotFound
from calotype.store.media.objects import MediaMissing
from calotype.vision.images import decode_rgb

_COLUMNS = ["sample_id", "class_id", "kind", "x", "y", "w", "h", "iscrowd", "ann_id"]
_BOXLESS = sorted({*WHOLE_IMAGE, Kind.POLYLINE, Kind.POINT})
"""Kinds without a box to train on."""


class Item(TypedDict):
    """One sample.

    `image` (3, H, W) uint8 upright RGB; `boxes_xyxy_px` (N, 4) float32 corners in pixels of that image;
    `corners_px` (N, 4, 2) float32 the corners of each, x and y, clockwise from the top-left one of its own direction:
    of rotated boxes and ellipses those of their rectangle, of others those of their box; `class_indices` (N,) int64;
    `iscrowd` (N,) bool; `annotation_ids` N ids in the same order. `label` is the class index of the image's
    classification (-1 where it has none), `labels` (K,) int64 all of them, ascending. `captions` are the texts of its
    captions.

    The N annotations are those that cover a place: boxes, rotated boxes, polygons, masks, keypoints, ellipses.
    Polylines and points have no box to train on and are not among them; `View.annotations` has their points.
    """

    sample_id: str
    name: str
    image: npt.NDArray[np.uint8]
    boxes_xyxy_px: npt.NDArray[np.float32]
    class_indices: npt.NDArray[np.int64]
    iscrowd: npt.NDArray[np.bool_]
    annotation_ids: list[str]
    label: int
    labels: npt.NDArray[np.int64]
    corners_px: npt.NDArray[np.float32]
    captions: list[str]


class SampleReader:
    """Random access to the samples of one split. Holds only arrays and paths, so it can be pickled.

    Args:
        snapshot: The state to read; a commit, so that it does not change.
        split: Name of a split; None for all samples.
        label_set: Annotations to read.
        ids: Only these samples (the pool of a release).
    Raises: SplitNotFound.
    """

    def __init__(
        self,
        snapshot: Snapshot,
        split: str | None = None,
        label_set: str = DEFAULT_LABEL_SET,
        *,
        ids: Sequence[str] | None = None,
    ) -> None:
        self.name = snapshot.name
        self.split = split
        self.classes = snapshot.ontology.names
        self.class_ids = tuple(c.id for c in snapshot.ontology.classes)
        samples = samples_of(snapshot, ids)
        if split is not None:
            chosen = samples.filter(pc.equal(samples["split"], split))
            if not chosen.num_rows:
                known = ", ".join(sorted(filter(None, samples["split"].unique().to_pylist()))) or "none"
                raise SplitNotFound(dataset=snapshot.dataset.name, got=split[:80], known=known)
            samples = chosen
        self._ids = samples["sample_id"].combine_chunks()
        self._names = samples["name"].combine_chunks()
        self._locate(snapshot, samples)
        self._position_of: dict[str, int] | None = None  # created at the first lookup by id
        self._load(snapshot, label_set)

    @property
    def sample_ids(self) -> tuple[str, ...]:
        """Ids of all samples, in order."""
        return tuple(self._ids.to_pylist())

    @property
    def names(self) -> tuple[str, ...]:
        """Names of all samples, in order."""
        return tuple(self._names.to_pylist())

    def __len__(self) -> int:
        return len(self._ids)

    def __getitem__(self, key: int | str) -> Item:
        """A sample by its position in the order of names, or by its id.

        Raises: SampleNotFound (id), IndexError (position), MediaMissing, ImageUnreadable.
        """
        position = self._position(key)
        first, last = self._starts[position], self._starts[position + 1]
        selected = slice(first, last)
        indices = self._classes[selected]
        labels = np.unique(indices[self._is_label[selected]])
        boxes, crowd, ann_ids = self._boxes[selected], self._crowd[selected], self._ann_ids[first:last]
        corners = _corners(boxes)
        turned = slice(*np.searchsorted(self._turned, [first, last]))
        corners[self._turned[turned] - first] = self._turned_corners[turned]
        is_box = self._is_box[selected]
        if not is_box.all():
            corners = corners[is_box]
            boxes, crowd, indices = boxes[is_box], crowd[is_box], indices[is_box]
            ann_ids = ann_ids.filter(pa.array(is_box))
        return Item(
            sample_id=self._ids[position].as_py(),
            name=self._names[position].as_py(),
            image=self._image(position),
            boxes_xyxy_px=boxes.copy(),  # in-place changes must not show in the next epoch
            class_indices=indices.copy(),
            iscrowd=crowd.copy(),
            annotation_ids=ann_ids.to_pylist(),
            label=int(labels[0]) if len(labels) else -1,
            labels=labels,
            corners_px=corners,
            captions=list(self._captions.get(position, ())),
        )

    def __iter__(self) -> Iterator[Item]:
        return (self[position] for position in range(len(self)))

    def batches(
        self, size: int, *, seed: int | None = None, epoch: int = 0, drop_last: bool = False
    ) -> Iterator[dict[str, list[Any]]]:
        """Batches of samples as lists by key: in order of name, or shuffled by `seed` and `epoch`."""
        order = np.arange(len(self))
        if seed is not None:
            order = np.random.default_rng([seed, epoch]).permutation(order)
        size = max(1, size)
        for start in range(0, len(order), size):
            positions = order[start : start + size]
            if len(positions) == size or not drop_last:
                yield collate([self[int(position)] for position in positions])

    def _position(self, key: int | str) -> int:
        if isinstance(key, str):
            if self._position_of is None:
                ids = self._ids.to_pylist()
                self._position_of = {sample_id: position for position, sample_id in enumerate(ids)}
            position = self._position_of.get(key, -1)
            if position < 0:
                raise SampleNotFound(got=key[:80], dataset=self.name)
            return int(position)
        if not -len(self) <= key < len(self):
            raise IndexError(f"sample {key} of {len(self)}")  # ends Python's iteration over a sequence
        return key % len(self)

    def _locate(self, snapshot: Snapshot, samples: pa.Table) -> None:
        """Prepare the lookup of each sample's pixels."""
        self._elsewhere = snapshot.media.elsewhere
        place = snapshot.media.path if self._elsewhere is None else self._elsewhere.place
        keys = _each(samples["media_sha256"])
        self._paths = pa.array((str(place(key)) for key in keys), pa.large_string())

    def _image(self, position: int) -> npt.NDArray[np.uint8]:
        path = self._paths[position].as_py()
        try:
            with open(path, "rb", buffering=0) as file:
                data = file.read()
        except FileNotFoundError:
            if self._elsewhere is None:
                raise MediaMissing(sha256=Path(path).name, where=self._names[position].as_py()) from None
            ahead = self._paths[position : position + self._elsewhere.TOGETHER].to_pylist()
            data = self._elsewhere.read_first([Path(one).name for one in ahead])
        return np.ascontiguousarray(decode_rgb(data).transpose(2, 0, 1))

    def _load(self, snapshot: Snapshot, label_set: str) -> None:
        """Load all annotations as arrays sorted by sample, then id; `starts` (n + 1,) has each sample's first row."""
        table = snapshot.annotations(label_set, columns=_COLUMNS)
        classes = pa.array(self.class_ids, table["class_id"].type)
        table = table.append_column("position", pc.index_in(table["sample_id"], value_set=self._ids))
        table = table.append_column("index", pc.index_in(table["class_id"], value_set=classes))
        table = table.filter(pc.and_(pc.is_valid(table["position"]), pc.is_valid(table["index"])))
        table = table.select(["position", "index", "ann_id", "kind", "iscrowd", "x", "y", "w", "h"])
        table = table.sort_by([("position", "ascending"), ("ann_id", "ascending")])
        self._starts = np.searchsorted(table["position"].to_numpy(), np.arange(len(self) + 1))
        self._classes = table["index"].to_numpy().astype(np.int64)
        self._is_label = pc.equal(table["kind"], str(Kind.CLASSIFICATION)).to_numpy()
        boxless = pc.is_in(table["kind"], value_set=pa.array(_BOXLESS)).to_numpy()
        self._is_box = pc.is_valid(table["x"]).to_numpy() & ~boxless
        self._crowd = pc.fill_null(table["iscrowd"], False).to_numpy()
        self._ann_ids = table["ann_id"].combine_chunks()
        boxes = np.empty((table.num_rows, 4), np.float64)
        for column, side in enumerate("xywh"):
            boxes[:, column] = pc.fill_null(table[side], 0.0).to_numpy()
        boxes[:, 2:] += boxes[:, :2]
        self._boxes = boxes.astype(np.float32)
        self._load_shapes(snapshot, label_set, table)

    def _load_shapes(self, snapshot: Snapshot, label_set: str, table: pa.Table) -> None:
        """Load the corners of rotated boxes and ellipses, and the captions; their columns only where there are any."""
        self._captions: dict[int, list[str]] = {}
        self._turned = np.zeros(0, np.int64)
        self._turned_corners = np.zeros((0, 4, 2), np.float32)
        kinds = pa.array([*sorted(CORNERED), Kind.CAPTION], pa.string())
        places = np.flatnonzero(pc.is_in(table["kind"], value_set=kinds).to_numpy())
        if not len(places):
            return
        shapes = snapshot.annotations(label_set, columns=["ann_id", "kind", "rings", "attributes"])
        shapes = shapes.filter(pc.is_in(shapes["kind"], value_set=kinds))
        chosen = table.take(pa.array(places))
        shapes = shapes.take(pc.index_in(chosen["ann_id"], value_set=shapes["ann_id"].combine_chunks()))
        turned = pc.not_equal(shapes["kind"], str(Kind.CAPTION))
        rings = shapes.filter(turned)["rings"].to_pylist()
        self._turned = places[turned.to_numpy()]
        self._turned_corners = np.asarray([ring[0] for ring in rings], np.float32).reshape(-1, 4, 2)
        texts = shapes.filter(pc.invert(turned))["attributes"].to_pylist()
        positions = chosen.filter(pc.invert(turned))["position"].to_pylist()
        for position, values in zip(positions, parsed(texts), strict=True):
            self._captions.setdefault(position, []).append(str(values.get("text", "")))


def _corners(boxes_xyxy_px: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(N, 4, 2) the corners of boxes, clockwise from the top-left one."""
    return boxes_xyxy_px[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 4, 2)


def samples_of(snapshot: Snapshot, ids: Sequence[str] | None) -> pa.Table:
    """The columns that a reader needs, in order of name."""
    columns = ["sample_id", "name", "media_sha256", "split", "width_px", "height_px"]
    table = snapshot.rows_of(rows.SAMPLES, columns=columns)
    if ids is not None:
        table = table.filter(pc.is_in(table["sample_id"], value_set=pa.array(ids, pa.string())))
    return table.sort_by([("name", "ascending"), ("sample_id", "ascending")])


def _each(column: pa.ChunkedArray) -> Iterator[str]:
    for chunk in column.chunks:
        for start in range(0, len(chunk), 10_000):
            yield from chunk.slice(start, 10_000).to_pylist()


def collate(items: Sequence[Mapping[str, Any] | Item]) -> dict[str, list[Any]]:
    """A batch as lists by key. Images and boxes differ in size, so they are not stacked."""
    return {key: [item[key] for item in items] for key in (items[0] if items else ())}  # type: ignore[literal-required]
