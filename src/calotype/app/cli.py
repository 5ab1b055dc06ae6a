"""The command line: one table of commands, each imported when it is called, so that `--help` is fast."""

from __future__ import annotations

import gc
import importlib
import os
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup

import calotype
from calotype.foundation.codes import BUG, INTERRUPTED, code_of
from calotype.foundation.errors import Bug, CalotypeError
from calotype.foundation.os_errors import as_calotype_error
from calotype.foundation.terminal import Terminal

GROUPS: dict[str, dict[str, tuple[str, str]]] = {
    "Start": {
        "demo": ("calotype.app.demo.commands:demo", "Run the whole pipeline on example images"),
        "init": ("calotype.app.commands:init", "Create a workspace"),
        "serve": ("calotype.app.serving:serve", "Open the workspace in the browser"),
        "login": ("calotype.app.remote.commands:login", "Sign in to a server"),
        "logout": ("calotype.app.remote.commands:logout", "Sign out of a server"),
    },
    "Acquire": {
        "dataset": ("calotype.datasets.commands:dataset", "Create and list datasets"),
        "inspect": ("calotype.exchange.commands:inspect", "Say what label files are"),
        "convert": ("calotype.exchange.commands:convert", "Convert labels from one format to another"),
        "add": ("calotype.acquire.commands:add", "Add images to a dataset"),
        "import": ("calotype.acquire.labels.commands:import_labels", "Import annotations and their images"),
        "quarantine": ("calotype.acquire.commands:quarantine", "List rejected files and annotations"),
        "count": ("calotype.datasets.commands:count", "Count samples and annotations"),
        "samples": ("calotype.datasets.commands:samples", "List samples"),
        "view": ("calotype.browse.views.commands:view", "Save queries under a name, and list them"),
    },
    "Check": {
        "contract": ("calotype.contracts.commands:contract", "Write, set and compare contracts"),
        "check": ("calotype.checks.commands:check", "Test a dataset against its contract"),
        "findings": ("calotype.findings.commands:findings", "List findings and their state"),
        "triage": ("calotype.findings.commands:triage", "Accept, reject or assign findings"),
        "fix": ("calotype.findings.commands:fix", "Apply suggested fixes of findings, or undo them"),
    },
    "Guide": {
        "ontology": ("calotype.guidelines.commands:ontology", "Show, set, compare and migrate classes"),
        "guideline": (
            "calotype.guidelines.commands:guideline",
            "Write and publish guidelines, list stale labels",
        ),
    },
    "Annotate": {
        "batch": ("calotype.staffing.commands:batch", "Open batches of samples to label, and follow them"),
        "work": ("calotype.labelling.commands:work", "Take assignments, annotate, submit, ask"),
        "precedent": (
            "calotype.guidelines.precedents.commands:precedent",
            "Keep and list rulings on difficult cases",
        ),
        "review": ("calotype.reviews.commands:review", "Judge submitted work: accept, merge, send back"),
    },
    "Edit": {
        "edit": ("calotype.annotate.commands:edit", "Change annotations and samples by a list of edits"),
        "edits": ("calotype.annotate.commands:edits", "List the edits since the last commit"),
        "undo-edit": ("calotype.annotate.commands:undo_edit", "Undo the last uncommitted edit"),
        "redo-edit": ("calotype.annotate.commands:redo_edit", "Bring back the edit that was undone last"),
        "predict": ("calotype.annotate.commands:predict", "Run a model; its predictions become a label set"),
    },
    "Augment and transform": {
        "augment": ("calotype.transform.commands:augment", "Make varied copies of samples by a recipe"),
        "transform": (
            "calotype.transform.commands:transform",
            "Make one transformed sample of each by a recipe",
        ),
        "map-classes": ("calotype.transform.commands:map_classes", "Rename, merge or drop classes"),
    },
    "Curate": {
        "split": ("calotype.curate.commands:split", "Assign train, val and test splits without leakage"),
        "curate": ("calotype.curate.commands:curate", "Select samples, with a reason for each"),
        "embed": ("calotype.curate.commands:embed", "Compute embeddings of samples"),
        "similar": ("calotype.curate.commands:similar", "List the samples most similar to one"),
    },
    "Release": {
        "release": ("calotype.release.commands:release", "Release a tested version of a dataset"),
        "releases": ("calotype.release.commands:releases", "List or show releases, or rebuild their files"),
        "materialise": (
            "calotype.release.commands:materialise",
            "Decode and resize the images of a release for training",
        ),
        "export": ("calotype.release.commands:export", "Export a dataset in a label format"),
    },
    "Versions": {
        "commit": ("calotype.datasets.commands:commit", "Record the working state as a commit"),
        "log": ("calotype.datasets.commands:log", "List commits"),
        "diff": ("calotype.datasets.commands:diff", "Show the changes between two commits, branches or tags"),
        "branch": ("calotype.datasets.commands:branch", "Create or list branches"),
        "tag": ("calotype.datasets.commands:tag", "Create or list tags"),
        "rollback": (
            "calotype.datasets.commands:rollback",
            "Restore the contents of an earlier commit as a new commit",
        ),
        "merge": ("calotype.versions.commands:merge", "Merge a branch into another"),
        "conflicts": ("calotype.versions.commands:conflicts", "List the conflicts of a merge"),
        "resolve": ("calotype.versions.commands:resolve", "Resolve conflicts of a merge"),
        "undo": ("calotype.versions.commands:undo", "Revert the changes of one commit"),
        "blame": ("calotype.versions.commands:blame", "Show who created and last changed an annotation"),
        "protect": ("calotype.versions.commands:protect", "Require green gates for merges into a branch"),
        "approve": ("calotype.versions.commands:approve", "Approve a commit of somebody else"),
    },
    "Pipelines": {
        "run": ("calotype.pipeline.commands:run", "Run a pipeline; up-to-date stages are skipped"),
        "runs": ("calotype.pipeline.commands:runs", "List or show pipeline runs"),
    },
    "Govern": {
        "people": ("calotype.people.commands:people", "Add, list, disable and enable people"),
        "team": ("calotype.people.commands:team", "Create teams, with members and datasets"),
        "grant": ("calotype.people.commands:grant", "Grant roles, list and revoke grants"),
        "token": ("calotype.people.commands:token", "Create, list and revoke API tokens"),
        "access": ("calotype.app.access:access", "Say who has access and why, ask for it, review it"),
        "classify": ("calotype.govern.commands:classify", "Say what kind of data a dataset holds"),
        "org": ("calotype.app.access:org", "Show or set the model of the organisation"),
        "audit": ("calotype.govern.commands:audit", "Show the audit log"),
        "maturity": ("calotype.maturity.commands:maturity", "Read how far datasets are, from evidence"),
    },
    "Reliability": {
        "verify": ("calotype.reliability.commands:verify", "Verify that all data is present and intact"),
        "repair": ("calotype.reliability.commands:repair", "Repair damage that verify reports"),
        "backup": ("calotype.reliability.commands:backup", "Back up the workspace"),
        "restore": ("calotype.reliability.commands:restore", "Restore a workspace from a backup"),
        "move": ("calotype.reliability.commands:move", "Move the workspace to PostgreSQL and a bucket"),
        "gc": ("calotype.reliability.commands:gc", "Compact tables and delete unreferenced data"),
        "size": ("calotype.reliability.commands:size", "Show disk usage by purpose"),
    },
}
"""Panel of the help -> command -> where it is defined, and its line in the list."""

