"""Ids of imported annotations: derived from the label set, the sample and what identifies the row in its source.

The same row of another edition of a file has the same id, so that importing again updates instead of adding.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Set
from hashlib import blake2b

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from calotype.datasets import row_ids
from calotype.formats.windows import Window


class AnnotationIds:
    """Derives the ids of one pass over a source, window by window.

    Rows with the same content and no number get ids by their count, which needs to know beforehand which contents
    occur more than once: `repeated` has those of this pass when it is over.
    """

    def __init__(self, label_set: str, repeated: Set[int]) -> None:
        self._label_set = label_set
        self._repeated = np.array(sorted(repeated), np.uint64)
        self._contents: list[npt.NDArray[np.uint64]] = []
        self._seen: Counter[int] = Counter()
        self._seen_digests: set[bytes] = set()
        self._seen_again: Counter[bytes] = Counter()

    def derive(self, window: Window, sample_ids: pa.Array, class_ids: npt.NDArray[np.int32]) -> pa.Array:
        """The ids of the rows of a window, given the sample and the class in the ontology of each."""
        if window.identities is not None:
            return self._from_identities(window.identities, sample_ids.to_pylist())
        of_sample = row_ids.from_text(sample_ids) ^ row_ids.salt("annotation", self._label_set)
        numbers = window.source_id.fill_null(0).to_numpy().view(np.uint64)
        pairs = row_ids.mixed(of_sample, numbers)
        unnumbered = window.source_id.is_null().to_numpy(zero_copy_only=False)
        if unnumbered.any():
            content = row_ids.mixed(of_sample ^ row_ids.salt("content"), *_content(window, class_ids))
            pairs[unnumbered] = self._counted(content)[unnumbered]
            self._contents.append(pairs[unnumbered, 0])
        return row_ids.derived_ids(pairs)

    @property
    def repeated(self) -> set[int]:
        """Contents without a number that occurred more than once so far."""
        if not self._contents:
            return set()
        values, counts = np.unique(np.concatenate(self._contents), return_counts=True)
        return set(values[counts > 1].tolist())

    def _counted(self, content: row_ids.Pairs) -> row_ids.Pairs:
        if not len(self._repeated):
            return content
        count = np.zeros(len(content), np.uint64)
        for at in np.flatnonzero(np.isin(content[:, 0], self._repeated)).tolist():
            value = int(content[at, 0])
            count[at] = self._seen[value]
            self._seen[value] += 1
        return np.where(count[:, None] > 0, row_ids.mixed(content, count), content)

    def _from_identities(self, identities: list[str], sample_ids: list[str]) -> pa.Array:
        """Ids as of `uuid8` of label set, sample, identity, and how often both occurred so far."""
        start, seen, digests = f"annotation\x1f{self._label_set}\x1f", self._seen_digests, []
        for identity, sample_id in zip(identities, sample_ids, strict=True):
            text = f"{start}{sample_id}\x1f{identity}\x1f"
            digest = _digest(f"{text}1")
            if digest in seen:
                self._seen_again[digest] += 1
                digests.append(_digest(f"{text}{self._seen_again[digest] + 1}"))
            else:
                seen.add(digest)
                digests.append(digest)
        pairs = np.frombuffer(b"".join(digests), ">u8").astype(np.uint64).reshape(-1, 2)
        return row_ids.derived_ids(pairs)


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _content(window: Window, class_ids: npt.NDArray[np.int32]) -> list[npt.NDArray[np.uint64]]:
    columns = window.columns
    numbers = [
        columns[name].cast(pa.float64()).fill_null(-1.0).to_numpy() for name in ("x", "y", "w", "h", "score")
    ]
    parts = [
        class_ids.astype(np.uint64),
        *(np.ascontiguousarray(column).view(np.uint64) for column in numbers),
    ]
    shapes = pa.table({name: columns[name] for name in ("rings", "mask_rle", "keypoints")})
    has_shapes = any(shapes[name].null_count < len(shapes) for name in ("rings", "keypoints"))
    if has_shapes or any(shapes["mask_rle"].to_pylist()):
        texts = (msgspec.json.encode(row).decode() for row in shapes.to_pylist())
        parts.append(np.array([row_ids.salt(text)[0, 0] for text in texts], np.uint64))
    return parts
