"""Reads of employees and departments."""

from collections.abc import Collection, Iterable

from django.db.models import Model, Q, QuerySet

from benefits import mobile as numbers
from benefits.people.errors import EmployeeNotFound
from benefits.people.models import Employee
from tenants.crypto import blind_index
from tenants.db import connection
from tenants.identity.models import User
from tenants.identity.roles import Role

MOBILE = "people.mobile"


def mobile_index(mobile: str) -> str:
    """The blind index of a clean mobile number in the current company; empty for none."""
    return blind_index(mobile, purpose=MOBILE) if mobile else ""


def user_of_mobile(text: str) -> User | None:
    """The user of the active employee who has this mobile, however it was typed."""
    mobile = numbers.clean(text)
    if mobile is None:
        return None
    employee = (
        Employee.objects.filter(mobile_index=mobile_index(mobile), status=Employee.Status.ACTIVE)
        .select_related("user")
        .first()
    )
    return employee.user if employee else None


def in_departments(found: QuerySet[Employee], paths: Iterable[str]) -> QuerySet[Employee]:
    """Those of `found` who are in one of the departments or below it."""
    wanted = Q(pk__in=[])
    for path in paths:
        wanted |= Q(department__path=path) | Q(department__path__startswith=f"{path}/")
    return found.filter(wanted)


def find_employee(employee_no: str) -> Employee:
    """The employee of a number, or EmployeeNotFound."""
    employee = Employee.objects.select_related("department", "user").filter(employee_no=employee_no).first()
    if employee is None:
        raise EmployeeNotFound(employee_no=employee_no)
    return employee


def referred_to(pks: Collection[int]) -> set[int]:
    """Those of these employees whom anything but their wallet refers to."""
    return _referred_to(Employee, pks, but=("wallet",))


def users_in_use(pks: Collection[int]) -> set[int]:
    """Those of these users who ever signed in, have a role besides the employee's, or are referred to by anything."""
    signed_in = User.objects.filter(last_login__isnull=False).values_list("pk", flat=True)
    other_roles = User.groups.through.objects.exclude(group__name=str(Role.EMPLOYEE))
    wanted = set(pks)
    used = wanted & (set(signed_in) | set(other_roles.values_list("user_id", flat=True)))
    return used | _referred_to(User, wanted - used, but=("employee",))


def _referred_to(model: type[Model], pks: Collection[int], *, but: Collection[str]) -> set[int]:
    found: set[int] = set()
    with connection.cursor() as cursor:
        for relation in model._meta.related_objects:
            if relation.get_accessor_name() in but or relation.field.many_to_many:
                continue
            table, column = relation.related_model._meta.db_table, relation.field.column
            cursor.execute(
                f'SELECT DISTINCT "{column}" FROM "{table}" WHERE "{column}" = ANY(%s)', [list(pks)]
            )
            found.update(row[0] for row in cursor.fetchall())
    return found
