"""Who is looking: the employee behind the request, and what they can spend."""

from datetime import datetime
from typing import cast

from django.db.models import Q
from django.http import HttpRequest

from benefits.orders.errors import NotAnEmployee
from benefits.people.models import Employee
from benefits.points import queries as points
from benefits.points.models import Lot
from tenants.identity.models import User


def user_of(request: HttpRequest) -> User:
    """The user who signed in; the door has let nobody else through."""
    return cast(User, request.user)


def employee_of(request: HttpRequest) -> Employee:
    """The employee who signed in, active or in days of grace; read once a request. Raises NotAnEmployee."""
    known: Employee | None = getattr(request, "employee", None)
    if known is None:
        known = (
            Employee.objects.select_related("department")
            .filter(Q(status=Employee.Status.ACTIVE) | Q(grace_until__isnull=False), user=request.user.pk)
            .first()
        )
        if known is None:
            raise NotAnEmployee
        known.user = request.user  # type: ignore[assignment]
        request.employee = known  # type: ignore[attr-defined]
    return known


class Purse:
    """The lots that an employee can spend from at an instant, read once; answers for any category."""

    def __init__(self, employee: Employee, *, at: datetime) -> None:
        self.lots: list[Lot] = [
            lot for lot in points.lots_of(employee) if lot.expires_at is None or lot.expires_at > at
        ]

    def spendable_fen(self, category: str = "") -> int:
        """What can be spent on a category; on anything at all where none is named."""
        return sum(
            lot.remaining_fen
            for lot in self.lots
            if not category or not lot.budget.categories or category in lot.budget.categories
        )
