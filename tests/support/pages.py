"""Running the blocks of a page of the documentation."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from calotype.app.cli import main


def blocks(page: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", page.read_text("utf-8"), re.DOTALL)


def run_lines(block: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Run the commands of a block; a comment `exit code N` says how one ends, `&& cd DIR` enters a folder."""
    for line in block.strip().splitlines():
        command, _, comment = line.partition("#")
        command, _, folder = command.partition("&& cd ")
        said = re.search(r"exit code (\d+)", comment)
        with pytest.raises(SystemExit) as ended:
            main(shlex.split(command)[1:])
        told = capsys.readouterr()
        assert (ended.value.code or 0) == (int(said[1]) if said else 0), (line, told.out[-2_000:], told.err)
        if folder:
            os.chdir(folder.strip())
