"""The vectors of media objects, kept in the catalog's table of measures."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import sqlalchemy as sa

from calotype.foundation.ids import sha256_json
from calotype.models.model import Vectors
from calotype.store import Store, schema
from calotype.store.upserts import insert

_MEASURES = schema.measures
_CHUNK = 500


def vectors(store: Store, name: str, media: Sequence[str], *, dim: int) -> dict[str, Vectors]:
    """Those of the vectors that are kept, by media hash; each (dim,) float32."""
    found: dict[str, Vectors] = {}
    with store.catalog.read() as conn:
        for start in range(0, len(media), _CHUNK):
            query = sa.select(_MEASURES.c.media_sha256, _MEASURES.c.value).where(
                _MEASURES.c.name == _key(name), _MEASURES.c.media_sha256.in_(media[start : start + _CHUNK])
            )
            for row in conn.execute(query):
                if len(row.value) == dim * 4:
                    found[row.media_sha256] = np.frombuffer(row.value, "<f4")
    return found


def keep_vectors(store: Store, name: str, made: Mapping[str, Vectors]) -> None:
    """Keep vectors; another writer's equal ones may be there already."""
    rows = _rows(name, made.items())
    with store.catalog.bookkeeping() as conn:
        for start in range(0, len(rows), _CHUNK):
            statement = insert(conn, _MEASURES)
            renewed = statement.on_conflict_do_update(
                index_elements=["media_sha256", "name"], set_={"value": statement.excluded.value}
            )
            conn.execute(renewed, rows[start : start + _CHUNK])


def _rows(name: str, made: Iterable[tuple[str, Vectors]]) -> list[dict[str, object]]:
    return [
        {"media_sha256": sha, "name": _key(name), "value": vector.astype("<f4").tobytes()}
        for sha, vector in made
    ]


def _key(name: str) -> str:
    """The measures' own names are for what `datasets` computes; ours begin with `embedding:`."""
    return f"embedding:{name}" if len(name) <= 54 else f"embedding:{sha256_json(name)[:54]}"
