"""Streams of events: the latest value for every reader, no cost for those that wait or never read."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack

import pytest

from calotype.foundation.errors import NotFound
from calotype.foundation.event_streams import EventStreams, EventStreamsTaken, Stream


def asked_often(**options: float) -> EventStreams:
    return EventStreams(ask_every_s=0.001, **options)  # type: ignore[arg-type]


class Value:
    """A value that changes, and how often it was asked for."""

    def __init__(self) -> None:
        self.number, self.n_asked = 0, 0

    def ask(self) -> bytes:
        self.n_asked += 1
        return b"%d" % self.number

    async def wait_until_asked(self, times: int) -> None:
        """Return after that many more questions."""
        goal = self.n_asked + times
        while self.n_asked < goal:
            await asyncio.sleep(0.001)


async def news(events: AsyncIterator[bytes]) -> bytes:
    """The next event; comments are skipped."""
    async for event in events:
        if event.startswith(b"data: "):
            return event.removeprefix(b"data: ").strip()
    raise StopAsyncIteration


def test_a_reader_gets_the_value_and_every_change():
    async def follow() -> list[bytes]:
        value, streams = Value(), asked_often()
        with streams.open("runs", value.ask) as stream:
            events = stream.events()
            got = [await news(events)]
            for value.number in (7, 8):
                got.append(await news(events))
        return got

    assert asyncio.run(follow()) == [b"0", b"7", b"8"]


def test_readers_of_one_topic_share_the_questions_and_nobody_asks_for_no_reader():
    async def follow() -> None:
        value, streams = Value(), asked_often()
        with streams.open("runs", value.ask) as first:
            assert await news(first.events()) == b"0"
            with streams.open("runs", value.ask) as second:
                assert await news(second.events()) == b"0"
                assert (len(streams), streams.n_watched) == (2, 1)
        assert (len(streams), streams.n_watched) == (0, 0)
        asked = value.n_asked
        other = Value()
        with streams.open("other", other.ask):
            await other.wait_until_asked(20)
        assert value.n_asked <= asked + 1  # one question may have been on its way

    asyncio.run(follow())


def test_a_reader_that_never_reads_holds_one_value_and_delays_nobody():
    async def follow() -> bytes:
        value, streams = Value(), asked_often()
        with streams.open("runs", value.ask) as asleep, streams.open("runs", value.ask) as awake:
            events = awake.events()
            for value.number in range(1, 50):
                assert await news(events) == b"%d" % value.number
            return await news(asleep.events())

    assert asyncio.run(follow()) == b"49"


def test_streams_that_wait_occupy_no_thread():
    async def follow() -> int:
        value, streams = Value(), asked_often(max_streams=200)
        before = threading.active_count()
        with ExitStack() as stack:
            events = [stack.enter_context(streams.open("runs", value.ask)).events() for _ in range(200)]
            await asyncio.gather(*(news(one) for one in events))
            waiting = [asyncio.ensure_future(news(one)) for one in events]
            await value.wait_until_asked(20)
            n_threads = threading.active_count() - before
            value.number = 7
            assert await asyncio.gather(*waiting) == [b"7"] * 200
        return n_threads

    assert asyncio.run(follow()) <= 32  # of the pool that asks for the value


def test_while_nothing_changes_comments_keep_the_connection_open():
    async def follow() -> bytes:
        value, streams = Value(), asked_often(heartbeat_s=0.001)
        with streams.open("runs", value.ask) as stream:
            events = stream.events()
            await news(events)
            return await anext(events)

    assert asyncio.run(follow()).startswith(b":")


def test_the_number_of_streams_is_limited():
    async def follow() -> None:
        value, streams = Value(), asked_often(max_streams=1)
        with (
            streams.open("runs", value.ask),
            pytest.raises(EventStreamsTaken),
            streams.open("runs", value.ask),
        ):
            pass
        with streams.open("runs", value.ask):
            assert len(streams) == 1

    asyncio.run(follow())


def ended_by(end: Callable[[Stream, Value], None]) -> list[bytes]:
    """What a reader still gets after the end."""

    async def follow() -> list[bytes]:
        value, streams = Value(), asked_often()
        with streams.open("runs", value.ask) as stream:
            events = stream.events()
            await news(events)
            end(stream, value)
            left = [event async for event in events]
        assert (len(streams), streams.n_watched) == (0, 0)
        return left

    return asyncio.run(follow())


def test_a_stream_ends_when_the_server_says_so():
    assert ended_by(lambda stream, _: stream.end()) == []


def test_a_value_that_cannot_be_had_ends_the_streams():
    def fail() -> bytes:
        raise NotFound

    async def follow() -> int:
        streams = asked_often()
        with streams.open("runs", fail) as stream:
            assert [event async for event in stream.events()] == []
            return streams.n_watched

    assert asyncio.run(follow()) == 0
