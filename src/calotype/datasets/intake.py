"""Taking images in: read, hash, check whole, store the bytes, make the samples. One chunk is one atomic edit.

A killed intake keeps the chunks it finished; running it again finds them unchanged and goes on.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from calotype.datasets import setting_aside
from calotype.datasets.change import Change
from calotype.datasets.edit import apply
from calotype.datasets.model import MetadataValue, Sample
from calotype.datasets.setting_aside import SetAside
from calotype.datasets.snapshot import Snapshot
from calotype.foundation.actor import Actor
from calotype.foundation.clock import now_us
from calotype.foundation.errors import Invalid
from calotype.foundation.ids import uuid7
from calotype.foundation.progress import Progress, silent
from calotype.store import Store
from calotype.store.media import Batch
from calotype.vision import images

MAX_FILE_BYTES = 1_000_000_000
CHUNK_FILES = 1_024
CHUNK_BYTES = 256_000_000

Duplicates = Literal["alias", "keep"]
MediaMode = Literal["copy", "link", "reference"]
"""How images come in: copied into the store, hard-linked into it, or left where they lie and referred to."""

MEDIA_MODES: tuple[MediaMode, ...] = ("copy", "link", "reference")


class FileUnreadable(Invalid):
    """A file that cannot be taken in, where the caller asked to stop at the first."""

    code = "file-unreadable"
    what = "{file} cannot be taken in: {detail}"
    fix = "repair or remove the file, or pass `--on-invalid quarantine` to set such files aside"


class MediaModeUnknown(Invalid):
    """No such way of taking images in."""

    code = "media-mode-unknown"
    what = "images are taken in by {known}, not by {got!r}"
    fix = "say one of these, or nothing for a copy"


def check_media_mode(got: str) -> None:
    """Raises: MediaModeUnknown."""
    if got not in MEDIA_MODES:
        raise MediaModeUnknown(got=got[:40], known=", ".join(MEDIA_MODES))


@dataclass(frozen=True, slots=True)
class IncomingImage:
    """One file that knocks at the door, and what its source says about it."""

    path: Path
    name: str
    split: str = ""
    licence: str = ""
    source: str = ""
    group: str = ""
    tags: tuple[str, ...] = ()
    metadata: Mapping[str, MetadataValue] = field(default_factory=dict)
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Intake:
    """What became of the files. `sample_ids` tells for each incoming name which sample it is now."""

    added: int = 0
    duplicates: int = 0
    unchanged: int = 0
    changed: int = 0
    quarantined: list[SetAside] = field(default_factory=list)
    sample_ids: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Loaded:
    incoming: IncomingImage
    sha256: str
    n_bytes: int
    facts: images.ImageFacts


def take_in(
    actor: Actor, name: str, incoming: Sequence[IncomingImage], *, import_id: str, store: Store, verb: str,
    duplicates: Duplicates = "alias", on_invalid: str = "quarantine", link: bool = False, progress: Progress = silent,
) -> Intake:  # fmt: skip
    """Take images into a branch.

    Args:
        import_id: The import they belong to; a file of the same import and name but with other bytes replaces the
            image of its sample, one of another import gets a sample of its own.
        duplicates: Bytes that the dataset has under another name: "alias" adds the name to that sample, "keep"
            makes a sample of its own (the label file lists two images, so there are two).
        on_invalid: "quarantine" sets bad files aside with a reason, "skip" counts them, "error" stops at the first.
        link: Give the files a second name in the store in place of a copy, where the disk allows it.
    Raises: NotPermitted, DatasetNotFound, FileUnreadable (with "error").
    """
    result = Intake()
    done = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 2) as pool:
        for chunk in _chunks(incoming):
            loaded, bad = _load(chunk, store, pool, link=link)
            if bad and on_invalid == "error":
                raise FileUnreadable(file=bad[0].place, detail=bad[0].reason)
            result.quarantined.extend(bad)
            _settle(actor, name, loaded, bad, result, import_id, store, verb, duplicates, on_invalid)
            done += len(chunk)
            progress("taking in images", done, len(incoming))
    return result


def _chunks(incoming: Iterable[IncomingImage]) -> Iterator[list[IncomingImage]]:
    chunk: list[IncomingImage] = []
    n_bytes = 0
    for image in incoming:
        chunk.append(image)
        with suppress(OSError):  # told apart when it is read
            n_bytes += image.path.stat().st_size
        if len(chunk) >= CHUNK_FILES or n_bytes >= CHUNK_BYTES:
            yield chunk
            chunk, n_bytes = [], 0
    if chunk:
        yield chunk


def _load(
    chunk: list[IncomingImage], store: Store, pool: ThreadPoolExecutor, *, link: bool
) -> tuple[list[_Loaded], list[SetAside]]:  # fmt: skip
    with store.media.batch() as batch:
        outcomes = list(pool.map(lambda image: _load_one(image, batch, link=link), chunk))
    loaded = [outcome for outcome in outcomes if isinstance(outcome, _Loaded)]
    return loaded, [outcome for outcome in outcomes if isinstance(outcome, SetAside)]


def _load_one(image: IncomingImage, batch: Batch, *, link: bool) -> _Loaded | SetAside:
    try:
        if image.path.stat().st_size > MAX_FILE_BYTES:
            return _bad(image, f"it is larger than {MAX_FILE_BYTES // 1_000_000} MB")
        data = image.path.read_bytes()
        facts = images.verify(data)
    except OSError as error:
        return _bad(image, f"it cannot be read: {error.strerror or type(error).__name__}")
    except images.ImageUnreadable as error:
        return _bad(image, error.message, code=error.code)
    if not images.matches_extension(image.path.name, facts.mime):
        return _bad(image, f"its content is {facts.mime}, its extension says otherwise")
    sha256 = hashlib.sha256(data).hexdigest()
    batch.put(data, sha256=sha256, link=image.path if link else None)
    return _Loaded(image, sha256, len(data), facts)


def _bad(image: IncomingImage, reason: str, *, code: str = "file-unreadable") -> SetAside:
    return SetAside(what="image", place=image.name, code=code, reason=reason)


def _settle(
    actor: Actor, name: str, loaded: list[_Loaded], bad: list[SetAside], result: Intake, import_id: str,
    store: Store, verb: str, duplicates: Duplicates, on_invalid: str,
) -> None:  # fmt: skip
    if not loaded and not bad:
        return
    settling: _Settling | None = None

    def plan(snapshot: Snapshot) -> Change:
        nonlocal settling
        settling = _Settling(snapshot, import_id, duplicates)
        return Change(put_samples=settling.settle(loaded))

    keep = setting_aside.recorder(store, name, import_id, bad) if bad and on_invalid == "quarantine" else None
    apply(
        actor,
        name,
        plan,
        store=store,
        verb=verb,
        details={"import": import_id, "files": len(loaded)},
        record=keep,
    )
    if settling is not None:
        result.added += settling.counts["added"]
        result.duplicates += settling.counts["duplicates"]
        result.unchanged += settling.counts["unchanged"]
        result.changed += settling.counts["changed"]
        result.sample_ids.update(settling.sample_ids)


class _Settling:
    """Decides for one chunk, against one state, which sample each file is."""

    def __init__(self, snapshot: Snapshot, import_id: str, duplicates: Duplicates) -> None:
        self._snapshot = snapshot
        self._import_id = import_id
        self._duplicates = duplicates
        index = snapshot.samples(
            columns=["sample_id", "name", "names", "media_sha256", "import_id"]
        ).to_pylist()
        self._by_name: dict[str, dict[str, Any]] = {row["name"]: row for row in index}
        self._by_alias = {(alias, row["media_sha256"]): row for row in index for alias in row["names"] or ()}
        self._by_sha: dict[str, list[dict[str, Any]]] = {}
        for row in index:
            self._by_sha.setdefault(row["media_sha256"], []).append(row)
        self._put: dict[str, Sample] = {}
        self.counts = {"added": 0, "duplicates": 0, "unchanged": 0, "changed": 0}
        self.sample_ids: dict[str, str] = {}

    def settle(self, loaded: list[_Loaded]) -> list[Sample]:
        known = self._known_samples(loaded)
        for item in loaded:
            self._settle_one(item, known)
        return list(self._put.values())

    def _known_samples(self, loaded: list[_Loaded]) -> dict[str, Sample]:
        wanted = set()
        for item in loaded:
            for row in (self._by_name.get(item.incoming.name), *self._by_sha.get(item.sha256, ())):
                if row is not None:
                    wanted.add(row["sample_id"])
        return {sample.sample_id: sample for sample in self._snapshot.iter_samples(ids=sorted(wanted))}

    def _settle_one(self, item: _Loaded, known: dict[str, Sample]) -> None:
        row = self._same(item)
        if row is not None:
            self._note(
                item, row["sample_id"], "unchanged", _enriched(self._current(row, known), item.incoming)
            )
            return
        named = self._by_name.get(item.incoming.name)
        if named is not None and named["import_id"] == self._import_id:
            old = self._current(named, known)
            self._note(item, old.sample_id, "changed", self._sample(item, old))
            return
        twins = self._by_sha.get(item.sha256)
        if twins and self._duplicates == "alias":
            old = self._current(twins[0], known)
            self._note(
                item, old.sample_id, "duplicates", replace(old, names=(*old.names, item.incoming.name))
            )
            return
        made = self._sample(item, None)
        row = {"sample_id": made.sample_id, "name": made.name, "names": list(made.names)}
        row |= {"media_sha256": made.media_sha256, "import_id": self._import_id}
        self._by_name[made.name] = row
        self._by_sha.setdefault(item.sha256, []).append(row)
        self._note(item, made.sample_id, "added", made)

    def _same(self, item: _Loaded) -> dict[str, Any] | None:
        """The sample that is this very file already."""
        for row in (
            self._by_name.get(item.incoming.name),
            self._by_alias.get((item.incoming.name, item.sha256)),
        ):
            if row is not None and row["media_sha256"] == item.sha256:
                return row
        last = PurePosixPath(item.incoming.name).name
        for row in self._by_sha.get(item.sha256, ()):
            came_before = row["import_id"] != self._import_id
            if came_before and self._duplicates == "keep" and PurePosixPath(row["name"]).name == last:
                return row  # added from a folder first, now listed by a label file
        return None

    def _current(self, row: dict[str, Any], known: dict[str, Sample]) -> Sample:
        return self._put.get(row["sample_id"]) or known[row["sample_id"]]

    def _note(self, item: _Loaded, sample_id: str, outcome: str, sample: Sample | None) -> None:
        self.counts[outcome] += 1
        self.sample_ids[item.incoming.name] = sample_id
        if sample is not None:
            self._put[sample_id] = sample

    def _sample(self, item: _Loaded, old: Sample | None) -> Sample:
        incoming, facts = item.incoming, item.facts
        name = old.name if old else self._free_name(item)
        made = Sample(
            sample_id=old.sample_id if old else uuid7(),
            media_sha256=item.sha256,
            name=name,
            names=(name,) if name == incoming.name else (name, incoming.name),
            width_px=facts.width_px,
            height_px=facts.height_px,
            mime=facts.mime,
            n_bytes=item.n_bytes,
            source=incoming.source,
            licence=incoming.licence,
            group=incoming.group,
            split=incoming.split,
            tags=incoming.tags,
            metadata=dict(incoming.metadata),
            extra=dict(incoming.extra),
            import_id=self._import_id,
            created_at_us=old.created_at_us if old else now_us(),
        )
        return made if old is None else (_enriched(made, _as_incoming(old, incoming.path)) or made)

    def _free_name(self, item: _Loaded) -> str:
        name = item.incoming.name
        if name not in self._by_name:
            return name
        path = PurePosixPath(name)
        return str(path.with_name(f"{path.stem}~{item.sha256[:8]}{path.suffix}"))


def _enriched(old: Sample, incoming: IncomingImage) -> Sample | None:
    """The sample with what it lacked and the incoming file says; None when nothing is new."""
    metadata = {**incoming.metadata, **old.metadata}
    new = replace(
        old,
        split=old.split or incoming.split,
        licence=old.licence or incoming.licence,
        source=old.source or incoming.source,
        group=old.group or incoming.group,
        tags=(*old.tags, *(tag for tag in incoming.tags if tag not in old.tags)),
        metadata=metadata,
        extra={**incoming.extra, **old.extra},
    )
    return None if new == old else new


def _as_incoming(old: Sample, path: Path) -> IncomingImage:
    return IncomingImage(
        path=path,
        name=old.name,
        split=old.split,
        licence=old.licence,
        source=old.source,
        group=old.group,
        tags=old.tags,
        metadata=old.metadata,
        extra=old.extra,
    )
