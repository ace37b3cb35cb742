"""Postings and audit events in the one form that is sealed, read from the tables where they were written.

Nothing personal is in it. What an event holds beyond ids, codes and amounts (a user name, an address, fields of an
employee) is there as a salted digest; the salt follows from the company's key and the event's id.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

from benefits.journal.models import Entry
from benefits.journal.verify import canonical
from tenants.crypto import blind_index, indexer
from tenants.db import connection

Record = dict[str, Any]
Row = tuple[Any, ...]

# The lots' entries are written in the posting's own transaction, so whoever sees the posting sees all of them.
_POSTINGS = """
SELECT p.id, p.at, p.kind, p.source_id, p.destination_id, p.fen, p.reference, p.reverses_id,
    (SELECT json_agg(json_build_array(e.id, e.lot_id, e.fen, e.item) ORDER BY e.id) FROM points_lotentry e
        WHERE e.posting_id = p.id)
FROM points_posting p
"""
_EVENTS = "SELECT p.id, p.at, p.action, p.subject, p.actor_id, p.actor, p.address, p.facts::json FROM identity_auditevent p "
_SOURCES = {Entry.Kind.POSTING: _POSTINGS, Entry.Kind.EVENT: _EVENTS}
_UNSEALED = """
WHERE p.id > %s AND NOT EXISTS (SELECT 1 FROM journal_entry j WHERE j.kind = '{kind}' AND j.ref = p.id)
ORDER BY p.id LIMIT %s
"""
_SEALED = "JOIN journal_entry j ON j.kind = '{kind}' AND j.ref = p.id WHERE j.seq BETWEEN %s AND %s"
# Ids are handed out before their rows commit. No transaction of the mall lasts as long as this, so below what was seen
# so long ago nothing new can appear; `everything` looks there all the same.
LONGEST = timedelta(hours=1)

_SALT = "journal.event"
_PLAIN_SUBJECT = re.compile(r"[a-z_.]{1,60}:[a-z0-9_]{1,60}")

Found = tuple[Entry.Kind, Row]


def kinds() -> list[Entry.Kind]:
    """What is sealed in the current schema: the platform's has audit events alone."""
    return (
        [Entry.Kind.EVENT] if connection.schema_name == "public" else [Entry.Kind.POSTING, Entry.Kind.EVENT]
    )


def unsealed(above: Mapping[Entry.Kind, int], *, limit: int) -> list[Found]:
    """Committed rows with ids above the given that have no entry yet, so many of each kind, by time and id."""
    found: list[Found] = []
    with connection.cursor() as cursor:
        for kind in kinds():
            cursor.execute(_SOURCES[kind] + _UNSEALED.format(kind=kind.value), [above[kind], limit])
            found += [(kind, row) for row in cursor.fetchall()]
    found.sort(key=lambda one: (one[1][1], one[0].value, one[1][0]))
    return found


def sealed(first: int, last: int) -> dict[tuple[str, int], Row]:
    """The rows behind the entries from `first` to `last`, by kind and id; one that is gone is not among them."""
    found: dict[tuple[str, int], Row] = {}
    with connection.cursor() as cursor:
        for kind in kinds():
            cursor.execute(_SOURCES[kind] + _SEALED.format(kind=kind.value), [first, last])
            found.update({(kind.value, row[0]): row for row in cursor.fetchall()})
    return found


def writer() -> Callable[..., Record]:
    """Makes the records of rows, `record(kind, row, seq=…)`, in the current schema, with its key prepared once."""
    salt = indexer(purpose=_SALT)

    def record(kind: str, row: Row, *, seq: int) -> Record:
        return _posting(row, seq) if kind == Entry.Kind.POSTING else _event(row, seq, salt(str(row[0])))

    return record


def salt_of(event_id: int) -> str:
    """What one event's private part is digested with: told to an auditor, it opens that event alone."""
    return blind_index(str(event_id), purpose=_SALT)


def private_part(row: Row) -> bytes:
    """What an event holds that may be somebody's: who, from where, on what, and all its facts."""
    _, _, _, subject, _, actor, address, facts = row
    return canonical([actor, address, subject, facts])


def _event(row: Row, seq: int, salt: str) -> Record:
    pk, at, action, subject, actor_id, _, _, facts = row
    return {
        "seq": seq,
        "kind": "event",
        "id": pk,
        "at": moment(at),
        "action": action,
        "subject": subject if _PLAIN_SUBJECT.fullmatch(subject) else subject.partition(":")[0],
        "actor": actor_id,
        "fen": {name: fen for name, fen in facts.items() if _is_amount(name, fen)},
        "private": sha256(salt.encode() + private_part(row)).hexdigest(),
    }


def _posting(row: Row, seq: int) -> Record:
    pk, at, kind, source, destination, fen, reference, reverses, lots = row
    return {
        "seq": seq,
        "kind": "posting",
        "id": pk,
        "at": moment(at),
        "type": kind,
        "source": source,
        "destination": destination,
        "fen": fen,
        "reference": reference,
        "reverses": reverses,
        "lots": lots or [],
    }


def _is_amount(name: str, value: object) -> bool:
    return (name == "fen" or name.endswith("_fen")) and type(value) is int


def moment(at: datetime) -> str:
    """A time as it is sealed: UTC, to the microsecond."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def highest(found: Iterable[Found], kind: Entry.Kind, *, before: int) -> int:
    """The highest id of a kind that was seen."""
    return max([before, *(row[0] for one, row in found if one == kind)])


def missing(kind: str, ref: int, *, seq: int) -> Record:
    """What stands in an export for a sealed row that is not there any more; it verifies as a flaw."""
    return {"seq": seq, "kind": kind, "id": ref, "missing": True}


def written(entries: Sequence[Row]) -> Iterable[tuple[Row, Record]]:
    """Each of some consecutive entries (seq, kind, ref, …) with its record as the tables have it now."""
    if not entries:
        return
    rows, record = sealed(entries[0][0], entries[-1][0]), writer()
    for entry in entries:
        seq, kind, ref = entry[:3]
        row = rows.get((kind, ref))
        yield entry, record(kind, row, seq=seq) if row else missing(kind, ref, seq=seq)
