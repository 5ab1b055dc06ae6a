"""Shared code of the commands: their context, and how results, messages and errors are printed.

Data goes to stdout, messages go to stderr. With `--json` (anywhere on the line) stdout holds exactly one JSON value.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import typer
from rich.console import Console, ConsoleOptions, RenderableType, RenderHook, RenderResult
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from calotype.foundation import progress as progress_kit
from calotype.foundation.actor import Actor
from calotype.foundation.errors import CalotypeError
from calotype.foundation.printable import one_line, printable, printable_json

_EXAMPLES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class _Printable:
    """A renderable whose text cannot drive the terminal."""

    content: Any

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for segment in console.render(self.content, options):
            text, style, control = segment
            yield segment if control else Segment(printable(text), style)


class _PrintableOnly(RenderHook):
    """Makes everything printable, whoever wrote it; the console's own colours and bars stay."""

    def process_renderables(self, renderables: list[Any]) -> list[Any]:
        """Wrap each renderable."""
        return [_Printable(renderable) for renderable in renderables]


def console(*, stderr: bool = False, soft_wrap: bool = False) -> Console:
    """A console on which names and messages from outside are shown, never obeyed."""
    made = Console(stderr=stderr, highlight=False, soft_wrap=soft_wrap)
    made.push_render_hook(_PrintableOnly())
    return made


@dataclass
class Terminal:
    """Context of one call of the command line: the actor, the workspace and the output."""

    workspace: str = ""
    """Folder or address of the workspace; empty for the nearest folder that has one."""
    as_json: bool = False
    actor: Actor = field(default_factory=Actor.local)
    open_store: Callable[[str], Any] | None = None
    ports: Any = None
    opened: Any = None
    out: Console = field(default_factory=lambda: console(soft_wrap=True))
    err: Console = field(default_factory=lambda: console(stderr=True))

    def store(self) -> Any:
        """The open workspace of this call; opened on first use. Raises: WorkspaceNotFound."""
        if self.opened is None and self.open_store is not None:
            self.opened = self.open_store(self.workspace)
        return self.opened

    def close(self) -> None:
        """Close the workspace, if a command opened it."""
        if self.opened is not None and self.open_store is not None:
            self.opened.close()

    def emit(
        self, value: Any, shown: RenderableType | Sequence[RenderableType] = "", *, next: str = ""
    ) -> None:
        """Print a result: `value` as JSON, or `shown` as text, and suggest the next command."""
        if self.as_json:
            self.write_json(value)
            return
        for part in [shown] if isinstance(shown, str) or not isinstance(shown, Sequence) else shown:
            self.out.print(Text(part) if isinstance(part, str) else part)
        if next:
            self.err.print(Text("next: ", style="dim").append(next, style="bold"), soft_wrap=True)

    def write_json(self, value: Any) -> None:
        """Print one JSON value to stdout."""
        sys.stdout.write(printable_json(json.dumps(value, ensure_ascii=False, allow_nan=False)) + "\n")

    def say(self, text: str) -> None:
        """Print a message to stderr, except with `--json`."""
        if not self.as_json:
            self.err.print(Text(text, style="dim"))

    @contextmanager
    def progress(self) -> Iterator[progress_kit.Progress]:
        """A progress bar on stderr, if stderr is a terminal."""
        if self.as_json or not self.err.is_terminal:
            yield progress_kit.silent
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self.err, transient=True) as bars:
            tasks: dict[str, Any] = {}

            def show(what: str, done: int, total: int) -> None:
                if what not in tasks:
                    tasks[what] = bars.add_task(what, total=total or None)
                bars.update(tasks[what], completed=done, total=total or None)

            yield show

    def print_error(self, error: CalotypeError) -> None:
        """Print an error to stderr, and with `--json` also as data to stdout."""
        if self.as_json:
            self.write_json({"error": error.to_dict()})
        lines = Text.assemble((f"error[{error.code}]", "bold red"), f": {error.message}")
        if error.where:
            lines.append(f"\n  where: {error.where}")
        if error.fix:
            lines.append(f"\n  fix:   {error.remedy}")
        self.err.print(lines, soft_wrap=True)


def terminal(ctx: typer.Context) -> Terminal:
    """The terminal of this call."""
    return ctx.find_object(Terminal) or Terminal()


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str | None = None) -> Table:
    """A plain table. Cells are shown literally, never interpreted as markup."""
    grid = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="dim")
    for index, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[index], int | float) for row in rows)
        is_copied = column == "id"  # an id in two halves cannot be given to the next command
        grid.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=is_copied)
    for row in rows:
        grid.add_row(*(Text(f"{cell:,}" if isinstance(cell, int) else one_line(str(cell))) for cell in row))
    return grid


def counted(title: str, rows: Sequence[tuple[int, str, str, Sequence[str]]]) -> Table:
    """What happened how often: count, code (may be empty), words, and below the words the first three examples."""
    grid = Table(box=None, pad_edge=False, header_style="dim")
    grid.add_column("count", justify="right")
    with_codes = any(code for _, code, _, _ in rows)
    if with_codes:
        grid.add_column(title, no_wrap=True)
    grid.add_column("" if with_codes else title, overflow="fold")
    for count, code, words, examples in rows:
        cell = Text(one_line(words))
        if examples:
            shown = [one_line(example) for example in examples[:_EXAMPLES_SHOWN]]
            shown += ["..."] if count > len(shown) else []
            one_row = ", ".join(shown)
            cell.append("\n" + (one_row if len(one_row) <= 64 else "\n".join(shown)), style="dim")
        grid.add_row(Text(f"{count:,}"), *([Text(one_line(code))] if with_codes else []), cell)
    return grid


def facts(values: Mapping[str, Any]) -> Table:
    """Names and values, one pair per line."""
    grid = Table(box=None, show_header=False, pad_edge=False)
    for name, value in values.items():
        grid.add_row(Text(name, style="dim"), Text(f"{value:,}" if isinstance(value, int) else str(value)))
    return grid
