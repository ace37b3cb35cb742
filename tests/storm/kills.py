"""Killing: which process, and a note of what was in flight when it died."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from config.places import Place
from config.processes import Process
from tests.storm import place as places

FLIGHT_SECONDS = 60


@dataclass
class Killer:
    """Kills one part of the mall at a time; those that nothing else starts again, it starts again."""

    place: Place
    database: str
    parts: dict[str, Process]
    log: list[dict[str, Any]] = field(default_factory=list)

    def kinds(self) -> dict[str, Callable[[], None]]:
        """Every kind of death by its name."""
        return {
            "web": lambda: self._group("web"),
            "web_child": lambda: self._child("web"),
            "worker": lambda: self._group("worker"),
            "worker_child": lambda: self._child("worker"),
            "beat": lambda: self._group("beat"),
            "backend": self._backend,
            "database": lambda: self._service(places.kill_postmaster),
            "broker": lambda: self._service(places.kill_broker),
        }

    def kill(self, kind: str) -> None:
        """Wait until orders are in flight, then kill."""
        deadline = time.monotonic() + FLIGHT_SECONDS
        while not (seen := look(self.database)).open and time.monotonic() < deadline:
            time.sleep(0.1)
        self.log.append({"kind": kind, "at": round(time.time(), 1), **asdict(seen)})
        self.kinds()[kind]()

    def _group(self, name: str) -> None:
        handle = self.parts[name].handle
        if handle is not None:
            with suppress(ProcessLookupError):
                os.killpg(handle.pid, signal.SIGKILL)

    def _child(self, name: str) -> None:
        handle = self.parts[name].handle
        with suppress(OSError):
            pid = handle.pid if handle else 0
            children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
            os.kill(int(children[-1]) if children else pid, signal.SIGKILL)

    def _backend(self) -> None:
        """Kill the busiest connection's process: the server ends all others and recovers."""
        with psycopg.connect(self.database, autocommit=True) as connection:
            row = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                " AND backend_type = 'client backend' ORDER BY state = 'idle', state_change DESC LIMIT 1"
            ).fetchone()
            if row:
                os.kill(row[0], signal.SIGKILL)

    def _service(self, kill: Callable[[Place], None]) -> None:
        kill(self.place)
        time.sleep(0.5)
        places.restart()


@dataclass(frozen=True)
class Seen:
    """How many deliveries there are, and how many of them are neither settled nor with a person."""

    deliveries: int
    open: int


def look(database: str) -> Seen:
    """Count, waiting for a server that is recovering."""
    deadline = time.monotonic() + FLIGHT_SECONDS
    while True:
        try:
            with psycopg.connect(database, autocommit=True, connect_timeout=5) as connection:
                row = connection.execute(_COUNT).fetchone()
                assert row is not None
                return Seen(*row)
        except psycopg.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.3)


def resume_suppliers(database: str) -> None:
    """What an operator does who sees that a supplier was paused after failing too often."""
    with suppress(psycopg.OperationalError), psycopg.connect(database, autocommit=True) as connection:
        for table in ("fulfilment_offer", "fulfilment_supplier"):
            connection.execute(f"UPDATE {table} SET paused_until = NULL WHERE paused_until IS NOT NULL")


_COUNT = """
    SELECT count(*), count(*) FILTER (WHERE settled_at IS NULL AND NOT EXISTS (
        SELECT FROM fulfilment_attempt a JOIN fulfilment_case c ON c.attempt_id = a.id
        WHERE a.delivery_id = d.id AND c.status = 'open' AND c.kind IN ('contradiction', 'codes')))
    FROM fulfilment_delivery d"""
