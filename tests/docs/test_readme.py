"""The blocks of the README do what they say."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from calotype.app.cli import main


def blocks(repo: Path, language: str) -> list[str]:
    """The fenced blocks of one language."""
    return re.findall(rf"```{language}\n(.*?)```", (repo / "README.md").read_text("utf-8"), re.DOTALL)


@pytest.fixture
def home(tmp_path, raw, monkeypatch):
    """A home folder with images and labels, as the README has them."""
    (raw / "images").rename(tmp_path / "images")
    (tmp_path / "shop").mkdir()
    (raw / "instances.json").rename(tmp_path / "shop" / "instances.json")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_ten_lines_and_the_same_in_python(repo, home, monkeypatch, capsys):
    (lines,) = blocks(repo, "bash")
    for line in lines.strip().splitlines():
        for part in line.split("#")[0].split("&&"):
            words = shlex.split(part.replace("~", str(home)))
            if words[0] == "cd":
                monkeypatch.chdir(words[1])
            elif words[1] != "serve":
                with pytest.raises(SystemExit) as ended:
                    main(words[1:])
                assert ended.value.code in (0, None), (words, capsys.readouterr().err)
    assert (home / "shop" / "out" / "annotations").is_dir()

    monkeypatch.chdir(home)
    (code,) = blocks(repo, "python")
    shown: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), shown)
    assert shown["item"]["image"].shape == (3, 48, 64)
    shown["ws"].close()
