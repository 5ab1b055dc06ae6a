"""A contract as YAML text: read within limits, told apart by line, and a template to begin with."""

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
_TOLD = 8


class ContractInvalid(Invalid):
    """A contract that cannot be read, or asks for something that does not exist."""

    code = "contract-invalid"
    what = "the contract is not valid: {detail}"
    fix = "{hint}"


def parse(text: str, *, file: str = "contract", checks: KnownChecks = ANY) -> Contract:
    """The contract of a YAML text.

    Args:
        file: Name of the file, for errors.
        checks: The checks that it may name; by default any well-formed name.

    Raises: ContractInvalid, with line and field of each trouble.
    """
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        raise _invalid(file, f"it is larger than {MAX_BYTES:,} bytes", "a contract is a page or two of YAML")
    node = yaml_text.compose(text, file, _invalid, word="contract")
    if node is None:
        return Contract()
    if not isinstance(node, yaml.MappingNode):
        raise _invalid(f"{file} line 1", "it is not a mapping", "start it with `task:`")
    yaml_text.check_keys(node, file, _invalid)
    try:
        value = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:  # a date that is none, an unknown tag
        raise _invalid(
            yaml_text.location(file, error), yaml_text.summary(error), "write such values in quotes"
        ) from None
    try:
        return Contract.model_validate(value, context={"checks": checks})
    except ValidationError as error:
        raise _explained(error, node, file) from None


def _explained(error: ValidationError, node: yaml.Node, file: str) -> ContractInvalid:
    told = []
    for one in error.errors(include_url=False, include_context=False)[:_TOLD]:
        line, path = _locate(node, one["loc"])
        message = {
            "extra_forbidden": _unknown_field(one),
            "missing": "the field is missing",
            "model_type": "neither a name nor a mapping",
        }.get(str(one["type"]), str(one["msg"]))
        told.append((line, path or "contract", message[:400]))
    told.sort()
    line, path, _ = told[0]
    many = len(told) > 1
    detail = "; ".join(f"line {n}, {p}: {m}" if many else f"{p}: {m}" for n, p, m in told)
    rest = error.error_count() - len(told)
    detail += f"; and {rest} more" if rest else ""
    hint = (
        "correct these lines (text such as no, 1 or 2024-01-01 needs quotes); "
        "`calotype contract init` shows all fields"
    )
    return _invalid(f"{file} line {line}, {path}", detail, hint)


def _unknown_field(error: Any) -> str:
    near = get_close_matches(
        str(error["loc"][-1] if error["loc"] else ""), sorted(_fields()), n=1, cutoff=0.7
    )
    return f"no such field; did you mean {near[0]!r}?" if near else "no such field"


def _fields() -> set[str]:
    """The names of all fields that a contract can have somewhere."""
    schema = json_schema(ANY)
    parts = [schema, *schema.get("$defs", {}).values()]
    names = {name for part in parts for name in part.get("properties", {})}
    return names | {
        name for part in parts for one in part.get("anyOf", ()) for name in one.get("properties", {})
    }


def _locate(node: yaml.Node, loc: tuple[int | str, ...]) -> tuple[int, str]:
    """Line (from 1) and dotted path of a place that pydantic names; parts that are no key are passed."""
    path: list[str] = []
    line = yaml_text.line_of_mark(node.start_mark)
    for part in loc:
        step: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    step, line = value, yaml_text.line_of_mark(key.start_mark)
            if step is None and part in loc[-1:]:
                path.append(str(part))
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
            step = node.value[part]
            line = yaml_text.line_of_mark(step.start_mark)
        if step is not None:
            node = step
            path.append(str(part))
    return line, ".".join(path)


def _invalid(where: str, detail: str, hint: str) -> ContractInvalid:
    return ContractInvalid(where=where, detail=detail, hint=hint)


def template(snapshot: Snapshot | None = None) -> str:
    """A commented contract to begin with, valid as it stands; with a snapshot, of its classes and fields."""
    classes = snapshot.ontology.names if snapshot is not None else ()
    fields = snapshot.fields if snapshot is not None else {}
    licences = _licences(snapshot) if snapshot is not None else []
    name = snapshot.dataset.name if snapshot is not None else "my-task"
    listed = "".join(f"\n  - {_quoted(c)}" for c in classes)
    metadata = "".join(f"\n  {_quoted(f)}: {{type: {kind}, required: false}}" for f, kind in fields.items())
    return _TEMPLATE.format(
        name=_quoted(name),
        kind=_kind(snapshot),
        classes=listed or _NO_CLASSES,
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


_KINDS = (("keypoints", "keypoints"), ("box", "detection"), ("classification", "classification"))


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
# The contract of a dataset: what the product needs, written down before the data, tested ever after.
# `calotype check NAME` is red until all of it holds. Fields: docs/reference/contract.schema.json

task:
  name: {name}
  kind: {kind}            # classification, detection, segmentation or keypoints
  intent: ""                # what the product wants to know, and under which conditions
  owner: ""                 # who answers for the dataset

label_set: ground_truth     # the label set that is tested

# Every class has to have data: a bare name asks for 1 annotation. Imports may not add other classes.
classes:{classes}

samples:
  min: 1

# Metadata that samples carry: type is str, int, float or bool; values or min/max narrow it down.
metadata:{metadata}

# Allowed licences; an empty list allows any, and a missing one is told but does not block.
licences: {licences}

# Operating conditions that need data of their own: a query over samples, and how many have to match.
coverage: []
#  - {{name: "night", where: 'light = "night"', min_samples: 200}}
#  - {{where: 'count(person) >= 3', min_samples: 50}}

# Combinations of operating conditions (metadata fields marked `operating: true`) that have to occur.
#combinations: {{ways: 2, min_samples: 5, min_fraction: 0.9}}

# Checks: all run with their own thresholds unless something is said here.
checks: {{}}
#  near-duplicates: {{severity: warning, parameters: {{min_correlation: 0.98}}}}
#  image-quality: {{enabled: false}}

# What blocks a release beside the declarations above.
gates:
  - {{check: readable, severity: error}}
  - {{check: unknown-classes, severity: error}}
  - {{check: split-leakage, severity: error}}
#  - {{check: box-bounds, max_findings: 0}}
#  - {{check: unlabelled, max_fraction: 0.05}}
#  - {{metric: labelled-fraction, min: 0.95}}
#  - {{check: near-duplicates, max_findings: 0, scope: new, blocks: [merge]}}

# What gates leave out for a time, with somebody who answers for it.
waivers: []
#  - {{check: box-bounds, where: "cam-07/*", reason: "lens cover, new one in March", owner: ana, until: 2027-03-31}}

#predictions: model:yolo-3          # label set of a model, to look for wrong boxes and classes
#gold: {{label_set: gold, min_agreement: 0.95}}
#guideline: {{version: "3"}}
#freshness: {{max_age_days: 30}}
#reference: {{ref: v1.0}}            # what drift is measured against
#data_tests: {{paths: [tests/data]}} # Python tests of the data

privacy: {{level: internal}}
purposes: []                # what the data may be used for; when given, each release names one
objectives: []
#  - {{name: fresh, metric: freshness_days, target: 14}}
"""
