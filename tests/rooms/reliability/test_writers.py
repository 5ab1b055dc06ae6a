"""Many writers on one dataset for a short while: all acknowledged work is there. The benchmark runs it for minutes."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow
HANGS_S = 120


@pytest.mark.parametrize("pair", ["sqlite+folder", "postgresql+bucket"])
def test_writers_of_several_processes_lose_nothing_and_get_no_server_error(repo, pair):
    command = [sys.executable, str(repo / "benchmarks" / "reliability" / "writers.py")]
    command += ["--minutes", "0.33", "--pair", pair, "--max-wait", str(HANGS_S)]
    environment = {**os.environ, "PYTHONPATH": str(repo / "src")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=800, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert pair in done.stdout
    for kind in ("upload", "annotate", "commit", "branch"):
        assert f"    {kind}" in done.stdout, done.stdout
