"""Whether the journal is what it says: every record against its entry, the chain, the checkpoints, the anchors."""

import json
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings

from benefits.journal import keys, queries, records, statements
from benefits.journal.models import Checkpoint
from benefits.journal.verify import canonical, leaf, link, root, start
from tenants.db import connection

LATE = timedelta(minutes=15)  # what is not sealed so long after it happened has no sealer


def flaws() -> list[str]:
    """What does not verify in the current schema's journal; one flaw ends the look at what follows it."""
    try:
        points = list(Checkpoint.objects.order_by("number"))
        heads = _recomputed(points)
        _check_checkpoints(points, heads)
        _check_end(points)
        return list(_anchored(points))
    except _Flaw as flaw:
        return [str(flaw)]


def unsealed(at: datetime) -> list[str]:
    """What should have been sealed by now and is not."""
    waiting = queries.waiting(until=at - LATE)
    return [f"{waiting.count} final rows wait for their seal, the oldest since {waiting.oldest_at}"] * (
        waiting.count > 0
    )


class _Flaw(Exception):
    """Where the journal stopped to verify."""


def _recomputed(points: list[Checkpoint]) -> dict[int, tuple[bytes, bytes]]:
    """By checkpoint: the root and the head that follow from the records as they are now."""
    found: dict[int, tuple[bytes, bytes]] = {}
    head, expected, leaves = start(connection.schema_name), 1, []
    ends = iter(points)
    point = next(ends, None)
    for entry, record in _written(points[-1].last if points else 0):
        seq, kind, ref, _, sealed_leaf, sealed_hash = entry
        if seq != expected:
            raise _Flaw(f"record {expected} is missing from the journal, {seq} stands there")
        text = canonical(record)
        head, expected = link(head, text), expected + 1
        if head != sealed_hash or leaf(text) != sealed_leaf:
            what = "is gone" if record.get("missing") else "is not what was sealed"
            raise _Flaw(f"{kind} {ref}, record {seq}, {what}")
        leaves.append(sealed_leaf)
        if point and seq == point.last:
            found[point.number] = (root(leaves), head)
            leaves, point = [], next(ends, None)
    return found


def _written(last: int) -> Iterator[tuple[tuple[Any, ...], records.Record]]:
    for some in queries.entries(1, last):
        yield from records.written(some)


def _check_checkpoints(points: list[Checkpoint], heads: dict[int, tuple[bytes, bytes]]) -> None:
    number, last, digest = 0, 0, start(connection.schema_name)
    for point in points:
        name = f"checkpoint {point.number}"
        if (point.number, point.first, bytes(point.previous)) != (number + 1, last + 1, digest):
            raise _Flaw(f"{name} does not follow checkpoint {number}")
        if heads.get(point.number) != (bytes(point.root), bytes(point.head)):
            raise _Flaw(f"{name} was made of other records than {point.first} to {point.last}")
        if not keys.is_signed(statements.signed(point)):
            raise _Flaw(f"the signature of {name} is wrong")
        number, last, digest = point.number, point.last, statements.digest(point)


def _check_end(points: list[Checkpoint]) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(max(seq), 0) FROM journal_entry")
        (last,) = cursor.fetchone()
    if last != (points[-1].last if points else 0):
        raise _Flaw(f"the journal goes to record {last}, and no checkpoint says so")


def _anchored(points: list[Checkpoint]) -> Iterable[str]:
    """Checkpoints that were written outside the database and are not here, or not so."""
    ours = {point.number: point for point in points}
    for path in sorted((Path(settings.JOURNAL_ANCHORS) / connection.schema_name).glob("*.json")):
        number = int(path.stem) if path.stem.isdecimal() else 0
        try:
            said = json.loads(path.read_bytes())
        except ValueError:
            said = None
        point = ours.get(number)
        if point is None:
            yield f"the anchor {path.name} names checkpoint {number}, which is gone: the end was cut off"
        elif said != statements.signed(point):
            yield f"the anchor {path.name} says something else than checkpoint {number}"
