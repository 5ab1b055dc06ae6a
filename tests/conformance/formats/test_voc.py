"""Pascal VOC: hostile XML is refused, broken boxes are set aside, boxes without area are kept."""

from __future__ import annotations

import pytest
from tests.support.labels import read_labels

from calotype.exchange import registry
from calotype.formats.base import LabelFileUnreadable

VOC = registry.reader("voc")


def write(folder, *objects):
    things = "".join(f"<object><name>cat</name><bndbox>{box}</bndbox></object>" for box in objects)
    (folder / "a.xml").write_text(f"<annotation><filename>a.png</filename>{things}</annotation>")
    return folder / "a.xml"


def corners(*values):
    return "".join(f"<{s}>{v}</{s}>" for s, v in zip(("xmin", "ymin", "xmax", "ymax"), values, strict=True))


@pytest.mark.parametrize(
    ("values", "box"),
    [((1, 2, 11, 22), (1, 2, 10, 20)), ((1.5, 2, 3.25, 4), (1.5, 2, 1.75, 2)), ((5, 5, 5, 5), (5, 5, 0, 0))],
)
def test_corners_are_read_as_they_are(tmp_path, values, box):
    (found,) = read_labels(VOC, write(tmp_path, corners(*values))).annotations
    assert found.drawn.bbox_xywh_px == box


@pytest.mark.parametrize("values", [(11, 2, 1, 22), ("x", 2, 3, 4), ("nan", 2, 3, 4), ("", 2, 3, 4)])
def test_a_broken_box_is_set_aside(tmp_path, values):
    parsed = read_labels(VOC, write(tmp_path, corners(*values), corners(1, 2, 3, 4)))
    assert (len(parsed.annotations), len(parsed.problems)) == (1, 1)


@pytest.mark.parametrize(
    "text",
    [
        "<annotation>",
        "<other/>",
        '<!DOCTYPE x [<!ENTITY a "aaaa">]><annotation><filename>&a;</filename></annotation>',
        '<!DOCTYPE x SYSTEM "http://nowhere.invalid/x.dtd"><annotation/>',
        '<!DOCTYPE x [<!ENTITY a SYSTEM "canary.txt">]><annotation><filename>&a;</filename></annotation>',
    ],
)
def test_a_hostile_or_broken_file_is_refused(tmp_path, text):
    (tmp_path / "a.xml").write_text(text)
    (tmp_path / "canary.txt").write_text("canary")
    with pytest.raises(LabelFileUnreadable) as refused:
        read_labels(VOC, tmp_path / "a.xml")
    assert "canary" not in str(refused.value)


def test_elements_nested_without_end_are_refused(tmp_path):
    body = "<p>" * 50_000 + "</p>" * 50_000
    (tmp_path / "a.xml").write_text(f"<annotation><filename>a.png</filename>{body}</annotation>")
    with pytest.raises(LabelFileUnreadable, match="deeper than 100 levels"):
        read_labels(VOC, tmp_path / "a.xml")
