"""The query language of views: a small safe language over samples and their annotations.

    light = "night" and count(car) >= 3
    any(class = "person" and area > 900 and iscrowd = false) or tags has "street"
    not (split in ("train", "val")) and width >= 640 and luma is not missing

The text is parsed into a tree (`syntax`) and compiled to SQL with bound parameters (`compile`); user text never
becomes part of the SQL.
"""

from calotype.datasets.query.expression import Expression, annotation_count, any_annotation, field
from calotype.datasets.query.syntax import QueryInvalid, parse

__all__ = ["Expression", "QueryInvalid", "annotation_count", "any_annotation", "field", "parse"]
