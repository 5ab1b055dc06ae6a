"""Copies of the audit trail's checkpoints, which a server of accounts writes to a second place while it runs."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from calotype.foundation.clock import iso, now_us
from calotype.foundation.errors import CalotypeError
from calotype.govern import copies
from calotype.store import Store

RETRY_S = 300.0
"""Seconds until a copy that failed is tried again, or the usual time if that is shorter."""


@contextmanager
def copying(
    store: Store, place: str, *, every_s: float, report: Callable[[dict[str, Any]], None]
) -> Iterator[None]:
    """Write a checkpoint to a second place now, regularly while the block runs, and at its end.

    The first copy must succeed: a server that cannot write there does not start. `report` gets a record of each later
    copy that failed; it is tried again soon.

    Args:
        place: An existing folder outside the workspace, or s3://BUCKET/PREFIX.
        every_s: Seconds between two copies; at most one is written for each change of the trail.
    Raises: SecondPlaceInvalid, BucketUrlInvalid, BucketFailed, StorageFailed, AuditKeyInvalid.
    """
    copies.copy_checkpoint(place, store=store)
    ended = threading.Event()

    def attempt() -> float:
        try:
            copies.copy_checkpoint(place, store=store)
        except CalotypeError as error:
            report({"at": iso(now_us()), "problem": "audit copy failed", **error.to_dict()})
            return min(RETRY_S, every_s)
        return every_s

    def work() -> None:
        wait_s = every_s
        while not ended.wait(wait_s):
            wait_s = attempt()

    thread = threading.Thread(target=work, name="audit copies", daemon=True)
    thread.start()
    try:
        with _ended_by_exception():
            yield
    finally:
        ended.set()
        thread.join()
        attempt()


@contextmanager
def _ended_by_exception() -> Iterator[None]:
    """Make SIGTERM an exception, so that the last copy is written: uvicorn raises it again when it has ended."""
    if threading.current_thread() is not threading.main_thread():  # only the main thread may
        yield
        return

    def end(number: int, _frame: object) -> None:
        sys.exit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
