"""Server-sent events: values that change, followed by any number of readers.

One task per topic asks for its value while anyone follows it. A stream holds the latest value only, so a slow reader
misses intermediate values and costs no memory, and a stream that waits occupies no thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Hashable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from calotype.foundation.errors import CalotypeError, Conflict

MAX_STREAMS = 64
ASK_EVERY_S = 1.0
HEARTBEAT_S = 15.0


class EventStreamsTaken(Conflict):
    """All event streams of the server are in use."""

    code = "event-streams-taken"
    what = "all {limit} event streams of this server are in use"
    fix = "close pages that you do not need, or ask again without `Accept: text/event-stream`"


class Stream:
    """What one reader gets."""

    def __init__(self, heartbeat_s: float) -> None:
        self._heartbeat_s = heartbeat_s
        self._latest: bytes | None = None
        self._is_over = False
        self._news = asyncio.Event()

    def put(self, value: bytes) -> None:
        """Replace what the reader has not read yet."""
        self._latest = value
        self._news.set()

    def end(self) -> None:
        """End after what is being sent."""
        self._is_over = True
        self._news.set()

    async def events(self) -> AsyncIterator[bytes]:
        """The values as events, and comments that keep the connection open while nothing changes."""
        while True:
            try:
                async with asyncio.timeout(self._heartbeat_s):
                    await self._news.wait()
            except TimeoutError:
                yield b": no news\n\n"
                continue
            self._news.clear()
            if self._is_over:
                return
            if self._latest is not None:
                value, self._latest = self._latest, None
                yield b"data: " + value + b"\n\n"


@dataclass(slots=True)
class _Topic:
    ask: Callable[[], bytes]
    latest: bytes | None = None
    streams: set[Stream] = field(default_factory=set)


class EventStreams:
    """All event streams of a server. `open` is for its event loop; `ask` runs in a thread.

    Args:
        ask_every_s: Time between two questions for the value of a topic.
        heartbeat_s: Longest time without a byte.
    """

    def __init__(
        self,
        *,
        max_streams: int = MAX_STREAMS,
        ask_every_s: float = ASK_EVERY_S,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._max_streams, self._ask_every_s, self._heartbeat_s = max_streams, ask_every_s, heartbeat_s
        self._topics: dict[Hashable, _Topic] = {}
        self._tasks: dict[Hashable, asyncio.Task[None]] = {}

    def __len__(self) -> int:
        return sum(len(topic.streams) for topic in self._topics.values())

    @property
    def n_watched(self) -> int:
        """The topics that somebody follows."""
        return len(self._tasks)

    @contextmanager
    def open(self, name: Hashable, ask: Callable[[], bytes]) -> Iterator[Stream]:
        """A stream of one topic until the end of the block.

        Args:
            name: Streams with equal names share the values that `ask` returns: one line of JSON each.

        Raises: EventStreamsTaken.
        """
        if len(self) >= self._max_streams:
            raise EventStreamsTaken(limit=self._max_streams)
        topic = self._topics.setdefault(name, _Topic(ask))
        stream = Stream(self._heartbeat_s)
        topic.streams.add(stream)
        if topic.latest is not None:
            stream.put(topic.latest)
        if name not in self._tasks:
            self._tasks[name] = asyncio.create_task(self._watch(name, topic))
        try:
            yield stream
        finally:
            topic.streams.discard(stream)
            if not topic.streams and self._topics.get(name) is topic:
                self._forget(name)

    def _forget(self, name: Hashable) -> None:
        del self._topics[name]
        self._tasks.pop(name).cancel()

    async def _watch(self, name: Hashable, topic: _Topic) -> None:
        """Ask for the value again and again; when it cannot be had, the streams end, and their readers ask why."""
        try:
            while True:
                value = await asyncio.to_thread(topic.ask)
                if value != topic.latest:
                    topic.latest = value
                    for stream in topic.streams:
                        stream.put(value)
                await asyncio.sleep(self._ask_every_s)
        except (CalotypeError, OSError):
            pass
        finally:
            for stream in topic.streams:
                stream.end()
            if self._topics.get(name) is topic:
                del self._topics[name], self._tasks[name]
