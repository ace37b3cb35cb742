"""Roster imports of one company: each upload, and the fate of each of its rows. Company schema."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy

from benefits.roster.plan import Mode
from benefits.roster.shapes import Choices
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
        UNDOING = "undoing", pgettext_lazy("roster import", "being undone")
        UNDONE = "undone", pgettext_lazy("roster import", "undone")

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
        RESTORING = "restoring", pgettext_lazy("roster import", "putting back what was")
        DONE = "done", pgettext_lazy("roster import", "done")

    FLOW: Flow = {
        Status.RECEIVED: frozenset({Status.PLANNED, Status.REJECTED, Status.CANCELLED}),
        Status.REJECTED: frozenset({Status.RECEIVED}),
        Status.PLANNED: frozenset({Status.CONFIRMED, Status.CANCELLED, Status.RECEIVED}),
        Status.CONFIRMED: frozenset({Status.APPLIED, Status.PLANNED, Status.REJECTED, Status.CANCELLED}),
        Status.APPLIED: frozenset({Status.UNDOING}),
        Status.CANCELLED: frozenset(),
        Status.UNDOING: frozenset({Status.UNDONE, Status.APPLIED}),
        Status.UNDONE: frozenset(),
    }

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RECEIVED)
    mode = models.CharField(max_length=5, choices=Modes.choices, default=Modes.MERGE)
    file_name = models.CharField(max_length=200)
    file = models.FileField(storage=SealedStorage(), upload_to=stored_name, max_length=120, blank=True)
    reading = models.FileField(storage=SealedStorage(), upload_to=stored_name, max_length=120, blank=True)
    reading_key = models.CharField(max_length=64, blank=True, db_index=True)  # what `reading` was read from
    size = models.PositiveIntegerField()
    digest = models.CharField(max_length=64, db_index=True)
    repeats = models.ForeignKey("self", null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    sealed_choices = EncryptedTextField(blank=True)  # JSON of shapes.Choices
    needs_check = models.BooleanField(default=False)  # repairs were typed since the file was checked
    facts = models.JSONField(default=dict)  # sheet, header_row, columns, notes; departments that were made
    sealed_facts = EncryptedTextField(blank=True)  # JSON: sheets, offered, groups; they quote the file
    reject = models.JSONField(default=dict)  # code, reason, params
    counts = models.JSONField(default=dict)  # rows by action, as planned
    result = models.JSONField(default=dict)  # what applying did, and under "undo" what undoing did
    plan_digest = models.CharField(max_length=64, blank=True)
    roster_changed = models.BooleanField(
        default=False
    )  # planned again, since others changed the roster meanwhile
    phase = models.CharField(max_length=10, choices=Phase.choices, default=Phase.WAITING)
    rows_done = models.PositiveIntegerField(default=0)
    rows_total = models.PositiveIntegerField(default=0)
    attempts = models.PositiveSmallIntegerField(default=0)  # times that a worker took the present step
    started_at = models.DateTimeField(null=True, blank=True)  # the present attempt
    claimed_at = models.DateTimeField(null=True, blank=True)  # a worker was last heard of then
    stop_requested_at = models.DateTimeField(null=True, blank=True)
    created_by = models.CharField(max_length=80)
    created_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True, blank=True)
    confirmed_by = models.CharField(max_length=80, blank=True)
    confirmed_by_id = models.BigIntegerField(null=True, blank=True)
    applied_at = models.DateTimeField(null=True, blank=True)
    undone_by = models.CharField(max_length=80, blank=True)
    undone_by_id = models.BigIntegerField(null=True, blank=True)
    undone_at = models.DateTimeField(null=True, blank=True)
    forgotten_at = models.DateTimeField(null=True, blank=True)  # file and rows were deleted, counts stay

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["applied", "undoing", "undone"], applied_at__isnull=False)
                | (~Q(status__in=["applied", "undoing", "undone"]) & Q(applied_at__isnull=True)),
                name="roster_import_applied_has_a_time",
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["planned", "confirmed", "applied", "undoing", "undone"])
                | ~Q(plan_digest=""),
                name="roster_import_planned_has_a_digest",
            ),
            models.CheckConstraint(
                condition=Q(status="undone", undone_at__isnull=False)
                | (~Q(status="undone") & Q(undone_at__isnull=True)),
                name="roster_import_undone_has_a_time",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name

    @property
    def choices(self) -> Choices:
        """What people decided about this file."""
        return Choices.from_json(json.loads(self.sealed_choices)) if self.sealed_choices else Choices()

    @property
    def is_under_way(self) -> bool:
        """Whether a worker has it, or is waited for."""
        return self.status in (self.Status.RECEIVED, self.Status.CONFIRMED, self.Status.UNDOING)

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

    roster_import = models.ForeignKey(
        RosterImport, on_delete=models.CASCADE, related_name="rows", db_index=False, db_constraint=False
    )
    row = models.PositiveIntegerField(null=True, blank=True)
    action = models.CharField(max_length=10, choices=Action.choices)
    employee_no = models.CharField(max_length=40, blank=True)
    name = models.CharField(max_length=50, blank=True)
    sealed = EncryptedTextField(blank=True)  # JSON: before, after, points, texts
    issues = models.JSONField(default=list)  # [field, code, severity, params]

    class Meta:
        ordering = ("id",)
        indexes = [
            models.Index(fields=["roster_import", "id"], name="roster_row_import"),
            # Most rows join or stay as they are: whoever looks for those finds them without an index.
            models.Index(
                fields=["roster_import", "action", "id"],
                name="roster_row_of_the_few",
                condition=Q(action__in=["update", "return", "leave", "problem", "double"]),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.row or '-'} {self.employee_no}"

    @property
    def person(self) -> dict[str, Any]:
        """name, before, after, points, texts (raw cells of a problem row); empty where the data was removed."""
        found: dict[str, Any] = json.loads(self.sealed) if self.sealed else {}
        return {"name": self.name, "before": {}, "after": {}} | found if self.name or found else {}


class Before(models.Model):
    """How a person stood before an import touched them, for undoing it: the employee's row and the user's as they
    were in the database, still sealed. `was` is None for somebody who joined. Removed when undoing is over."""

    roster_import = models.ForeignKey(
        RosterImport, on_delete=models.CASCADE, related_name="befores", db_index=False, db_constraint=False
    )
    employee_id = models.BigIntegerField()
    was = models.JSONField(null=True)
    user_was = models.JSONField(null=True)
    had_wallet = models.BooleanField(default=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["roster_import", "employee_id"], name="roster_before_once"),
        ]

    def __str__(self) -> str:
        return f"{self.roster_import_id} {self.employee_id}"


class TaughtHeading(models.Model):
    """What a heading means in this company's files, as a person once corrected it."""

    heading = models.CharField(max_length=80, unique=True)  # folded
    field = models.CharField(max_length=20, blank=True)  # empty: not a field of ours
    taught_by = models.CharField(max_length=80)
    taught_at = models.DateTimeField()

    class Meta:
        ordering = ("heading",)

    def __str__(self) -> str:
        return self.heading
