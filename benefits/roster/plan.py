"""What applying a roster would change: the file's people against the company's, field by field. Pure.

A blank cell never erases what is known. In merge mode the file adds and changes; in full mode it is the
whole staff, and whoever is active and not in it leaves. A row that was held back protects its person from that.
"""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple

from .shapes import Issue, Person

Values = dict[str, str | None]


class Mode(StrEnum):
    """Whether the file adds to the roster or is the roster."""

    MERGE = "merge"
    FULL = "full"


class Action(StrEnum):
    """What happens to one person."""

    JOIN = "join"
    UPDATE = "update"
    RETURN = "return"
    LEAVE = "leave"
    UNCHANGED = "unchanged"


class Present(NamedTuple):
    """Somebody who is on the company's roster now. None is a blank."""

    employee_no: str
    name: str | None = None
    mobile: str | None = None
    department: str | None = None
    email: str | None = None
    hired_on: dt.date | None = None
    birthday: dt.date | None = None
    grade: str | None = None
    city: str | None = None
    regular_on: dt.date | None = None
    status: str = "active"
    left_on: dt.date | None = None


class Step(NamedTuple):
    """One person's change. `row` is None for a leaver whom the file does not mention."""

    action: Action
    employee_no: str
    name: str
    row: int | None
    before: Values
    after: Values
    points: str | None = None


@dataclass(frozen=True)
class Plan:
    """Everything that would happen, and what stands in the way of single rows."""

    mode: Mode
    steps: tuple[Step, ...]
    issues: tuple[Issue, ...] = ()

    @property
    def counts(self) -> dict[str, int]:
        """Steps by action."""
        found = dict.fromkeys(map(str, Action), 0)
        for step in self.steps:
            found[step.action] += 1
        return found

    @cached_property
    def digest(self) -> str:
        """What a person confirms: the same changes have the same digest, a changed roster gives others."""
        lines = [
            (step.action.value, step.employee_no, step.before, step.after)
            for step in self.steps
            if step.action is not Action.UNCHANGED
        ]
        return hashlib.sha256(repr((self.mode.value, lines)).encode("utf-8", "surrogatepass")).hexdigest()


DETAILS = ("name", "mobile", "department", "email", "hired_on", "birthday", "grade", "city", "regular_on")


_of_person: Callable[[Person], tuple[Any, ...]] = attrgetter(*DETAILS)
_of_present: Callable[[Present], tuple[Any, ...]] = attrgetter(*DETAILS)


def plan(people: Sequence[Person], held: Sequence[Person], present: Iterable[Present], mode: Mode) -> Plan:
    """The difference that the accepted people make. Rows in conflict with the present roster become issues."""
    now = {person.employee_no: person for person in present}
    issues: dict[int, Issue] = {}
    steps: dict[str, Step] = {}
    similar = _by_stripped_number(now)
    for person in people:
        number = person.employee_no or ""
        known = now.get(number)
        other = None if known else similar.get(number.lstrip("0"))
        if other:
            issues[person.row] = Issue(
                person.row, "employee_no", "similar_employee_no", "error", {"other": other}
            )
        else:
            steps[number] = _step(person, known)
    if mode is Mode.FULL:
        mentioned = {person.employee_no for person in people}
        steps |= _leavers(now, mentioned, (*held, *(p for p in people if p.row in issues)))
    _refuse_taken_mobiles(steps, now, issues)
    ordered = sorted(steps.values(), key=lambda step: (step.row is None, step.row or 0, step.employee_no))
    return Plan(mode=mode, steps=tuple(ordered), issues=tuple(issues[row] for row in sorted(issues)))


