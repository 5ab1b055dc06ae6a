"""Images of an import whose bytes are stored and whose samples come with the next edit.

So that a small import is one edit: its samples and annotations are there together or not at all. An import of more
images than `MAX_HELD` writes the first ones as edits of their own and resumes after them when it was interrupted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from calotype.acquire.intake import CHUNK_FILES, write_chunk
from calotype.acquire.job import ImportJob
from calotype.acquire.sample_matcher import SampleMatcher, StoredFile
from calotype.datasets.change import Change
from calotype.datasets.snapshot import Snapshot

MAX_HELD = CHUNK_FILES

Report = Callable[[str, str], None]
"""Called with the name of an image and the id of its sample."""


@dataclass(frozen=True, slots=True)
class _Held:
    file: StoredFile
    report: Report


class HeldImages:
    """Collects stored images of all sources of one import."""

    def __init__(self, job: ImportJob, *, max_held: int | None = MAX_HELD) -> None:
        """
        Args:
            max_held: Number of images after which they are written as an edit of their own; None for never.
        """
        self.matcher = SampleMatcher(job.import_id, "keep")
        self._job = job
        self._max_held = max_held
        self._held: list[_Held] = []
        self._planned: tuple[Mapping[str, int], Change] | None = None

    def add(self, loaded: Sequence[StoredFile], report: Report) -> None:
        """Hold images; where there would be too many, the ones held so far are written first."""
        if self._max_held is not None and self._held and len(self._held) + len(loaded) > self._max_held:
            self._write()
        self._held += [_Held(file, report) for file in loaded]

    def change(self, snapshot: Snapshot) -> Change:
        """The samples of the images held; reports their ids. Called again for the same state, it gives the same ids."""
        if not self._held:
            return Change()
        if self._planned is None or self._planned[0] != snapshot.pins:
            change = self.matcher.change(snapshot, [held.file for held in self._held])
            self._report_ids()
            self._planned = snapshot.pins, change
        return self._planned[1]

    def _write(self) -> None:
        write_chunk(self._job, [held.file for held in self._held], (), self.matcher)
        self._report_ids()
        self._held = []

    def _report_ids(self) -> None:
        for held, sample_id in zip(self._held, self.matcher.ids, strict=True):
            held.report(held.file.incoming.name, sample_id)
