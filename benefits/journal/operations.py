"""Sealing what has committed, and putting checkpoints where nobody can change them.

Nothing here is in the way of a redemption: rows are sealed seconds after they committed, by one sealer a schema.
"""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

from django.conf import settings
from django_tenants.utils import schema_context

from benefits.journal import keys, mail, queries, records, statements
from benefits.journal.models import Anchor, Checkpoint, Entry
from benefits.journal.verify import canonical, leaf, link, root, start
from tenants.crash import crash_point
from tenants.db import connection, copy_rows, durable, transaction

logger = logging.getLogger(__name__)

BATCH = 50_000  # rows of each kind in one checkpoint
MAIL_EVERY = timedelta(hours=23)


@transaction
def seal(*, at: datetime, everything: bool = False) -> Checkpoint | None:
    """Number, chain and sign the committed rows of the current schema that have no entry yet.

    None where there are none, or where another sealer is at it. Safe to repeat: a row is sealed once.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended('journal:' || current_schema(), 0))"
        )
        if not cursor.fetchone()[0]:
            return None
    before = Checkpoint.objects.order_by("-number").first()
    found = records.unsealed(_floor(at, everything=everything), limit=BATCH)
    if not found:
        return None
    head, leaves = _write_entries(found, before)
    crash_point("in_seal")
    return _write_checkpoint(found, before, head=head, root=root(leaves), at=at)


def seal_all(*, at: datetime, everything: bool = False, most: int = 1000) -> int:
    """Seal batch by batch until nothing waits, or `most` checkpoints were made; returns the records sealed."""
    count = 0
    for _ in range(most):
        made = seal(at=at, everything=everything)
        if made is None:
            break
        count += made.last - made.first + 1
    return count


@durable
def seal_idle(*, at: datetime) -> int:
    """Seal what companies had written when they were suspended or closed; their own tasks no longer run."""
    count = 0
    for schema in queries.schemas_to_seal(at, of=queries.IDLE):
        with schema_context(schema):
            count += seal_all(at=at)
    return count


def _floor(at: datetime, *, everything: bool) -> dict[Entry.Kind, int]:
    old = (
        None
        if everything
        else Checkpoint.objects.filter(at__lt=at - records.LONGEST).order_by("-number").first()
    )
    return {
        Entry.Kind.POSTING: old.postings_to if old else 0,
        Entry.Kind.EVENT: old.events_to if old else 0,
    }


def _write_entries(found: Sequence[records.Found], before: Checkpoint | None) -> tuple[bytes, list[bytes]]:
    head = bytes(before.head) if before else start(connection.schema_name)
    record, first = records.writer(), before.last + 1 if before else 1
    leaves, rows = [], []
    for seq, (kind, row) in enumerate(found, first):
        text = canonical(record(kind, row, seq=seq))
        head = link(head, text)
        leaves.append(leaf(text))
        rows.append((seq, kind.value, row[0], row[1], leaves[-1], head))
    copy_rows(Entry, ("seq", "kind", "ref", "at", "leaf", "hash"), rows)
    return head, leaves


def _write_checkpoint(
    found: Sequence[records.Found], before: Checkpoint | None, *, head: bytes, root: bytes, at: datetime
) -> Checkpoint:
    made = Checkpoint(
        number=before.number + 1 if before else 1,
        first=before.last + 1 if before else 1,
        last=(before.last if before else 0) + len(found),
        root=root,
        head=head,
        previous=statements.digest(before) if before else start(connection.schema_name),
        at=at,
        postings_to=records.highest(found, Entry.Kind.POSTING, before=before.postings_to if before else 0),
        events_to=records.highest(found, Entry.Kind.EVENT, before=before.events_to if before else 0),
    )
    statement = keys.signed(statements.unsigned(made))
    made.key, made.signature = statement["key"], bytes.fromhex(statement["signature"])
    made.save(force_insert=True)
    return made


@durable
def close(*, at: datetime) -> int:
    """Seal everything that waits, wherever its id is, and anchor the last checkpoint; returns the records sealed."""
    count = seal_all(at=at, everything=True)
    anchor(at=at)
    return count


@durable
def anchor(*, at: datetime) -> list[Anchor]:
    """Put the last checkpoint where we cannot change it: a file written once, and once a day a mail.

    A mail may be sent twice if the process dies before it is recorded; the two say the same.
    """
    last = Checkpoint.objects.order_by("-number").first()
    if last is None:
        return []
    made = []
    if not last.anchors.filter(channel=Anchor.Channel.FILE).exists():
        write_file(last)
        made.append(_record(last, Anchor.Channel.FILE, copies=1, at=at))
    latest = Anchor.objects.filter(channel=Anchor.Channel.MAIL).order_by("-id").first()
    if latest is None or (latest.checkpoint_id != last.pk and at - latest.at >= MAIL_EVERY):
        copies = mail.send(last)
        if copies:
            made.append(_record(last, Anchor.Channel.MAIL, copies=copies, at=at))
    return made


@transaction
def _record(checkpoint: Checkpoint, channel: Anchor.Channel, *, copies: int, at: datetime) -> Anchor:
    return Anchor.objects.create(checkpoint=checkpoint, channel=channel, copies=copies, at=at)


def folder() -> Path:
    """Where the current schema's anchors are written."""
    return Path(settings.JOURNAL_ANCHORS) / connection.schema_name


def write_file(checkpoint: Checkpoint) -> Path:
    """Write a checkpoint under its number, never over what is there: a folder that forgets nothing may be mounted."""
    path = folder() / f"{checkpoint.number:012d}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("xb") as file:
            file.write(canonical(statements.signed(checkpoint)) + b"\n")
        path.chmod(0o444)
    except FileExistsError:
        logger.warning("the anchor %s was there already", path)  # what it says is compared by verify_books
    return path
