"""A process that is killed in the middle of a merge leaves the branch as it was, and the merge can be made again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from tests.support.streets import Streets, box

from calotype.datasets import service
from calotype.govern.rules import RoleRules
from calotype.reliability.service import verify
from calotype.store.store import create_workspace, open_workspace

CHILD = """
import os, signal, sys
from pathlib import Path
from calotype.datasets import repository
from calotype.versions import repository as merges
from calotype.versions import service as versions
from calotype.foundation.actor import Actor
from calotype.store.store import open_workspace
from calotype.store.tables.tables import Tables

def die(*_args, **_options):
    os.kill(os.getpid(), signal.SIGKILL)

def die_after(done):
    def both(*args, **options):
        done(*args, **options)
        die()
    return both

folder, point = sys.argv[1:]
owner, name = {
    "staged": (Tables, "publish"), "published": (Tables, "publish"), "committed": (repository, "add_commit"),
    "moved": (repository, "log_move"), "recorded": (merges, "put_merge"),
}[point]
setattr(owner, name, die if point == "staged" else die_after(getattr(owner, name)))
versions.merge(Actor(id="test:ben", name="ben"), "streets", "fix", store=open_workspace(Path(folder)))
print("merged")
"""


@pytest.mark.slow
@pytest.mark.parametrize("point", ["staged", "published", "committed", "moved", "recorded"])
def test_a_killed_merge_leaves_nothing_behind(tmp_path, owner, point):
    store = create_workspace(owner, tmp_path / "ws", decider=RoleRules())
    streets = Streets(owner, store)
    streets.commit("streets@fix", boxes=[box(0, 0, score=0.25), box(9, 1)])
    ours = streets.commit("streets", boxes=[box(0, 0, class_id=1)])
    before = streets.boxes()
    store.close()
    ended = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path / "ws"), point],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ},
        timeout=600,
    )
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    streets.store = open_workspace(tmp_path / "ws", decider=RoleRules())
    assert streets.boxes() == before
    assert streets.do("log")[0] == ours
    assert streets.do("merges") == []
    assert streets.do("merge", "fix").state == "landed"
    assert (streets.boxes()["a0"].score, streets.boxes()["a0"].class_id, len(streets.boxes())) == (0.25, 1, 5)
    problems = verify(owner, store=streets.store).problems
    lost = [one for one in problems if one.severity == "lost" and not one.place.startswith("media")]
    assert lost == []  # these samples have no pictures, and what a killed process staged is untidy, not lost
    assert service.read(owner, f"streets@{ours.id}", store=streets.store).count()["annotations"] == 4
    streets.store.close()
