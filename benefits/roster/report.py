"""What HR gets back to correct: the own workbook with its problem cells marked, or a plain list of problems."""

from __future__ import annotations

import io
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import xlsxwriter
from django.utils.translation import pgettext

from . import messages, sandbox
from .shapes import Checked, Issue

ANNOTATED_BYTES = 1_000_000  # a larger workbook takes the annotating library too long
ANNOTATED_MARKS = 2_000
_ALLOWANCE = sandbox.Allowance(cpu_seconds=15, wall_seconds=30)


def problem_workbook(path: Path, checked: Checked, extra: Sequence[Issue] = ()) -> bytes:
    """An .xlsx for the issues of a file (`extra`: those that the plan found)."""
    issues = sorted((*checked.issues, *extra), key=lambda issue: issue.row)
    if checked.kind == "xlsx" and path.stat().st_size <= ANNOTATED_BYTES and len(issues) <= ANNOTATED_MARKS:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "marked.xlsx"
            if sandbox.annotate_file(path, target, _marks(checked, issues), checked.sheet or "", _ALLOWANCE):
                return target.read_bytes()
    return problem_list(checked, issues)


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


def problem_list(checked: Checked, issues: Sequence[Issue]) -> bytes:
    """A list with one line an issue; every text is written as text."""
    out = io.BytesIO()
    names = {person.row: person for person in (*checked.held, *checked.employees)}
    workbook = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    page = workbook.add_worksheet(pgettext("roster report", "Problems"))
    bold = workbook.add_format({"bold": True})
    headings = [
        pgettext("roster report", "Row"),
        pgettext("roster report", "Column"),
        pgettext("roster report", "Employee number"),
        pgettext("roster report", "Name"),
        pgettext("roster report", "What is wrong and what to do"),
    ]
    for column, heading in enumerate(headings):
        page.write_string(0, column, heading, bold)
    for line, issue in enumerate(issues, start=1):
        person = names.get(issue.row)
        label = messages.FIELD_LABELS.get(issue.field or "", "")
        page.write_number(line, 0, issue.row)
        page.write_string(line, 1, str(label))
        page.write_string(line, 2, (person.employee_no if person else None) or "")
        page.write_string(line, 3, (person.name if person else None) or "")
        page.write_string(line, 4, messages.of_issue(issue))
    page.set_column(0, 0, 8)
    page.set_column(1, 3, 18)
    page.set_column(4, 4, 80)
    page.freeze_panes(1, 0)
    workbook.close()
    return out.getvalue()
