"""The plan of an import as rows: a fate for each, in the file's order, and the digest that stands for all of them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

from benefits.roster.models import RosterImport, RosterRow
from benefits.roster.plan import Plan, Step
from benefits.roster.shapes import Checked, Issue, Person
from tenants.db import copy_columns, transaction_required

MOST_GROUPS = 500
ROWS_OF_A_GROUP = 20
BATCH = 5000
_quoted = json.encoder.encode_basestring


class _Fate(NamedTuple):
    row: int | None
    action: str
    employee_no: str
    name: str
    person: Step | str  # or JSON; empty for somebody who stays as they are, whom the roster itself names
    issues: str  # JSON


_fate: Callable[[Iterable[Any]], _Fate] = partial(tuple.__new__, _Fate)  # a third less than _Fate()


@transaction_required
def store_facts(roster_import: RosterImport, checked: Checked) -> None:
    """What was found in the file besides its rows, and what it offers to choose from."""
    sealed = {
        "sheets": [list(sheet) for sheet in checked.sheets],
        "offered": [list(column) for column in checked.offered],
        "groups": _groups(checked.issues, checked),
    }
    roster_import.facts = {
        "sheet": checked.sheet,
        "header_row": checked.header_row,
        "columns": {name: list(letters) for name, letters in checked.columns.items()},
        "notes": [[note.code, note.params] for note in checked.notes],
    }
    roster_import.sealed_facts = json.dumps(sealed, ensure_ascii=False)
    roster_import.save(update_fields=["facts", "sealed_facts"])


@transaction_required
def store_plan(roster_import: RosterImport, checked: Checked, found: Plan) -> None:
    """Keep a row for each fate, counts and the plan's digest."""
    RosterRow.objects.filter(roster_import=roster_import).delete()
    fates = sorted(_fates(checked, found), key=lambda fate: (fate[0] is None, fate[0] or 0))
    for start in range(0, len(fates), BATCH):
        _copy(roster_import, fates[start : start + BATCH])
    counted = Counter([fate[1] for fate in fates])
    roster_import.counts = {action: counted[action] for action in RosterRow.Action.values}
    roster_import.rows_total = len(found.steps)
    roster_import.plan_digest = found.digest
    roster_import.save(update_fields=["counts", "rows_total", "plan_digest"])


def _copy(roster_import: RosterImport, fates: Sequence[_Fate]) -> None:
    field: Any = RosterRow._meta.get_field("sealed")
    rows, actions, numbers, names, people, issues = zip(*fates, strict=True)
    copy_columns(
        RosterRow,
        {
            "roster_import_id": [str(roster_import.pk)] * len(fates),
            "row": [None if row is None else str(row) for row in rows],
            "action": actions,
            "employee_no": numbers,
            "name": names,
            "sealed": field.seal_all([_changes(one) if isinstance(one, Step) else one for one in people]),
            "issues": issues,
        },
    )


def _fates(checked: Checked, found: Plan) -> Iterator[_Fate]:
    issues: dict[int, list[Issue]] = {}
    for issue in (*checked.issues, *found.issues):
        issues.setdefault(issue.row, []).append(issue)
    for step in found.steps:
        yield _fate((step.row, step.action.value, step.employee_no, step.name, step, "[]"))
    stopped = {issue.row for issue in found.issues}
    for person in (*checked.held, *(p for p in checked.employees if p.row in stopped)):
        texts = {"texts": dict(checked.texts.get(person.row, {}))}
        known = json.dumps(_details(person) | texts, ensure_ascii=False)
        found_issues = json.dumps([list(issue[1:]) for issue in issues[person.row]], ensure_ascii=False)
        yield _Fate(
            person.row,
            "problem",
            (person.employee_no or "")[:40],
            (person.name or "")[:50],
            known,
            found_issues,
        )
    for issue in checked.issues:
        if issue.code == "identical_duplicate":
            wrong = json.dumps([list(issue[1:])], ensure_ascii=False)
            yield _Fate(issue.row, "double", "", "", "", wrong)


def _changes(step: Step) -> str:
    """What changes of a person, and the points that the file names. Written by hand: there may be 100,000 of them."""
    changes = f'"before":{_object(step.before)},"after":{_object(step.after)}' if step.after else ""
    points = f'"points":{_quoted(step.points)}' if step.points is not None else ""
    return f"{{{changes}{',' if changes and points else ''}{points}}}" if changes or points else ""


def _object(values: Mapping[str, str | None]) -> str:
    pairs = [f'"{key}":{"null" if text is None else _quoted(text)}' for key, text in values.items()]
    return f"{{{','.join(pairs)}}}"


def _details(person: Person) -> dict[str, Any]:
    after = {key: str(value) for key, value in person._asdict().items() if value is not None and key != "row"}
    return {"before": {}, "after": after}


def _groups(issues: Iterable[Issue], checked: Checked) -> list[dict[str, Any]]:
    """The same problem of the same text, to be corrected at once."""
    groups: dict[tuple[str, str, str], dict[str, Any]] = {}
    for issue in issues:
        if issue.severity != "error" or issue.field is None:
            continue
        text = checked.texts.get(issue.row, {}).get(issue.field, "")
        group = groups.setdefault(
            (issue.code, issue.field, text),
            {"code": issue.code, "field": issue.field, "text": text, "count": 0, "rows_sample": []},
        )
        group["count"] += 1
        if len(group["rows_sample"]) < ROWS_OF_A_GROUP:
            group["rows_sample"].append(issue.row)
    return sorted(groups.values(), key=lambda group: -group["count"])[:MOST_GROUPS]
