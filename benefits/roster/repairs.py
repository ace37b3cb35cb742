"""What the check page asks about corrections: whether a typed text would do, which rows say the same, what is pending."""

from __future__ import annotations

from typing import Any, NamedTuple

from benefits.roster import fields, normalise
from benefits.roster.models import RosterImport, RosterRow
from benefits.roster.shapes import Choices, Issue, Problem
from tenants.db import connection

_KINDS = """
SELECT issue->>0, issue->>1, count(*) FROM roster_rosterrow, jsonb_array_elements(issues) AS issue
WHERE roster_import_id = %s AND action = 'problem' AND issue->>2 = 'error' GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2
"""


class Kind(NamedTuple):
    """Rows that are held back for one reason in one field."""

    field: str | None
    code: str
    rows: int


class Pending(NamedTuple):
    """Corrections that wait for the next check: cells typed into, rows left out, rows taken back in."""

    cells: int
    skipped: int


def verdict(row: int, field: str, text: str) -> tuple[Any, Issue | None]:
    """(value, None) of a text typed into a cell, or (None, what is wrong with it). The rule is the file's own."""
    known = fields.BY_NAME[field]
    value = normalise.attempt(known.read, text) if text else None
    if isinstance(value, Problem):
        return None, Issue(row, field, value.code, "error", value.params)
    if value is None and known.required:
        return None, Issue(row, field, f"missing_{field}", "error", {})
    return value, None


def kinds(roster_import: RosterImport) -> list[Kind]:
    """Why rows are held back, the most frequent reason first."""
    with connection.cursor() as cursor:
        cursor.execute(_KINDS, [roster_import.pk])
        return [Kind(*row) for row in cursor.fetchall()]


def same(roster_import: RosterImport, *, code: str, field: str, text: str) -> list[int]:
    """The rows whose `field` holds this text with this problem."""
    found = RosterRow.objects.filter(
        roster_import=roster_import, action="problem", issues__contains=[[field, code]], row__isnull=False
    )
    return [row.row or 0 for row in found.iterator() if row.person.get("texts", {}).get(field, "") == text]


def pending(roster_import: RosterImport, choices: Choices) -> Pending:
    """What was typed or left out since the file was last checked, as far as it touches rows that were found then."""
    if not roster_import.needs_check:
        return Pending(0, 0)
    corrected = {row for row, _ in choices.repairs}
    found = RosterRow.objects.filter(roster_import=roster_import, row__in=corrected | choices.skipped)
    actions = dict(found.values_list("row", "action"))
    cells = sum(
        1 for row, _ in choices.repairs if actions.get(row) == "problem" and row not in choices.skipped
    )
    return Pending(cells, len(choices.skipped & set(actions)))
