"""Reads of the journal: how far it is sealed, what waits, and in which companies something does."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from psycopg import sql

from benefits.journal import records
from benefits.journal.models import Anchor, Checkpoint, Entry
from tenants.db import connection
from tenants.models import Company

PAUSE = timedelta(seconds=60)  # a busy company gets a checkpoint a minute; a quiet one at the next sweep
STEP = 20_000  # entries that are read at a time
_AT_A_TIME = 100  # companies asked in one statement

_WAITING = """
SELECT count(*), min(p.at) FROM {table} p
WHERE NOT EXISTS (SELECT 1 FROM journal_entry j WHERE j.kind = %s AND j.ref = p.id) AND p.at <= %s
"""
_TABLES = {Entry.Kind.POSTING: "points_posting", Entry.Kind.EVENT: "identity_auditevent"}


@dataclass(frozen=True)
class Waiting:
    """Final rows without a seal: how many, and the time of the oldest."""

    count: int
    oldest_at: datetime | None


def last_checkpoint() -> Checkpoint | None:
    """The newest checkpoint of the current schema."""
    return Checkpoint.objects.order_by("-number").first()


def checkpoints() -> QuerySet[Checkpoint]:
    """All checkpoints, newest first, with their anchors."""
    return Checkpoint.objects.order_by("-number").prefetch_related("anchors")


def last_mail() -> Anchor | None:
    """When a checkpoint was last sent by mail."""
    return Anchor.objects.filter(channel=Anchor.Channel.MAIL).select_related("checkpoint").last()


def waiting(*, until: datetime) -> Waiting:
    """What happened until then and is not sealed, wherever its id is."""
    count, oldest = 0, None
    with connection.cursor() as cursor:
        for kind in records.kinds():
            cursor.execute(_WAITING.format(table=_TABLES[kind]), [kind.value, until])
            found, at = cursor.fetchone()
            count += found
            oldest = min(filter(None, (oldest, at)), default=None)
    return Waiting(count, oldest)


def entries(first: int, last: int) -> Iterator[list[tuple[Any, ...]]]:
    """(seq, kind, ref, at, leaf, hash) from `first` to `last`, so many at a time."""
    for start in range(first, last + 1, STEP):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT seq, kind, ref, at, leaf, hash FROM journal_entry WHERE seq BETWEEN %s AND %s ORDER BY seq",
                [start, min(start + STEP - 1, last)],
            )
            yield [
                (seq, kind, ref, at, bytes(one), bytes(two))
                for seq, kind, ref, at, one, two in cursor.fetchall()
            ]


_TO_SEAL = sql.SQL(
    "SELECT {name} WHERE NOT EXISTS (SELECT 1 FROM {schema}.journal_checkpoint WHERE at > {rested}) AND ({each})"
)
_ONE_KIND = sql.SQL(
    "EXISTS (SELECT 1 FROM {schema}.{table} p WHERE p.id > coalesce((SELECT max({seen}) FROM {schema}.journal_checkpoint"
    " WHERE at < {long_ago}), 0) AND NOT EXISTS (SELECT 1 FROM {schema}.journal_entry j WHERE j.kind = {kind} AND j.ref = p.id))"
)
_SEEN = {Entry.Kind.POSTING: "postings_to", Entry.Kind.EVENT: "events_to"}


OPEN = (Company.Status.OPEN,)
IDLE = (Company.Status.SUSPENDED, Company.Status.CLOSED)


def schemas_to_seal(at: datetime, *, of: Sequence[Company.Status] = OPEN) -> list[str]:
    """Where something waits and nothing was sealed within the last minute: companies of a state, the platform with the open."""
    found: list[str] = []
    schemas = _with_a_journal(of)
    for start in range(0, len(schemas), _AT_A_TIME):
        parts = [_question(schema, at) for schema in schemas[start : start + _AT_A_TIME]]
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL(" UNION ALL ").join(parts))
            found += [row[0] for row in cursor.fetchall()]
    return found


def _question(schema: str, at: datetime) -> sql.Composed:
    kinds = [Entry.Kind.EVENT] if schema == "public" else list(_TABLES)
    each = [
        _ONE_KIND.format(
            schema=sql.Identifier(schema),
            table=sql.Identifier(_TABLES[kind]),
            seen=sql.Identifier(_SEEN[kind]),
            kind=sql.Literal(kind.value),
            long_ago=sql.Literal(at - records.LONGEST),
        )
        for kind in kinds
    ]
    return _TO_SEAL.format(
        name=sql.Literal(schema),
        schema=sql.Identifier(schema),
        rested=sql.Literal(at - PAUSE),
        each=sql.SQL(" OR ").join(each),
    )


def _with_a_journal(of: Sequence[Company.Status]) -> list[str]:
    """Companies that are still waiting for their upgrade have no journal yet."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE c.relname = 'journal_checkpoint' AND n.nspname IN"
            " (SELECT schema_name FROM public.tenants_company WHERE status = ANY(%s)) ORDER BY n.nspname",
            [[status.value for status in of]],
        )
        found = [row[0] for row in cursor.fetchall()]
    return ["public", *found] if of == OPEN else found
