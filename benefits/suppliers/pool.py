"""Requests in flight: one thread with its own event loop sends them, the caller's thread keeps the database.

What is finished comes out in the order in which it finishes, so a slow supplier holds up nobody else.
"""

import asyncio
import logging
import queue
import threading
import time
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from types import TracebackType
from typing import Generic, TypeVar

import aiohttp

from . import http, registry
from .base import Answer, Config, Order, Result, State, Supplier, Verdict

logger = logging.getLogger(__name__)
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Finished(Generic[Key]):
    """What a request brought: an answer to a submission, or the result of a query."""

    key: Key
    outcome: Answer | Result


class Pool(Generic[Key]):
    """At most `size` requests at once; use it as a context manager. Leaving it abandons what is in flight."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._finished: queue.SimpleQueue[Finished[Key]] = queue.SimpleQueue()
        self._in_flight = 0
        self._adapters: dict[str, Supplier] = {}
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._serve, name="suppliers", daemon=True)
        self._session: aiohttp.ClientSession | None = None
        self._stop = asyncio.Event()

    def __enter__(self) -> "Pool[Key]":
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(timeout=15)

    @property
    def in_flight(self) -> int:
        return self._in_flight

    @property
    def free(self) -> int:
        return self.size - self._in_flight

    def submit(self, key: Key, config: Config, order: Order, *, not_after: float) -> None:
        """Send an order unless it is too late: `not_after` is a reading of the monotonic clock.

        A sender that was stopped for a while must not send once somebody else may believe that it did not.
        """

        async def send(supplier: Supplier) -> Answer:
            if time.monotonic() > not_after:
                return Answer(Verdict.NOT_SENT, detail="too late to send")
            return await supplier.submit(order)

        self._start(key, config, send, Answer(Verdict.UNKNOWN, detail="the adapter broke"))

    def query(self, key: Key, config: Config, order: Order) -> None:
        """Ask what became of an order."""

        async def ask(supplier: Supplier) -> Result:
            return await supplier.query(order)

        self._start(key, config, ask, Result(State.UNKNOWN, detail="the adapter broke"))

    def finished(self, *, wait: float, most: int = 32) -> list[Finished[Key]]:
        """Return what has finished, at most `most`; wait up to `wait` seconds for the first."""
        found: list[Finished[Key]] = []
        try:
            while len(found) < most:
                found.append(self._finished.get(timeout=wait) if not found else self._finished.get_nowait())
        except queue.Empty:
            pass
        self._in_flight -= len(found)
        return found

    def _start(
        self,
        key: Key,
        config: Config,
        work: Callable[[Supplier], Awaitable[Answer | Result]],
        otherwise: Answer | Result,
    ) -> None:
        self._in_flight += 1

        async def run() -> None:
            outcome = otherwise
            try:
                outcome = await work(self._adapter(config))
            except Exception:
                # A bug in an adapter: the request may have left, so it proves nothing.
                logger.exception("the adapter %s of %s broke", config.dialect, config.code)
            self._finished.put(Finished(key, outcome))

        asyncio.run_coroutine_threadsafe(run(), self._loop)

    def _adapter(self, config: Config) -> Supplier:
        if config.code not in self._adapters:
            self._adapters[config.code] = registry.connect(config, self._session)
        return self._adapters[config.code]

    def _serve(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._live())
        self._loop.close()

    async def _live(self) -> None:
        async with http.open_session(in_flight=self.size) as session:
            self._session = session
            self._ready.set()
            await self._stop.wait()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)
