"""What the handle of a state asks when the workspace is elsewhere: counts, ids, rows as Arrow tables, bytes of images.

A state that is not a commit is named with its hash, so that a client never mixes two states.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from calotype.browse.media_keys import MediaKeys
from calotype.datasets import rows
from calotype.datasets import service as datasets
from calotype.datasets.model import DEFAULT_LABEL_SET
from calotype.datasets.snapshot import Snapshot, Where
from calotype.foundation.actor import Actor
from calotype.foundation.errors import Conflict
from calotype.foundation.verbs import verb
from calotype.store import Store
from calotype.store.media.objects import MediaMissing

MAX_MEDIA_BYTES = 32_000_000
"""Bytes of images in one answer; the first always comes, whatever its size."""


class StateMoved(Conflict):
    """The working state changed since the client read it."""

    code = "state-moved"
    what = "{name} changed while it was read"
    fix = "read it again, or commit and read the commit"


@verb
def count(
    actor: Actor,
    name: str,
    where: Where = None,
    *,
    store: Store,
    state: str = "",
    label_set: str | None = None,
    annotations: bool = True,
) -> dict[str, int]:
    """Numbers of matching samples and annotations. Raises: NotPermitted, StateMoved, QueryInvalid."""
    return _open(actor, name, state, store).count(where, label_set=label_set, annotations=annotations)


@verb
def by_class(
    actor: Actor,
    name: str,
    where: Where = None,
    *,
    store: Store,
    state: str = "",
    label_set: str = DEFAULT_LABEL_SET,
) -> dict[str, int]:
    """Number of annotations by class, most frequent first. Raises: NotPermitted, StateMoved, QueryInvalid."""
    return _open(actor, name, state, store).by_class(where, label_set=label_set)


@verb
def ids(
    actor: Actor,
    name: str,
    where: Where = None,
    *,
    store: Store,
    state: str = "",
    label_set: str = DEFAULT_LABEL_SET,
) -> list[str]:
    """Ids of matching samples, ordered by name. Raises: NotPermitted, StateMoved, QueryInvalid."""
    return _open(actor, name, state, store).ids(where, label_set=label_set)


@verb
def sample_rows(
    actor: Actor,
    name: str,
    where: Where = None,
    *,
    store: Store,
    state: str = "",
    ids: Sequence[str] | None = None,
    label_set: str = DEFAULT_LABEL_SET,
    columns: Sequence[str] | None = None,
) -> pa.Table:
    """Sample rows, in the order of `ids` if given, else by name. Raises: NotPermitted, StateMoved, QueryInvalid."""
    opened = _open(actor, name, state, store)
    return opened.samples(where=where, ids=ids, label_set=label_set, columns=columns)


@verb
def annotation_rows(
    actor: Actor,
    name: str,
    label_set: str = DEFAULT_LABEL_SET,
    *,
    store: Store,
    state: str = "",
    where: Where = None,
    sample_ids: Sequence[str] | None = None,
    columns: Sequence[str] | None = None,
) -> pa.Table:
    """Annotation rows of matching samples, ordered by sample and id. Raises: NotPermitted, StateMoved, QueryInvalid."""
    opened = _open(actor, name, state, store)
    return opened.annotations(label_set, where=where, sample_ids=sample_ids, columns=columns)


@verb
def all_rows(
    actor: Actor,
    name: str,
    table: str,
    *,
    store: Store,
    state: str = "",
    columns: Sequence[str] | None = None,
) -> pa.Table:
    """All rows of one table (`samples`, `ann/...`), in no particular order. Raises: NotPermitted, StateMoved."""
    opened = _open(actor, name, state, store)
    if table not in opened.pins:
        return rows.schema_of(
            rows.SAMPLES if table == rows.SAMPLES else rows.annotation_table("")
        ).empty_table()
    return opened.rows_of(table, columns=columns)


@verb
def media(actor: Actor, name: str, keys: Sequence[str], *, store: Store, state: str = "") -> dict[str, bytes]:
    """The stored bytes of images of this state: those of the first keys, up to `MAX_MEDIA_BYTES` in all.

    Raises: NotPermitted, StateMoved, MediaMissing (also for an image that the state does not have).
    """
    opened = _open(actor, name, state, store)
    known = _media_of(opened, store)
    found: dict[str, bytes] = {}
    n_bytes = 0
    for key in keys:
        if not known.has(key):
            raise MediaMissing(sha256=key[:80])
        data = store.media.read(key)
        n_bytes += len(data)
        if found and n_bytes > MAX_MEDIA_BYTES:
            break
        found[key] = data
    return found


def _open(actor: Actor, name: str, state: str, store: Store) -> Snapshot:
    """Raises: NotPermitted, DatasetNotFound, RefNotFound, StateMoved."""
    opened = datasets.read(actor, name, store=store)
    if state and opened.state_sha256 != state:
        raise StateMoved(name=opened.name)
    return opened


def _media_of(state: Snapshot, store: Store) -> MediaKeys:
    pin = state.pins.get(rows.SAMPLES)
    name = ("media keys", f"{state.dataset.id}/{rows.SAMPLES}", pin)

    def read() -> MediaKeys:
        return MediaKeys.of(state.rows_of(rows.SAMPLES, columns=["media_sha256"])["media_sha256"].chunks)

    keys: MediaKeys = store.tables.cached(name, read)
    return keys