COMMANDS = {
    name: (place, line, panel)
    for panel, commands in GROUPS.items()
    for name, (place, line) in commands.items()
}


_REPORT_LEAKS = ("duckdb", "onnx")


class Lazy(TyperGroup):
    """A group that imports a command when it is called; the list of commands needs no imports."""

    def list_commands(self, ctx: Any) -> list[str]:
        """All names, in the order of the help."""
        return list(COMMANDS)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the help from the table of commands alone."""
        ctx.meta[_LISTING] = True
        super().format_help(ctx, formatter)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of a name."""
        if cmd_name not in COMMANDS:
            return None
        place, line, panel = COMMANDS[cmd_name]
        if ctx is not None and ctx.meta.get(_LISTING):
            return TyperCommand(cmd_name, short_help=line, rich_help_panel=panel)
        module, _, attribute = place.partition(":")
        target = getattr(_import(module), attribute)
        if isinstance(target, typer.Typer):
            command: Any = typer.main.get_group(target)
        else:
            single = typer.Typer(add_completion=False, context_settings=_SETTINGS)
            single.command(cmd_name)(target)
            command = typer.main.get_command(single)
        command.name, command.short_help = cmd_name, line
        return command


class Unexpected(Bug):
    """An error that no part of Calotype expects."""

    what = "{detail}"
    fix = "this is a bug in Calotype; run again with CALOTYPE_DEBUG=1 and report the output"


