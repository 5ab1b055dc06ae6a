"""Samples for training as NumPy arrays, without any framework.

Class indices are dense: 0 to C - 1 in the order of the ontology (ascending class id). `classes` are their
names and `class_ids` their ids, so `class_ids[index]` leads back. Samples come in order of name and are found
by id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from calotype.datasets.model import DEFAULT_LABEL_SET, Kind
from calotype.datasets.snapshot import SampleNotFound, Snapshot
from calotype.release.model import SplitNotFound
from calotype.store.media import MediaMissing
from calotype.vision.images import decode_rgb

_COLUMNS = ["sample_id", "class_id", "kind", "x", "y", "w", "h", "iscrowd", "ann_id"]


class Item(TypedDict):
    """One sample.

    `image` (3, H, W) uint8 upright RGB; `boxes_xyxy_px` (N, 4) float32 corners in pixels of that image;
    `class_indices` (N,) int64; `iscrowd` (N,) bool; `annotation_ids` N ids in the same order. `label` is the
    class index of the image's classification (-1 where it has none), `labels` (K,) int64 all of them,
    ascending.
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


class SampleReader:
    """Random access to the samples of one split; holds arrays and paths only, so it may go to other
    processes.

    Args:
        snapshot: The state to read; a commit, so that it stays the same.
        split: A split's name; None for all samples.
        label_set: Whose annotations.
        ids: Only these samples (the pool of a release).
    Raises: SplitNotFound.
    """

    def __init__(
        self, snapshot: Snapshot, split: str | None = None, label_set: str = DEFAULT_LABEL_SET, *,
        ids: Sequence[str] | None = None,
    ) -> None:  # fmt: skip
        self.name = snapshot.name
        self.split = split
        self.classes = snapshot.ontology.names
        self.class_ids = tuple(c.id for c in snapshot.ontology.classes)
        samples = list(snapshot.iter_samples(ids=ids))
        chosen = [sample for sample in samples if split is None or sample.split == split]
        if not chosen and split is not None:
            known = ", ".join(sorted({sample.split for sample in samples if sample.split})) or "none"
            raise SplitNotFound(dataset=snapshot.dataset.name, got=split[:80], known=known)
        chosen.sort(key=lambda sample: (sample.name, sample.sample_id))
        self.sample_ids = tuple(sample.sample_id for sample in chosen)
        self.names = tuple(sample.name for sample in chosen)
        self._paths: tuple[Path, ...] = tuple(snapshot.image_path(sample) for sample in chosen)
        self._at = {sample_id: at for at, sample_id in enumerate(self.sample_ids)}
        self._load(snapshot, label_set)

    def __len__(self) -> int:
        return len(self.sample_ids)

    def __getitem__(self, at: int | str) -> Item:
        """The sample at a place in the order of names, or of an id.

        Raises: SampleNotFound (id), IndexError (place), MediaMissing, ImageUnreadable.
        """
        place = self._place(at)
        first, last = self._starts[place], self._starts[place + 1]
        kept = slice(first, last)
        is_box = self._is_box[kept]
        labels = np.unique(self._classes[kept][self._is_label[kept]])
        return Item(
            sample_id=self.sample_ids[place],
            name=self.names[place],
            image=self._image(place),
            boxes_xyxy_px=self._boxes[kept][is_box],
            class_indices=self._classes[kept][is_box],
            iscrowd=self._crowd[kept][is_box],
            annotation_ids=[ann_id for ann_id, box in zip(self._ann_ids[kept], is_box, strict=True) if box],
            label=int(labels[0]) if len(labels) else -1,
            labels=labels,
        )

    def __iter__(self) -> Iterator[Item]:
        return (self[place] for place in range(len(self)))

    def batches(
        self, size: int, *, seed: int | None = None, epoch: int = 0, drop_last: bool = False
    ) -> Iterator[dict[str, list[Any]]]:  # fmt: skip
        """Batches of samples as lists by key. Without a seed in order of name, else shuffled by seed and
        epoch.
        """
        order = np.arange(len(self))
        if seed is not None:
            order = np.random.default_rng([seed, epoch]).permutation(order)
        size = max(1, size)
        for start in range(0, len(order), size):
            places = order[start : start + size]
            if len(places) == size or not drop_last:
                yield collate([self[int(place)] for place in places])

    def _place(self, at: int | str) -> int:
        if isinstance(at, str):
            if at not in self._at:
                raise SampleNotFound(got=at[:80], dataset=self.name)
            return self._at[at]
        if not -len(self) <= at < len(self):
            raise IndexError(f"sample {at} of {len(self)}")  # what ends Python's own loops over a sequence
        return at % len(self)

    def _image(self, place: int) -> npt.NDArray[np.uint8]:
        path = self._paths[place]
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise MediaMissing(sha256=path.name, where=self.names[place]) from None
        return np.ascontiguousarray(decode_rgb(data).transpose(2, 0, 1))

    def _load(self, snapshot: Snapshot, label_set: str) -> None:
        """All annotations as arrays sorted by sample, then id; `starts` (n + 1,) says where each sample's
        begin.
        """
        table = snapshot.annotations(label_set, columns=_COLUMNS)
        columns = {name: table[name].to_pylist() for name in _COLUMNS}
        index_of = {class_id: index for index, class_id in enumerate(self.class_ids)}
        places = [self._at.get(sample_id, -1) for sample_id in columns["sample_id"]]
        known = [at for at, place in enumerate(places) if place >= 0 and columns["class_id"][at] in index_of]
        known.sort(key=lambda at: (places[at], columns["ann_id"][at]))
        held = np.array([places[at] for at in known], dtype=np.int64)
        self._starts = np.searchsorted(held, np.arange(len(self) + 1))
        self._classes = np.array([index_of[columns["class_id"][at]] for at in known], dtype=np.int64)
        self._is_label = np.array(
            [columns["kind"][at] == Kind.CLASSIFICATION for at in known], dtype=np.bool_
        )
        self._is_box = (
            np.array([columns["x"][at] is not None for at in known], dtype=np.bool_) & ~self._is_label
        )
        self._crowd = np.array([bool(columns["iscrowd"][at]) for at in known], dtype=np.bool_)
        self._ann_ids = [columns["ann_id"][at] for at in known]
        corners = [[columns[side][at] or 0.0 for side in "xywh"] for at in known]
        boxes = np.array(corners, dtype=np.float64).reshape(-1, 4)
        boxes[:, 2:] += boxes[:, :2]
        self._boxes = boxes.astype(np.float32)


def collate(items: Sequence[Mapping[str, Any] | Item]) -> dict[str, list[Any]]:
    """A batch as lists by key: images and boxes differ in size, so nothing is stacked."""
    return {key: [item[key] for item in items] for key in (items[0] if items else ())}  # type: ignore[literal-required]
