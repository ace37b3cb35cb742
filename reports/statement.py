"""A company's monthly statement (对账单): what its funds, budgets, wallets and orders held, what moved, what they hold.

Every figure is a sum of ledger rows by their own time; opening plus movements is closing because both are counted.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext_lazy as _
from django_tenants.utils import tenant_context

from reports.invoices import queries as invoices
from reports.periods import Month
from reports.tables import Column, Kind, Table
from tenants.db import connection
from tenants.models import Company

# The platform's own budget in the company is the platform's: what it grants is told as paid by the platform.
_POSTINGS = """
WITH place AS (
    SELECT a.id, CASE WHEN b.purpose = 'goodwill' THEN 'loss' ELSE a.kind END AS kind
    FROM points_account a LEFT JOIN points_budget b ON b.account_id = a.id)
SELECT s.kind, d.kind, CASE WHEN (s.kind, p.kind) = ('loss', 'grant') THEN 'goodwill' ELSE p.kind END,
    p.at >= %(since)s, sum(p.fen)
FROM points_posting p JOIN place s ON s.id = p.source_id JOIN place d ON d.id = p.destination_id
WHERE p.at < %(before)s GROUP BY 1, 2, 3, 4
"""
_FUNDS = """
SELECT e.kind, e.at >= %(since)s, sum(e.fen) FROM public.funds_fundsentry e
JOIN public.funds_fundsaccount a ON a.id = e.account_id
WHERE a.company = %(company)s AND e.at < %(before)s GROUP BY 1, 2
"""
_STORED = """
SELECT kind, coalesce(sum(balance_fen), 0) FROM points_account a WHERE balance_fen IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM points_budget b WHERE b.account_id = a.id AND b.purpose = 'goodwill') GROUP BY kind
UNION ALL SELECT 'funds', balance_fen FROM public.funds_fundsaccount WHERE company = %(company)s
"""
# Delivering and reversing are told apart by side; other movements have one name each.
NAMES = {
    "deposit": _("Deposits received"),
    "load": _("Loaded into budgets"),
    "return": _("Returned from budgets"),
    "unload": _("Returned to funds"),
    "grant": _("Granted to employees"),
    "recall": _("Taken back from employees"),
    "redeem": _("Redeemed by employees"),
    "deliver": _("Delivered to employees"),
    "refund": _("Refunded to employees"),
    "move": _("Moved between budgets"),
    "allot": _("Set aside for grants"),
    "expire": _("Expired points"),
    "lapse": _("Lapsed points"),
    "goodwill": _("Paid by the platform"),
    "recover": _("Taken back by the platform"),
    "reverse": _("Corrections"),
}
TITLES = {
    "funds": _("Funds at the platform"),
    "budget": _("Budgets"),
    "wallet": _("Employees' wallets"),
    "held": _("Orders in process"),
    "delivered": _("Delivered benefits"),
    "allotted": _("Being handed out"),
    "lapsed": _("Lapsed points"),
}
_RARE = frozenset({"allotted", "lapsed"})  # left out of a statement in which nothing of them is
_ORDER = list(NAMES)


@dataclass(frozen=True)
class Movement:
    """All movements of one kind in the month; `fen` is negative where they took."""

    kind: str
    fen: int

    @property
    def name(self) -> Any:
        return NAMES[self.kind]


@dataclass(frozen=True)
class Section:
    """One place where value stands."""

    kind: str
    opening_fen: int
    movements: tuple[Movement, ...]
    closing_fen: int

    @property
    def title(self) -> Any:
        return TITLES[self.kind]


@dataclass(frozen=True)
class Statement:
    """A month of one company: delivered = billed + unbilled + paid by the platform, by the time of the ledger."""

    month: Month
    sections: tuple[Section, ...]
    delivered_fen: int
    billed_fen: int
    by_platform_fen: int
    problems: tuple[str, ...]

    @property
    def unbilled_fen(self) -> int:
        return self.delivered_fen - self.billed_fen - self.by_platform_fen


def statement(*, company: Company, month: Month, at: datetime) -> Statement:
    """The statement of a month that has begun; `at` tells whether it is still running."""
    facts = {"company": company.schema_name, "since": month.starts_at, "before": month.ends_at}
    with tenant_context(company), connection.cursor() as cursor:
        cursor.execute(_FUNDS, facts)
        funds = [("funds", kind, inside, int(fen)) for kind, inside, fen in cursor.fetchall()]
        cursor.execute(_POSTINGS, facts)
        legs = list(_legs(cursor.fetchall()))
        cursor.execute(_STORED, facts)
        stored = {kind: int(fen) for kind, fen in cursor.fetchall()}
    sections = tuple(_section(kind, [row for row in (*funds, *legs) if row[0] == kind]) for kind in TITLES)
    delivered, _entries = invoices.delivered(company, since=month.starts_at, before=month.ends_at)
    billed, _entries = invoices.billed(company, since=month.starts_at, before=month.ends_at)
    by_platform, _entries = invoices.by_platform(company, since=month.starts_at, before=month.ends_at)
    return Statement(
        month=month,
        sections=tuple(one for one in sections if one.kind not in _RARE or one.movements or one.opening_fen),
        delivered_fen=delivered,
        billed_fen=billed,
        by_platform_fen=by_platform,
        problems=tuple(_problems(sections, stored if month.ends_at > at else {}, delivered)),
    )


Leg = tuple[str, str, bool, int]  # account kind, movement, inside the month, signed fen


def _legs(rows: Sequence[tuple[str, str, str, bool, int]]) -> Iterator[Leg]:
    for source, destination, kind, inside, fen in rows:
        yield source, kind, inside, -int(fen)
        yield destination, kind, inside, int(fen)


def _section(kind: str, rows: Sequence[Leg]) -> Section:
    opening = sum(fen for _kind, _movement, inside, fen in rows if not inside)
    moved: dict[str, int] = {}
    for _kind, movement, inside, fen in rows:
        if inside:
            moved[movement] = moved.get(movement, 0) + fen
    # Moves between budgets of one company are nothing to all of its budgets.
    movements = tuple(Movement(name, moved[name]) for name in sorted(moved, key=_ORDER.index) if moved[name])
    return Section(
        kind=kind, opening_fen=opening, movements=movements, closing_fen=opening + sum(moved.values())
    )


def _problems(sections: Sequence[Section], stored: dict[str, int], delivered_fen: int) -> Iterator[str]:
    """What does not agree, as plain words for the operator; empty when the statement equals the ledger."""
    by_kind = {section.kind: section for section in sections}
    moved = {(section.kind, m.kind): m.fen for section in sections for m in section.movements}
    if moved.get(("funds", "load"), 0) != -moved.get(("budget", "load"), 0):
        yield "funds loaded and budgets received differ"
    if sum(m.fen for m in by_kind["delivered"].movements) != delivered_fen:
        yield "deliveries and the delivered account differ"
    for kind, fen in stored.items():
        if by_kind[kind].closing_fen != fen:
            yield f"{kind} stores {fen}, its rows say {by_kind[kind].closing_fen}"


def tables(report: Statement, *, facts: Sequence[tuple[str, str]]) -> list[Table]:
    """The statement as a sheet: one row a figure, with opening and closing of every place."""
    rows: list[tuple[object, ...]] = []
    for section in report.sections:
        rows.append((section.title, _("Opening balance"), section.opening_fen))
        rows += [(section.title, movement.name, movement.fen) for movement in section.movements]
        rows.append((section.title, _("Closing balance"), section.closing_fen))
    rows += [
        (_("Invoices"), _("Delivered this month"), report.delivered_fen),
        (_("Invoices"), _("Of it invoiced"), report.billed_fen),
        (_("Invoices"), _("Not yet invoiced"), report.unbilled_fen),
    ]
    if report.by_platform_fen:
        rows.insert(-1, (_("Invoices"), _("Of it paid by the platform"), report.by_platform_fen))
    columns = (
        Column(_("Place"), width=24),
        Column(_("Movement"), width=28),
        Column(_("Amount (yuan)"), Kind.FEN, 18),
    )
    return [Table(title=str(_("Statement")), columns=columns, rows=rows, facts=facts)]
