"""Images of a remote workspace: fetched once, checked, and kept on this machine within a limit."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from calotype.foundation.cache_files import evict, mark_used, write_atomically
from calotype.foundation.errors import External
from calotype.foundation.ids import sha256_json

LIMIT_VARIABLE = "CALOTYPE_CACHE_BYTES"
LIMIT_BYTES = 20_000_000_000
_LOOK_EVERY = 16
Fetch = Callable[[list[str]], dict[str, bytes]]


class MediaNotAsStored(External):
    """The bytes that came are not those of the image."""

    code = "media-not-as-stored"
    what = "what {server} sent for {sha256} has another SHA-256"
    fix = "run `calotype verify --deep` on the machine of the workspace"


def cache_folder(server: str) -> Path:
    """The folder for what is kept of a server; it may be deleted at any time."""
    home = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(home) / "calotype" / sha256_json({"server": server})[:16]


@dataclass
class RemoteMedia:
    """The images of one state. Can be pickled, for the workers of a loader.

    Args:
        folder: Where images are kept.
        fetch: Asks the server for the bytes of some keys; answers some of them, the first always.
    """

    TOGETHER: ClassVar[int] = 64
    """Images that are asked for in one call; the server answers those that fit."""
    server: str
    folder: Path
    fetch: Fetch
    written_bytes: int = 0

    @property
    def elsewhere(self) -> RemoteMedia:
        """What fetches bytes that are not here yet: itself."""
        return self

    def place(self, key: str) -> Path:
        """Where the bytes are, or will be when they were read once."""
        return self.folder / "media" / key[:2] / key

    def path(self, key: str) -> Path:
        """A file with the bytes. Raises: MediaMissing, MediaNotAsStored, and what a call raises."""
        place = self.place(key)
        if not place.is_file():
            self._fetch([key])
            if not place.is_file():  # nothing can be kept: a full disk
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(self._fetch([key])[key])
        return place

    def read(self, key: str) -> bytes:
        """The bytes. Raises: as `path`."""
        try:
            data = self.place(key).read_bytes()
        except OSError:
            return self._fetch([key])[key]
        mark_used(self.place(key))
        return data

    def sha256(self, key: str) -> str:
        """The SHA-256 of the bytes behind a key."""
        return key if not key.startswith("r") else hashlib.sha256(self.read(key)).hexdigest()

    def prepare(self, keys: Iterable[str], progress: Callable[[str, int, int], None]) -> None:
        """Fetch the images that are not here yet, many in one call."""
        missing = [key for key in dict.fromkeys(keys) if not self.place(key).is_file()]
        done, total = 0, len(missing)
        while done < total:
            done += len(self._fetch(missing[done : done + self.TOGETHER]))
            progress("fetching images", done, total)

    def read_first(self, keys: Sequence[str]) -> bytes:
        """The bytes of the first of some keys, none of which is here; the others come with it, as far as they fit."""
        missing = [key for key in dict.fromkeys(keys[1:]) if not self.place(key).is_file()]
        return self._fetch([keys[0], *missing])[keys[0]]

    def _fetch(self, keys: list[str]) -> dict[str, bytes]:
        found = self.fetch(keys)
        for key, data in found.items():
            if not key.startswith("r") and hashlib.sha256(data).hexdigest() != key:
                raise MediaNotAsStored(server=self.server, sha256=key[:64])
            write_atomically(self.place(key), data)
            self.written_bytes += len(data)
        limit = int(os.environ.get(LIMIT_VARIABLE) or LIMIT_BYTES)
        if self.written_bytes > limit // _LOOK_EVERY:
            self.written_bytes = 0
            evict(self.folder / "media", limit)
        return found
