"""What a team server records in the audit trail besides the verbs themselves: refusals, and who read which dataset."""

from __future__ import annotations

import re
import threading
import time
from collections import OrderedDict
from urllib.parse import unquote

from starlette.datastructures import Headers
from starlette.requests import Request

from calotype.datasets.refs import DatasetNotFound
from calotype.foundation.actor import WORKSPACE, Actor, Permission
from calotype.foundation.errors import CalotypeError, NotPermitted
from calotype.foundation.http import Session
from calotype.foundation.ids import uuid7
from calotype.store import Store

PURPOSE = "x-calotype-purpose"
REQUEST_ID = "x-request-id"
READ_S, REFUSED_S = 3_600, 60
"""The same person's reading of a dataset is recorded once an hour, the same refusal once a minute."""
_KNOWN = 20_000
_PURPOSE_LENGTH = 200
_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_DATASET = re.compile(r"/api/v1/datasets/([^/]+)")


def request_facts(headers: Headers) -> tuple[tuple[str, str], ...]:
    """Id and purpose of a request: an id that the client or a proxy gave, or a new one."""
    given = headers.get(REQUEST_ID, "")
    facts = [("id", given if _ID.fullmatch(given) else uuid7())]
    purpose = "".join(letter for letter in headers.get(PURPOSE, "") if letter.isprintable()).strip()
    if purpose:
        facts.append(("purpose", purpose[:_PURPOSE_LENGTH]))
    return tuple(facts)


class AccessTrail:
    """Records readings and refusals, each not more often than needed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._recorded: OrderedDict[tuple[str, ...], float] = OrderedDict()
        self._lock = threading.Lock()

    def reading(self, actor: Actor, path: str) -> None:
        """Record that somebody reads a dataset, if this path is below one."""
        place = _DATASET.match(path)
        if place is not None and self._is_due(("read", actor.id, place[1]), READ_S):
            self._record(actor, "dataset.read", unquote(place[1]), {})

    def refusal(self, actor: Actor, error: CalotypeError) -> None:
        """Record that somebody was refused."""
        permission, resource = (str(error.fields.get(name, "")) for name in ("permission", "resource"))
        if self._is_due(("refused", actor.id, permission, resource), REFUSED_S):
            self._record(actor, "access.refused", resource[:200], {"permission": permission})

    def _record(self, actor: Actor, verb: str, subject: str, details: dict[str, str]) -> None:
        if not self._store.catalog.read_only:
            self._store.catalog.record_reading(actor, verb, subject=subject, details=details)

    def _is_due(self, key: tuple[str, ...], every_s: float) -> bool:
        now = time.monotonic()
        with self._lock:
            last = self._recorded.get(key)
            if last is not None and now - last < every_s:
                return False
            self._recorded[key] = now
            self._recorded.move_to_end(key)
            while len(self._recorded) > _KNOWN:
                self._recorded.popitem(last=False)
        return True


def answered(request: Request, error: CalotypeError) -> CalotypeError:
    """An error as it is answered: refusals are recorded, and a dataset that the actor may not see does not exist."""
    session: Session | None = getattr(request.state, "session", None)
    if not isinstance(error, NotPermitted) or session is None:
        return error
    trail: AccessTrail | None = getattr(request.app.state, "trail", None)
    if trail is not None:
        trail.refusal(session.actor, error)
    resource = str(error.fields.get("resource", WORKSPACE))
    sees = session.store.guard.allows(session.actor, Permission.DATASET_READ, dataset=resource)
    return error if resource == WORKSPACE or sees else DatasetNotFound(name=resource[:120])
