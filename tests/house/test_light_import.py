"""`import calotype` is quick and loads nothing heavy."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from PIL import Image

import calotype as ct

HEAVY = (
    "lance",
    "pyarrow",
    "fastapi",
    "starlette",
    "uvicorn",
    "typer",
    "torch",
    "duckdb",
    "sklearn",
    "scipy",
)
BUDGET_CPU_S = 0.3
PROBE = """
import sys, time
import json
before = set(sys.modules)
start = time.process_time()
import calotype
took = time.process_time() - start
print(json.dumps({"took_s": took, "modules": sorted(m for m in set(sys.modules) - before if "." not in m)}))
"""


@pytest.fixture(scope="module")
def imports():
    """Three imports in processes of their own."""
    command = [sys.executable, "-c", PROBE]
    return [json.loads(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(3)]


@pytest.mark.parametrize("name", HEAVY)
def test_importing_calotype_leaves_the_heavy_library_alone(imports, name):
    assert name not in imports[0]["modules"]


def test_importing_calotype_is_within_its_budget_of_processor_time(imports):
    assert min(run["took_s"] for run in imports) < BUDGET_CPU_S


FIRST_ANSWER = """
import sys
import calotype as ct
with ct.open(sys.argv[1]) as workspace:
    workspace.dataset("first").at("main").by_class()
print(" ".join(sorted(m for m in sys.modules if "." not in m)))
"""


@pytest.mark.slow
def test_a_first_answer_waits_for_no_web_server_and_no_model(tmp_path):
    Image.new("RGB", (16, 8)).save(tmp_path / "one.png")
    with ct.open(tmp_path / "work") as workspace:
        made = workspace.create("first")
        made.add_images(tmp_path / "one.png")
        made.commit("one")
    command = [sys.executable, "-c", FIRST_ANSWER, str(tmp_path / "work")]
    answered = subprocess.run(command, capture_output=True, check=True, text=True)
    loaded = set(answered.stdout.split())
    assert "lance" in loaded
    assert loaded.isdisjoint(
        {"fastapi", "starlette", "uvicorn", "alembic", "boto3", "torch", "sklearn", "scipy"}
    )


COUNT = """
import sys
from calotype.app.cli import main
try:
    main(["-w", sys.argv[1], "count", "first", *sys.argv[2:]])
except SystemExit:
    print(" ".join(sorted(sys.modules)))
"""


def test_a_short_command_loads_neither_checks_nor_databases_that_it_does_not_ask(tmp_path):
    with ct.open(tmp_path) as workspace:
        workspace.create("first")
    words = [sys.executable, "-c", COUNT, str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    heavy = ("calotype.checks.service", "calotype.release.service", "duckdb", "yaml", "sklearn", "scipy")
    assert loaded.isdisjoint(heavy) and "calotype.datasets.service" in loaded


@pytest.mark.slow
def test_what_a_command_leaves_at_its_end_is_not_reported_as_leaked(tmp_path):
    with ct.open(tmp_path) as workspace:
        workspace.create("first")
    words = [sys.executable, "-c", COUNT, str(tmp_path), "--where", "luma < 40"]
    assert "leaked" not in subprocess.run(words, capture_output=True, text=True, check=True).stderr
