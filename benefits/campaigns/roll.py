"""The people of a company as rules look at them, and what they were given: a statement each, however many there are."""

from collections.abc import Iterable
from datetime import date

from benefits.campaigns.definition import Definition
from benefits.campaigns.models import Rehearsal
from benefits.campaigns.occasions import KINDS
from benefits.campaigns.rehearse import Given, Person, Result
from benefits.people.models import Employee
from tenants.db import connection

_PEOPLE = """
SELECT e.id, e.employee_no, a.id, coalesce(d.path, ''), e.grade, e.city, e.hired_on, e.regular_on,
    CASE WHEN %(birthdays)s THEN e.birthday ELSE '' END, e.status = 'active'
FROM people_employee e LEFT JOIN points_account a ON a.employee_id = e.id
LEFT JOIN people_department d ON d.id = e.department_id
WHERE e.status = 'active' OR %(leavers)s ORDER BY e.id
"""
_GIVEN = """
SELECT l.wallet_id, l.occasion FROM unnest(%(wallets)s::bigint[], %(occasions)s::text[]) AS w(id, occasion)
JOIN points_lot l ON l.wallet_id = w.id AND l.occasion = w.occasion AND l.occasion <> ''
UNION ALL
SELECT r.wallet_id, r.occasion FROM campaigns_rehearsalrow r
WHERE r.rehearsal_id = ANY(%(running)s) AND r.place > 0
"""


def people(*, with_birthdays: bool, with_leavers: bool) -> list[Person]:
    """Everybody as the roster is now. Birthdays are sealed, so they are opened only for rules that look at them."""
    field: object = Employee._meta.get_field("birthday")
    opened = field.opener()  # type: ignore[attr-defined]
    facts = {"birthdays": with_birthdays, "leavers": with_leavers}
    with connection.cursor() as cursor:
        cursor.execute(_PEOPLE, facts)
        rows = cursor.fetchall()
    return [
        Person(
            employee_id=pk,
            employee_no=number,
            wallet_id=wallet,
            department=department,
            grade=grade,
            city=city,
            hired_on=hired_on,
            regular_on=regular_on,
            birthday=_day(opened(birthday)) if birthday else None,
            is_active=is_active,
        )
        for pk, number, wallet, department, grade, city, hired_on, regular_on, birthday, is_active in rows
    ]


def people_for(definition: Definition, *, with_leavers: bool = False) -> list[Person]:
    """`people` with what this definition needs."""
    needs = KINDS[definition.occasion.kind].needs
    return people(with_birthdays=needs == "birthday", with_leavers=with_leavers)


def without_given(result: Result, *, rule_id: int) -> Result:
    """The result, but for those who have a lot of the same occasion, or whose part is just being handed out."""
    return result.without(_given(((row.wallet_id, row.occasion) for row in result.getting), rule_id))


def _given(due: Iterable[tuple[int | None, str]], rule_id: int) -> Given:
    pairs = list(due)
    if not pairs:
        return frozenset()
    running = Rehearsal.objects.filter(rule_id=rule_id, status=Rehearsal.Status.RUNNING)
    facts = {
        "wallets": [wallet for wallet, _ in pairs],
        "occasions": [occasion for _, occasion in pairs],
        "running": list(running.values_list("pk", flat=True)),
    }
    with connection.cursor() as cursor:
        cursor.execute(_GIVEN, facts)
        return frozenset(cursor.fetchall())


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
