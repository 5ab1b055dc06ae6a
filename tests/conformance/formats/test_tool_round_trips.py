"""Formats of labelling tools: generated annotations out and in again, each kind that the format keeps as it is."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.labels import read_labels
from tests.support.written_labels import OF_KIND, ONE_POINT, annotation, same_shape, sample, write

from calotype.datasets.model import Kind
from calotype.exchange import registry
from calotype.tool_formats import shapes
from calotype.vision.ontology import Class, Ontology

ONE_POINT_EACH = {**OF_KIND, Kind.POINT: ONE_POINT}
KEPT = {
    "cvat": OF_KIND,
    "label-studio": ONE_POINT_EACH,
    "labelme": {kind: OF_KIND[kind] for kind in sorted({*OF_KIND} - {Kind.ELLIPSE, Kind.KEYPOINTS})},
    "darwin": {
        kind: ONE_POINT_EACH[kind]
        for kind in sorted({*OF_KIND} - {Kind.ROTATED_BOX, Kind.MASK, Kind.KEYPOINTS})
    },
    "labelbox": {
        kind: ONE_POINT_EACH[kind]
        for kind in (Kind.CLASSIFICATION, Kind.BOX, Kind.POLYGON, Kind.POLYLINE, Kind.POINT, Kind.MASK)
    },
    "fiftyone": {kind: OF_KIND[kind] for kind in sorted({*OF_KIND} - {Kind.ROTATED_BOX, Kind.ELLIPSE})},
    "via": {
        kind: ONE_POINT_EACH[kind]
        for kind in (Kind.CLASSIFICATION, Kind.BOX, Kind.POLYGON, Kind.POLYLINE, Kind.POINT, Kind.ELLIPSE)
    },
}
"""Kinds that come back as they were."""
TEXTS_ONLY = {"via", "labelbox", "darwin"}
"""Formats whose attributes are texts."""
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12).map(
    str.strip
)


@pytest.mark.parametrize("name", KEPT)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_shapes_come_back_as_they_were(name, data):
    format = registry.reader(name)
    kinds = data.draw(st.lists(st.sampled_from(sorted(KEPT[name])), min_size=1, max_size=5))
    labels = [
        annotation(data.draw(KEPT[name][kind]), at=at, class_id=2 if kind is Kind.KEYPOINTS else at % 2)
        for at, kind in enumerate(kinds)
        if kind is not Kind.CLASSIFICATION or kinds.index(kind) == at  # each class once
    ]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        written = write(format, out, [(sample("a.png"), labels), (sample("sub/b.png"), [])])
        back = read_labels(format, out)
    assert written.n_annotations == len(labels) == len(back.annotations)
    assert back.problems == []
    assert sorted(image.name for image in back.images) == ["a.png", "sub/b.png"]
    left = list(back.annotations)
    for one in labels:
        found = next((read for read in left if same_shape(one, read.drawn)), None)
        assert found is not None, (one, [read.drawn for read in left])
        assert found.class_name == ("cat", "dog", "person")[one.class_id]
        left.remove(found)


@pytest.mark.parametrize("name", KEPT)
@settings(max_examples=30, deadline=None)
@given(texts=st.lists(TEXT.filter(lambda text: text not in ("", "true", "false")), min_size=3, max_size=3))
def test_texts_come_back_as_they_were(name, texts):
    format = registry.reader(name)
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        attributes = {
            f"x {texts[0]}": texts[1],
            "occluded": True,
            "group_id": "3" if name in TEXTS_ONLY else 3,
        }
        ontology = Ontology((Class(0, f"c {texts[2]}"),))
        one = annotation(shapes.box(1, 2, 3, 4), attributes=attributes)
        write(format, out, [(sample("a.png"), [one])], ontology=ontology)
        (read,) = read_labels(format, out).annotations
    assert read.class_name == f"c {texts[2]}"
    assert dict(read.drawn.attributes) == attributes
