"""Who works: a name that tells on this machine whether its process still lives, and a lease that is kept alive."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from calotype.foundation.clock import now_us
from calotype.pipeline import repository
from calotype.pipeline.repository import Job
from calotype.pipeline.runs import JobLeaseLost
from calotype.store import Store

LEASE_US = 60_000_000
BEAT_S = 10.0


def me() -> str:
    """This process: host, number, and when it began (numbers are used again)."""
    return f"{_host()}/{os.getpid()}/{_began(os.getpid())}"


def is_gone(worker: str) -> bool:
    """Whether a worker of this machine is known to have ended; others are judged by their lease alone."""
    host, _, rest = worker.partition("/")
    number, _, began = rest.partition("/")
    if host != _host() or not number.isdigit() or os.name != "posix":
        return False
    try:
        os.kill(int(number), 0)  # signal 0 only asks
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return bool(began) and _began(int(number)) not in ("", began)


def _host() -> str:
    return socket.gethostname().replace("/", "-")[:24]


def _began(number: int) -> str:
    """Start time of a process in clock ticks since boot; empty where the system does not tell."""
    try:
        stat = Path(f"/proc/{number}/stat").read_text("ascii", "replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    if fields[:1] == ["Z"]:
        return "ended"  # killed, and its parent has not looked yet
    return fields[19] if len(fields) > 19 else ""


class Lease:
    """A job held by this process. `check` raises once somebody else has it."""

    def __init__(self, store: Store, job: Job) -> None:
        self.store, self.job = store, job
        self.lost = threading.Event()

    def check(self) -> None:
        """Raises: JobLeaseLost."""
        if self.lost.is_set():
            raise JobLeaseLost(kind=self.job.kind)

    def renew(self) -> None:
        """Hold on for another LEASE_US."""
        with self.store.catalog.bookkeeping() as conn:
            if not repository.renew(conn, self.job, until_us=now_us() + LEASE_US):
                self.lost.set()

    def finish(self, state: str, **told: Any) -> None:
        """End the job, unless somebody else has it. Raises: JobLeaseLost."""
        with self.store.catalog.bookkeeping() as conn:
            if not repository.finish(conn, self.job, state=state, now_us=now_us(), **told):
                raise JobLeaseLost(kind=self.job.kind)


@contextmanager
def kept(lease: Lease) -> Iterator[Lease]:
    """Renew a lease every BEAT_S from a thread of its own."""
    stop = threading.Event()

    def beat() -> None:
        while not stop.wait(BEAT_S) and not lease.lost.is_set():
            try:
                lease.renew()
            except sa.exc.OperationalError:
                continue  # the catalog is busy; the lease runs for several beats

    thread = threading.Thread(target=beat, name="lease", daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        stop.set()
        thread.join()
