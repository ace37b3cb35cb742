"""An order's receipt: its postings and events as they were sealed, each with a proof against a signed checkpoint."""

from functools import reduce
from operator import or_
from typing import Any

from django.db.models import Q

from benefits.journal import queries, records, statements
from benefits.journal.errors import ReceiptNotReady
from benefits.journal.models import Checkpoint, Entry
from benefits.journal.verify import sha256
from benefits.orders.models import Order
from tenants.db import connection
from tenants.identity.models import AuditEvent


def checkpoint_of(order: Order) -> Checkpoint | None:
    """The checkpoint that sealed the order's debit, or None as long as it waits."""
    debit = Entry.objects.filter(kind=Entry.Kind.POSTING, ref=order.debit_id).values("seq")
    return Checkpoint.objects.filter(first__lte=debit, last__gte=debit).first()


def receipt_of(order: Order) -> dict[str, Any]:
    """The receipt as verify.py reads it. Raises ReceiptNotReady until the order's debit is sealed."""
    found = _entries(_wanted(order))
    if checkpoint_of(order) is None:
        raise ReceiptNotReady
    points = {entry.seq: _checkpoint_of(entry.seq) for entry in found}
    made = {point.number: point for point in points.values()}
    leaves = {number: _leaves(point) for number, point in made.items()}
    return {
        "version": statements.VERSION,
        "company": connection.schema_name,
        "order": order.number,
        "checkpoints": [statements.signed(point) for point in made.values()],
        "records": [_proved(entry, points[entry.seq], leaves[points[entry.seq].number]) for entry in found],
    }


def _leaves(point: Checkpoint) -> list[bytes]:
    return [row[4] for some in queries.entries(point.first, point.last) for row in some]


def _wanted(order: Order) -> set[tuple[str, int]]:
    items = list(order.items.all())
    postings = [order.debit_id, *(item.settlement_id for item in items if item.settlement_id)]
    subjects = [f"orders.order:{order.pk}", *(f"orders.item:{item.pk}" for item in items)]
    events = AuditEvent.objects.filter(subject__in=subjects).values_list("pk", flat=True)
    return {*((Entry.Kind.POSTING, pk) for pk in postings), *((Entry.Kind.EVENT, pk) for pk in events)}


def _entries(wanted: set[tuple[str, int]]) -> list[Entry]:
    which = [Q(kind=kind, ref__in=[ref for one, ref in wanted if one == kind]) for kind in Entry.Kind]
    return list(Entry.objects.filter(reduce(or_, which)).order_by("seq"))


def _checkpoint_of(seq: int) -> Checkpoint:
    return Checkpoint.objects.filter(first__lte=seq, last__gte=seq).get()


def _proved(entry: Entry, point: Checkpoint, leaves: list[bytes]) -> dict[str, Any]:
    (_, record), *_ = records.written([(entry.seq, entry.kind, entry.ref)])
    path = path_of(leaves, entry.seq - point.first)
    return {"checkpoint": point.number, "record": record, "path": [step.hex() for step in path]}


def path_of(level: list[bytes], index: int) -> list[bytes]:
    """The neighbours from a leaf up to the root, as RFC 6962 lists them."""
    path = []
    while len(level) > 1:
        if (beside := index ^ 1) < len(level):
            path.append(level[beside])
        pairs = [sha256(b"\1" + a + b) for a, b in zip(level[::2], level[1::2], strict=False)]
        level, index = pairs + level[len(pairs) * 2 :], index // 2
    return path
