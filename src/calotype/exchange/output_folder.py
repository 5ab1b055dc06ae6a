"""The folder that an export is written to: beside its target first, then renamed into place as a whole."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Literal

from calotype.foundation.durable import fsync_everything, fsync_path, sync_rebuildable
from calotype.foundation.errors import Conflict, External, Invalid
from calotype.foundation.ids import uuid7
from calotype.foundation.os_errors import reason_and_fix

ImagesMode = Literal["copy", "link", "none"]
"""Images beside exported labels: copies, hard links, or none."""


class TargetNotEmpty(Conflict):
    """The target folder has files."""

    code = "target-not-empty"
    what = "{folder} is not an empty folder"
    fix = "name a new folder, or empty this one first"


class TargetNotWritable(External):
    """The target cannot be written."""

    code = "target-not-writable"
    what = "cannot write files to {folder}: {detail}"
    fix = "{remedy_text}, or choose another folder; no partial files were left"


class ImagesModeUnknown(Invalid):
    """An unknown mode of exporting images."""

    code = "images-mode-unknown"
    what = "images are exported by copy, link or none, not by {got!r}"
    fix = "use one of these; the default is copy"


def check_images_mode(got: str) -> None:
    """Raises: ImagesModeUnknown."""
    if got not in ("copy", "link", "none"):
        raise ImagesModeUnknown(got=got[:40])


def bring_image(source: Path | str, target: Path | str, mode: ImagesMode) -> bool:
    """Copy or link an image to its place; False where none is wanted. Raises: OSError."""
    if mode == "none":
        return False
    os.makedirs(os.path.dirname(target), exist_ok=True)
    if mode == "link":
        with suppress(OSError):
            os.link(source, target)
            return True
    shutil.copyfile(source, target)
    return True


@contextmanager
def staging_folder(out: Path) -> Iterator[tuple[Path, Path]]:
    """A staging folder beside `out` to write into, and the absolute path of `out`; removed on exit.

    Raises: TargetNotEmpty, TargetNotWritable.
    """
    target = out.absolute()
    check_target(target)
    staging = target.parent / f".{target.name}.{uuid7()}.tmp"
    try:
        staging.mkdir(parents=True)
        yield staging, target
    except OSError as error:
        detail, remedy = reason_and_fix(error)
        raise TargetNotWritable(folder=target.name, detail=detail, remedy_text=remedy) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def check_target(out: Path) -> None:
    """Raises: TargetNotEmpty."""
    if out.is_symlink() or (out.exists() and (not out.is_dir() or any(out.iterdir()))):
        raise TargetNotEmpty(folder=str(out))


def move_into_place(staging: Path, target: Path) -> None:
    """Rename a finished folder to its target, atomically.

    Raises: TargetNotEmpty.
    """
    fsync_everything(staging)
    put_into_place(staging, target)


def move_export_into_place(staging: Path, target: Path) -> None:
    """`move_into_place` for a folder that can be made again: it is written to the disk as a whole, not file by file.

    All of it is on the disk before it has its name, so that an export that was cut off never looks whole.
    Raises: TargetNotEmpty.
    """
    sync_rebuildable(staging)
    put_into_place(staging, target)


def put_into_place(staging: Path, target: Path) -> None:
    """`move_into_place` for a folder that was flushed already. Raises: TargetNotEmpty."""
    check_target(target)
    if target.is_dir():
        target.rmdir()
    staging.rename(target)
    for folder in (target.parent, target.parent.parent, target.parent.parent.parent):  # some may be new
        with suppress(PermissionError):
            fsync_path(folder)