_LISTING = "calotype.listing"
_SETTINGS = {"help_option_names": ["-h", "--help"]}

app = typer.Typer(
    name="calotype",
    cls=Lazy,
    no_args_is_help=True,
    context_settings=_SETTINGS,
    pretty_exceptions_enable=False,
    help="From raw images to datasets that are tested, versioned, governed and fresh.",
)


def _version(value: bool) -> None:
    if value:
        sys.stdout.write(f"calotype {calotype.__version__}\n")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    workspace: Annotated[
        str,
        typer.Option(
            "--workspace",
            "-w",
            envvar="CALOTYPE_WORKSPACE",
            help="Folder of the workspace, or https://HOST of a server. "
            "Default: the nearest folder that has one, from the current one upward.",
        ),
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON. Accepted anywhere on the line.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Set up the terminal for this command."""
    t = Terminal(workspace=workspace, as_json=as_json, open_store=_open_store, ports=Wiring())
    ctx.obj = t
    ctx.call_on_close(t.close)


class Wiring:
    """The names of `app.wiring`, imported when a command asks for one: most need none, and it loads every room."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_import("calotype.app.wiring"), name)


def _import(name: str) -> ModuleType:
    """Import a module with garbage collection off: imports leave no garbage, and looking takes a third of the time.

    What was imported is exempt from later collections, except when modules are loaded that report objects still alive
    at exit.
    """
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        if not any(module in sys.modules for module in _REPORT_LEAKS):
            gc.freeze()
        gc.enable()


def _open_store(workspace: str) -> Any:
    if "://" in workspace:
        return _import("calotype.api.remote.store").open_remote(workspace)
    return _import("calotype.app.workspaces").open_at(Path(workspace) if workspace else None)


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    as_json = _pop_json(words)
    try:
        app(args=["--json", *words] if as_json else words, prog_name="calotype", standalone_mode=True)
    except CalotypeError as error:
        Terminal(as_json=as_json).print_error(error)
        raise SystemExit(code_of(error.code).exit_code) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except OSError as error:
        failed = as_calotype_error(error)
        Terminal(as_json=as_json).print_error(failed)
        raise SystemExit(code_of(failed.code).exit_code) from None
    except KeyboardInterrupt:
        sys.stderr.write("stopped; what was finished before is kept\n")
        raise SystemExit(INTERRUPTED) from None
    except Exception as error:
        if os.environ.get("CALOTYPE_DEBUG"):
            traceback.print_exc()
        Terminal(as_json=as_json).print_error(Unexpected(detail=f"{type(error).__name__}: {error}"))
        raise SystemExit(BUG) from None


def _pop_json(words: list[str]) -> bool:
    """Remove `--json` from anywhere before a `--`; returns whether it was there."""
    end = words.index("--") if "--" in words else len(words)
    if "--json" not in words[:end]:
        return False
    words[:end] = [word for word in words[:end] if word != "--json"]
    return True
