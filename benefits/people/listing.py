"""The staff list: who is found by a search and filters, in which order, a page at a time.

A search reads the whole list once: two letters or two characters leave a trigram index nothing to work with, and
100,000 people are read in some tens of milliseconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, F, Q, QuerySet

from benefits import mobile as numbers
from benefits.people import pinyin
from benefits.people.models import Department, Employee
from benefits.people.queries import mobile_index
from tenants.identity.roles import Role

ACTIVE, LEFT, ALL = "active", "left", "all"
STATES = (ACTIVE, LEFT, ALL)
WAITING, ACTIVATED, NO_ACCOUNT = "waiting", "activated", "none"
ACCESS = (WAITING, ACTIVATED, NO_ACCOUNT)
ROLES = tuple(str(role) for role in (Role.HR, Role.APPROVER, Role.EDITOR, Role.FINANCE, Role.ADMIN))
SORTS: Mapping[str, tuple[str, ...]] = {
    "number": ("employee_no",),
    "name": ("pinyin", "employee_no"),
    "department": ("department__path", "employee_no"),
    "joined": ("hired_on", "employee_no"),
}
_MAY_BE_BLANK = ("department__path", "hired_on")
WITHOUT = "-"  # as a department: people who have none


@dataclass(frozen=True)
class Wanted:
    """What is looked for. `sort` is a key of SORTS, with - before it for the other way round."""

    q: str = ""
    department: str = ""
    state: str = ACTIVE
    access: str = ""
    role: str = ""
    grade: str = ""
    sort: str = "number"

    @property
    def is_filtered(self) -> bool:
        return bool(self.q or self.department or self.access or self.role or self.grade)


def find(wanted: Wanted) -> QuerySet[Employee]:
    """Everybody who fits, in no order."""
    found = Employee.objects.order_by()
    if wanted.state in (ACTIVE, LEFT):
        found = found.filter(status=wanted.state)
    if wanted.q:
        found = found.filter(_named(wanted.q))
    if wanted.department == WITHOUT:
        found = found.filter(department=None)
    elif wanted.department:
        found = found.filter(department_id__in=_below(wanted.department))
    if wanted.grade:
        found = found.filter(grade=wanted.grade)
    if wanted.role in ROLES:
        found = found.filter(user__groups__name=wanted.role)
    return _with_access(found, wanted.access)


def ordered(found: QuerySet[Employee], sort: str) -> QuerySet[Employee]:
    """The same people in an order that leaves no doubt; those without a value come last."""
    order = []
    for name in SORTS.get(sort.removeprefix("-"), SORTS["number"]):
        if name in _MAY_BE_BLANK:
            order.append(
                F(name).desc(nulls_last=True) if sort.startswith("-") else F(name).asc(nulls_last=True)
            )
        else:
            order.append((F(name).desc if sort.startswith("-") else F(name).asc)())
    return found.order_by(*order)


def page(wanted: Wanted, number: Any, *, size: int) -> Page:
    """One page of (pk,)s: the rows themselves are read by `people`, so that a late page skips narrow rows alone."""
    found = ordered(find(wanted), wanted.sort)
    return Paginator(found.values_list("pk", flat=True), size).get_page(number)


def people(pks: Sequence[int]) -> list[Employee]:
    """These employees with all that a list shows, in this order."""
    found = Employee.objects.select_related("department", "user", "wallet").in_bulk(list(pks))
    return [found[pk] for pk in pks if pk in found]


def counts() -> dict[str, int]:
    """How many there are: all, active, left, and active ones who never signed in."""
    active = Q(status=Employee.Status.ACTIVE)
    return Employee.objects.order_by().aggregate(
        all=Count("pk"),
        active=Count("pk", filter=active),
        waiting=Count("pk", filter=active & Q(user__isnull=False, user__last_login__isnull=True)),
        left=Count("pk", filter=Q(status=Employee.Status.LEFT)),
    )


def grades() -> list[str]:
    """The grades that there are."""
    return list(
        Employee.objects.exclude(grade="").order_by("grade").values_list("grade", flat=True).distinct()
    )


def _named(q: str) -> Q:
    """A number or a name that holds it, a name whose pinyin or initials begin with it, or the whole mobile number."""
    named = Q(employee_no__icontains=q) | Q(name__icontains=q)
    if typed := pinyin.typed(q):
        named |= Q(pinyin__contains=f" {typed}")
    if clean := numbers.clean(q):
        named |= Q(mobile_index=mobile_index(clean))
    return named


def _below(path: str) -> list[int]:
    wanted = Q(path=path) | Q(path__startswith=f"{path}/")
    return list(Department.objects.filter(wanted).order_by().values_list("pk", flat=True))


def _with_access(found: QuerySet[Employee], access: str) -> QuerySet[Employee]:
    if access == WAITING:
        return found.filter(user__isnull=False, user__last_login__isnull=True)
    if access == ACTIVATED:
        return found.filter(user__last_login__isnull=False)
    return found.filter(user=None) if access == NO_ACCOUNT else found
