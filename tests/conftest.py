"""What every test gets: settings of the run, and the fixtures of `tests/support`."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = [
    "tests.support.browser",
    "tests.support.servers",
    "tests.support.stories",
    "tests.support.workspaces",
]

REPO = Path(__file__).resolve().parents[1]


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """For `-n auto`: the whole suite is spread over the cores, a named file or test runs in this process."""
    if config.option.numprocesses == "logical":
        return os.cpu_count() or 1
    whole = config.args in (["tests"], [str(REPO)], [str(REPO / "tests")])
    return (
        min((os.cpu_count() or 1) + 1, 4) if whole else 0
    )  # one more than cores: tests wait for disk flushes


@pytest.fixture(scope="session")
def repo() -> Path:
    """The root of the checkout."""
    return REPO


@pytest.fixture(scope="session")
def dev_data() -> Path:
    """Folder of larger public datasets; without `CALOTYPE_DEV_DATA` the tests that want it are skipped."""
    folder = os.environ.get("CALOTYPE_DEV_DATA")
    if not folder:
        pytest.skip("CALOTYPE_DEV_DATA is not set")
    return Path(folder)
