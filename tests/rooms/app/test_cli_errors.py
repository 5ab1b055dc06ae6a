"""What the command line does with hostile names, wrong paths and refused writes."""

from __future__ import annotations

import errno
import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.images import draw, encode

from calotype.app import cli

ESCAPES = ("\x1b]0;title\x07", "\x1b[2J", "\x9b31m", "\u202e")


def call(capsys, *words):
    """Exit code, stdout and stderr of one call."""
    with pytest.raises(SystemExit) as ended:
        cli.main(list(map(str, words)))
    captured = capsys.readouterr()
    return ended.value.code, captured.out, captured.err


@pytest.fixture
def workspace(tmp_path, capsys):
    """The folder of a workspace with the empty dataset `c`."""
    folder = tmp_path / "w"
    assert call(capsys, "init", folder)[0] == 0
    assert call(capsys, "-w", folder, "dataset", "create", "c")[0] == 0
    return folder


def on_a_terminal(*words):
    """What a command writes to a terminal."""
    main, other = pty.openpty()
    command = [sys.executable, "-m", "calotype", *map(str, words)]
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "200"}
    with subprocess.Popen(command, stdout=other, stderr=other, stdin=other, env=environment) as process:
        os.close(other)
        written = b""
        while True:
            try:
                part = os.read(main, 65_536)
            except OSError:  # Linux reports the end of a terminal as an error
                break
            if not part:
                break
            written += part
        process.wait()
    os.close(main)
    return written.decode("utf-8")


@pytest.mark.slow
def test_names_and_messages_reach_a_terminal_as_escapes(workspace, tmp_path, capsys):
    images = tmp_path / "images"
    images.mkdir()
    for number, escape in enumerate(ESCAPES):
        (images / f"{escape}{number}.png").write_bytes(encode(draw(number), "image/png"))
        (images / f"bad{escape}{number}.png").write_bytes(b"x")
    assert call(capsys, "-w", workspace, "add", "c", images)[0] == 0
    assert call(capsys, "-w", workspace, "commit", "c", "-m", "".join(ESCAPES) + "m")[0] == 0
    for command in ("samples", "quarantine", "log"):
        shown = on_a_terminal("-w", workspace, command, "c")
        assert not [escape for escape in ESCAPES if escape in shown], command
        assert "\\x1b]0;title" in shown, command
        code, out, _ = call(capsys, "-w", workspace, command, "c", "--json")
        assert code == 0 and not [escape for escape in ESCAPES if escape in out]


def test_init_uses_the_folder_of_the_workspace_option(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = call(capsys, "-w", tmp_path / "there", "init", "--json")
    assert code == 0 and json.loads(out) == {"workspace": str(tmp_path / "there")}
    assert (tmp_path / "there" / ".calotype").is_dir() and not (tmp_path / ".calotype").exists()


@pytest.mark.parametrize(
    ("words", "exit_code", "error"),
    [
        (("contract", "set", "c", "gone.yaml"), 3, "path-not-found"),
        (("contract", "set", "c", "image.png"), 2, "text-file-invalid"),
        (("contract", "set", "c", "."), 2, "text-file-invalid"),
        (("check", "c", "--contract", "gone.yaml"), 3, "path-not-found"),
        (("contract", "init", "--out", "image.png"), 4, "path-exists"),
        (("contract", "init", "--out", "gone/contract.yaml"), 3, "path-not-found"),
    ],
)
def test_a_wrong_file_is_named_with_the_documented_exit_code(
    workspace, tmp_path, capsys, monkeypatch, words, exit_code, error
):
    monkeypatch.chdir(tmp_path)
    Path("image.png").write_bytes(encode(draw(1), "image/png"))
    code, out, err = call(capsys, "-w", workspace, *words, "--json")
    problem = json.loads(out)["error"]
    assert (code, problem["code"]) == (exit_code, error)
    assert f"error[{error}]" in err and "Traceback" not in err and problem["fix"]


def test_a_workspace_path_that_is_not_utf8_is_refused(tmp_path, capsys):
    folder = os.fsdecode(os.fsencode(tmp_path) + b"/ws\xff")
    code, _, err = call(capsys, "init", folder)
    assert code == 2 and "error[workspace-path-invalid]" in err and "\\udcff" in err
    assert not os.path.exists(folder)


@pytest.mark.parametrize(
    ("number", "shown"), [(errno.ENOSPC, "the disk is full"), (errno.EACCES, "access is denied")]
)
def test_a_refused_write_gives_the_real_reason(workspace, capsys, monkeypatch, number, shown):
    def refuse(*_words, **_options):
        raise OSError(number, os.strerror(number), str(workspace))

    monkeypatch.setattr("calotype.datasets.service.create", refuse)
    code, out, err = call(capsys, "-w", workspace, "dataset", "create", "d", "--json")
    assert code == 5 and json.loads(out)["error"]["what"] == shown
    assert ("free disk space" in err) == (number == errno.ENOSPC)


def test_a_bug_is_reported_as_json_too(workspace, capsys, monkeypatch):
    monkeypatch.setattr("calotype.datasets.service.create", lambda *_words, **_options: 1 / 0)
    code, out, err = call(capsys, "-w", workspace, "dataset", "create", "d", "--json")
    assert code == 70 and json.loads(out)["error"]["code"] == "bug"
    assert "ZeroDivisionError" in err and "Traceback" not in err
