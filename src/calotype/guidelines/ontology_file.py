"""Classes written as YAML, applied to an ontology; and what differs between two ontologies. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import yaml

from calotype.datasets.model import Kind
from calotype.foundation import yaml_text
from calotype.guidelines.model import ClassDiff, FieldChange, OntologyInvalid
from calotype.vision.ontology import Attribute, Class, ClassExists, ClassInvalid, Ontology

MAX_TEXT = 2_000_000
"""Characters of a file of classes."""
_TEXTS = ("definition", "colour", "key", "supercategory")
_FIELDS = (*_TEXTS, "tools", "attributes", "keypoints", "skeleton", "parent")
_KINDS = tuple(str(kind) for kind in Kind)
_ATTRIBUTE = {"name", "type", "required", "default", "choices"}


def applied(ontology: Ontology, text: str, *, file: str = "classes") -> Ontology:
    """The ontology with what a YAML text says: `classes:`, each with the fields to change; null clears a field.

    Classes that it does not name stay, and names that are new are added.

    Raises: OntologyInvalid, which names the line or the class.
    """
    named = parse(text, file=file)
    for name in named:
        if ontology.by_name(name) is None:
            ontology = _guarded(name, lambda o=ontology, n=name: o.add(n))
    for name, fields in named.items():
        class_ = ontology.by_name(name)
        assert class_ is not None
        changed = _guarded(name, lambda c=class_, f=fields, o=ontology: replace(c, **_values(c, f, o)))
        classes = tuple(changed if c.id == changed.id else c for c in ontology.classes)
        ontology = replace(ontology, classes=classes)
    _check_parents(ontology)
    return ontology


def parse(text: str, *, file: str = "classes") -> dict[str, dict[str, Any]]:
    """Class name -> fields. Raises: OntologyInvalid, which names the line."""
    if len(text) > MAX_TEXT:
        raise _error(file, f"it is longer than {MAX_TEXT:,} characters", "name a file of classes")
    node = yaml_text.compose(text, file, _error, word="file of classes")
    hint = "begin with `classes:`, and below it a name for each class"
    if not isinstance(node, yaml.MappingNode):
        raise _error(f"{file} line 1", "it is not a mapping", hint)
    yaml_text.check_keys(node, file, _error)
    value = yaml_text.load(text, file, _error)
    classes = value.get("classes")
    if set(value) != {"classes"} or not isinstance(classes, dict) or not classes:
        raise _error(f"{file} line 1", "it has no mapping `classes`, or something beside it", hint)
    named = {}
    for name, fields in classes.items():
        line = yaml_text.line_of_path(node, ["classes", name])
        where = f"{file} line {line}"
        fields = {} if fields is None else fields
        if not isinstance(fields, dict):
            raise _error(where, f"class {name!r} is not a mapping of fields", f"fields: {', '.join(_FIELDS)}")
        unknown = sorted(set(map(str, fields)) - set(_FIELDS))
        if unknown:
            raise _error(
                where, f"class {name!r} has no field {unknown[0]!r}", f"fields: {', '.join(_FIELDS)}"
            )
        named[str(name)] = fields
    return named


def diff(before: Ontology, after: Ontology) -> tuple[ClassDiff, ...]:
    """Classes that were added, removed or changed, by id."""
    old, new = _plain(before), _plain(after)
    diffs = []
    for class_id in sorted({*old, *new}):
        a, b = old.get(class_id), new.get(class_id)
        if a is None or b is None:
            name = str((b or a or {})["name"])
            diffs.append(ClassDiff(class_id, name, "added" if a is None else "removed"))
        elif a != b:
            names = [name for name in dict.fromkeys([*a, *b]) if a.get(name) != b.get(name)]
            fields = tuple(FieldChange(name, a.get(name), b.get(name)) for name in names)
            diffs.append(ClassDiff(class_id, str(b["name"]), "changed", fields))
    return tuple(diffs)


def _plain(ontology: Ontology) -> dict[int, dict[str, Any]]:
    """Classes by id as JSON, with names instead of ids of other classes."""
    plain = {}
    for entry in ontology.to_json()["classes"]:
        if "parent" in entry:
            entry["parent"] = _name(ontology, entry["parent"])
        if "split_into" in entry:
            entry["split_into"] = [_name(ontology, one) for one in entry["split_into"]]
        plain[entry.pop("id")] = entry
    return plain


def _name(ontology: Ontology, class_id: int) -> str:
    class_ = ontology.by_id(class_id)
    return str(class_id) if class_ is None else class_.name


def _values(class_: Class, fields: Mapping[str, Any], ontology: Ontology) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in fields.items():
        if name in _TEXTS:
            if value is not None and not isinstance(value, str | int):
                raise ClassInvalid(got=class_.name[:80], detail=f"its {name} is not a text")
            values[name] = "" if value is None else str(value)
        elif name == "parent":
            values[name] = None if value is None else _parent(class_, str(value), ontology)
        elif name == "attributes":
            values[name] = _attributes(class_, value)
        elif name != "skeleton":
            values[name] = _names(class_, name, value)
    if isinstance(values.get("colour"), str):
        values["colour"] = values["colour"].lower()
    unknown = [tool for tool in values.get("tools", ()) if tool not in _KINDS]
    if unknown:
        raise ClassInvalid(
            got=class_.name[:80], detail=f"unknown tool {unknown[0]!r}; use {', '.join(_KINDS)}"
        )
    if "skeleton" in fields:
        points = values.get("keypoints", class_.keypoints)
        values["skeleton"] = _skeleton(class_, fields["skeleton"], points)
    return values


def _names(class_: Class, name: str, value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or len(value) > 1_000 or not all(isinstance(one, str) for one in value):
        raise ClassInvalid(got=class_.name[:80], detail=f"its {name} are not a list of names")
    if len(set(value)) != len(value) or not all(1 <= len(one) <= 200 for one in value):
        raise ClassInvalid(
            got=class_.name[:80], detail=f"its {name} repeat a name, or one is empty or too long"
        )
    return tuple(value)


def _skeleton(class_: Class, value: Any, points: tuple[str, ...]) -> tuple[tuple[int, int], ...]:
    """Edges between keypoints, given by name or by index from 0."""
    edges = []
    for edge in value or ():
        ends = [points.index(end) if end in points else end for end in edge] if isinstance(edge, list) else []
        if len(ends) != 2 or not all(type(end) is int and 0 <= end < len(points) for end in ends):
            detail = f"the edge {str(edge)[:80]} of its skeleton does not join two of its keypoints"
            raise ClassInvalid(got=class_.name[:80], detail=detail)
        edges.append((ends[0], ends[1]))
    return tuple(edges)


def _attributes(class_: Class, value: Any) -> tuple[Attribute, ...]:
    """Attributes as a list with `name`, or as a mapping by name."""
    if isinstance(value, dict):
        entries = [{"name": name, **(fields or {})} for name, fields in value.items() if _is_fields(fields)]
        is_valid = len(entries) == len(value)
    else:
        entries = list(value) if isinstance(value, list) else []
        is_valid = value is None or (isinstance(value, list) and all(isinstance(e, dict) for e in entries))
    if not is_valid or any(not set(entry) <= _ATTRIBUTE or "name" not in entry for entry in entries):
        detail = "its attributes are not a mapping of names to type, required, default and choices"
        raise ClassInvalid(got=class_.name[:80], detail=detail)
    return tuple(_attribute(class_, entry) for entry in entries)


def _attribute(class_: Class, entry: Mapping[str, Any]) -> Attribute:
    choices = entry.get("choices") or []
    is_plain = isinstance(choices, list) and isinstance(entry.get("required", False), bool)
    default = entry.get("default")
    if not is_plain or not isinstance(default, str | int | float | bool | None):
        raise ClassInvalid(
            got=class_.name[:80], detail=f"attribute {entry['name']!r} has values of a wrong type"
        )
    kind = str(entry.get("type", "choice" if choices else "text"))
    return Attribute(
        str(entry["name"]), kind, entry.get("required", False), default, tuple(map(str, choices))
    )


def _is_fields(value: Any) -> bool:
    return value is None or isinstance(value, dict)


def _parent(class_: Class, name: str, ontology: Ontology) -> int:
    parent = ontology.by_name(name)
    if parent is None:
        raise ClassInvalid(got=class_.name[:80], detail=f"no class has the name of its parent, {name[:80]!r}")
    return parent.id


def _check_parents(ontology: Ontology) -> None:
    """Raises: OntologyInvalid, where a class is below itself."""
    for class_ in ontology.classes:
        above, seen = class_.parent, {class_.id}
        while above is not None:
            if above in seen:
                raise _error(
                    class_.name[:80], f"class {class_.name[:80]!r} is below itself", "change a parent"
                )
            seen.add(above)
            parent = ontology.by_id(above)
            above = None if parent is None else parent.parent


def _guarded(name: str, make: Any) -> Any:
    try:
        return make()
    except (ClassInvalid, ClassExists) as error:
        raise _error(name[:80], error.message, error.remedy) from None


def _error(where: str, detail: str, hint: str) -> OntologyInvalid:
    return OntologyInvalid(where=where, detail=detail, hint=hint or "correct it, and try again")
