"""Employees and departments of one company. Company schema."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from tenants.crypto import EncryptedTextField


class Department(models.Model):
    """A department, named by its path from the top: 技术中心/后端组."""

    path = models.CharField(max_length=200, unique=True)

    class Meta:
        ordering = ("path",)

    def __str__(self) -> str:
        return self.path

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]


class Employee(models.Model):
    """A person on the company's roster. Mobile and birthday are sealed; the mobile is found by its blind index."""

    class Status(models.TextChoices):
        ACTIVE = "active", pgettext_lazy("employee", "active")
        LEFT = "left", _("left")

    FLOW = {Status.ACTIVE: frozenset({Status.LEFT}), Status.LEFT: frozenset({Status.ACTIVE})}

    employee_no = models.CharField(max_length=40, unique=True)
    name = models.CharField(max_length=50)
    pinyin = models.CharField(max_length=800, blank=True)  # what the name is found by: benefits.people.pinyin
    mobile = EncryptedTextField(blank=True)
    mobile_index = models.CharField(max_length=64, blank=True)
    email = models.EmailField(max_length=160, blank=True)
    department = models.ForeignKey(
        Department, null=True, blank=True, on_delete=models.PROTECT, related_name="employees"
    )
    hired_on = models.DateField(null=True, blank=True)
    birthday = EncryptedTextField(blank=True)
    grade = models.CharField(max_length=40, blank=True)
    city = models.CharField(max_length=40, blank=True, default="", db_default="")
    regular_on = models.DateField(
        null=True, blank=True
    )  # the first day after probation (转正日期); none = not on it
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.ACTIVE)
    left_on = models.DateField(null=True, blank=True)
    grace_until = models.DateField(null=True, blank=True)  # a leaver's last day to spend what is left
    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.PROTECT, related_name="employee"
    )
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ("employee_no",)
        indexes = [
            models.Index(fields=["pinyin", "employee_no"], name="employee_by_name"),
            models.Index(fields=["hired_on", "employee_no"], name="employee_by_joining"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["mobile_index"],
                condition=Q(status="active") & ~Q(mobile_index=""),
                name="employee_mobile_is_one_active_persons",
            ),
            models.CheckConstraint(
                condition=Q(grace_until__isnull=True) | Q(status="left"), name="employee_grace_is_a_leavers"
            ),
            models.CheckConstraint(condition=~Q(employee_no="") & ~Q(name=""), name="employee_is_named"),
        ]

    def __str__(self) -> str:
        return f"{self.employee_no} {self.name}"

    @property
    def is_active(self) -> bool:
        return self.status == self.Status.ACTIVE

    @property
    def may_spend(self) -> bool:
        """Active, or a leaver whose grace has not ended."""
        return self.is_active or self.grace_until is not None
