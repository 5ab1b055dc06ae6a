"""Turns of writers: in order among threads and processes, given up in time, and no obstacle after a death."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from calotype.foundation.turns import Turns
from calotype.foundation.turns.fair_lock import FairLock
from calotype.foundation.turns.file_queue import FileQueue
from calotype.store import open_workspace
from calotype.store.catalog.catalog import Catalog

HOLD = """
import sys, time
from pathlib import Path
from calotype.foundation.turns import Turns
with Turns(Path(sys.argv[1])).taking("branch/shop@main") as got:
    print("in" if got else "out", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def holder(tmp_path):
    """Another process that has the turn."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stdout.readline() == "in\n"
        yield process
        process.kill()


def entered(turns, **how):
    """Whether, after a wait, the turn came, and after how many seconds."""
    began = time.monotonic()
    with turns.taking("branch/shop@main", **how) as got:
        return got, time.monotonic() - began


def test_threads_are_served_in_the_order_in_which_they_came():
    lock, served = FairLock(), []
    assert lock.acquire(timeout_s=1)

    def wait(number):
        assert lock.acquire(timeout_s=60)
        served.append(number)
        lock.release()

    threads = []
    for number in range(8):
        threads.append(threading.Thread(target=wait, args=(number,)))
        threads[-1].start()
        while len(lock._waiting) <= number:
            time.sleep(0.001)
    lock.release()
    for thread in threads:
        thread.join()
    assert served == list(range(8))
    assert lock.acquire(timeout_s=0)


def test_a_thread_that_gives_up_leaves_the_queue():
    lock = FairLock()
    assert lock.acquire(timeout_s=1)
    assert not lock.acquire(timeout_s=0.01)
    lock.begin_work()
    assert not lock.acquire(timeout_s=60, give_up_after_s=0)
    freed = []
    lock.release(if_free=lambda: freed.append(True))
    assert freed == [True] and lock.acquire(timeout_s=0)


def test_a_process_waits_for_another_one(tmp_path, holder):
    turns = Turns(tmp_path)
    timer = threading.Timer(0.5, lambda: print(file=holder.stdin, flush=True))
    timer.start()
    got, waited_s = entered(turns, patience_s=60)
    timer.join()
    assert got and waited_s > 0.2
    assert not list(tmp_path.rglob("ticket-*"))


def test_a_process_that_holds_its_turn_for_long_is_not_waited_for(tmp_path, holder):
    got, waited_s = entered(Turns(tmp_path), patience_s=60, long_turn_s=0.1)
    assert got and waited_s < 30, "it went on without the turn"
    assert holder.poll() is None


def test_the_turn_of_a_process_that_died_is_free(tmp_path, holder):
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    queue = FileQueue(next(tmp_path.iterdir()))
    turn = queue.enter(timeout_s=60)
    assert turn is not None
    turn.end()


def test_the_ticket_of_a_process_that_died_while_it_waited_is_removed(tmp_path):
    (tmp_path / f"ticket-{1:020d}-1-dead").touch()
    turn = FileQueue(tmp_path).enter(timeout_s=60)
    assert turn is not None
    turn.end()
    assert not list(tmp_path.glob("ticket-*"))


def test_a_process_that_came_later_waits_longer_than_the_one_before(tmp_path, holder):
    order: list[str] = []
    threads = []
    for name in ("first", "second", "third"):
        turns = Turns(tmp_path)  # as another process would have

        def wait(name=name, turns=turns):
            with turns.taking("branch/shop@main", patience_s=60, long_turn_s=None):
                order.append(name)

        threads.append(threading.Thread(target=wait))
        threads[-1].start()
        while len(list(tmp_path.rglob("*/ticket-*"))) < len(threads):
            time.sleep(0.001)
    time.sleep(1.5)  # longer than the time after which a ticket that leaves the lock free is passed
    print(file=holder.stdin, flush=True)
    for thread in threads:
        thread.join()
    assert order == ["first", "second", "third"]


def test_where_files_cannot_be_written_there_is_no_queue_and_no_error(tmp_path):
    (tmp_path / "file").touch()
    assert entered(Turns(tmp_path / "file"))[0]


def test_threads_take_turns_without_losing_one(tmp_path):
    turns, count = Turns(tmp_path), [0]

    def work():
        for _ in range(50):
            with turns.taking("branch/shop@main"):
                seen = count[0]
                time.sleep(0)
                count[0] = seen + 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert count == [400]


def test_turns_of_a_database_pass_from_one_client_to_the_next(postgres):
    url = postgres.fresh()
    first, second = Catalog(url), Catalog(url)
    order = []

    def wait():
        with second.turns.taking("branch/shop@main", patience_s=60):
            order.append("second")

    with first.turns.taking("branch/shop@main"):
        thread = threading.Thread(target=wait)
        thread.start()
        order.append("first")
    thread.join()
    with first.turns.taking("branch/shop@main"):
        assert entered(second.turns, patience_s=60, long_turn_s=0.2)[0], "it went on without the turn"
    assert order == ["first", "second"]
    first.close()
    second.close()


def test_a_waiting_writer_occupies_no_connection(workspace, owner):
    store = open_workspace(workspace.root)
    threads = []

    def write(number):
        with store.catalog.write(owner, "test", subject=str(number)):
            pass

    with store.catalog.bookkeeping():
        for number in range(100):
            threads.append(threading.Thread(target=write, args=(number,)))
            threads[-1].start()
        (line,) = store.catalog.turns._lines.values()
        while len(line.lock._waiting) < 100:
            time.sleep(0.001)
        assert "Current Checked out connections: 1" in store.catalog.engine.pool.status()
    for thread in threads:
        thread.join()
    store.close()


def test_the_folder_of_turns_is_inside_the_workspace(workspace, owner):
    with workspace.catalog.bookkeeping():
        pass
    assert sorted(os.listdir(workspace.folder / "turns"))[0].startswith("catalog")
