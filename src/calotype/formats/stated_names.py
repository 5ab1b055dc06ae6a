"""File names as label files state them: which are paths below a folder, and what makes two of them the same."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from calotype.formats.passthrough import shown

_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_DRIVE = re.compile(r"[A-Za-z]:")


def name_problem(stated: str) -> str:
    """Why a stated file name cannot be a path below the folder of the images; empty where it can."""
    plain = stated.replace("\\", "/")
    if _ADDRESS.match(plain):
        return f"file name {shown(stated)} is an address on a network"
    if plain.startswith("/") or _DRIVE.match(plain):
        return f"file name {shown(stated)} leads out of the folder: it is an absolute path"
    if ".." in plain.split("/"):
        return f"file name {shown(stated)} leads out of the folder"
    return "" if relative_name(stated) else f"file name {shown(stated)} is empty"


def relative_name(stated: str) -> str:
    """A stated name without problem as a posix path, without parts that are `.` or empty; `\\` separates parts too."""
    if "\\" not in stated and "./" not in stated and "//" not in stated:
        return stated if stated not in (".", "") and not stated.endswith("/") else stated.strip("./")
    return "/".join(part for part in stated.replace("\\", "/").split("/") if part not in ("", "."))


@lru_cache(maxsize=100_000)
def form(name: str) -> str:
    """What two names have in common that differ only in case or in the composition of their letters."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
