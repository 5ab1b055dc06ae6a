"""The HTTP door of contracts."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Query

from calotype.contracts import answers, service
from calotype.contracts.advice import advice
from calotype.foundation.actor import Permission
from calotype.foundation.http import Ask, action

routes = APIRouter(tags=["contracts"])

READ = action(Permission.DATASET_READ)
Ref = Annotated[str, Query(description="A branch, tag or commit; empty is the working state of main.")]
ContractText = Annotated[str, Body(media_type="application/yaml", max_length=1_000_000)]


@routes.get("/datasets/{dataset}/contract", **READ)
def show_contract(dataset: str, ask: Ask, ref: Ref = "") -> answers.Contract:
    """The contract in force, or a commented one to begin with."""
    asked, text = service.contract(ask.actor, _named(dataset, ref), ask.ports.known_checks(), store=ask.store)
    template = None if text else service.contract_template(ask.actor, dataset, store=ask.store)
    return answers.Contract(
        sha256=asked.sha256,
        text=text,
        template=template,
        purposes=list(asked.purposes),
        warnings=list(advice(asked)),
    )


@routes.put("/datasets/{dataset}/contract", **action(Permission.CONTRACT_EDIT))
def put_contract(dataset: str, ask: Ask, text: ContractText) -> answers.AcceptedContract:
    """Give the dataset a contract (YAML)."""
    asked = service.set_contract(ask.actor, dataset, text, ask.ports.known_checks(), store=ask.store)
    return answers.AcceptedContract(
        sha256=asked.sha256, classes=list(asked.class_names), warnings=list(advice(asked))
    )


def _named(dataset: str, ref: str) -> str:
    return f"{dataset}@{ref}" if ref else dataset
