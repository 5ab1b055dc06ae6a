"""Commands of contracts: init, set, show, check, diff, export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from calotype.contracts import service
from calotype.contracts.advice import advice
from calotype.contracts.model import Contract
from calotype.foundation.terminal import Terminal, terminal
from calotype.foundation.text_files import read_text

Name = Annotated[str, typer.Argument(help="A dataset: NAME or NAME@REF.", show_default=False)]
File = Annotated[Path, typer.Argument(help="A contract as a YAML file.", show_default=False)]
contract = typer.Typer(no_args_is_help=True, help="Write, set, show and compare contracts.")


@contract.command("init")
def init(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A dataset to take classes, fields and licences from.")] = "",
    out: Annotated[Path | None, typer.Option(help="The file to write; by default stdout.")] = None,
) -> None:
    """Write a commented contract to start from."""
    t = terminal(ctx)
    text = service.contract_template(t.actor, name, store=t.store())
    if out is not None:
        with out.open("x", encoding="utf-8") as file:
            file.write(text)
    t.emit({"contract": text, "file": str(out) if out else None}, f"wrote {out}" if out else text)


@contract.command("set")
def put(
    ctx: typer.Context,
    name: Name,
    file: Annotated[Path, typer.Argument(help="The YAML file.", show_default=False)],
) -> None:
    """Set the contract of a dataset."""
    t = terminal(ctx)
    text = read_text(file)
    new_contract = service.set_contract(
        t.actor, name, text, t.ports.known_checks(), store=t.store(), file=file.name
    )
    warnings = _show_warnings(t, new_contract)
    t.emit(
        {"contract": new_contract.sha256, "warnings": warnings},
        f"set {file.name} as the contract of {name}",
        next=f"calotype check {name}",
    )


@contract.command("show")
def show(ctx: typer.Context, name: Name) -> None:
    """Print the contract in force."""
    t = terminal(ctx)
    current, text = service.contract(t.actor, name, t.ports.known_checks(), store=t.store())
    t.emit(
        {"contract": current.model_dump(mode="json"), "text": text},
        text or "no contract; the built-in one applies",
    )


@contract.command("check")
def check(ctx: typer.Context, file: File) -> None:
    """Validate a contract file; needs no workspace."""
    t = terminal(ctx)
    parsed = service.read_contract(read_text(file), t.ports.known_checks(), file=file.name)
    value = {
        "contract": parsed.sha256,
        "classes": list(parsed.class_names),
        "warnings": _show_warnings(t, parsed),
    }
    t.emit(value, f"{file.name} is a valid contract")


@contract.command("diff")
def diff(
    ctx: typer.Context,
    before: Annotated[
        str, typer.Argument(help="A file, or a dataset: NAME or NAME@REF.", show_default=False)
    ],
    after: Annotated[
        str, typer.Argument(help="Another file or dataset to compare it with.", show_default=False)
    ],
) -> None:
    """Show what changed from one contract to another, and whether each change is stricter or looser."""
    t = terminal(ctx)
    checks = t.ports.known_checks()
    sides = []
    for source in (before, after):
        path = Path(source)
        text = (
            read_text(path)
            if path.is_file()
            else service.contract(t.actor, source, checks, store=t.store())[1]
        )
        sides.append(service.read_contract(text or "", checks, file=path.name))
    changes = service.contract_changes(*sides)
    t.emit(
        [change.to_dict() for change in changes], [str(change) for change in changes] or ["no differences"]
    )


@contract.command("export")
def export(
    ctx: typer.Context,
    name: Name,
    format: Annotated[
        str, typer.Option(help="odcs: Open Data Contract Standard; schema: JSON Schema.")
    ] = "odcs",
    out: Annotated[Path | None, typer.Option(help="The file to write; by default stdout.")] = None,
) -> None:
    """Export the contract for other tools."""
    t = terminal(ctx)
    text = service.export_contract(t.actor, name, format, t.ports.known_checks(), store=t.store())
    if out is not None:
        out.write_text(text, encoding="utf-8")
    t.emit(
        {"format": format, "file": str(out) if out else None, "text": text}, f"wrote {out}" if out else text
    )


def _show_warnings(t: Terminal, contract_: Contract) -> list[str]:
    """Print the warnings of a contract and return them."""
    warnings = list(advice(contract_))
    for warning in warnings:
        t.say(f"warning: {warning}")
    return warnings
