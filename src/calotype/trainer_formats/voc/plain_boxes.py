"""Objects that are nothing but a class and a box, as most are: their XML is made by columns, with no value for each."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from calotype.datasets.model import Kind
from calotype.trainer_formats.voc.objects import SIDES
from calotype.trainer_formats.voc.xml_files import leaf

Bools = npt.NDArray[np.bool_]

CORNERS = "\n".join(["    <bndbox>", *(f"      <{side}>%.10g</{side}>" for side in SIDES), "    </bndbox>"])
"""The lines of a box, to be filled with its four corners."""


def are_plain(table: pa.Table) -> Bools:
    """(N,) which rows are boxes without attributes and extra keys."""
    plain = pc.and_(pc.equal(table["kind"], str(Kind.BOX)), pc.is_valid(table["x"]))
    for name in ("attributes", "extra"):
        plain = pc.and_(plain, pc.equal(pc.fill_null(table[name], ""), ""))
    mask: Bools = plain.combine_chunks().to_numpy(zero_copy_only=False).astype(bool)
    return mask


def object_texts(table: pa.Table, names: Mapping[int, str]) -> list[str]:
    """The element `object` of each row, of which only class and box are looked at; it ends with a line break."""
    x, y, w, h = (table[side].to_numpy() for side in "xywh")
    of_class: dict[int, Callable[[tuple[float, ...]], str]] = {}
    for class_id in pc.unique(table["class_id"]).to_pylist():
        name = leaf("name", names[class_id], 2).replace("%", "%%")
        of_class[class_id] = f"  <object>\n{name}\n{CORNERS}\n  </object>\n".__mod__
    corners = zip(x.tolist(), y.tolist(), (x + w).tolist(), (y + h).tolist(), strict=True)
    classes = table["class_id"].to_pylist()
    return [of_class[class_id](box) for class_id, box in zip(classes, corners, strict=True)]
