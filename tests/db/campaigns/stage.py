"""What the tests of rules arrange: people with dates, definitions, rules at work, and what was given."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from itertools import count
from typing import Any

from benefits.campaigns import operations as campaigns
from benefits.campaigns.definition import Definition
from benefits.campaigns.models import GrantRule, Rehearsal, RehearsalRow
from benefits.people import operations as people
from benefits.people.models import Employee
from benefits.points import operations as points
from benefits.points.models import Budget, Lot
from reports.tables import CHINA
from tenants.db import transaction
from tests import factories

DAY = date(2027, 3, 1)
_numbers = count(1)


def at(day: date, hour: int = 6) -> datetime:
    """An hour of a day in China."""
    return datetime.combine(day, time(hour), tzinfo=CHINA)


NOW = at(DAY)


def join(number: str, *, day: date = DAY, hour: int = 5, **facts: str | None) -> Employee:
    """Somebody joins, through the doors that a roster uses."""
    with transaction():
        (one,) = people.add_employees(
            people={number: {"name": f"N{number}", "status": "active", **facts}}, at=at(day, hour)
        )
        points.open_wallets(employees=[one])
    return one


def change(number: str, *, day: date = DAY, hour: int = 5, **facts: str | None) -> None:
    """Something of somebody changes: a grade, a department, leaving, coming back."""
    with transaction():
        people.change_employees(changes={number: facts}, at=at(day, hour))
        points.open_wallets(employees=list(Employee.objects.filter(employee_no=number)))


def definition(
    kind: str = "once",
    amount: Mapping[str, Any] | int = 1000,
    *,
    audience: Mapping[str, Any] | None = None,
    expiry: Mapping[str, Any] | None = None,
    **occasion: Any,
) -> Definition:
    """A definition with everyone and a thousand fen unless the test says otherwise."""
    return Definition.of_json(
        {
            "audience": dict(audience or {"everyone": True}),
            "occasion": {"kind": kind, **occasion},
            "amount": {"fen": amount} if isinstance(amount, int) else dict(amount),
            "expiry": dict(expiry or {}),
        }
    )


def a_budget(fen: int = 1_000_000, *, day: date = DAY) -> Budget:
    """A budget that is open from long before."""
    return factories.a_budget(fen, from_date=day - timedelta(days=400), at=at(day, 1))


def a_rule(
    said: Definition, *, budget: Budget | None = None, day: date = DAY, name: str = "", active: bool = True
) -> GrantRule:
    """A rule, at work from a day on."""
    rule = campaigns.make_rule(
        name=name or f"Rule {next(_numbers)}",
        budget=budget or a_budget(day=day),
        definition=said,
        actor=None,
        at=at(day, 2),
    )
    if active:
        rule = campaigns.activate_rule(rule=rule, actor=None, at=at(day, 2))
    return rule


def rehearse(rule: GrantRule, *, day: date = DAY) -> Rehearsal:
    return campaigns.rehearse_rule(rule=rule, day=day, actor=None, at=at(day))


def commit(rehearsal: Rehearsal, *, now: datetime = NOW) -> Rehearsal:
    return campaigns.commit_rehearsal(rehearsal=rehearsal, digest=rehearsal.digest, actor=None, at=now)


def hand_out(rehearsal: Rehearsal, *, now: datetime = NOW, wallets: int = 2000) -> int:
    """All of it; returns in how many steps."""
    steps = 0
    while campaigns.hand_out(rehearsal=rehearsal, at=now, wallets=wallets):
        steps += 1
    return steps


def run(day: date = DAY, hour: int = 6, *, wallets: int = 2000) -> list[Rehearsal]:
    """What the calendar does on a day, to the end."""
    begun = campaigns.run_due(at=at(day, hour))
    for rehearsal in begun:
        hand_out(rehearsal, now=at(day, hour), wallets=wallets)
    return begun


def given() -> set[tuple[str, str, int]]:
    """(employee number, occasion, fen) of every lot that a rule made."""
    return set(
        Lot.objects.exclude(occasion="").values_list(
            "wallet__employee__employee_no", "occasion", "granted_fen"
        )
    )


def rehearsed(rehearsal: Rehearsal) -> list[tuple[int | None, str, int]]:
    """(wallet, occasion, fen) of each row that gives something, in its place."""
    rows = RehearsalRow.objects.filter(rehearsal=rehearsal, place__gt=0).order_by("place")
    return list(rows.values_list("wallet_id", "occasion", "fen"))


def lots(rehearsal: Rehearsal) -> list[tuple[int, str, int]]:
    """(wallet, occasion, fen) of each lot of its grant, in the order of the rows."""
    return list(
        Lot.objects.filter(grant=rehearsal.grant_id)
        .order_by("wallet__employee__employee_no")
        .values_list("wallet_id", "occasion", "granted_fen")
    )
