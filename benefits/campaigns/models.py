"""Rules that grant points, what they said at each time, and their rehearsals row by row. Company schema; fen."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext_lazy

from benefits.campaigns.definition import Definition
from benefits.points.models import Budget, Grant
from benefits.states import Flow

ONCE = "once"


class GrantRule(models.Model):
    """Who gets points, when and how many, from one budget. What it says is in its versions; `version` is the current one.

    A rule that happens once runs when a person commits its rehearsal; every other is run each day while it is active.
    """

    class Status(models.TextChoices):
        DRAFT = "draft", pgettext_lazy("grant rule", "draft")
        ACTIVE = "active", pgettext_lazy("grant rule", "active")
        PAUSED = "paused", pgettext_lazy("grant rule", "paused")
        ENDED = "ended", pgettext_lazy("grant rule", "ended")

    FLOW: Flow = {
        Status.DRAFT: frozenset({Status.DRAFT, Status.ACTIVE, Status.ENDED}),
        Status.ACTIVE: frozenset({Status.DRAFT, Status.PAUSED, Status.ENDED}),
        Status.PAUSED: frozenset({Status.DRAFT, Status.ACTIVE, Status.ENDED}),
        Status.ENDED: frozenset(),
    }

    name = models.CharField(max_length=80)
    budget = models.ForeignKey(Budget, on_delete=models.PROTECT, related_name="rules")
    kind = models.CharField(max_length=20)  # of the current version's occasion
    version = models.OneToOneField(
        "RuleVersion", null=True, on_delete=models.PROTECT, related_name="+"
    )  # null only while the rule is being made: the two rows refer to each other
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.DRAFT)
    active_from = models.DateField(null=True, blank=True)  # no earlier day is caught up
    ran_at = models.DateTimeField(null=True, blank=True)  # when all days until then had been dealt with
    is_single = models.BooleanField(
        default=False
    )  # made with its one rehearsal; ends when that is handed out
    made_by = models.CharField(max_length=80)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.UniqueConstraint(
                fields=["name"], condition=~Q(kind=ONCE) & ~Q(status="ended"), name="grant_rule_one_a_name"
            ),
            models.CheckConstraint(
                condition=~Q(status="active") | Q(active_from__isnull=False),
                name="grant_rule_active_from_a_day",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="grant_rule_is_named"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_scheduled(self) -> bool:
        """Whether it is run by the calendar, and not by a person."""
        return self.kind != ONCE


class RuleVersion(models.Model):
    """What a rule said from some time on, and which budget paid. Final: what was rehearsed can be read for ever."""

    rule = models.ForeignKey(GrantRule, on_delete=models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    budget = models.ForeignKey(Budget, on_delete=models.PROTECT, related_name="+")
    definition = models.JSONField()
    made_by = models.CharField(max_length=80)
    at = models.DateTimeField()

    class Meta:
        ordering = ("-number",)
        constraints = [models.UniqueConstraint(fields=["rule", "number"], name="rule_version_once")]

    def __str__(self) -> str:
        return f"{self.rule_id} v{self.number}"

    def definition_of(self) -> Definition:
        """The definition as the code works with it."""
        return Definition.of_json(self.definition)


class Rehearsal(models.Model):
    """What a rule would give on a day, to the row; once committed, what it gives. `digest` is what a person confirms.

    Its total is set aside from the budget in one act, then handed out in the rows' order, `handed` so far.
    """

    class Status(models.TextChoices):
        MADE = "made", pgettext_lazy("rehearsal", "to be confirmed")
        WAITING = "waiting", pgettext_lazy("rehearsal", "waiting for approval")
        RUNNING = "running", pgettext_lazy("rehearsal", "being handed out")
        DONE = "done", pgettext_lazy("rehearsal", "handed out")
        FAILED = "failed", pgettext_lazy("rehearsal", "failed")
        DROPPED = "dropped", pgettext_lazy("rehearsal", "dropped")
        STALE = "stale", pgettext_lazy("rehearsal", "out of date")

    FLOW: Flow = {
        Status.MADE: frozenset({Status.WAITING, Status.RUNNING, Status.FAILED, Status.DROPPED, Status.STALE}),
        Status.WAITING: frozenset({Status.RUNNING, Status.FAILED, Status.DROPPED, Status.STALE}),
        Status.FAILED: frozenset({Status.FAILED, Status.RUNNING, Status.DROPPED, Status.STALE}),
        Status.RUNNING: frozenset({Status.DONE}),
        Status.DONE: frozenset(),
        Status.DROPPED: frozenset(),
        Status.STALE: frozenset(),
    }

    rule = models.ForeignKey(GrantRule, on_delete=models.PROTECT, related_name="rehearsals")
    version = models.ForeignKey(RuleVersion, on_delete=models.PROTECT, related_name="+")
    day = models.DateField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.MADE)
    is_scheduled = models.BooleanField(default=False)  # made by the calendar; nobody waits for it
    digest = models.CharField(max_length=64)
    people = models.PositiveIntegerField()  # who get something
    total_fen = models.BigIntegerField()
    counts = models.JSONField(default=dict)  # reason -> how many get nothing for it
    expires_at = models.DateTimeField(null=True, blank=True)
    grant = models.OneToOneField(
        Grant, null=True, blank=True, on_delete=models.PROTECT, related_name="rehearsal"
    )
    handed = models.PositiveIntegerField(default=0)
    worked_at = models.DateTimeField(null=True, blank=True)
    failure = models.JSONField(default=dict)  # {"code", "details"} of why it was not committed
    made_by = models.CharField(max_length=80)
    at = models.DateTimeField()
    committed_by = models.CharField(max_length=80, blank=True)
    committed_at = models.DateTimeField(null=True, blank=True)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["running", "done"], grant__isnull=False)
                | (~Q(status__in=["running", "done"]) & Q(grant__isnull=True)),
                name="rehearsal_runs_as_a_grant",
            ),
            models.CheckConstraint(
                condition=Q(handed__lte=models.F("people")), name="rehearsal_hands_its_rows"
            ),
            models.CheckConstraint(
                condition=~Q(status="done") | Q(handed=models.F("people")), name="rehearsal_done_is_all"
            ),
            models.UniqueConstraint(
                fields=["rule", "day"],
                condition=Q(is_scheduled=True, status__in=["made", "failed"]),
                name="rehearsal_one_open_a_day",
            ),
        ]
        indexes = [
            models.Index(fields=["rule", "day"], name="rehearsal_rule_day"),
            models.Index(fields=["worked_at"], condition=Q(status="running"), name="rehearsal_running"),
        ]

    def __str__(self) -> str:
        return f"{self.rule_id} {self.day}"


class RehearsalRow(models.Model):
    """One person's part of a rehearsal, as the roster was. Final, and without a name: names are read when shown.

    `place` counts those who get something, 1 to n in the order of employee numbers; it is 0 where `reason` says why not.
    """

    rehearsal = models.ForeignKey(Rehearsal, on_delete=models.PROTECT, related_name="rows")
    place = models.PositiveIntegerField()
    employee_id = models.BigIntegerField()
    employee_no = models.CharField(max_length=40)
    wallet_id = models.BigIntegerField(null=True, blank=True)
    department = models.CharField(max_length=200, blank=True)
    fen = models.BigIntegerField()
    occasion = models.CharField(max_length=60, blank=True)
    reason = models.CharField(max_length=20, blank=True)

    class Meta:
        ordering = ("id",)
        constraints = [
            models.UniqueConstraint(
                fields=["rehearsal", "place"], condition=Q(place__gt=0), name="rehearsal_row_place_once"
            ),
            models.CheckConstraint(
                condition=(Q(reason="", place__gt=0, fen__gt=0, wallet_id__isnull=False) & ~Q(occasion=""))
                | (~Q(reason="") & Q(place=0)),
                name="rehearsal_row_gets_or_has_a_reason",
            ),
        ]
        indexes = [
            models.Index(fields=["rehearsal", "reason", "employee_no"], name="rehearsal_row_reason"),
        ]

    def __str__(self) -> str:
        return f"{self.rehearsal_id} {self.employee_no}"
