"""HTTP routes of contracts."""

from __future__ import annotations

from typing import Annotated

from fastapi import Body

from calotype.contracts import answers, service
from calotype.contracts.advice import advice
from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, Named, Ref, action, room_routes

routes = room_routes("contracts")

READ = action(Permission.DATASET_READ)
ContractText = Annotated[str, Body(media_type="application/yaml", max_length=1_000_000)]


@routes.get("/datasets/{dataset}/contract", **READ)
def show_contract(dataset: Named, ask: Ask, ref: Ref = "") -> answers.Contract:
    """Show the contract in force, or a commented template if the dataset has none."""
    current, text = service.contract(
        ask.actor, _name_with_ref(dataset, ref), ask.ports.known_checks(), store=ask.store
    )
    template = None if text else service.contract_template(ask.actor, dataset, store=ask.store)
    return answers.Contract(
        sha256=current.sha256,
        text=text,
        template=template,
        purposes=list(current.purposes),
        coverage=[
            answers.CoverageQuery(title=line.title, where=current.query_of(line)) for line in current.coverage
        ],
        warnings=list(advice(current)),
    )


@routes.put("/datasets/{dataset}/contract", **action(Permission.CONTRACT_EDIT, max_body_bytes=4_000_000))
def put_contract(dataset: Named, ask: Ask, text: ContractText) -> answers.AcceptedContract:
    """Set the contract of a dataset (YAML)."""
    new_contract = service.set_contract(ask.actor, dataset, text, ask.ports.known_checks(), store=ask.store)
    return answers.AcceptedContract(
        sha256=new_contract.sha256,
        classes=list(new_contract.class_names),
        warnings=list(advice(new_contract)),
    )


def _name_with_ref(dataset: str, ref: str) -> str:
    return f"{dataset}@{ref}" if ref else dataset
