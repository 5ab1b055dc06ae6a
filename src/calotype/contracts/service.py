"""The verbs of contracts: read, set, compare, export."""

from __future__ import annotations

import json
from dataclasses import replace

from calotype.contracts.diff import ContractChange, contract_diff
from calotype.contracts.export import odcs_text
from calotype.contracts.known import KnownChecks
from calotype.contracts.model import DEFAULT, Contract, json_schema
from calotype.contracts.text import ContractInvalid, parse, template
from calotype.datasets import refs
from calotype.datasets import service as datasets
from calotype.datasets.change import Change
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor, Permission
from calotype.foundation.errors import Invalid
from calotype.foundation.verbs import verb
from calotype.store import Store


class ContractFormatUnknown(Invalid):
    """Contracts cannot be exported in this format."""

    code = "contract-format-unknown"
    what = "cannot export a contract as {got!r}"
    fix = "use odcs or schema"


@verb
def contract(
    actor: Actor, name_ref: str, checks: KnownChecks, *, store: Store
) -> tuple[Contract, str | None]:
    """The contract in force and its text; the text is None for the built-in contract.

    Args:
        checks: The checks that a contract may use.

    Raises: NotPermitted, DatasetNotFound, RefNotFound, ContractInvalid.
    """
    store.guard.require(actor, Permission.DATASET_READ, dataset=_dataset_of(name_ref))
    snapshot = datasets.read(actor, name_ref, store=store)
    return contract_of(snapshot, checks), snapshot.contract_text


@verb
def set_contract(
    actor: Actor, name: str, text: str, checks: KnownChecks, *, store: Store, file: str = "contract"
) -> Contract:
    """Set the contract of a dataset. Its classes are added to the ontology, which is closed if it names any.

    Raises: NotPermitted, DatasetNotFound, RefNotFound, ContractInvalid, WorkingStateMoved.
    """
    store.guard.require(actor, Permission.CONTRACT_EDIT, dataset=_dataset_of(name))
    new_contract = read_contract(text, checks, file=file)

    def plan(snapshot: Snapshot) -> Change:
        ontology = snapshot.ontology
        for class_name in new_contract.class_names:
            if ontology.by_name(class_name) is None:
                ontology = ontology.add(class_name)
        ontology = replace(ontology, closed=bool(new_contract.classes))
        new_ontology = ontology if ontology != snapshot.ontology else None
        return Change(contract=text if text != snapshot.contract_text else None, ontology=new_ontology)

    details = {"contract": new_contract.sha256, "classes": len(new_contract.classes)}
    datasets.apply(actor, name, plan, store=store, verb="contract.set", details=details)
    return new_contract


@verb
def contract_template(actor: Actor, name_ref: str = "", *, store: Store) -> str:
    """A commented contract to start from, with the classes, fields and licences of a dataset if one is given.

    Raises: NotPermitted, DatasetNotFound, RefNotFound.
    """
    if name_ref:
        store.guard.require(actor, Permission.DATASET_READ, dataset=_dataset_of(name_ref))
    else:
        store.guard.require(actor, Permission.ACCOUNT_OWN)
    return template(datasets.read(actor, name_ref, store=store) if name_ref else None)


def read_contract(text: str, checks: KnownChecks, *, file: str = "contract") -> Contract:
    """Parse a contract and check the parameters of its checks. Raises: ContractInvalid."""
    parsed = parse(text, file=file, checks=checks)
    _check_parameters(parsed, checks, file)
    return parsed


def contract_changes(before: Contract, after: Contract) -> tuple[ContractChange, ...]:
    """The changes from one contract to another, stricter changes first."""
    return contract_diff(before, after)


@verb
def export_contract(actor: Actor, name_ref: str, format: str, checks: KnownChecks, *, store: Store) -> str:
    """The contract in force as `odcs` (Open Data Contract Standard, YAML), or the `schema` of contract files (JSON).

    Raises: NotPermitted, DatasetNotFound, RefNotFound, ContractFormatUnknown.
    """
    current, _ = contract(actor, name_ref, checks, store=store)
    if format == "schema":
        return json.dumps(json_schema(checks), indent=2)
    if format != "odcs":
        raise ContractFormatUnknown(got=format[:80])
    return odcs_text(current, dataset=_dataset_of(name_ref))


def _dataset_of(name_ref: str) -> str:
    return refs.split_name(name_ref)[0]


def contract_of(snapshot: Snapshot, checks: KnownChecks) -> Contract:
    """The contract of a state, or the built-in one. Raises: ContractInvalid."""
    text = snapshot.contract_text
    return DEFAULT if text is None else read_contract(text, checks)


def _check_parameters(contract_: Contract, checks: KnownChecks, file: str) -> None:
    """Check that the parameters in a contract exist and are valid. Raises: ContractInvalid."""
    for name, spec in contract_.checks.items():
        if name not in checks:
            detail = f"no plug-in provides the check {name!r}"
            hint = "install the package that provides it, or remove it from the contract"
            raise ContractInvalid(where=f"{file}, checks.{name}", detail=detail, hint=hint)
        parameters = checks[name]
        for key, value in spec.parameters.items():
            where = f"{file}, checks.{name}.parameters.{key}"
            if key not in parameters:
                detail = f"the check {name!r} has no parameter {key!r}"
                hint = f"parameters of {name!r}: {', '.join(parameters) or 'none'}"
                raise ContractInvalid(where=where, detail=detail, hint=hint)
            if isinstance(value, bool | str) or value < 0:
                detail = f"{key} is {value!r}; it must be a number of 0 or more"
                raise ContractInvalid(where=where, detail=detail, hint=f"its default is {parameters[key]}")
