"""Worker names, which show on this machine whether the process is alive, and leases that are kept alive."""

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
RENEW_EVERY_S = 10.0


def current() -> str:
    """Name of this process: host, process id and start time (process ids are reused)."""
    return f"{_host()}/{os.getpid()}/{_start_time(os.getpid())}"


def is_dead(worker: str) -> bool:
    """Whether a worker on this machine has ended. For other machines only the lease counts, so this is False."""
    host, _, rest = worker.partition("/")
    pid, _, start_time = rest.partition("/")
    if host != _host() or not pid.isdigit() or os.name != "posix":
        return False
    try:
        os.kill(int(pid), 0)  # signal 0 only tests
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return bool(start_time) and _start_time(int(pid)) not in ("", start_time)


def _host() -> str:
    return socket.gethostname().replace("/", "-")[:24]


def _start_time(pid: int) -> str:
    """Start time of a process in clock ticks since boot; empty if the system does not provide it."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    if fields[:1] == ["Z"]:
        return "ended"  # a zombie: killed, not yet reaped by its parent
    return fields[19] if len(fields) > 19 else ""


class Lease:
    """A job leased by this process. `check` raises once another process holds it."""

    def __init__(self, store: Store, job: Job) -> None:
        self.store, self.job = store, job
        self.lost = threading.Event()

    def check(self) -> None:
        """Raises: JobLeaseLost."""
        if self.lost.is_set():
            raise JobLeaseLost(kind=self.job.kind)

    def renew(self) -> None:
        """Extend the lease by LEASE_US."""
        with self.store.catalog.bookkeeping() as conn:
            if not repository.renew(conn, self.job, until_us=now_us() + LEASE_US):
                self.lost.set()

    def finish(self, state: str, **outcome: Any) -> None:
        """End the job. Raises: JobLeaseLost."""
        with self.store.catalog.bookkeeping() as conn:
            if not repository.finish(conn, self.job, state=state, now_us=now_us(), **outcome):
                raise JobLeaseLost(kind=self.job.kind)


@contextmanager
def keep_alive(lease: Lease) -> Iterator[Lease]:
    """Renew a lease every RENEW_EVERY_S seconds in a thread."""
    stop = threading.Event()

    def renew_until_stopped() -> None:
        while not stop.wait(RENEW_EVERY_S) and not lease.lost.is_set():
            try:
                lease.renew()
            except sa.exc.OperationalError:
                continue  # the catalog is busy; the lease outlasts several renewals

    thread = threading.Thread(target=renew_until_stopped, name="lease", daemon=True)
    thread.start()
    try:
        yield lease
    finally:
        stop.set()
        thread.join()
