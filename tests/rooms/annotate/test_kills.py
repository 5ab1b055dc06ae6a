"""A process that is killed in the middle of an edit or an undo leaves the branch as it was; both can be repeated."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from calotype.reliability.service import verify

CHILD = """
import os, signal, sys
from pathlib import Path
from calotype.annotate import repository as requests
from calotype.annotate import service
from calotype.annotate.service import EditOptions
from calotype.datasets import repository
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

folder, point, ann_id = sys.argv[1:]
owner, name = {
    "staged": (Tables, "publish"), "published": (Tables, "publish"), "moved": (repository, "move_ref"),
    "listed": (repository, "add_edit"), "answered": (requests, "keep_answer"), "marked": (requests, "mark_edit"),
}[point]
setattr(owner, name, die if point == "staged" else die_after(getattr(owner, name)))
actor, store = Actor(id="test:ana", name="ana"), open_workspace(Path(folder))
if point == "marked":
    service.undo_edit(actor, "shop", store=store)
else:
    edits = [{"do": "delete", "annotation": ann_id}]
    service.edit(actor, "shop", edits, store=store, options=EditOptions(request_id="request-1"))
"""


@pytest.mark.slow
@pytest.mark.parametrize("point", ["staged", "published", "moved", "listed", "answered", "marked"])
def test_a_killed_edit_leaves_nothing_behind(shop, point):
    edit = {"do": "delete", "annotation": shop.box().ann_id}
    if point == "marked":
        shop.edit(edit)
    before, verbs = shop.rows(), shop.verbs()
    command = [sys.executable, "-c", CHILD, str(shop.store.root), point, edit["annotation"]]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    assert (shop.rows(), shop.verbs()) == (before, verbs)
    if point == "marked":
        shop.undo()
        assert shop.verbs() == ["(annotate.edit)"]
    else:
        assert not shop.edit(edit, request_id="request-1").repeated
        assert shop.edit(edit, request_id="request-1").repeated
        assert shop.verbs() == ["annotate.edit"]
    assert not verify(shop.actor, store=shop.store).problems
