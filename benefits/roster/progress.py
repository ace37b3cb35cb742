"""How far an import is, written past the open transaction so that a page can show it."""

from __future__ import annotations

from contextlib import suppress
from types import TracebackType
from typing import Any

from django.db import DatabaseError
from psycopg_pool import PoolTimeout

from tenants.db import connection

_UPDATE = """
UPDATE roster_rosterimport SET phase = %s, rows_done = %s
WHERE id = (SELECT id FROM roster_rosterimport WHERE id = %s FOR UPDATE SKIP LOCKED)
"""


class Progress:
    """A second connection for the length of an import. Progress that cannot be written is not written."""

    def __init__(self, import_id: int) -> None:
        self._import_id = import_id
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
        """So many rows of this phase are done. SKIP LOCKED: never wait for the transaction beside us."""
        with suppress(DatabaseError, PoolTimeout), self._connection.cursor() as cursor:
            cursor.execute(_UPDATE, [self._phase, self._base + done, self._import_id])
