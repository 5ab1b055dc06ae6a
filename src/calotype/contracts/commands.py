"""The command line of service."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from calotype.contracts import service
from calotype.contracts.advice import advice
from calotype.contracts.model import Contract
from calotype.foundation.terminal import Terminal, terminal

Name = Annotated[str, typer.Argument(help="A dataset: NAME or NAME@REF.", show_default=False)]
File = Annotated[Path, typer.Argument(help="A contract as a YAML file.", show_default=False)]
contract = typer.Typer(no_args_is_help=True, help="Write and set the contract of a dataset.")


@contract.command("init")
def init(
    ctx: typer.Context,
    name: Annotated[str, typer.Argument(help="A dataset to take classes and fields from.")] = "",
    out: Annotated[Path | None, typer.Option(help="The file to write; without it, stdout.")] = None,
) -> None:
    """Write a commented contract to begin with."""
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
    """Give a dataset its contract."""
    t = terminal(ctx)
    text = file.read_text(encoding="utf-8")
    made = service.set_contract(
        t.actor, name, text, t.ports.known_checks(), store=t.store(), file=file.name
    )
    told = _told(t, made)
    t.emit(
        {"contract": made.sha256, "warnings": told},
        f"{name} has the contract {file.name}",
        next=f"calotype check {name}",
    )


@contract.command("show")
def show(ctx: typer.Context, name: Name) -> None:
    """Print the contract in force."""
    t = terminal(ctx)
    asked, text = service.contract(t.actor, name, t.ports.known_checks(), store=t.store())
    t.emit(
        {"contract": asked.model_dump(mode="json"), "text": text},
        text or "no contract: the built-in one holds",
    )


@contract.command("check")
def check(ctx: typer.Context, file: File) -> None:
    """Say whether a contract file can be read; no workspace is needed."""
    t = terminal(ctx)
    asked = service.read_contract(_text(file), t.ports.known_checks(), file=file.name)
    value = {"contract": asked.sha256, "classes": list(asked.class_names), "warnings": _told(t, asked)}
    t.emit(value, f"{file.name} is a valid contract")


@contract.command("diff")
def diff(
    ctx: typer.Context,
    before: Annotated[
        str, typer.Argument(help="A file, or a dataset: NAME or NAME@REF.", show_default=False)
    ],
    after: Annotated[str, typer.Argument(help="Likewise.", show_default=False)],
) -> None:
    """Say what changed from one contract to another, and whether it asks for more or for less."""
    t = terminal(ctx)
    checks = t.ports.known_checks()
    sides = []
    for given in (before, after):
        path = Path(given)
        text = _text(path) if path.is_file() else service.contract(t.actor, given, checks, store=t.store())[1]
        sides.append(service.read_contract(text or "", checks, file=path.name))
    changes = service.contract_changes(*sides)
    t.emit([change.to_dict() for change in changes], [str(change) for change in changes] or ["no difference"])


@contract.command("export")
def export(
    ctx: typer.Context,
    name: Name,
    format: Annotated[
        str, typer.Option(help="odcs: Open Data Contract Standard; schema: JSON Schema.")
    ] = "odcs",
    out: Annotated[Path | None, typer.Option(help="The file to write; without it, stdout.")] = None,
) -> None:
    """Write the contract for other tools."""
    t = terminal(ctx)
    text = service.export_contract(t.actor, name, format, t.ports.known_checks(), store=t.store())
    if out is not None:
        out.write_text(text, encoding="utf-8")
    t.emit(
        {"format": format, "file": str(out) if out else None, "text": text}, f"wrote {out}" if out else text
    )


def _told(t: Terminal, asked: Contract) -> list[str]:
    """What the contract leaves open, said to a person at once."""
    found = list(advice(asked))
    for one in found:
        t.say(f"warning: {one}")
    return found


def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")
