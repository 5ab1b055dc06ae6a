"""Plain boxes of Pascal VOC are read and written by columns; whatever else a file holds, the results are the same."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from calotype.datasets import rows
from calotype.exchange import registry
from calotype.trainer_formats.voc.xml_files import load

_BOX = "<bndbox><xmin>1.5</xmin><ymin> 2 </ymin><xmax>30</xmax><ymax>40</ymax></bndbox>"
_OBJECTS = {
    "plain": f"<object><name> cat </name>{_BOX}</object>",
    "flags": "<object><name>cat</name><pose>Left</pose><truncated>1</truncated><difficult>0</difficult>"
    f"{_BOX}</object>",
    "number": f"<object><name>dog</name>{_BOX.replace('1.5', '1_5')}</object>",
    "swapped": f"<object><name>dog</name>{_BOX.replace('30', '0')}</object>",
    "far": f"<object><name>dog</name>{_BOX.replace('30', '1e9')}</object>",
    "nan": f"<object><name>dog</name>{_BOX.replace('30', 'nan')}</object>",
    "two names": f"<object><name>dog</name><name>cat</name>{_BOX}</object>",
    "two sides": f"<object><name>dog</name>{_BOX.replace('</bndbox>', '<xmin>9</xmin></bndbox>')}</object>",
    "no name": f"<object>{_BOX}</object>",
    "no box": "<object><name>dog</name></object>",
    "part": f"<object><name>dog</name>{_BOX}<part><name>head</name>{_BOX}</part></object>",
    "attribute": f"<object><name>dog</name>{_BOX}<attributes><attribute><name>a</name><value>b</value></attribute>"
    "</attributes></object>",
    "polygon": f"<object><name>dog</name>{_BOX}<polygon><x1>1</x1><y1>2</y1><x2>9</x2><y2>2</y2><x3>9</x3><y3>9</y3>"
    "</polygon></object>",
}


def _written(folder: Path, objects: list[str], comment: str) -> Path:
    (folder / "Annotations").mkdir(parents=True)
    for number in range(3):
        body = f"<filename>{number}.jpg</filename><size><width>50</width><height>60</height></size>"
        text = f"<annotation>{comment}{body}{''.join(objects[number:])}</annotation>"
        (folder / f"Annotations/{number}.xml").write_text(text)
    return folder


def _read(folder: Path) -> dict[str, Any]:
    (source,) = registry.given(folder, "voc").format.open(folder)
    assert source.index is not None
    read: dict[str, Any] = {
        "images": [asdict(image) for image in source.images.values(range(len(source.images)))],
        "problems": list(source.problems),
        "rows": [],
    }
    for window in source.windows(source.index):
        assert window.identities is not None
        columns = {
            name: column.cast(rows.ANNOTATION_SCHEMA.field(name).type).to_pylist()
            for name, column in window.columns.items()
        }
        classes = [source.index.classes[number] for number in window.category.tolist()]
        for at, name in enumerate(classes):
            row = {key: values[at] for key, values in columns.items()}
            read["rows"].append((int(window.image[at]), name, window.place(at), window.identities[at], row))
    return read


@pytest.mark.parametrize("chosen", [*([name] for name in _OBJECTS), list(_OBJECTS), ["plain", "flags"]])
def test_the_fast_and_the_strict_parser_give_the_same(tmp_path: Path, chosen: list[str]) -> None:
    objects = [_OBJECTS[name] for name in chosen] * 3
    fast = _read(_written(tmp_path / "fast", objects, ""))
    strict = _read(_written(tmp_path / "strict", objects, "<!-- read by the strict parser -->"))
    assert fast == strict
    assert len(fast["images"]) == 3


def test_a_box_is_the_same_alone_and_beside_other_shapes(tmp_path: Path) -> None:
    alone = _read(_written(tmp_path / "alone", [_OBJECTS["flags"]] * 3, ""))
    beside = _read(_written(tmp_path / "beside", [_OBJECTS["flags"], _OBJECTS["polygon"]] * 3, ""))
    kept = [row[3:] for row in beside["rows"] if row[4]["kind"] == "box"]
    assert {str(row[3:]) for row in alone["rows"]} == {str(row) for row in kept}
    assert alone["rows"][0][4]["attributes"] == '{"difficult":false,"pose":"Left","truncated":true}'


@pytest.mark.parametrize(
    "data",
    [
        b'<!DOCTYPE annotation [<!ENTITY a "b">]><annotation>&a;</annotation>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE annotation><annotation/>'.encode("utf-16"),
        '<!DOCTYPE annotation [<!ENTITY a "b">]><annotation>&a;</annotation>'.encode("utf-16-le"),
        b'<?xml version="1.0" encoding="cp037"?>' + "<!DOCTYPE annotation><annotation/>".encode("cp037"),
        b"<annotation><object></annotation>",
    ],
)
def test_declared_entities_are_refused_in_every_encoding(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.xml").write_bytes(data)
    with pytest.raises(Exception, match="cannot be read as Pascal VOC"):
        load(tmp_path / "a.xml")
