"""DVC: files and folders under versions, beside git. Commands, as a user types them; new repository each round.

`children_peak_mb` is the largest of its processes; `seconds` includes starting them.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from bench import Figure, World, change_photos, folder_mb, main, photo_tree, scenario, timed

DVC = str(Path(sys.executable).parent / "dvc")
ENVIRONMENT = os.environ | {
    "DVC_NO_ANALYTICS": "1",
    "GIT_AUTHOR_NAME": "bench",
    "GIT_AUTHOR_EMAIL": "bench@example.org",
    "GIT_COMMITTER_NAME": "bench",
    "GIT_COMMITTER_EMAIL": "bench@example.org",
}


def call(world: World, *words: str) -> str:
    done = subprocess.run(words, cwd=world.work, env=ENVIRONMENT, check=True, capture_output=True, text=True)
    return done.stdout


@scenario
def photos_add(world: World) -> Figure:
    call(world, "git", "init", "-q")
    call(world, DVC, "init", "-q")
    photo_tree(world)

    def work() -> None:
        call(world, DVC, "add", "-q", "tree")
        call(world, "git", "add", "tree.dvc", ".gitignore", ".dvc")
        call(world, "git", "commit", "-qm", "add")

    seconds, _ = timed(work)
    size = round(folder_mb(world.work / ".dvc" / "cache"))
    return {"seconds": seconds, "answer": _listed(world), "disk_mb": size}


@scenario
def photos_commit(world: World) -> Figure:
    n = change_photos(world, world.work / "tree")

    def work() -> None:
        call(world, DVC, "add", "-q", "tree")
        call(world, "git", "add", "tree.dvc")
        call(world, "git", "commit", "-qm", "one in a hundred")

    return {"seconds": timed(work)[0], "answer": n}


@scenario
def photos_diff(world: World) -> Figure:
    seconds, text = timed(lambda: call(world, DVC, "diff", "--json", "HEAD~1", "HEAD"))
    modified = [row for row in json.loads(text)["modified"] if not row["path"].endswith("/")]
    return {"seconds": seconds, "answer": len([row for row in modified if row["path"] != "tree"])}


@scenario
def photos_checkout(world: World) -> Figure:
    """Back to the older version: the files of the tree are changed."""

    def work() -> None:
        call(world, "git", "checkout", "-q", "HEAD~1")
        call(world, DVC, "checkout", "-q")

    return {"seconds": timed(work)[0], "answer": _listed(world), "note": "files are put back"}


def _listed(world: World) -> int:
    return sum(len(files) for _root, _folders, files in os.walk(world.work / "tree"))


if __name__ == "__main__":
    main()
