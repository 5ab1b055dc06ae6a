"""Files of the usual shape are taken apart by patterns; whatever else they hold, both parsers read the same."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.conformance.formats.test_voc_plain import _read

from calotype.trainer_formats.voc import reading, usual_text, xml_files

LABEL_TOOL = b"""<annotation verified="yes">
\t<folder>images</folder>
\t<filename>a.jpg</filename>
\t<path>C:\\Users\\me\\images\\a.jpg</path>
\t<source>
\t\t<database>Unknown</database>
\t</source>
\t<size>
\t\t<width>640</width>
\t\t<height>480</height>
\t\t<depth>3</depth>
\t</size>
\t<segmented>0</segmented>
\t<object>
\t\t<name>cat</name>
\t\t<pose>Unspecified</pose>
\t\t<truncated>0</truncated>
\t\t<difficult>1</difficult>
\t\t<bndbox>
\t\t\t<xmin>10</xmin>
\t\t\t<ymin>20</ymin>
\t\t\t<xmax>30.5</xmax>
\t\t\t<ymax>40</ymax>
\t\t</bndbox>
\t</object>
</annotation>
"""
SERVICE = b"""<annotation>
\t<folder></folder>
\t<filename>a_jpg.rf.0123.jpg</filename>
\t<path>a_jpg.rf.0123.jpg</path>
\t<source>
\t\t<database>service</database>
\t</source>
\t<size>
\t\t<width>416</width>
\t\t<height>416</height>
\t\t<depth>3</depth>
\t</size>
\t<segmented>0</segmented>
\t<object>
\t\t<name>\xe7\x8c\xab</name>
\t\t<pose>Unspecified</pose>
\t\t<truncated>0</truncated>
\t\t<difficult>0</difficult>
\t\t<occluded>0</occluded>
\t\t<bndbox>
\t\t\t<xmin>1</xmin>
\t\t\t<xmax>3</xmax>
\t\t\t<ymin>2</ymin>
\t\t\t<ymax>4</ymax>
\t\t</bndbox>
\t</object>
</annotation>
"""
DEVELOPMENT_KIT = b"""<annotation>
\t<folder>VOC2012</folder>
\t<filename>2007_000027.jpg</filename>
\t<source>
\t\t<database>The VOC2007 Database</database>
\t\t<annotation>PASCAL VOC2007</annotation>
\t\t<image>flickr</image>
\t</source>
\t<size>
\t\t<width>486</width>
\t\t<height>500</height>
\t\t<depth>3</depth>
\t</size>
\t<segmented>0</segmented>
\t<object>
\t\t<name>person</name>
\t\t<pose>Unspecified</pose>
\t\t<truncated>0</truncated>
\t\t<occluded>1</occluded>
\t\t<bndbox>
\t\t\t<xmin>174</xmin>
\t\t\t<ymin>101</ymin>
\t\t\t<xmax>349</xmax>
\t\t\t<ymax>351</ymax>
\t\t</bndbox>
\t\t<difficult>0</difficult>
\t</object>
</annotation>
"""

_PIECES = (
    *(
        "<object>",
        "</object>",
        "<name>",
        "</name>",
        "<bndbox>",
        "</bndbox>",
        "<xmin>1</xmin>",
        "<pose>x</pose>",
    ),
    *(
        "<truncated>1</truncated>",
        "<size>",
        "</size>",
        "<width>5</width>",
        "<folder>f</folder>",
        "<part>",
        "</part>",
    ),
    *(
        "<filename>b.jpg</filename>",
        "<!-- c -->",
        "<![CDATA[a]]>",
        "]]>",
        "&amp;",
        "&lt;",
        "&a;",
        "\r\n",
        "\x00",
    ),
    *(
        "\x0b",
        "\x1f",
        "\ufffe",
        "\u00e9",
        " ",
        "\t",
        "-",
        ".",
        "1e3",
        "9" * 18,
        "_",
        "/",
        "<a/>",
        "<?p ?>",
        "",
    ),
    *("</annotation>", "<annotation>", " a='b'", " xmlns='c'", "nan", "\u0664", "\u00a0", ">", "<", "0"),
)


def _variant(data: bytes, folder: Path, patched: pytest.MonkeyPatch, *parsers: str) -> Any:
    """What is read with only some of the three ways."""
    root = folder / "_".join(parsers)
    (root / "Annotations").mkdir(parents=True)
    (root / "Annotations/a.xml").write_bytes(data)
    (root / "Annotations/whole.xml").write_bytes(DEVELOPMENT_KIT)
    with patched.context() as patch:
        if "usual" not in parsers:
            patch.setattr(reading, "read_usual", lambda _data: None)
        if "plain" not in parsers:
            patch.setattr(xml_files, "read_plain", lambda _data: None)
        return _read(root)


def _agree(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patched:
        usual = _variant(data, Path(folder), patched, "usual", "plain")
        assert usual == _variant(data, Path(folder), patched, "plain")
        assert usual == _variant(data, Path(folder), patched, "strict")


@pytest.mark.parametrize("data", [LABEL_TOOL, SERVICE, DEVELOPMENT_KIT], ids=["label tool", "service", "kit"])
def test_what_tools_write_is_of_the_usual_shape_and_read_alike(data: bytes) -> None:
    found = usual_text.read_usual(data)
    assert found is not None
    assert len(found.objects) == 1
    assert usual_text.flags_of(found.objects[0][1]) is not None
    _agree(data)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from([LABEL_TOOL, SERVICE, DEVELOPMENT_KIT]),
    st.lists(
        st.tuples(st.integers(0, 900), st.integers(0, 60), st.sampled_from(_PIECES)), min_size=1, max_size=3
    ),
)
def test_the_three_ways_agree_on_changed_files(data: bytes, changes: list[tuple[int, int, str]]) -> None:
    for at, n_removed, piece in changes:
        data = data[:at] + piece.encode() + data[at + n_removed :]
    _agree(data)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_the_three_ways_agree_on_repeated_and_moved_lines(data: st.DataObject) -> None:
    lines = data.draw(st.sampled_from([LABEL_TOOL, SERVICE, DEVELOPMENT_KIT])).splitlines(keepends=True)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(lines) - 1))
        part = lines[start : start + data.draw(st.integers(1, 10))]
        if data.draw(st.booleans()):
            del lines[start : start + len(part)]
        to = data.draw(st.integers(0, len(lines)))
        lines[to:to] = part
    _agree(b"".join(lines))
