"""A file is read and planned; people correct how it is read, and single cells."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime

from benefits.roster import fields, queries, readings
from benefits.roster.errors import RepairRefused, TooManyRepairs
from benefits.roster.models import RosterImport, RosterRow, TaughtHeading
from benefits.roster.operations import storing
from benefits.roster.operations.claims import (
    AT_REST,
    Phase,
    Status,
    claim,
    discard,
    heed,
    let_go,
    without_collector,
)
from benefits.roster.plan import Mode, plan
from benefits.roster.progress import Stopped
from benefits.roster.shapes import Checked, Choices, letter
from benefits.states import advance
from tenants import audit
from tenants.db import durable, transaction, transaction_required
from tenants.errors import IllegalTransition
from tenants.identity.models import User

LONGEST_REPAIR = 500  # characters in one corrected cell
MOST_REPAIRS = 20_000
_HEADING = TaughtHeading._meta.get_field("heading").max_length or 80


@durable
@without_collector()
def check(*, roster_import: RosterImport, at: datetime) -> RosterImport:
    """Read the file in the sandbox and plan what it would change; or reject it. Safe to repeat.

    Raises BeingWorkedOn.
    """
    if roster_import.status != Status.RECEIVED or not claim(roster_import, Status.RECEIVED, at=at):
        return roster_import
    try:
        checked = readings.read(roster_import)
        with transaction():
            heed(roster_import)
            _keep(roster_import, checked, at=at)
    except Stopped:
        with transaction():
            discard(roster_import, actor=None, at=at)
    except Exception:
        let_go(roster_import)
        raise
    return roster_import


@transaction_required
def _keep(roster_import: RosterImport, checked: Checked, *, at: datetime) -> None:
    storing.store_facts(roster_import, checked)
    if checked.outcome == "rejected":
        reject = {
            "code": checked.reject_code,
            "reason": checked.reject_reason,
            "params": checked.reject_params,
        }
        advance(
            roster_import,
            Status.REJECTED,
            reject=reject,
            checked_at=at,
            **AT_REST | {"phase": Phase.DONE},
        )
        audit.record("roster.rejected", roster_import, actor=None, at=at, code=checked.reject_code)
        return
    found = plan(checked.employees, checked.held, queries.present(), Mode(roster_import.mode))
    storing.store_plan(roster_import, checked, found)
    advance(roster_import, Status.PLANNED, checked_at=at, needs_check=False, reject={}, **AT_REST)
    audit.record("roster.checked", roster_import, actor=None, at=at, **roster_import.counts)


@transaction
def choose(
    *,
    roster_import: RosterImport,
    sheet: str | None = None,
    header_row: int | None = None,
    columns: Mapping[str, tuple[int, ...]] | None = None,
    without_hidden: bool = False,
    remember: bool = False,
    actor: User | None,
    at: datetime,
) -> RosterImport:
    """Say how the file is to be read, and have it checked again. `remember` teaches the corrected headings.

    Corrections of cells stay unless another sheet or header row is chosen. Raises IllegalTransition.
    """
    roster_import = _locked(roster_import, "no_header")
    before = roster_import.choices
    if remember and columns is not None:
        _teach(roster_import, columns, actor=actor, at=at)
    facts = roster_import.facts
    is_same_table = sheet in (before.sheet, facts.get("sheet")) and header_row in (
        before.header_row,
        facts.get("header_row"),
    )
    chosen = Choices(
        sheet=sheet,
        header_row=header_row,
        columns=dict(columns or {}),
        without_hidden=without_hidden,
        repairs=before.repairs if is_same_table else {},
        skipped=before.skipped if is_same_table else frozenset(),
    )
    _check_again(roster_import, chosen)
    audit.record(
        "roster.chosen", roster_import, actor=actor, at=at, header_row=header_row, remembered=remember
    )
    return roster_import


@transaction
def repair(
    *,
    roster_import: RosterImport,
    repairs: Mapping[tuple[int, str], str],
    skip: Collection[int] = (),
    unskip: Collection[int] = (),
    actor: User | None,
    at: datetime,
) -> RosterImport:
    """Keep texts typed in place of cells ("" blanks one) and rows left out, until the file is checked again.

    Raises RepairRefused, TooManyRepairs, IllegalTransition.
    """
    roster_import = _locked(roster_import)
    before = roster_import.choices
    texts = _texts(roster_import, repairs, skip, known=before)
    typed = dict(before.repairs)
    for (row, name), text in repairs.items():
        if (row, name) not in before.repairs and texts.get((row, name)) == text:
            typed.pop((row, name), None)
        else:
            typed[row, name] = text
    if len(typed) > MOST_REPAIRS:
        raise TooManyRepairs(most=MOST_REPAIRS)
    chosen = replace(before, repairs=typed, skipped=(before.skipped | set(skip)) - set(unskip))
    if chosen == before:
        return roster_import
    roster_import.sealed_choices = json.dumps(chosen.as_json(), ensure_ascii=False)
    roster_import.needs_check = True
    roster_import.save(update_fields=["sealed_choices", "needs_check"])
    audit.record("roster.repaired", roster_import, actor=actor, at=at, cells=len(repairs), skipped=len(skip))
    return roster_import


@transaction
def recheck(*, roster_import: RosterImport, actor: User | None, at: datetime) -> RosterImport:
    """Have the file checked again with the choices and corrections that were made. Raises IllegalTransition."""
    roster_import = _locked(roster_import, "failed")
    _check_again(roster_import, roster_import.choices)
    audit.record("roster.checked_again", roster_import, actor=actor, at=at)
    return roster_import


def _locked(roster_import: RosterImport, *codes: str) -> RosterImport:
    """The import, locked; planned, or rejected with one of these codes. Raises IllegalTransition."""
    found = RosterImport.objects.select_for_update().get(pk=roster_import.pk)
    is_open = found.status == Status.PLANNED or (
        found.status == Status.REJECTED and found.reject.get("code") in codes
    )
    if not is_open or not found.file:
        raise IllegalTransition(status=found.get_status_display())
    return found


@transaction_required
def _check_again(roster_import: RosterImport, choices: Choices) -> None:
    sealed = json.dumps(choices.as_json(), ensure_ascii=False)
    advance(roster_import, Status.RECEIVED, sealed_choices=sealed, **AT_REST)


def _texts(
    roster_import: RosterImport,
    repairs: Mapping[tuple[int, str], str],
    skip: Collection[int],
    *,
    known: Choices,
) -> dict[tuple[int, str], str]:
    """What the file holds in the cells to correct, as far as it is kept. Raises RepairRefused."""
    names = {field.name for field in fields.FIELDS}
    wanted = {row for row, _ in repairs} | set(skip)
    found = {
        row.row: row.person.get("texts", {})
        for row in RosterRow.objects.filter(roster_import=roster_import, row__in=wanted)
    }
    for row, name in [*repairs, *((row, "") for row in skip)]:
        if (row not in found and row not in known.skipped) or (name and name not in names):
            raise RepairRefused(row=row, field=name)
    for (row, name), text in repairs.items():
        if len(text) > LONGEST_REPAIR:
            raise RepairRefused(row=row, field=name)
    return {(row, name): text for row, texts in found.items() if row for name, text in texts.items()}


@transaction_required
def _teach(
    roster_import: RosterImport,
    columns: Mapping[str, tuple[int, ...]],
    *,
    actor: User | None,
    at: datetime,
) -> None:
    """Keep what corrected headings mean: those chosen for a field, and those that lost the field they were taken for."""
    chosen = {letter(place): name for name, places in columns.items() for place in places}
    taught = {}
    for column in queries.mapping(roster_import)["offered"]:
        heading = fields.fold(column.heading)[:_HEADING]
        meant = chosen.get(column.letter, "" if column.field in columns else None)
        if heading and meant is not None and meant != (column.field or ""):
            taught[heading] = meant
    for heading, meant in taught.items():
        TaughtHeading.objects.update_or_create(
            heading=heading,
            defaults={
                "field": meant,
                "taught_by": actor.username if actor else audit.SYSTEM,
                "taught_at": at,
            },
        )
