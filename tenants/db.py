"""What a transaction means here: owned, required, or forbidden.

`transaction` opens one and refuses to be nested; `transaction_required` marks a part that needs its caller's;
`durable` marks work that must not run inside one, because it calls out. A test's own transaction does not count.
"""

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ContextDecorator
from itertools import islice
from typing import Any, ParamSpec, TypeVar, overload

from django.db import connection as _connection
from django.db import models
from django.db import transaction as _django  # the one place where Django's own is used
from psycopg import sql

# Django's connection, to which the tenant backend adds the schema: `schema_name`, `set_tenant`, `tenant`.
connection: Any = _connection

P = ParamSpec("P")
R = TypeVar("R")


def in_transaction() -> bool:
    """Whether a transaction of the product (not of a test case) is open."""
    return any(not block._from_testcase for block in connection.atomic_blocks)


class _Block(ContextDecorator):
    def __init__(self, *, own: bool) -> None:
        self._own = own

    def __enter__(self) -> None:
        self._atomic = _django.atomic(durable=self._own)
        self._atomic.__enter__()

    def __exit__(self, *exc: Any) -> None:
        self._atomic.__exit__(*exc)

    def _recreate_cm(self) -> "_Block":
        return _Block(own=self._own)


@overload
def transaction(function: Callable[P, R]) -> Callable[P, R]: ...
@overload
def transaction() -> _Block: ...
def transaction(function: Callable[P, R] | None = None) -> Callable[P, R] | _Block:
    """Own one transaction, as `@transaction` or `with transaction():`; it is never nested in another."""
    block = _Block(own=True)
    return block(function) if function is not None else block


def savepoint() -> _Block:
    """A part of the caller's transaction that may fail and be undone alone, to turn a constraint into an answer."""
    return _Block(own=False)


def transaction_required(function: Callable[P, R]) -> Callable[P, R]:
    """Refuse to run unless the caller owns a transaction."""

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if not in_transaction():
            raise RuntimeError(f"{function.__qualname__} needs its caller's transaction")
        return function(*args, **kwargs)

    return checked


def durable(function: Callable[P, R]) -> Callable[P, R]:
    """Refuse to run while a transaction is open: what is called from here leaves the database."""

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> R:
        if in_transaction():
            raise RuntimeError(f"{function.__qualname__} must not run inside a transaction")
        return function(*args, **kwargs)

    return checked


def after_commit(function: Callable[[], Any]) -> None:
    """Run `function` once the transaction has committed; at once when none is open."""
    _django.on_commit(function)


@transaction_required
def copy_rows(model: type[models.Model], columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write many rows by COPY, values as the database takes them: the caller seals and encodes, and save() is not run.

    `rows` must not ask the database for anything: its connection is busy until the last of them.
    """
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as target:
        write = target.write_row
        for row in rows:
            write(row)


_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@transaction_required
def copy_columns(model: type[models.Model], columns: Mapping[str, Sequence[str | None]]) -> None:
    """`copy_rows` for cells that are texts already, a column at a time: a fifth of its time. None is NULL."""
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(
        sql.Identifier(model._meta.db_table), sql.SQL(", ").join(map(sql.Identifier, columns))
    )
    lines = map("\t".join, zip(*map(_escaped, columns.values()), strict=True))
    with connection.cursor() as cursor, cursor.copy(statement) as target:
        while block := list(islice(lines, 1000)):
            target.write("\n".join(block) + "\n")


def _escaped(cells: Sequence[str | None]) -> Sequence[str]:
    """A column as COPY's text format has it."""
    known = [cell for cell in cells if cell is not None]
    joined = "".join(known)
    is_plain = not any(map(joined.__contains__, "\\\t\n\r"))
    if is_plain and len(known) == len(cells):
        return known
    return ["\\N" if cell is None else cell if is_plain else cell.translate(_ESCAPES) for cell in cells]
