"""Where value came from and where it went: from any budget, grant, lot, wallet, order or invoice, the chain both ways.

funds → budget → grant (and the rule behind it) → lot → order → item and its delivery → invoice. A subject picks lots,
with the part of each that concerns it, and items; every level of the chain is counted from those. Amounts are fen.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from reports.errors import NothingToExplain
from tenants.db import connection

SHOWN = 20  # steps of a level that are named; the others are counted

# What a subject picks. `picked` are (lot_id, fen): the part of each lot that concerns it; `used` are (item, lot_id, fen):
# what was taken from those lots, for which items. Both name the subject by %(key)s.
_LOTS = "SELECT l.id AS lot_id, l.granted_fen AS fen FROM points_lot l"
_TAKEN = """
SELECT e.item, e.lot_id, -e.fen AS fen FROM points_lotentry e JOIN points_posting p ON p.id = e.posting_id
WHERE p.kind = 'redeem'"""
_BY_ITEM = "SELECT lot_id, sum(fen)::bigint AS fen FROM used GROUP BY lot_id"


@dataclass(frozen=True)
class Subject:
    """A kind of thing that can be explained: how it is named, found, and what it picks."""

    label: Any
    found: str  # SQL of one row (title, at), or none
    picked: str
    used: str = _TAKEN + " AND e.lot_id IN (SELECT lot_id FROM picked)"
    is_spending: bool = False  # picks items first, and their lots through them
    is_numbered: bool = True


SUBJECTS: Mapping[str, Subject] = {
    "budget": Subject(
        pgettext_lazy("ledger", "budget"),
        "SELECT name, created_at FROM points_budget WHERE id = %(key)s::bigint AND purpose = 'company'",
        _LOTS + " WHERE l.budget_id = %(key)s::bigint",
    ),
    "grant": Subject(
        pgettext_lazy("ledger", "grant"),
        """SELECT g.reason, g.at FROM points_grant g JOIN points_budget b ON b.id = g.budget_id
            WHERE g.id = %(key)s::bigint AND b.purpose = 'company'""",
        _LOTS + " WHERE l.grant_id = %(key)s::bigint",
    ),
    "lot": Subject(
        pgettext_lazy("ledger", "lot"),
        "SELECT '#' || l.id, l.at FROM points_lot l WHERE l.id = %(key)s::bigint",
        _LOTS + " WHERE l.id = %(key)s::bigint",
    ),
    "wallet": Subject(
        pgettext_lazy("ledger", "wallet"),
        """SELECT e.employee_no || ' ' || e.name, e.created_at FROM people_employee e
            WHERE e.employee_no = %(key)s""",
        _LOTS
        + """ JOIN points_account a ON a.id = l.wallet_id JOIN people_employee e ON e.id = a.employee_id
            WHERE e.employee_no = %(key)s""",
        is_numbered=False,
    ),
    "order": Subject(
        pgettext_lazy("ledger", "order"),
        "SELECT number, placed_at FROM orders_order WHERE number = %(key)s",
        _BY_ITEM,
        _TAKEN + " AND p.id = (SELECT debit_id FROM orders_order WHERE number = %(key)s)",
        is_spending=True,
        is_numbered=False,
    ),
    "item": Subject(
        pgettext_lazy("ledger", "item"),
        """SELECT o.number || '/' || i.position, o.placed_at FROM orders_item i
            JOIN orders_order o ON o.id = i.order_id WHERE i.id = %(key)s::bigint""",
        _BY_ITEM,
        _TAKEN + " AND e.item = 'item:' || %(key)s",
        is_spending=True,
    ),
    "invoice": Subject(
        pgettext_lazy("ledger", "invoice"),
        """SELECT number, issued_at FROM public.invoices_invoice
            WHERE number = %(key)s AND company = current_schema()""",
        _BY_ITEM,
        _TAKEN
        + """ AND e.item IN (SELECT 'item:' || b.item_id FROM public.invoices_billedentry b
            JOIN public.invoices_invoice v ON v.id = b.invoice_id
            WHERE v.number = %(key)s AND b.company = current_schema())
            AND NOT EXISTS (SELECT 1 FROM points_lot g JOIN points_budget o ON o.id = g.budget_id
                WHERE g.id = e.lot_id AND o.purpose = 'goodwill')""",
        is_spending=True,
        is_numbered=False,
    ),
}


@dataclass(frozen=True)
class Step:
    """One thing in the chain. `key` names it as a subject where it can be explained itself."""

    title: str
    fen: int
    at: datetime | None
    key: str = ""
    note: str = ""


@dataclass(frozen=True)
class Level:
    """One level of the chain: its first steps, how many there are, and what all of them carry."""

    name: str
    label: Any
    steps: tuple[Step, ...]
    count: int
    fen: int

    @property
    def more(self) -> int:
        return self.count - len(self.steps)


@dataclass(frozen=True)
class Chain:
    """A subject with everything before and after it; `parts` say where its value is, and add up to `fen`."""

    kind: str
    key: str
    title: str
    at: datetime
    fen: int
    parts: Mapping[str, int]
    levels: tuple[Level, ...]

    @property
    def adds_up(self) -> bool:
        return sum(self.parts.values()) == self.fen

    def as_json(self) -> dict[str, Any]:
        """Plain values: instants as ISO text, amounts as fen."""
        whole = asdict(self) | {"adds_up": self.adds_up, "at": self.at.isoformat()}
        whole["levels"] = [
            {**asdict(level), "label": str(level.label), "more": level.more, "steps": _plain(level.steps)}
            for level in self.levels
        ]
        return whole


def _plain(steps: tuple[Step, ...]) -> list[dict[str, Any]]:
    return [asdict(step) | {"at": step.at.isoformat() if step.at else None} for step in steps]


PARTS = {
    "left": _("left in wallets"),
    "held": _("in process"),
    "delivered": _("delivered"),
    "refunded": _("refunded"),
    "expired": _("expired, back in the budget"),
    "lapsed": _("lapsed"),
    "recalled": _("taken back to the budget"),
    "recovered": _("taken back by the platform"),
}

# Every level: (name, label, SQL of key, title, fen, at, note).
_LEVELS: tuple[tuple[str, Any, str], ...] = (
    (
        "loads",
        _("Money that came into the budget"),
        """SELECT '', p.kind, p.fen, p.at, p.reference FROM points_posting p
            WHERE p.kind IN ('load', 'move', 'goodwill') AND p.destination_id IN (SELECT b.account_id
                FROM points_budget b WHERE b.id IN (SELECT l.budget_id FROM points_lot l JOIN picked ON l.id = lot_id)
                OR (%(kind)s = 'budget' AND b.id::text = %(key)s))""",
    ),
    (
        "budgets",
        pgettext_lazy("ledger", "Budget"),
        """SELECT 'budget:' || b.id, b.name, sum(k.fen)::bigint, b.created_at, concat_ws(' · ', b.owner, nullif(b.cost_centre, ''))
            FROM picked k JOIN points_lot l ON l.id = k.lot_id JOIN points_budget b ON b.id = l.budget_id GROUP BY b.id""",
    ),
    (
        "grants",
        pgettext_lazy("ledger", "Grant"),
        """SELECT 'grant:' || g.id, g.reason, sum(k.fen)::bigint, g.at, concat_ws(' · ', g.granted_by, nullif(g.source, ''))
            FROM picked k JOIN points_lot l ON l.id = k.lot_id JOIN points_grant g ON g.id = l.grant_id GROUP BY g.id""",
    ),
    (
        "lots",
        pgettext_lazy("ledger", "Lot"),
        """SELECT 'lot:' || l.id, '#' || l.id || ' ' || e.employee_no, k.fen, l.at, coalesce(l.expires_at::text, '')
            FROM picked k JOIN points_lot l ON l.id = k.lot_id JOIN points_account a ON a.id = l.wallet_id
            JOIN people_employee e ON e.id = a.employee_id""",
    ),
    (
        "orders",
        pgettext_lazy("ledger", "Order"),
        """SELECT 'order:' || o.number, o.number, sum(u.fen)::bigint, o.placed_at, o.status
            FROM used u JOIN orders_item i ON u.item = 'item:' || i.id JOIN orders_order o ON o.id = i.order_id GROUP BY o.id""",
    ),
    (
        "items",
        _("Item and its delivery"),
        """SELECT 'item:' || i.id, i.name_zh, sum(u.fen)::bigint, coalesce(i.settled_at, d.finished_at), concat_ws(' · ', i.status,
                'D' || d.id, d.status)
            FROM used u JOIN orders_item i ON u.item = 'item:' || i.id
            LEFT JOIN public.fulfilment_delivery d ON d.company = current_schema() AND d.item_id = i.id
            GROUP BY i.id, d.id""",
    ),
    (
        "invoices",
        pgettext_lazy("ledger", "Invoice"),
        """SELECT 'invoice:' || v.number, v.number, sum(b.fen)::bigint, v.issued_at, v.kind
            FROM public.invoices_billedentry b JOIN public.invoices_invoice v ON v.id = b.invoice_id
            WHERE b.company = current_schema() AND 'item:' || b.item_id IN (SELECT item FROM used) GROUP BY v.id""",
    ),
)

# Where the picked lots' value is now; an item's debit is delivered, refunded or still held.
_ENDED = """
SELECT coalesce(o.kind, p.kind), -sum(e.fen)::bigint FROM points_lotentry e JOIN points_posting p ON p.id = e.posting_id
LEFT JOIN points_posting o ON o.id = p.reverses_id
WHERE e.lot_id IN (SELECT lot_id FROM picked) AND coalesce(o.kind, p.kind) IN ('expire', 'lapse', 'recall', 'recover')
GROUP BY 1
"""
_SPENT = """
SELECT CASE WHEN EXISTS (SELECT 1 FROM points_posting d WHERE d.reference = 'deliver:' || u.item) THEN 'delivered'
    WHEN EXISTS (SELECT 1 FROM points_posting r WHERE r.reference = 'refund:' || u.item) THEN 'refunded'
    ELSE 'held' END, sum(u.fen)::bigint
