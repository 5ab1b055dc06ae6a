"""The reliability harness in short: each fault for some rounds, and proof that it would see a loss."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow


def python(repo, code_or_file, *words):
    """Run in a process of its own: the harness forks, which a process that has Lance open must not."""
    environment = {**os.environ, "PYTHONPATH": f"{repo / 'src'}:{repo / 'benchmarks' / 'reliability'}"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", *code_or_file, *words],
        capture_output=True,
        text=True,
        env=environment,
        timeout=800,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def harness(repo, fault, rounds):
    file = repo / "benchmarks" / "reliability" / "run.py"
    return python(repo, [str(file)], "--rounds", str(rounds), "--fault", fault)


@pytest.mark.parametrize(
    ("fault", "rounds"), [("kill", 6), ("stop", 3), ("full", 6), ("power", 12), ("increments", 5)]
)
def test_nothing_acknowledged_is_lost(repo, fault, rounds):
    code, said = harness(repo, fault, rounds)
    assert code == 0, said
    assert f"{fault}: " in said


def test_a_power_cut_is_noticed_when_nothing_is_flushed(repo):
    sabotage = "import os, sys; os.fsync = lambda handle: None; import run; sys.exit(run.main())"
    code, said = python(repo, ["-c", sabotage], "--rounds", "18", "--fault", "power")
    if "skipped" in said:
        pytest.skip("strace is not installed, or may not attach")
    assert code == 1, said
    assert "lost" in said and "cut at" in said


def test_the_judge_sees_what_is_lost(repo, tmp_path):
    reported = [
        {"commit": "f" * 64, "stats": {"samples": 1, "annotations": 1}},
        {"images": ["never-added.png"]},
        {"counter": 99},
    ]
    code = f"""
import pathlib, shop
base = shop.prepare(pathlib.Path({str(tmp_path)!r}))
for reported in {reported!r}:
    tally = shop.Tally("x")
    shop.judge(base, [reported], tally, "here")
    assert tally.wrong, reported
media = next((base / ".calotype" / "media" / "sha256").rglob("?" * 64))
media.unlink()
tally = shop.Tally("x")
shop.judge(base, [], tally, "here")
assert any("is missing" in wrong for wrong in tally.unreadable), tally
print("seen")
"""
    status, said = python(repo, ["-c", code])
    assert (status, "seen" in said) == (0, True), said


@pytest.mark.parametrize("verb", ["add", "import", "commit", "merge", "release", "gc", "backup", "move"])
def test_a_storage_call_that_fails_leaves_the_state_before_or_after(repo, verb):
    if shutil.which("cc") is None:
        pytest.skip("the library that fails calls takes a C compiler")
    file = repo / "benchmarks" / "reliability" / "calls.py"
    code, said = python(repo, [str(file)], "--verb", verb, "--every", "60")
    assert code == 0, said
    assert f"| {verb} | disk full |" in said