def _step(person: Person, known: Present | None) -> Step:
    number, name = person.employee_no or "", person.name or ""
    points = None if person.points is None else str(person.points)
    details = _of_person(person)
    if known is not None and person.status == known.status == "active" and _adds_nothing(details, known):
        return Step(Action.UNCHANGED, number, name, person.row, {}, {}, points)
    after: Values = {
        key: text for key, value in zip(DETAILS, details, strict=True) if (text := _text(value)) is not None
    }
    if known is None:
        after |= {"status": person.status, "left_on": _text(person.left_on)}
        return Step(Action.JOIN, number, name, person.row, {}, _filled(after), points)
    action = Action.UPDATE
    changes: Values = {key: text for key, text in after.items() if text != _text(getattr(known, key))}
    if person.status == "left":
        if known.status == "active":
            action = Action.LEAVE
            changes |= {"status": "left"}
        if person.left_on and person.left_on != known.left_on:
            changes |= {"left_on": _text(person.left_on)}
    elif known.status == "left":
        action = Action.RETURN
        changes |= {"status": "active"} | ({"left_on": None} if known.left_on else {})
    if not changes:
        return Step(Action.UNCHANGED, number, name, person.row, {}, {}, points)
    before = {key: _text(getattr(known, key)) for key in changes}
    return Step(action, number, name, person.row, before, changes, points)


def _adds_nothing(details: tuple[Any, ...], known: Present) -> bool:
    return all(new is None or new == old for new, old in zip(details, _of_present(known), strict=True))


def _filled(values: Values) -> Values:
    return {key: text for key, text in values.items() if text is not None}


def _text(value: str | dt.date | None) -> str | None:
    return value.isoformat() if isinstance(value, dt.date) else value


def _by_stripped_number(now: Mapping[str, Present]) -> dict[str, str]:
    """Numbers without their leading zeros: Excel drops zeros, and a second person must not come of it."""
    return {number.lstrip("0"): number for number in now if number.isdigit() and number.strip("0")}


def _leavers(
    now: Mapping[str, Present], mentioned: set[str | None], held: Sequence[Person]
) -> dict[str, Step]:
    """The active people whom neither an accepted nor a held-back row may mean."""
    numbers = {person.employee_no for person in held}
    stripped = {number.lstrip("0") for number in numbers if number}
    mobiles = {person.mobile for person in held if person.mobile}
    names = {person.name for person in held if person.name and not person.employee_no}
    steps = {}
    for number, known in now.items():
        if known.status != "active" or number in mentioned or number in numbers:
            continue
        if number.lstrip("0") in stripped or known.mobile in mobiles or known.name in names:
            continue
        steps[number] = Step(
            Action.LEAVE, number, known.name or "", None, {"status": "active"}, {"status": "left"}
        )
    return steps


def _refuse_taken_mobiles(
    steps: dict[str, Step], now: Mapping[str, Present], issues: dict[int, Issue]
) -> None:
    """A mobile is one active person's. Steps that would take another's are dropped, until none would."""
    while True:
        holders = _holders(steps, now)
        refused = []
        for step in steps.values():
            mobile = _claimed(step, now)
            if mobile is None:
                continue
            holder = holders.setdefault(mobile, step.employee_no)
            if holder != step.employee_no and step.row is not None:
                refused.append(step)
                issues[step.row] = Issue(step.row, "mobile", "mobile_taken", "error", {"other": holder})
        if not refused:
            return
        for step in refused:
            del steps[step.employee_no]


def _claimed(step: Step, now: Mapping[str, Present]) -> str | None:
    """The mobile that a step takes anew."""
    if step.action is Action.LEAVE or step.after.get("status") == "left":
        return None
    known = now.get(step.employee_no)
    if step.action is Action.RETURN:
        return step.after.get("mobile") or (known.mobile if known else None)
    is_active = known is None or known.status == "active"
    return step.after.get("mobile") if is_active else None


def _holders(steps: Mapping[str, Step], now: Mapping[str, Present]) -> dict[str, str]:
    """Who keeps which mobile: active people whose step neither changes it nor ends their time here."""
    holders = {}
    for number, known in now.items():
        step = steps.get(number)
        if known.status != "active" or not known.mobile:
            continue
        if step is None or (step.action is not Action.LEAVE and "mobile" not in step.after):
            holders[known.mobile] = number
    return holders
