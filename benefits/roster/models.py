"""Roster imports of one company: each upload, and the fate of each of its rows. Company schema."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy

from benefits.roster.plan import Mode
from benefits.states import Flow
from tenants.crypto import EncryptedTextField
from tenants.storage import SealedStorage


def stored_name(roster_import: RosterImport, file_name: str) -> str:
    """A name of ours: what the user's file is called is shown, never used."""
    return f"rosters/{uuid4().hex}"


class RosterImport(models.Model):
    """One upload of a staff list. The file is kept sealed; `plan_digest` is what a person confirms."""

    class Status(models.TextChoices):
        RECEIVED = "received", pgettext_lazy("roster import", "being checked")
        REJECTED = "rejected", pgettext_lazy("roster import", "not usable")
        PLANNED = "planned", pgettext_lazy("roster import", "waiting for confirmation")
        CONFIRMED = "confirmed", pgettext_lazy("roster import", "being applied")
        APPLIED = "applied", pgettext_lazy("roster import", "applied")
        CANCELLED = "cancelled", pgettext_lazy("roster import", "cancelled")

    class Modes(models.TextChoices):
        MERGE = Mode.MERGE.value, pgettext_lazy("roster import", "add and change")
        FULL = Mode.FULL.value, pgettext_lazy("roster import", "the whole staff")

    class Phase(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("roster import", "waiting")
        READING = "reading", pgettext_lazy("roster import", "reading the file")
        PLANNING = "planning", pgettext_lazy("roster import", "comparing with the roster")
        LEAVING = "leaving", pgettext_lazy("roster import", "recording who left")
        CHANGING = "changing", pgettext_lazy("roster import", "changing details")
        JOINING = "joining", pgettext_lazy("roster import", "adding new people")
        DONE = "done", pgettext_lazy("roster import", "done")

    FLOW: Flow = {
        Status.RECEIVED: frozenset({Status.PLANNED, Status.REJECTED, Status.CANCELLED}),
        Status.REJECTED: frozenset(),
        Status.PLANNED: frozenset({Status.CONFIRMED, Status.CANCELLED}),
        Status.CONFIRMED: frozenset({Status.APPLIED, Status.PLANNED}),
        Status.APPLIED: frozenset(),
        Status.CANCELLED: frozenset(),
    }

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RECEIVED)
    mode = models.CharField(max_length=5, choices=Modes.choices, default=Modes.MERGE)
    file_name = models.CharField(max_length=200)
    file = models.FileField(storage=SealedStorage(), upload_to=stored_name, max_length=120, blank=True)
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, db_index=True)
    repeats = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    facts = models.JSONField(default=dict)  # sheet, header_row, columns, notes
    reject = models.JSONField(default=dict)  # code, reason, params
    counts = models.JSONField(default=dict)  # rows by action, as planned
    result = models.JSONField(default=dict)  # what applying did
    plan_digest = models.CharField(max_length=64, blank=True)
    roster_changed = models.BooleanField(
        default=False
    )  # planned again, since others changed the roster meanwhile
    phase = models.CharField(max_length=10, choices=Phase.choices, default=Phase.WAITING)
    rows_done = models.PositiveIntegerField(default=0)
    rows_total = models.PositiveIntegerField(default=0)
    claimed_at = models.DateTimeField(null=True, blank=True)  # a worker has it since
    created_by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.CharField(max_length=80, blank=True)
    confirmed_by_id = models.BigIntegerField(null=True, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(status="applied", applied_at__isnull=False)
                | (~Q(status="applied") & Q(applied_at__isnull=True)),
                name="roster_import_applied_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["planned", "confirmed", "applied"]) | ~Q(plan_digest=""),
                name="roster_import_planned_has_a_digest",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def problems(self) -> int:
        """Rows that are held back."""
        return int(self.counts.get("problem", 0))


class RosterRow(models.Model):
    """The fate of one row, or of a leaver whom the file does not name (`row` is None). Personal data is sealed."""

    class Action(models.TextChoices):
        JOIN = "join", pgettext_lazy("roster import", "joins")
        UPDATE = "update", pgettext_lazy("roster import", "changes")
        RETURN = "return", pgettext_lazy("roster import", "returns")
        LEAVE = "leave", pgettext_lazy("roster import", "leaves")
        UNCHANGED = "unchanged", pgettext_lazy("roster import", "unchanged")
        PROBLEM = "problem", pgettext_lazy("roster import", "held back")
        DOUBLE = "double", pgettext_lazy("roster import", "repeated")

    roster_import = models.ForeignKey(RosterImport, on_delete=models.CASCADE, related_name="rows")
    row = models.PositiveIntegerField(null=True, blank=True)
    action = models.CharField(max_length=10, choices=Action.choices)
    employee_no = models.CharField(max_length=40, blank=True)
    sealed = EncryptedTextField(blank=True)  # JSON: name, before, after, points
    issues = models.JSONField(default=list)  # [field, code, severity, params]

    class Meta:
        ordering = ("id",)
        indexes = [models.Index(fields=["roster_import", "action"], name="roster_row_action")]

    def __str__(self) -> str:
        return f"{self.row or '-'} {self.employee_no}"

    @property
    def person(self) -> dict[str, Any]:
        """name, before, after, points; empty where the import's data was removed."""
        return json.loads(self.sealed) if self.sealed else {}
