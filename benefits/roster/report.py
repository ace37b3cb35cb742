"""What HR gets back to correct: the own workbook with its problem cells marked, or its bad rows alone.

Either can be corrected and uploaded again as it is.
"""

from __future__ import annotations

import datetime as dt
import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
from django.utils.translation import pgettext

from . import fields, messages, sandbox
from .shapes import Checked, Choices, Issue, column_of

ANNOTATED_BYTES = 1_000_000  # a larger workbook takes the annotating library too long
ANNOTATED_MARKS = 2_000
_ALLOWANCE = sandbox.Allowance(cpu_seconds=15, wall_seconds=30)
_AS_TEXT = {"employee_no", "mobile", "id_number"}  # what Excel would shorten or strip of its zeros
_COLOURS = {"error": "#FFC7CE", "warning": "#FFEB9C"}


def problem_workbook(path: Path, checked: Checked, extra: Sequence[Issue] = ()) -> bytes:
    """An .xlsx for the issues of a file (`extra`: those that the plan found)."""
    issues = sorted((*checked.issues, *extra), key=lambda issue: issue.row)
    is_small = path.stat().st_size <= ANNOTATED_BYTES and len(issues) <= ANNOTATED_MARKS
    if checked.outcome == "ok" and checked.kind == "xlsx" and is_small:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "marked.xlsx"
            if sandbox.annotate_file(path, target, _marks(checked, issues), checked.sheet or "", _ALLOWANCE):
                return target.read_bytes()
    return bad_rows(path, checked, issues)


def _marks(checked: Checked, issues: Sequence[Issue]) -> list[dict[str, Any]]:
    fallback = checked.columns["name"][0]
    return [
        {
            "row": issue.row,
            "column": checked.columns.get(issue.field or "", (fallback,))[0],
            "severity": issue.severity,
            "text": messages.of_issue(issue),
        }
        for issue in issues
    ]


def bad_rows(path: Path, checked: Checked, issues: Sequence[Issue]) -> bytes:
    """The rows that were held back, with all their columns, and beside them what is wrong and what to do.

    Every text is written as text. The columns that are added are no fields, so that the list can be uploaded
    again once it is corrected.
    """
    wanted = {issue.row for issue in issues if issue.severity == "error"} or {issue.row for issue in issues}
    headings, lines = sandbox.excerpt_of_file(path, _as_read(checked), sorted(wanted))
    out = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    workbook = xlsxwriter.Workbook(out, {**options, "in_memory": True, "nan_inf_to_errors": True})
    page = workbook.add_worksheet(pgettext("roster report", "Rows to correct"))
    _write_headings(workbook, page, headings)
    by_row: dict[int, list[Issue]] = {}
    for issue in issues:
        by_row.setdefault(issue.row, []).append(issue)
    formats = _formats(workbook)
    for line, (row, cells) in enumerate(lines, start=1):
        found = by_row.get(row, [])
        worst = {issue.field: issue.severity for issue in found}
        for column, cell in enumerate(cells):
            field = headings[column][1]
            kind = "day" if isinstance(cell, dt.date) else "text" if field in _AS_TEXT else "plain"
            _write(page, line, column, cell, formats[worst.get(field, "") if field else "", kind])
        page.write_string(
            line, len(headings), "\n".join(map(messages.of_issue, found)), formats["", "wrapped"]
        )
        page.write_number(line, len(headings) + 1, row)
    page.freeze_panes(1, 0)
    workbook.close()
    return out.getvalue()


def _as_read(checked: Checked) -> Choices:
    """The table that was read, however it was found or chosen."""
    columns = {name: tuple(map(column_of, letters)) for name, letters in checked.columns.items()}
    none: dict[str, tuple[int, ...]] = dict.fromkeys(fields.BY_NAME, ())
    return Choices(sheet=checked.sheet, header_row=checked.header_row, columns=none | columns)


def _formats(workbook: Any) -> dict[tuple[str, str], Any]:
    kinds: dict[str, dict[str, Any]] = {
        "plain": {},
        "text": {"num_format": "@"},
        "day": {"num_format": "yyyy-mm-dd"},
        "wrapped": {"text_wrap": True, "valign": "top"},
    }
    fills: dict[str, dict[str, Any]] = {"": {}, **{name: {"bg_color": c} for name, c in _COLOURS.items()}}
    return {
        (severity, kind): workbook.add_format({**look, **fill})
        for severity, fill in fills.items()
        for kind, look in kinds.items()
    }


def _write_headings(workbook: Any, page: Any, headings: Sequence[tuple[str, str | None]]) -> None:
    bold = workbook.add_format({"bold": True})
    text = workbook.add_format({"num_format": "@"})
    for column, (heading, field) in enumerate(headings):
        page.set_column(column, column, 16, text if field in _AS_TEXT else None)
        page.write_string(0, column, heading, bold)
    page.set_column(len(headings), len(headings), 70)
    page.write_string(0, len(headings), pgettext("roster report", "What is wrong and what to do"), bold)
    page.write_string(0, len(headings) + 1, pgettext("roster report", "Row in the file"), bold)


def _write(page: Any, line: int, column: int, cell: Any, look: Any) -> None:
    if cell == "" or cell is None:
        page.write_blank(line, column, None, look)
    elif isinstance(cell, dt.date):
        page.write_datetime(line, column, cell, look)
    elif isinstance(cell, str):
        page.write_string(line, column, cell, look)
    else:
        page.write_number(line, column, cell, look)
