"""How far an import is, written past the open transaction so that a page can show it."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any

from django.db import DatabaseError
from psycopg_pool import PoolTimeout

from tenants.db import connection

_UPDATE = """
UPDATE roster_rosterimport SET phase = %s, rows_done = %s, claimed_at = %s
WHERE id = (SELECT id FROM roster_rosterimport WHERE id = %s FOR UPDATE SKIP LOCKED)
RETURNING stop_requested_at IS NOT NULL
"""


class Stopped(Exception):
    """A person asked a running import to stop."""


class Progress:
    """A second connection for the length of an import. Progress that cannot be written is not written.

    Each word of it renews the worker's claim, by the time that has passed since `at`.
    """

    def __init__(self, import_id: int, *, at: datetime) -> None:
        self._import_id = import_id
        self._at, self._began = at, time.monotonic()
        self._base = 0

    def __enter__(self) -> Progress:
        ours: Any = connection
        self._connection: Any = ours.copy()
        self._connection.set_schema(ours.schema_name)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        with suppress(DatabaseError):
            self._connection.close()

    def enter(self, phase: str, done: int) -> None:
        """A phase begins after so many rows."""
        self._phase, self._base = phase, done
        self.told(0)

    def told(self, done: int) -> None:
        """So many rows of this phase are done. SKIP LOCKED: never wait for the transaction beside us. Raises Stopped."""
        alive = self._at + timedelta(seconds=time.monotonic() - self._began)
        is_to_stop = False
        with suppress(DatabaseError, PoolTimeout), self._connection.cursor() as cursor:
            cursor.execute(_UPDATE, [self._phase, self._base + done, alive, self._import_id])
            is_to_stop = (True,) in cursor.fetchall()
        if is_to_stop:
            raise Stopped
