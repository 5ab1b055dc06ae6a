"""What every test gets: settings of the run, and the fixtures of `tests/support`."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from pathlib import Path

import pytest
from hypothesis import settings

pytest_plugins = [
    "tests.support.browser",
    "tests.support.servers",
    "tests.support.stories",
    "tests.support.workspaces",
]

REPO = Path(__file__).resolve().parents[1]
MEMORY = Path("/dev/shm")
ROOM_IN_MEMORY = 4 * 1024**3
TEMPORARY = "PYTEST_DEBUG_TEMPROOT"
"""Where pytest makes its temporary folders; xdist's workers take over the folder of the first process."""
TOLD_FROM_S = 2.0

settings.register_profile("fixed", derandomize=True, database=None)
settings.register_profile("explore")
settings.load_profile(os.environ.get("CALOTYPE_EXAMPLES", "fixed"))


def pytest_configure(config: pytest.Config) -> None:
    """The fast lane keeps its temporary folders in memory, where a disk flush costs nothing.

    The whole suite keeps them on the disk. So does `--basetemp`, and a machine with little memory.
    """
    if is_fast_lane(config) and TEMPORARY not in os.environ and _has_room(MEMORY):
        os.environ[TEMPORARY] = str(MEMORY)


def is_fast_lane(config: pytest.Config) -> bool:
    """Whether slow tests are left out."""
    return "not slow" in config.option.markexpr


def _has_room(folder: Path) -> bool:
    return os.access(folder, os.W_OK) and shutil.disk_usage(folder).free >= ROOM_IN_MEMORY


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Name the tests that the fast lane waited for. A hint, never a failure: machines differ."""
    if not is_fast_lane(config):
        return
    seconds: dict[str, float] = defaultdict(float)
    for reports in list(terminalreporter.stats.values()):
        for report in reports:
            if isinstance(report, pytest.TestReport):
                seconds[report.nodeid] += report.duration
    long = sorted((took, name) for name, took in seconds.items() if took >= TOLD_FROM_S)
    if long:
        terminalreporter.section("the fast lane waited for")
        for took, name in reversed(long):
            terminalreporter.line(f"{took:6.1f} s  {name}")
        terminalreporter.line("Make these faster or mark them slow, unless the machine was busy.")


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """For `-n auto`: the whole suite is spread over the cores, a named file or test runs in this process."""
    if config.option.numprocesses == "logical":
        return os.cpu_count() or 1
    whole = config.args in (["tests"], [str(REPO)], [str(REPO / "tests")])
    # one more than cores where tests wait for disk flushes; in memory another worker only imports everything once more
    extra = 0 if is_fast_lane(config) else 1
    return min((os.cpu_count() or 1) + extra, 4) if whole else 0


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
