"""Limits, requests for a second signature, and who stands in for whom. Company schema; all amounts are integer fen."""

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import BigIntegerRangeField, DateRangeField, RangeOperators
from django.db import models
from django.db.models import F, Func, Q, Value
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tenants.identity.models import User


class Kind(models.TextChoices):
    """What may need a second signature."""

    LOAD = "load", _("Load of a budget")
    RETURN = "return", _("Return to the funds")
    MOVE = "move", _("Move between budgets")
    GRANT = "grant", _("Grant of points")
    RULE = "rule", _("Grant rule")


class ApprovalLimit(models.Model):
    """How much of a kind a role does alone, and how much it approves for others; empty is any amount, 0 nothing.

    A kind without any limit is done alone by whoever may do it at all.
    """

    kind = models.CharField(max_length=10, choices=Kind.choices)
    role = models.CharField(max_length=20)
    alone_fen = models.BigIntegerField(null=True, blank=True)
    approves_fen = models.BigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ("kind", "role")
        constraints = [
            models.UniqueConstraint(fields=["kind", "role"], name="limit_one_of_a_kind_and_role"),
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="limit_is_of_a_known_kind"),
            models.CheckConstraint(
                condition=Q(role__in=["hr", "approver", "finance", "admin"]), name="limit_is_a_console_roles"
            ),
            models.CheckConstraint(
                condition=(Q(alone_fen__isnull=True) | Q(alone_fen__gte=0))
                & (Q(approves_fen__isnull=True) | Q(approves_fen__gte=0)),
                name="limit_is_not_below_nothing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.role}"


class Approval(models.Model):
    """Something that one person asked for and another decides; what was asked never changes.

    `subject` names the row it is about, "points.budget:3"; `details` are what else was asked, and names as they were.
    A failure that turns out to have been carried out after all becomes done: what the books say is true.
    """

    class Status(models.TextChoices):
        WAITING = "waiting", pgettext_lazy("approval", "waiting")
        APPROVED = "approved", pgettext_lazy("approval", "approved")
        DONE = "done", pgettext_lazy("approval", "carried out")
        FAILED = "failed", pgettext_lazy("approval", "could not be carried out")
        REFUSED = "refused", pgettext_lazy("approval", "refused")
        WITHDRAWN = "withdrawn", pgettext_lazy("approval", "withdrawn")
        LAPSED = "lapsed", pgettext_lazy("approval", "lapsed")

    FLOW = {
        Status.WAITING: frozenset({Status.APPROVED, Status.REFUSED, Status.WITHDRAWN, Status.LAPSED}),
        Status.APPROVED: frozenset({Status.DONE, Status.FAILED}),
        Status.FAILED: frozenset({Status.DONE}),
        Status.DONE: frozenset(),
        Status.REFUSED: frozenset(),
        Status.WITHDRAWN: frozenset(),
        Status.LAPSED: frozenset(),
    }

    kind = models.CharField(max_length=10, choices=Kind.choices)
    subject = models.CharField(max_length=80)
    fen = models.BigIntegerField()
    details = models.JSONField(default=dict)
    request_key = models.UUIDField(unique=True)
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="approvals_asked")
    asked_at = models.DateTimeField()
    due_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    decided_by = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="approvals_decided"
    )
    acting_for = models.ForeignKey(
        User, null=True, blank=True, on_delete=models.PROTECT, related_name="approvals_decided_for"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=400, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)  # done, failed, refused, withdrawn or lapsed
    result = models.CharField(max_length=80, blank=True)  # the row that came of it: "points.posting:12"
    failure = models.CharField(max_length=60, blank=True)  # the code of the error
    failure_words = models.JSONField(default=dict, blank=True)  # its sentence by language

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=Kind.values), name="approval_is_of_a_known_kind"),
            models.CheckConstraint(condition=Q(fen__gte=0), name="approval_is_not_of_less_than_nothing"),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=F("asked_by")),
                name="approval_decided_by_another",
            ),
            models.CheckConstraint(
                condition=Q(acting_for__isnull=True)
                | (
                    Q(decided_by__isnull=False)
                    & ~Q(acting_for=F("asked_by"))
                    & ~Q(acting_for=F("decided_by"))
                ),
                name="approval_not_decided_for_the_asker",
            ),
            models.CheckConstraint(
                condition=Q(
                    status__in=["approved", "done", "failed", "refused"],
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                )
                | Q(
                    status__in=["waiting", "withdrawn", "lapsed"],
                    decided_by__isnull=True,
                    decided_at__isnull=True,
                ),
                name="approval_names_who_decided",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["waiting", "approved"], closed_at__isnull=True)
                | (~Q(status__in=["waiting", "approved"]) & Q(closed_at__isnull=False)),
                name="approval_closes_once",
            ),
            models.CheckConstraint(
                condition=(Q(status="failed") & ~Q(failure="")) | (~Q(status="failed") & Q(failure="")),
                name="approval_failure_has_a_code",
            ),
            models.CheckConstraint(condition=Q(due_at__gt=F("asked_at")), name="approval_has_time"),
            # A grant or a rule is one thing that happens once; budgets may be loaded by several requests.
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=Q(kind__in=["grant", "rule"], status__in=["waiting", "approved"]),
                name="approval_one_open_of_a_grant_or_rule",
            ),
        ]
        indexes = [
            models.Index(
                fields=["due_at"], condition=Q(status__in=["waiting", "approved"]), name="approval_open"
            ),
            models.Index(fields=["asked_by", "-id"], name="approval_asked"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class Delegation(models.Model):
    """Somebody decides for somebody else, with that one's limits, from one day to another, both included."""

    from_user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="delegations_given")
    to_user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="delegations_taken")
    from_date = models.DateField()
    to_date = models.DateField()
    made_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-id",)
        constraints = [
            models.CheckConstraint(condition=~Q(from_user=F("to_user")), name="delegation_goes_to_another"),
            models.CheckConstraint(
                condition=Q(to_date__gte=F("from_date")), name="delegation_ends_after_it_begins"
            ),
            # A person as a range of one number, so that no extension of the database is needed.
            ExclusionConstraint(
                name="delegation_one_a_person_and_day",
                expressions=[
                    (
                        Func(
                            F("from_user"),
                            F("from_user"),
                            Value("[]"),
                            function="int8range",
                            output_field=BigIntegerRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                    (
                        Func(
                            F("from_date"),
                            F("to_date"),
                            Value("[]"),
                            function="daterange",
                            output_field=DateRangeField(),
                        ),
                        RangeOperators.OVERLAPS,
                    ),
                ],
                condition=Q(ended_at__isnull=True),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.from_user_id} → {self.to_user_id}"
