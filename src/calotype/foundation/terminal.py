"""The kit of the command line: the context that commands share, how they print, how errors look.

Data goes to stdout, talk to stderr. With `--json` (anywhere on the line) stdout holds one JSON value and nothing else.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import typer
from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from calotype.foundation import progress as progress_kit
from calotype.foundation.actor import Actor
from calotype.foundation.errors import CalotypeError


@dataclass
class Terminal:
    """What one call of the command line knows: who, where, and how to answer."""

    folder: Path | None = None
    as_json: bool = False
    actor: Actor = field(default_factory=Actor.local)
    open_store: Callable[[Path | None], Any] | None = None
    ports: Any = None
    opened: Any = None
    out: Console = field(default_factory=lambda: Console(highlight=False, soft_wrap=True))
    err: Console = field(default_factory=lambda: Console(stderr=True, highlight=False))

    def store(self) -> Any:
        """The open workspace of this call (opened once). Raises: WorkspaceNotFound."""
        if self.opened is None and self.open_store is not None:
            self.opened = self.open_store(self.folder)
        return self.opened

    def emit(
        self, value: Any, shown: RenderableType | Sequence[RenderableType] = "", *, next: str = ""
    ) -> None:
        """Print the answer: `value` as JSON, or what is `shown` to a person, and the next likely command."""
        if self.as_json:
            sys.stdout.write(json.dumps(value, ensure_ascii=False, allow_nan=False) + "\n")
            return
        for part in [shown] if isinstance(shown, str) or not isinstance(shown, Sequence) else shown:
            self.out.print(part)
        if next:
            self.err.print(Text("next: ", style="dim").append(next, style="bold"))

    def say(self, text: str) -> None:
        """Talk: to stderr, and never with `--json`."""
        if not self.as_json:
            self.err.print(Text(text, style="dim"))

    @contextmanager
    def progress(self) -> Iterator[progress_kit.Progress]:
        """A progress bar on stderr; nothing where no person watches."""
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

    def complain(self, error: CalotypeError) -> None:
        """Print an error: to a person on stderr, and with `--json` as data too."""
        if self.as_json:
            sys.stdout.write(json.dumps({"error": error.to_dict()}, ensure_ascii=False) + "\n")
        lines = Text.assemble((f"error[{error.code}]", "bold red"), f": {error.message}")
        if error.where:
            lines.append(f"\n  where: {error.where}")
        if error.fix:
            lines.append(f"\n  fix:   {error.remedy}")
        self.err.print(lines, soft_wrap=True)


def terminal(ctx: typer.Context) -> Terminal:
    """The terminal of this call."""
    found = ctx.find_object(Terminal)
    return found if found is not None else Terminal()


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str | None = None) -> Table:
    """A plain table; texts of users are shown as they are, never as markup."""
    made = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="dim")
    for at, column in enumerate(columns):
        numeric = bool(rows) and all(isinstance(row[at], int | float) for row in rows)
        made.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in rows:
        made.add_row(*(Text(f"{cell:,}" if isinstance(cell, int) else str(cell)) for cell in row))
    return made


def facts(values: Mapping[str, Any]) -> Table:
    """Names and values, one a line."""
    made = Table(box=None, show_header=False, pad_edge=False)
    for name, value in values.items():
        made.add_row(Text(name, style="dim"), Text(f"{value:,}" if isinstance(value, int) else str(value)))
    return made
