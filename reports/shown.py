"""Figures and rows as pages show them: plain values, already in the reader's words."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.utils import formats
from django.utils.translation import gettext as _

from benefits import money
from reports import statement as statements
from reports.invoices import pdf
from reports.invoices.document import Document
from reports.invoices.models import Invoice
from reports.invoices.queries import Reconciled
from reports.periods import Month
from reports.tables import CHINA, Column, Kind

PER_PAGE = 50
MOST_MONTHS = 60
LONG = 24  # characters from which a column may break its lines
_TONES = {Invoice.Status.FILED: "ok", Invoice.Status.ISSUED: "info", Invoice.Status.FAILED: "warn"}


def invoice(row: Invoice) -> dict[str, Any]:
    """An invoice for a list."""
    return {
        "number": row.number,
        "company": row.company,
        "company_name": row.company_name,
        "kind": row.get_kind_display(),
        "is_credit_note": row.kind == Invoice.Kind.CREDIT_NOTE,
        "corrects": row.corrects.number if row.corrects else "",
        "month": f"{row.month_date:%Y-%m}",
        "issued_on": row.issued_at.astimezone(CHINA).date().isoformat(),
        "issued_by": row.issued_by,
        "total": money.yuan_grouped(row.total_fen),
        "net": money.yuan_grouped(row.net_fen),
        "tax": money.yuan_grouped(row.tax_fen),
        "status": row.get_status_display(),
        "tone": _TONES[Invoice.Status(row.status)],
        "is_filed": row.status == Invoice.Status.FILED,
    }


def check(row: Invoice, found: Reconciled) -> dict[str, Any]:
    """How an invoice compares with the ledger."""
    return {
        "agrees": found.agrees,
        "total": money.yuan_grouped(found.total_fen),
        "lines": money.yuan_grouped(found.lines_fen),
        "ledger": money.yuan_grouped(found.ledger_fen),
        "entries": f"{row.entry_count:,}",
        "sha256": row.pdf_sha256,
    }


def document(printed: Document) -> dict[str, Any]:
    """What an invoice says, for its page."""
    return {
        **pdf.page(printed),
        "buyer": printed.buyer,
        "seller": printed.seller,
        "first_day": printed.first_day.isoformat(),
        "last_day": printed.last_day.isoformat(),
    }


def statement(report: statements.Statement) -> dict[str, Any]:
    """A statement for its page."""
    return {
        "sections": [
            {
                "title": section.title,
                "opening": money.yuan_grouped(section.opening_fen),
                "closing": money.yuan_grouped(section.closing_fen),
                "movements": [
                    {"name": one.name, "amount": money.yuan_grouped(one.fen)} for one in section.movements
                ],
            }
            for section in report.sections
        ],
        "delivered": money.yuan_grouped(report.delivered_fen),
        "billed": money.yuan_grouped(report.billed_fen),
        "by_platform": money.yuan_grouped(report.by_platform_fen) if report.by_platform_fen else "",
        "unbilled": money.yuan_grouped(report.unbilled_fen),
        "has_unbilled": report.unbilled_fen != 0,
        "agrees": not report.problems,
    }


def columns(wanted: Sequence[Column]) -> list[dict[str, Any]]:
    """Headings; figures stand at the right."""
    return [{"title": column.title, "is_figure": _is_figure(column)} for column in wanted]


def rows(wanted: Sequence[Column], values: Iterable[Sequence[object]]) -> list[list[dict[str, Any]]]:
    """Cells as text."""
    return [
        [
            {"text": cell(column, value), "is_figure": _is_figure(column), "is_long": column.width > LONG}
            for column, value in zip(wanted, row, strict=True)
        ]
        for row in values
    ]


def sums(wanted: Sequence[Column], values: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
    """The sum row of a report, empty where a column has none; nothing when no column has."""
    if not values or not any(column.total for column in wanted):
        return []
    return [
        {
            "text": cell(column, sum(row[index] for row in values)) if column.total else "",
            "is_figure": _is_figure(column),
        }
        for index, column in enumerate(wanted)
    ]


def cell(column: Column, value: object) -> str:
    """One cell as a page shows it."""
    match column.kind, value:
        case _, None | "":
            return ""
        case Kind.FEN, int():
            return money.yuan_grouped(value)
        case Kind.RATE, int():
            return pdf.rate(value)
        case Kind.COUNT, int():
            return f"{value:,}"
        case Kind.TIME, datetime():
            return instant(value)
        case Kind.DATE, date():
            return value.isoformat()
        case _:
            return str(value)


def instant(at: datetime) -> str:
    """An instant in China's time, to the second."""
    return f"{at.astimezone(CHINA):%Y-%m-%d %H:%M:%S}"


def month(one: Month) -> str:
    """2026年1月, or January 2026."""
    return str(formats.date_format(one.first_day, _("F Y")))


def months(*, since: datetime, until: datetime) -> list[dict[str, str]]:
    """The months of a period for a choice, the newest first; at most five years."""
    chosen: list[dict[str, str]] = []
    one, first = Month.of(until), Month.of(since)
    while one >= first and len(chosen) < MOST_MONTHS:
        chosen.append({"value": str(one), "label": month(one)})
        one = one.previous
    return chosen


def page_of(rows_wanted: QuerySet[Invoice], number: str) -> Page[Invoice]:
    """One page of a list; a number that is none shows the first or the last."""
    return Paginator(rows_wanted, PER_PAGE).get_page(number)


def _is_figure(column: Column) -> bool:
    return column.kind in (Kind.FEN, Kind.COUNT, Kind.RATE)
