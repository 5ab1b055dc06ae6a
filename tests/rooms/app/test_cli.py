"""The help of the command line: complete, in groups, and written without importing any room."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import typer

from calotype.app import cli
from calotype.datasets import service as datasets

ROOMS_LOADED = """
import sys
from calotype.app.cli import main
try:
    main(["--help"])
finally:
    loaded = {name.split(".")[1] for name in sys.modules if name.startswith("calotype.")}
    print("loaded:", *sorted(loaded))
"""


@pytest.fixture(scope="module")
def printed():
    """What `calotype --help` prints in 80 columns, then the packages of calotype that it imported."""
    command = [sys.executable, "-c", ROOMS_LOADED]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
    )
    return done.stdout.splitlines()


def test_help_lists_every_command_once_under_its_group(printed):
    lines = [line.strip("│ ") for line in printed]
    for group, commands in cli.GROUPS.items():
        start = next(i for i, line in enumerate(printed) if f"─ {group} ─" in line)
        expected = [f"{name} {line}" for name, (_, line) in commands.items()]
        shown = [" ".join(line.split()) for line in lines[start + 1 : start + 1 + len(expected)]]
        assert shown == expected


def test_help_imports_no_room(printed):
    assert printed[-1] == "loaded: app foundation"


@pytest.mark.parametrize("name", list(cli.COMMANDS))
def test_every_command_loads_and_says_what_it_does(name):
    group = typer.main.get_group(cli.app)
    command = group.get_command(typer.Context(group), name)
    assert command is not None
    assert command.name == name
    assert command.help


def test_counting_needs_no_engine_for_joins_and_no_other_room(owner, workspace):
    code = "import sys\nfrom calotype.app.cli import main\ntry:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
    code += "print(*sorted(sys.modules))"
    datasets.create(owner, "shop", store=workspace)
    words = ["-w", str(workspace.root), "count", "shop"]
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & {
        "duckdb",
        "fastapi",
        "scipy",
        "sqlalchemy.dialects.postgresql",
        "calotype.app.wiring",
    }
    rooms = {name.split(".")[1] for name in loaded if name.startswith("calotype.")}
    assert rooms == {"app", "catalog_tables", "datasets", "foundation", "govern", "store", "vision"}
