"""Samples as rows of Arrow and back."""

import pytest

from calotype.datasets import rows
from calotype.datasets.model import Sample, SampleInvalid

_FULL = Sample(
    sample_id="s1",
    media_sha256="ab" * 32,
    name="a/b.jpg",
    width_px=4,
    height_px=3,
    mime="image/jpeg",
    n_bytes=90,
    names=("a/b.jpg", "b.jpg"),
    source="camera",
    licence="MIT",
    group="drive 1",
    split="train",
    tags=("night",),
    metadata={"rain": True},
    extra={"id": 7},
    parent_id="s0",
    recipe="crop",
    import_id="i1",
    created_at_us=12,
)
_PLAIN = Sample("s2", "cd" * 32, "c.png", 1, 1, "image/png", 8)


@pytest.mark.parametrize("samples", [[], [_PLAIN], [_FULL, _PLAIN]])
def test_samples_come_back_as_they_were(samples):
    assert rows.samples_from_arrow(rows.samples_to_arrow(samples)) == samples


@pytest.mark.parametrize(
    ("column", "value"), [("width_px", 0), ("height_px", -1), ("name", ""), ("name", "n" * 4_097)]
)
def test_an_invalid_row_is_refused_with_the_reason(column, value):
    table = rows.samples_to_arrow([_FULL, _PLAIN])
    columns = table.to_pydict() | {column: [table[column][0].as_py(), value]}
    changed = type(table).from_pydict(columns, schema=table.schema)
    with pytest.raises(SampleInvalid, match="1 to 4096 characters" if column == "name" else "size"):
        rows.samples_from_arrow(changed)
