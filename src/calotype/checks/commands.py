"""The command line of checks."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from calotype.checks import service
from calotype.foundation.codes import FINDINGS
from calotype.foundation.terminal import table, terminal

Name = Annotated[str, typer.Argument(help="A dataset: NAME or NAME@REF.", show_default=False)]
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
    made = service.set_contract(t.actor, name, text, store=t.store(), file=file.name)
    t.emit({"contract": made.sha256}, f"{name} has the contract {file.name}", next=f"calotype check {name}")


def check(
    ctx: typer.Context,
    name: Name,
    contract: Annotated[Path | None, typer.Option(help="Test against this contract file instead.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="A check or a family of checks; repeatable.")] = None,
    whole: Annotated[bool, typer.Option(help="Look at every sample, not only at what changed.")] = False,
) -> None:
    """Test a dataset against its contract; exit code 1 when a gate is red."""
    t = terminal(ctx)
    text = contract.read_text(encoding="utf-8") if contract else None
    with t.progress() as progress:
        report = service.check(
            t.actor,
            name,
            store=t.store(),
            contract_text=text,
            only=only or (),
            whole=whole,
            progress=progress,
        )
    gates = [
        [gate.name, gate.state, str(gate.measured), str(gate.threshold), gate.detail] for gate in report.gates
    ]
    found = [[f.check, f.severity, f.reason] for f in report.findings[:30]]
    shown = [
        table(["gate", "state", "measured", "threshold", ""], gates),
        table(["check", "severity", "reason"], found),
    ]
    t.emit(report.to_dict(), [*shown, str(report).splitlines()[0]])
    if report.red:
        raise typer.Exit(FINDINGS)
