"""Parses a contract from YAML within limits, reports errors by line, and creates templates."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

import yaml
from pydantic import ValidationError

from calotype.contracts.known import ANY, KnownChecks
from calotype.contracts.model import Contract, json_schema
from calotype.datasets.snapshot import Snapshot
from calotype.foundation import yaml_text
from calotype.foundation.errors import Invalid

MAX_BYTES = 1_000_000
_MAX_ERRORS = 8


class ContractInvalid(Invalid):
    """A contract that cannot be parsed, or refers to something that does not exist."""

    code = "contract-invalid"
    what = "invalid contract: {detail}"
    fix = "{hint}"


def parse(text: str, *, file: str = "contract", checks: KnownChecks = ANY) -> Contract:
    """Parse a contract.

    Args:
        file: Name of the file, for errors.
        checks: The checks that it may use; by default any well-formed name.

    Raises: ContractInvalid, with line and field of each error.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise _invalid(file, f"it is larger than {MAX_BYTES:,} bytes", "a contract is a page or two of YAML")
    node = yaml_text.compose(text, file, _invalid, word="contract")
    if node is None:
        return Contract()
    if not isinstance(node, yaml.MappingNode):
        raise _invalid(f"{file} line 1", "not a mapping", "start the file with `task:`")
    yaml_text.check_keys(node, file, _invalid)
    value = yaml_text.load(text, file, _invalid)
    try:
        return Contract.model_validate(value, context={"checks": checks})
    except ValidationError as error:
        raise _as_contract_error(error, node, file) from None


def _as_contract_error(error: ValidationError, node: yaml.Node, file: str) -> ContractInvalid:
    errors = []
    for detail_ in error.errors(include_url=False, include_context=False)[:_MAX_ERRORS]:
        line, path = _locate(node, detail_["loc"])
        message = {
            "extra_forbidden": _unknown_field(detail_),
            "missing": "the field is missing",
            "model_type": "must be a name or a mapping",
        }.get(str(detail_["type"]), str(detail_["msg"]))
        errors.append((line, path or "contract", message[:400]))
    errors.sort()
    line, path, _ = errors[0]
    several = len(errors) > 1
    detail = "; ".join(f"line {n}, {p}: {m}" if several else f"{p}: {m}" for n, p, m in errors)
    n_more = error.error_count() - len(errors)
    detail += f"; and {n_more} more" if n_more else ""
    hint = (
        "correct these lines (strings such as no, 1 or 2024-01-01 need quotes); "
        "`calotype contract init` shows all fields"
    )
    return _invalid(f"{file} line {line}, {path}", detail, hint)


def _unknown_field(error: Any) -> str:
    similar = get_close_matches(
        str(error["loc"][-1] if error["loc"] else ""), sorted(_field_names()), n=1, cutoff=0.7
    )
    return f"no such field; did you mean {similar[0]!r}?" if similar else "no such field"


def _field_names() -> set[str]:
    """Names of all fields of a contract and its sections."""
    schema = json_schema(ANY)
    schemas = [schema, *schema.get("$defs", {}).values()]
    names = {name for schema_ in schemas for name in schema_.get("properties", {})}
    return names | {
        name
        for schema_ in schemas
        for option in schema_.get("anyOf", ())
        for name in option.get("properties", {})
    }


def _locate(node: yaml.Node, loc: tuple[int | str, ...]) -> tuple[int, str]:
    """Line (from 1) and dotted path of a pydantic location; parts that are not in the file are skipped."""
    path: list[str] = []
    line = yaml_text.line_of_mark(node.start_mark)
    for part in loc:
        child: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    child, line = value, yaml_text.line_of_mark(key.start_mark)
            if child is None and part in loc[-1:]:
                path.append(str(part))
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            child = node.value[part]
            line = yaml_text.line_of_mark(child.start_mark)
        if child is not None:
            node = child
            path.append(str(part))
    return line, ".".join(path)


def _invalid(where: str, detail: str, hint: str) -> ContractInvalid:
    return ContractInvalid(where=where, detail=detail, hint=hint)


