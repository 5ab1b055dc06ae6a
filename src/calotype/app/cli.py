"""The command line: one table of commands, each loaded when it is called, so that `--help` is quick."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import calotype
from calotype.foundation.codes import BUG, EXTERNAL, code_of
from calotype.foundation.errors import CalotypeError
from calotype.foundation.terminal import Terminal

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("calotype.app.demo.commands:demo", "See the whole pipeline at work"),
    "init": ("calotype.app.commands:init", "Make a workspace"),
    "dataset": ("calotype.datasets.commands:dataset", "Make and list datasets"),
    "add": ("calotype.acquire.commands:add", "Add images"),
    "import": ("calotype.annotate.commands:import_labels", "Import annotations and the images they list"),
    "count": ("calotype.datasets.commands:count", "Count samples and annotations"),
    "samples": ("calotype.datasets.commands:samples", "List samples"),
    "quarantine": ("calotype.datasets.commands:quarantine", "List what was set aside at the door"),
    "commit": ("calotype.datasets.commands:commit", "Freeze the working state as a commit"),
    "log": ("calotype.datasets.commands:log", "List commits"),
    "diff": ("calotype.datasets.commands:diff", "Show what changed between two refs"),
    "branch": ("calotype.datasets.commands:branch", "Make or list branches"),
    "tag": ("calotype.datasets.commands:tag", "Make or list tags"),
    "rollback": ("calotype.datasets.commands:rollback", "Hold again what an older commit held"),
    "merge": ("calotype.datasets.merge_commands:merge", "Bring the commits of a branch into another"),
    "conflicts": ("calotype.datasets.merge_commands:conflicts", "List the conflicts of a merge"),
    "resolve": ("calotype.datasets.merge_commands:resolve", "Choose how conflicts are settled"),
    "undo": ("calotype.datasets.merge_commands:undo", "Take back what one commit changed"),
    "blame": ("calotype.datasets.merge_commands:blame", "Say who made an annotation what it is"),
    "protect": ("calotype.datasets.merge_commands:protect", "Let a branch take green merges only"),
    "contract": ("calotype.checks.contract_commands:contract", "Write, set and compare contracts"),
    "check": ("calotype.checks.commands:check", "Test a dataset against its contract"),
    "findings": (
        "calotype.checks.finding_commands:findings",
        "List what checks found, and what became of it",
    ),
    "triage": ("calotype.checks.finding_commands:triage", "Decide on findings"),
    "fix": ("calotype.checks.finding_commands:fix", "Stage what findings suggest, or take it back"),
    "split": ("calotype.curate.commands:split", "Assign train, val and test without leakage"),
    "curate": ("calotype.curate.commands:curate", "Pick samples, each with its reason"),
    "embed": ("calotype.curate.commands:embed", "Make vectors of samples"),
    "similar": ("calotype.curate.commands:similar", "Find the samples that lie nearest to one"),
    "release": ("calotype.release.commands:release", "Freeze a tested version of a dataset"),
    "releases": ("calotype.release.commands:releases", "List releases, show one, or write its files again"),
    "materialise": (
        "calotype.release.commands:materialise",
        "Make the pixels of a release ready for training",
    ),
    "export": ("calotype.release.commands:export", "Write a dataset in a label format"),
    "run": ("calotype.pipeline.commands:run", "Run a pipeline; done work is not done again"),
    "runs": ("calotype.pipeline.commands:runs", "List the runs of pipelines"),
    "serve": ("calotype.app.serving:serve", "Show the workspace in the browser"),
    "audit": ("calotype.govern.commands:audit", "Show who did what"),
    "verify": ("calotype.reliability.commands:verify", "Prove that nothing is missing"),
    "repair": ("calotype.reliability.commands:repair", "Mend what can be mended"),
    "backup": ("calotype.reliability.commands:backup", "Copy the workspace as it is now"),
    "move": ("calotype.reliability.commands:move", "Move the workspace to a database and a bucket"),
    "restore": ("calotype.reliability.commands:restore", "Make a workspace again from a backup"),
    "gc": ("calotype.reliability.commands:gc", "Compact tables, remove what nothing reaches"),
    "size": ("calotype.reliability.commands:size", "Show what the bytes on the disk are for"),
}
"""Name -> where the command lies, and its line in the list. The order is the order of work."""


class Lazy(TyperGroup):
    """A group that imports a command when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All names, in the order of work."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name."""
        if cmd_name not in COMMANDS:
            return None
        place, line = COMMANDS[cmd_name]
        if getattr(ctx, "listing", False):
            return None
        module, _, attribute = place.partition(":")
        with _uncollected():
            found = getattr(importlib.import_module(module), attribute)
        if isinstance(found, typer.Typer):
            made: Any = typer.main.get_group(found)
        else:
            single = typer.Typer(add_completion=False, context_settings=_SETTINGS)
            single.command(cmd_name)(found)
            made = typer.main.get_command(single)
        made.name, made.short_help = cmd_name, line
        return made


_SETTINGS = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="calotype",
    cls=Lazy,
    no_args_is_help=True,
    context_settings=_SETTINGS,
    pretty_exceptions_enable=False,
    help="From raw images to datasets that are tested, versioned, governed and fresh.",
)


class _Ports:
    """`calotype.app.wiring`, imported when a command asks for something of it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(importlib.import_module("calotype.app.wiring"), name)


_COUNTING = ("duckdb", "onnx")
"""Modules that report objects which are still there at the end."""


@contextmanager
def _uncollected() -> Iterator[None]:
    """No collection of garbage while modules are imported, nor of these modules afterwards.

    They leave none, and looking for it takes a third of the time of a short command.
    """
    gc.disable()
    try:
        yield
    finally:
        if not any(name in sys.modules for name in _COUNTING):
            gc.freeze()
        gc.enable()


def _version(value: bool) -> None:
    if value:
        sys.stdout.write(f"calotype {calotype.__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    workspace: Annotated[
        Path | None,
        typer.Option(
            "--workspace",
            "-w",
            envvar="CALOTYPE_WORKSPACE",
            help="The folder of the workspace; by default the nearest one from here upward.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Answer with JSON; may stand anywhere.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Set up the terminal of this call."""
    with _uncollected():
        from calotype.app import opening  # after --help and --version were answered

    ctx.obj = Terminal(folder=workspace, as_json=as_json, open_store=opening.open_at, ports=_Ports())


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = _takes_json(words)
    try:
        app(args=["--json", *words] if as_json else words, prog_name="calotype", standalone_mode=True)
    except CalotypeError as error:
        Terminal(as_json=as_json).complain(error)
        raise SystemExit(code_of(error.code).exit_code) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except OSError as error:
        sys.stderr.write(
            f"error[storage-failed]: {error.strerror or error}\n  where: {error.filename or 'storage'}\n"
        )
        sys.stderr.write(
            "  fix:   make room or give access, then run the same command again; nothing is half done\n"
        )
        raise SystemExit(EXTERNAL) from None
    except Exception as error:
        if os.environ.get("CALOTYPE_DEBUG"):
            traceback.print_exc()
        sys.stderr.write(f"error[bug]: {type(error).__name__}: {error}\n")
        sys.stderr.write("  fix:   this is ours; run again with CALOTYPE_DEBUG=1 and report what it prints\n")
        raise SystemExit(BUG) from None


def _takes_json(words: list[str]) -> bool:
    """Take `--json` from wherever it stands (before a `--`)."""
    end = words.index("--") if "--" in words else len(words)
    if "--json" not in words[:end]:
        return False
    words[:end] = [word for word in words[:end] if word != "--json"]
    return True
