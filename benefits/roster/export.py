"""The roster as a file: workbook or CSV, in columns that an upload reads back unchanged.

Every value is text but days. Mobiles are masked, under a heading that no upload takes for a mobile, unless whoever
exports asks for them; birthdays are left out. The first line says who exported it and when.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

import xlsxwriter
from django.db.models import QuerySet
from django.utils.translation import get_language

from benefits import mobile as numbers
from benefits.people.models import Employee
from benefits.roster import fields
from benefits.roster.errors import ExportedTooOften
from tenants import audit
from tenants.db import transaction, transaction_required
from tenants.identity.models import AuditEvent, User

XLSX, CSV = "xlsx", "csv"
CONTENT_TYPES = {
    XLSX: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    CSV: "text/csv; charset=utf-8",
}
COLUMNS = (
    "employee_no", "name", "mobile", "department", "email", "hired_on", "grade", "city", "regular_on", "status",
    "left_on",
)  # fmt: skip
_WIDTHS = (14, 14, 16, 32, 28, 12, 12, 12, 12, 10, 12)
# What a spreadsheet might run, the full-width signs too; ' and tab are what a reader of CSV takes away again.
_FORMULA_STARTS = tuple("=+-@\t\r\n|%＝＋－＠'")
_CHUNK = 5000
EXPORTED = "employees.exported"
AN_HOUR = 30  # exports by one person
_HOUR = dt.timedelta(hours=1)

Cell = str | dt.date | None


@transaction
def export(
    *,
    employees: QuerySet[Employee],
    kind: str,
    full_mobiles: bool,
    watermark: str,
    target: BinaryIO,
    actor: User,
    at: dt.datetime,
) -> int:
    """Write these employees, in their order, to `target`; returns how many. That it happened is recorded.

    Raises ExportedTooOften.
    """
    _refuse_too_many(actor=actor, at=at)
    count = 0

    def counted() -> Iterator[Sequence[Cell]]:
        nonlocal count
        for row in _rows(employees, full_mobiles=full_mobiles):
            count += 1
            yield row

    write(
        kind,
        _headings(full_mobiles=full_mobiles),
        counted(),
        widths=_WIDTHS,
        watermark=watermark,
        target=target,
    )
    audit.record(
        EXPORTED,
        "employees:list",
        actor=actor,
        at=at,
        employees=count,
        kind=kind,
        full_mobiles=full_mobiles,
    )
    return count


@transaction_required
def _refuse_too_many(*, actor: User, at: dt.datetime) -> None:
    """What was recorded is what counts. Nobody waits for an export under way, so those begun at once may pass together."""
    made = AuditEvent.objects.filter(action=EXPORTED, actor_id=actor.pk, at__gt=at - _HOUR, at__lte=at)
    if made.count() >= AN_HOUR:
        raise ExportedTooOften(limit=AN_HOUR)


def write(
    kind: str,
    headings: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    *,
    widths: Sequence[int],
    watermark: str,
    target: BinaryIO,
) -> None:
    """Any table as a workbook or as CSV, row by row, the watermark in its first line."""
    if kind == XLSX:
        _write_xlsx(headings, rows, widths, watermark, target)
    else:
        _write_csv(headings, rows, watermark, target)


def _rows(employees: QuerySet[Employee], *, full_mobiles: bool) -> Iterator[Sequence[Cell]]:
    active, left = ("在职", "离职") if _is_chinese() else ("active", "left")
    found = employees.values_list(
        "employee_no", "name", "mobile", "department__path", "email", "hired_on", "grade", "city", "regular_on",
        "status", "left_on",
    )  # fmt: skip
    for no, name, mobile, path, email, hired_on, grade, city, regular_on, status, left_on in found.iterator(
        chunk_size=_CHUNK
    ):
        yield (
            no,
            name,
            mobile if full_mobiles else numbers.masked(mobile),
            path,
            email,
            hired_on,
            grade,
            city,
            regular_on,
            active if status == Employee.Status.ACTIVE else left,
            left_on,
        )


def _headings(*, full_mobiles: bool) -> list[str]:
    """Each column's most telling spelling, in the reader's language."""
    found = []
    for name in COLUMNS:
        spellings = fields.BY_NAME[name].spellings
        found.append(spellings[0] if _is_chinese() else next(one for one in spellings if one.isascii()))
    if not full_mobiles:
        found[COLUMNS.index("mobile")] = "隐藏手机号" if _is_chinese() else "Masked mobile"
    return found


def _is_chinese() -> bool:
    return (get_language() or "zh").startswith("zh")


def safe(text: str) -> str:
    """Text that stays text in a spreadsheet: what might be run is led by an apostrophe, which a reader drops."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA_STARTS) else text


def _write_csv(
    headings: Sequence[str], rows: Iterable[Sequence[Cell]], watermark: str, target: BinaryIO
) -> None:
    text = io.TextIOWrapper(target, encoding="utf-8-sig", errors="replace", newline="", write_through=False)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([safe(watermark)])
    writer.writerow([safe(heading) for heading in headings])
    for row in rows:
        writer.writerow([safe(cell) if isinstance(cell, str) else cell or "" for cell in row])
    text.flush()
    text.detach()


def _write_xlsx(
    headings: Sequence[str],
    rows: Iterable[Sequence[Cell]],
    widths: Sequence[int],
    watermark: str,
    target: BinaryIO,
) -> None:
    book = xlsxwriter.Workbook(
        target,
        {
            "strings_to_formulas": False,
            "strings_to_numbers": False,
            "strings_to_urls": False,
            "constant_memory": True,
        },
    )
    book.set_properties({"comments": watermark})
    font = {"font_name": "Noto Sans CJK SC", "font_size": 10}
    text, day = (
        book.add_format({**font, "num_format": "@"}),
        book.add_format({**font, "num_format": "yyyy-mm-dd"}),
    )
    small = book.add_format({**font, "font_color": "#666C69", "font_size": 9})
    heading = book.add_format({**font, "bold": True, "bg_color": "#E3EFEC", "bottom": 1, "num_format": "@"})
    sheet = book.add_worksheet("员工" if _is_chinese() else "Employees")
    sheet.set_footer("&L" + watermark.replace("&", "&&") + "&R&P/&N")
    for place, width in enumerate(widths):
        sheet.set_column(place, place, width, text)
    sheet.write_string(0, 0, watermark, small)
    for place, title in enumerate(headings):
        sheet.write_string(1, place, title, heading)
    sheet.freeze_panes(2, 0)
    last = 1
    for last, row in enumerate(rows, start=2):
        for place, cell in enumerate(row):
            if isinstance(cell, dt.date):
                sheet.write_datetime(last, place, dt.datetime.combine(cell, dt.time()), day)
            elif cell:
                sheet.write_string(last, place, cell, text)
    sheet.autofilter(1, 0, last, len(headings) - 1)
    book.close()
