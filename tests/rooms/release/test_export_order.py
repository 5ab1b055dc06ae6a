"""The order of annotations in an export: as their samples, then by their ids."""

import numpy as np
import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from calotype.release.build import annotation_order

_IDS = st.builds("{}{}{}".format, st.sampled_from(["0" * 8, "a" * 8]), st.sampled_from(["1" * 23, "b" * 23]),
                 st.sampled_from("0123456789abcdef"))  # fmt: skip


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), _IDS | st.sampled_from(["x", "\u00e9" * 16])), max_size=12))
def test_annotations_follow_their_samples_then_their_ids(rows):
    position = np.array([place for place, _ in rows], np.int32)
    order = annotation_order(position, pa.chunked_array([pa.array([one for _, one in rows], pa.string())]))
    assert [rows[at] for at in order] == sorted(rows, key=lambda row: (row[0], row[1].encode()))