def template(snapshot: Snapshot | None = None) -> str:
    """A commented, valid contract to start from, with the classes and fields of a snapshot if one is given."""
    classes = snapshot.ontology.names if snapshot is not None else ()
    fields = snapshot.fields if snapshot is not None else {}
    licences = _licences(snapshot) if snapshot is not None else []
    name = snapshot.dataset.name if snapshot is not None else "my-task"
    class_lines = "".join(f"\n  - {_quoted(c)}" for c in classes)
    metadata = "".join(f"\n  {_quoted(f)}: {{type: {kind}, required: false}}" for f, kind in fields.items())
    return _TEMPLATE.format(
        name=_quoted(name),
        kind=_kind(snapshot),
        classes=class_lines or _NO_CLASSES,
        metadata=metadata or _NO_METADATA,
        licences="[" + ", ".join(_quoted(licence) for licence in licences) + "]",
    )


def _licences(snapshot: Snapshot) -> list[str]:
    return sorted(set(snapshot.samples(columns=["licence"])["licence"].to_pylist()) - {"", None})[:50]


def _kind(snapshot: Snapshot | None) -> str:
    if snapshot is None:
        return "detection"
    kinds = set(snapshot.annotations(columns=["kind"])["kind"].to_pylist())
    if kinds & {"polygon", "mask"}:
        return "segmentation"
    return next((task for kind, task in _KINDS if kind in kinds), "detection")


_KINDS = (
    ("keypoints", "keypoints"),
    ("box", "detection"),
    ("rotated_box", "detection"),
    ("classification", "classification"),
)


def _quoted(value: Any) -> str:
    text = str(value)
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in escaped) + '"'


_NO_CLASSES = """ []
#  - person
#  - {name: bicycle, min_annotations: 50, min_samples: 20}"""
_NO_METADATA = """ {}
#  light: {type: str, values: ["day", "night"]}
#  speed_kmh: {type: float, min: 0, max: 200}"""
_TEMPLATE = """\
# The contract of a dataset: what the product needs from it. `calotype check NAME` tests it.
# Fields: docs/reference/contract.schema.json

task:
  name: {name}
  kind: {kind}            # classification, detection, segmentation or keypoints
  intent: ""                # what the product needs to know, and under which conditions
  owner: ""                 # person or team responsible for the dataset

label_set: ground_truth     # the label set that is tested

# Classes that must have data: a plain name requires 1 annotation. Imports cannot add other classes.
classes:{classes}

samples:
  min: 1

# Metadata of the samples: type is str, int, float or bool; values or min/max restrict it.
metadata:{metadata}

# Allowed licences. An empty list allows any; a missing licence is then only reported.
licences: {licences}

# Conditions that the dataset must cover: a query over samples, and how many must match.
coverage: []
#  - {{name: "night", where: 'light = "night"', min_samples: 200}}
#  - {{where: 'count(person) >= 3', min_samples: 50}}

# Required combinations of operating conditions (metadata fields marked `operating: true`).
#combinations: {{ways: 2, min_samples: 5, min_fraction: 0.9}}

# Checks run with their default settings unless configured here.
checks: {{}}
#  near-duplicates: {{severity: warning, parameters: {{min_correlation: 0.98}}}}
#  image-quality: {{enabled: false}}

# What blocks a release or a merge, in addition to the declarations above.
gates:
  - {{check: readable, severity: error}}
  - {{check: unknown-classes, severity: error}}
  - {{check: split-leakage, severity: error}}
#  - {{check: box-bounds, max_findings: 0}}
#  - {{check: unlabelled, max_fraction: 0.05}}
#  - {{metric: labelled-fraction, min: 0.95}}
#  - {{check: near-duplicates, max_findings: 0, scope: new, blocks: [merge]}}

# Findings that gates ignore until a given day, with a reason and an owner.
waivers: []
#  - {{check: box-bounds, where: "cam-07/*", reason: "lens cover, new one in March", owner: ana, until: 2027-03-31}}

#predictions: model:yolo-3          # label set of a model, used to find wrong boxes and classes
#gold: {{label_set: gold, min_agreement: 0.95}}
#guideline: {{version: "3"}}
#freshness: {{max_age_days: 30}}
#reference: {{ref: v1.0}}            # what drift is measured against
#data_tests: {{paths: [tests/data]}} # Python tests of the data

privacy: {{level: internal}}
purposes: []                # allowed uses of the data; if given, each release must name one
objectives: []
#  - {{name: fresh, metric: freshness_days, target: 14}}
"""
