"""What applying a roster would change: the file's people against the company's, field by field. Pure.

A blank cell never erases what is known. In merge mode the file adds and changes; in full mode it is the
whole staff, and whoever is active and not in it leaves. A row that was held back protects its person from that.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, partial
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
        joining = [step for step in self.steps if step.action is Action.JOIN]
        others = [
            (step.action.value, step.employee_no, step.before, step.after)
            for step in self.steps
            if step.action is not Action.JOIN and step.action is not Action.UNCHANGED
        ]
        # No text of a person holds a control character.
        lines = ["\0".join((step.employee_no, *step.after, *step.after.values())) for step in joining]  # type: ignore[arg-type]
        digest = hashlib.sha256(json.dumps((self.mode.value, others)).encode())
        digest.update("\n".join(lines).encode("utf-8", "surrogatepass"))
        return digest.hexdigest()


DETAILS = ("name", "mobile", "department", "email", "hired_on", "birthday", "grade", "city", "regular_on")
_KNOWN = (*DETAILS, "status", "left_on")
_DAYS = frozenset({"hired_on", "birthday", "regular_on", "left_on"})
_of_person: Callable[[Person], tuple[Any, ...]] = attrgetter(*DETAILS)
_of_present: Callable[[Present], tuple[Any, ...]] = attrgetter(*DETAILS)
_step_of: Callable[[Iterable[Any]], Step] = partial(tuple.__new__, Step)  # a third less than Step()


def plan(people: Sequence[Person], held: Sequence[Person], present: Iterable[Present], mode: Mode) -> Plan:
    """The difference that the accepted people make. Rows in conflict with the present roster become issues."""
    now = {person.employee_no: person for person in present}
    issues: dict[int, Issue] = {}
    steps: dict[str, Step] = {}
    similar = _by_stripped_number(now)
    known_as = now.get
    names, rows = _texts(people)
    for person, texts in zip(people, rows, strict=True):
        number = person[1] or ""
        known = known_as(number)
        other = None if not similar or known else similar.get(number.lstrip("0"))
        if other:
            issues[person.row] = Issue(
                person.row, "employee_no", "similar_employee_no", "error", {"other": other}
            )
        else:
            steps[number] = _step(person, names, texts, known)
    if mode is Mode.FULL:
        mentioned = {person.employee_no for person in people}
        steps |= _leavers(now, mentioned, (*held, *(p for p in people if p.row in issues)))
    _refuse_taken_mobiles(steps, now, issues)
    ordered = tuple(sorted(steps.values(), key=_place))
    return Plan(mode=mode, steps=ordered, issues=tuple(issues[row] for row in sorted(issues)))


def _place(step: Step) -> tuple[bool, int, str]:
    return step.row is None, step.row or 0, step.employee_no


def _texts(people: Sequence[Person]) -> tuple[list[str], Iterator[tuple[str | None, ...]]]:
    """Which fields anybody has, and each person's as text: a column at a time, each day but once."""
    day = functools.cache(dt.date.isoformat)
    columns = dict(zip(Person._fields, zip(*people, strict=True), strict=True)) if people else {}
    found: dict[str, Sequence[Any]] = {}
    for name in _KNOWN:
        column = columns.get(name, ())
        if name == "status" or column.count(None) < len(column):
            is_day = name in _DAYS
            found[name] = [value and day(value) for value in column] if is_day else column
    return list(found), zip(*found.values(), strict=True)


def _step(person: Person, names: Sequence[str], texts: tuple[str | None, ...], known: Present | None) -> Step:
    number, name = person.employee_no or "", person.name or ""
    points = None if person.points is None else str(person.points)
    if known is not None and person.status == known.status == "active" and _adds_nothing(person, known):
        return _step_of((Action.UNCHANGED, number, name, person.row, {}, {}, points))
    after: Values = dict(zip(names, texts, strict=True))
    if None in texts:
        after = _filled(after)
    if known is None:
        return _step_of((Action.JOIN, number, name, person.row, {}, after, points))
    action = Action.UPDATE
    changes: Values = {
        key: after[key] for key in DETAILS if key in after and after[key] != _text(getattr(known, key))
    }
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


def _adds_nothing(person: Person, known: Present) -> bool:
    new, old = _of_person(person), _of_present(known)
    return new == old or all(one is None or one == other for one, other in zip(new, old, strict=True))


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
