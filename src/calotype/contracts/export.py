"""Exports a contract as an Open Data Contract Standard document, for data catalogues.

Source: Open Data Contract Standard 3.0.2 (Bitol, Linux Foundation AI & Data). Declarations without a field of their own
are written to `customProperties`; checks and gates become quality rules of the engine `calotype`.
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
    """The document as JSON-ready values.

    Args:
        dataset: Name of the dataset.
        contract_id: A stable id; by default the name of the dataset.
        version: The version of the contract, as numbered by the team.
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
        "slaProperties": _service_levels(contract),
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
    for spec in contract.classes:
        minimums = {"min_annotations": spec.min_annotations, "min_samples": spec.min_samples}
        rule = _rule(f"minimum of {spec.name}", minimums, "error")
        classes.append(
            {"name": spec.name, "logicalType": "object", "description": spec.description, "quality": [rule]}
        )
    items = {"logicalType": "object", "properties": classes} if classes else {"logicalType": "object"}
    return {"name": contract.label_set, "logicalType": "array", "items": items}


def _field(name: str, spec: MetadataSpec) -> dict[str, Any]:
    limits = {"minimum": spec.min, "maximum": spec.max}
    field: dict[str, Any] = {"name": name, "logicalType": _TYPES[spec.type], "required": spec.required}
    if spec.description:
        field["description"] = spec.description
    options = {key: value for key, value in limits.items() if value is not None}
    if options:
        field["logicalTypeOptions"] = options
    if spec.values is not None:
        field["quality"] = [_rule(f"allowed values of {name}", {"values": list(spec.values)}, "error")]
    if spec.operating:
        field["tags"] = ["operating-condition"]
    return field


def _rule(description: str, declaration: dict[str, Any], severity: str) -> dict[str, Any]:
    return {
        "type": "custom",
        "engine": "calotype",
        "description": description,
        "severity": severity,
        "implementation": str(yaml.safe_dump(declaration, sort_keys=False, allow_unicode=True)),
    }


def _service_levels(contract: Contract) -> list[dict[str, Any]]:
    promises: list[dict[str, Any]] = [
        {
            "property": objective.metric,
            "value": objective.target,
            "unit": _UNITS.get(objective.metric, "share"),
        }
        for objective in contract.objectives
    ]
    if contract.freshness is not None:
        promises.append({"property": "latency", "value": contract.freshness.max_age_days, "unit": "d"})
    if contract.privacy.retention_days is not None:
        promises.append({"property": "retention", "value": contract.privacy.retention_days, "unit": "d"})
    return promises


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
