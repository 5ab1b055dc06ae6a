"""A contract as an Open Data Contract Standard document, for catalogues that read that.

Source: Open Data Contract Standard 3.0.2 (Bitol, Linux Foundation AI & Data). What it has no field for stands under
`customProperties`; checks and gates are quality rules of the engine `calotype`.
"""

from __future__ import annotations

from typing import Any

import yaml

from calotype.contracts.model import Contract, MetadataSpec

API_VERSION = "v3.0.2"
_TYPES = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
_UNITS = {"freshness_days": "d", "finding_count": "findings"}


def to_odcs(
    contract: Contract, *, dataset: str, contract_id: str = "", version: str = "1.0.0"
) -> dict[str, Any]:
    """The document as plain values.

    Args:
        dataset: Name of the dataset.
        contract_id: An id that stays; the dataset's name when empty.
        version: The version of the contract, as your team counts it.
    """
    task = contract.task
    team = [{"username": task.owner, "role": "owner"}] if task.owner else []
    document: dict[str, Any] = {
        "apiVersion": API_VERSION,
        "kind": "DataContract",
        "id": contract_id or dataset,
        "name": task.name,
        "version": version,
        "status": "active",
        "dataProduct": task.product or task.name,
        "description": {"purpose": task.intent, "usage": "; ".join(contract.purposes)},
        "schema": [_samples(contract, dataset)],
        "slaProperties": _promises(contract),
        "team": team,
        "customProperties": _custom(contract),
    }
    return {key: value for key, value in document.items() if value not in ("", [], {})}


def odcs_text(contract: Contract, *, dataset: str, contract_id: str = "", version: str = "1.0.0") -> str:
    """The document as YAML."""
    document = to_odcs(contract, dataset=dataset, contract_id=contract_id, version=version)
    return str(yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=110))


def _samples(contract: Contract, dataset: str) -> dict[str, Any]:
    properties: list[dict[str, Any]] = [
        {"name": "sample_id", "logicalType": "string", "required": True, "unique": True, "primaryKey": True},
        {"name": "image", "logicalType": "string", "physicalType": "image", "required": True},
        _labels(contract),
        *(_field(name, spec) for name, spec in contract.metadata.items()),
    ]
    quality = [
        _rule(f"gate {gate.check or gate.metric}", gate.model_dump(mode="json", exclude_none=True), "error")
        for gate in contract.gates
    ]
    quality += [
        _rule(f"coverage {line.title}", line.model_dump(mode="json", exclude_none=True), "error")
        for line in contract.coverage
    ]
    return {"name": dataset, "physicalType": "dataset", "properties": properties, "quality": quality}


def _labels(contract: Contract) -> dict[str, Any]:
    classes = []
    for one in contract.classes:
        asked = {"min_annotations": one.min_annotations, "min_samples": one.min_samples}
        rule = _rule(f"enough of {one.name}", asked, "error")
        classes.append(
            {"name": one.name, "logicalType": "object", "description": one.description, "quality": [rule]}
        )
    items = {"logicalType": "object", "properties": classes} if classes else {"logicalType": "object"}
    return {"name": contract.label_set, "logicalType": "array", "items": items}


def _field(name: str, spec: MetadataSpec) -> dict[str, Any]:
    limits = {"minimum": spec.min, "maximum": spec.max}
    made: dict[str, Any] = {"name": name, "logicalType": _TYPES[spec.type], "required": spec.required}
    if spec.description:
        made["description"] = spec.description
    options = {key: value for key, value in limits.items() if value is not None}
    if options:
        made["logicalTypeOptions"] = options
    if spec.values is not None:
        made["quality"] = [_rule(f"allowed values of {name}", {"values": list(spec.values)}, "error")]
    if spec.operating:
        made["tags"] = ["operating-condition"]
    return made


def _rule(description: str, asked: dict[str, Any], severity: str) -> dict[str, Any]:
    return {
        "type": "custom",
        "engine": "calotype",
        "description": description,
        "severity": severity,
        "implementation": str(yaml.safe_dump(asked, sort_keys=False, allow_unicode=True)),
    }


def _promises(contract: Contract) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"property": one.metric, "value": one.target, "unit": _UNITS.get(one.metric, "share")}
        for one in contract.objectives
    ]
    if contract.freshness is not None:
        found.append({"property": "latency", "value": contract.freshness.max_age_days, "unit": "d"})
    if contract.privacy.retention_days is not None:
        found.append({"property": "retention", "value": contract.privacy.retention_days, "unit": "d"})
    return found


def _custom(contract: Contract) -> list[dict[str, Any]]:
    facts = {
        "taskKind": contract.task.kind,
        "ontologyVersion": contract.ontology_version or None,
        "licences": list(contract.licences) or None,
        "privacyLevel": contract.privacy.level,
        "privacyContains": list(contract.privacy.contains) or None,
        "waivers": [waiver.model_dump(mode="json") for waiver in contract.waivers] or None,
        "contractSha256": contract.sha256,
    }
    return [{"property": name, "value": value} for name, value in facts.items() if value is not None]