FROM used u GROUP BY 1
"""
_ENDS = {"expire": "expired", "lapse": "lapsed", "recall": "recalled", "recover": "recovered"}


def explain(*, of: str) -> Chain:
    """The chain of a subject of the current company, "lot:12" or "order:202611240001". Raises NothingToExplain."""
    kind, _colon, key = of.strip().partition(":")
    subject = SUBJECTS.get(kind)
    if subject is None or not _could_be(key, subject):
        raise NothingToExplain(of=of)
    with connection.cursor() as cursor:

        def read(sql: str) -> list[tuple[Any, ...]]:
            cursor.execute(sql, {"kind": kind, "key": key})
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

        found = read(subject.found)
        if not found:
            raise NothingToExplain(of=of)
        ((title, at),) = found
        chosen = _chosen(subject)
        ((fen,),) = read(f"{chosen} SELECT coalesce(sum(fen), 0)::bigint FROM picked")
        return Chain(
            kind=kind,
            key=key,
            title=title,
            at=at,
            fen=fen,
            parts=_parts(read, chosen, subject),
            levels=tuple(_level(read, chosen, name, label, sql) for name, label, sql in _LEVELS),
        )


def _could_be(key: str, subject: Subject) -> bool:
    if subject.is_numbered:
        return key.isascii() and key.isdecimal() and len(key) < 19
    return 0 < len(key) <= 60 and "\0" not in key


def _chosen(subject: Subject) -> str:
    """The two lists that everything is counted from, the one that the other follows from first."""
    parts = [f"picked AS ({subject.picked})", f"used AS ({subject.used})"]
    return "WITH " + ", ".join(reversed(parts) if subject.is_spending else parts)


Read = Callable[[str], list[tuple[Any, ...]]]


def _parts(read: Read, chosen: str, subject: Subject) -> dict[str, int]:
    """Where the value is. What was refunded is in its lots again: a part of an order, not one of a lot."""
    spent: dict[str, int] = dict(read(f"{chosen} {_SPENT}"))
    if subject.is_spending:
        return {name: spent[name] for name in PARTS if spent.get(name)}
    ((left,),) = read(
        f"{chosen} SELECT coalesce(sum(l.remaining_fen), 0)::bigint FROM picked JOIN points_lot l ON l.id = lot_id"
    )
    ended = {_ENDS[kind]: fen for kind, fen in read(f"{chosen} {_ENDED}")}
    parts = {**spent, **ended, "refunded": 0, "left": left}
    return {name: parts[name] for name in PARTS if parts.get(name)}


def _level(read: Read, chosen: str, name: str, label: Any, sql: str) -> Level:
    rows = read(
        f"{chosen} SELECT q.*, count(*) OVER (), (sum(q.fen) OVER ())::bigint FROM ({sql}) AS q(key, title, fen, at, note)"
        f" ORDER BY q.at DESC NULLS LAST, length(q.key), q.key LIMIT {SHOWN}"
    )
    steps = tuple(
        Step(key=key, title=title, fen=fen, at=at, note=note) for key, title, fen, at, note, *_sums in rows
    )
    count, fen = rows[0][5:] if rows else (0, 0)
    return Level(name=name, label=label, steps=steps, count=count, fen=int(fen))
