"""What a rule gives on a day, person by person. Pure: people and what was given go in, rows with reasons come out."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import date

from benefits.campaigns import occasions
from benefits.campaigns.definition import Audience, Definition
from benefits.campaigns.occasions import Occurrence, months_between, years_between

# Why somebody gets nothing; "" gets it.
GETS, NOT_DUE, ALREADY_GIVEN, LEFT = "", "not_due", "already_given", "left"
NOT_IN_AUDIENCE, NO_AMOUNT, NO_DAY, NO_WALLET = "not_in_audience", "no_amount", "no_day", "no_wallet"
REASONS = (NOT_DUE, ALREADY_GIVEN, LEFT, NO_AMOUNT, NO_DAY, NO_WALLET, NOT_IN_AUDIENCE)

Given = AbstractSet[tuple[int, str]]  # (wallet id, occasion)


@dataclass(frozen=True, slots=True)
class Person:
    """What a rule may look at of an employee. `regular_on` none: not on probation."""

    employee_id: int
    employee_no: str
    wallet_id: int | None
    department: str = ""
    grade: str = ""
    city: str = ""
    hired_on: date | None = None
    regular_on: date | None = None
    birthday: date | None = None
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Row:
    """One person of the audience: what they get and for which occasion, or the reason why nothing. Fen."""

    employee_no: str
    employee_id: int
    wallet_id: int | None
    department: str
    fen: int
    occasion: str
    reason: str = GETS


@dataclass(frozen=True)
class Result:
    """The rows in the order of employee numbers, and how many get nothing for which reason."""

    rows: tuple[Row, ...]
    counts: Mapping[str, int]

    @property
    def getting(self) -> list[Row]:
        """Those who get something."""
        return [row for row in self.rows if not row.reason]

    @property
    def total_fen(self) -> int:
        return sum(row.fen for row in self.rows)

    def without(self, given: Given) -> Result:
        """The same, but for those who were given this before."""
        if not given:
            return self
        rows = tuple(
            replace(row, reason=ALREADY_GIVEN, fen=0)
            if not row.reason and (row.wallet_id, row.occasion) in given
            else row
            for row in self.rows
        )
        return _counted(rows, self.counts.get(NOT_IN_AUDIENCE, 0))

    def digest(self, *, rule_key: str, version: int, day: date, expires_on: date | None) -> str:
        """What a person confirms: the rule's version, the day, and to the row who gets how much for what."""
        found = hashlib.sha256(f"{rule_key}|{version}|{day}|{expires_on}\n".encode())
        for row in self.rows:
            if not row.reason:
                line = (row.employee_no, str(row.wallet_id), row.department, str(row.fen), row.occasion)
                found.update("\x1f".join(line).encode() + b"\n")
        return found.hexdigest()


def rehearse(
    definition: Definition, *, rule_key: str, day: date, people: Iterable[Person], given: Given = frozenset()
) -> Result:
    """What `definition` gives on `day`, one occasion a person at most."""
    fits, amount_of = fitting(definition.audience), _amounts(definition)
    kind = occasions.KINDS[definition.occasion.kind]
    rows: list[Row] = []
    outside = 0
    for person in people:
        if not fits(person, day):
            outside += 1
            continue
        occurrence = next(_due(definition, person, day, day), None)
        fen, key = 0, ""
        if occurrence is None:
            lacks_day = bool(kind.needs) and getattr(person, kind.needs) is None
            reason = NO_DAY if lacks_day else NOT_DUE
        else:
            key = f"{rule_key}:{occurrence.key}"
            fen = amount_of(person, occurrence)
            reason = _reason(person, fen, (person.wallet_id or 0, key) in given)
        rows.append(
            Row(
                person.employee_no,
                person.employee_id,
                person.wallet_id,
                person.department,
                0 if reason else fen,
                key,
                reason,
            )
        )
    rows.sort(key=lambda row: row.employee_no)
    return _counted(tuple(rows), outside)


def forecast(
    definition: Definition, *, people: Collection[Person], first: date, last: date
) -> dict[date, tuple[int, int]]:
    """On which days from the first to the last something is due: how many people, and fen, as the roster is now."""
    fits, amount_of = fitting(definition.audience), _amounts(definition)
    counts: Counter[date] = Counter()
    sums: Counter[date] = Counter()
    for person in people:
        if not person.is_active or person.wallet_id is None:
            continue
        for occurrence in _due(definition, person, first, last):
            if fits(person, occurrence.due) and (fen := amount_of(person, occurrence)):
                counts[occurrence.due] += 1
                sums[occurrence.due] += fen
    return {day: (counts[day], sums[day]) for day in sorted(counts)}


def _due(definition: Definition, person: Person, first: date, last: date) -> Iterator[Occurrence]:
    """What a person is due from the first day to the last; by the calendar nobody is before their first day of work."""
    kind = definition.occasion.kind
    for occurrence in occasions.KINDS[kind].find(definition, person, first, last):
        if kind == "once" or person.hired_on is None or person.hired_on <= occurrence.due:
            yield occurrence


def fitting(audience: Audience) -> Callable[[Person, date], bool]:
    """A test of whether a person is in the audience on a day: every given condition must hold."""
    tests = list(_tests(audience))

    def fits(person: Person, day: date) -> bool:
        return all(test(person, day) for test in tests)

    return fits


def _tests(audience: Audience) -> Iterator[Callable[[Person, date], bool]]:
    if audience.numbers:
        numbers = frozenset(number for number, _ in audience.numbers)
        yield lambda person, day: person.employee_no in numbers
    if audience.departments:
        exact = frozenset(audience.departments)
        below = tuple(f"{path}/" for path in audience.departments)
        yield lambda person, day: person.department in exact or person.department.startswith(below)
    if audience.grades:
        grades = frozenset(audience.grades)
        yield lambda person, day: person.grade in grades
    if audience.cities:
        cities = frozenset(audience.cities)
        yield lambda person, day: person.city in cities
    if audience.months_from is not None or audience.months_to is not None:
        yield _seniority(audience.months_from or 0, audience.months_to)
    if audience.stage:
        is_probation = audience.stage == "probation"
        yield lambda person, day: (person.regular_on is not None and person.regular_on > day) == is_probation


def _seniority(least: int, most: int | None) -> Callable[[Person, date], bool]:
    def fits(person: Person, day: date) -> bool:
        if person.hired_on is None:
            return False
        months = months_between(person.hired_on, day)
        return least <= months and (most is None or months <= most)

    return fits


def _reason(person: Person, fen: int, was_given: bool) -> str:
    if not person.is_active:
        return LEFT
    if was_given:
        return ALREADY_GIVEN
    if person.wallet_id is None:
        return NO_WALLET
    return GETS if fen else NO_AMOUNT


def _amounts(definition: Definition) -> Callable[[Person, Occurrence], int]:
    """What a person gets for an occurrence, in fen; 0 where the rule has no amount for them."""
    much = definition.amount
    own = {number: fen for number, fen in definition.audience.numbers if fen}
    steps = sorted(much.by_years.items(), reverse=True)

    def full(person: Person, on: date) -> int:
        if person.employee_no in own:
            return own[person.employee_no]
        if much.by_grade:
            return much.by_grade.get(person.grade, much.fen)
        if steps and person.hired_on is not None:
            years = years_between(person.hired_on, on)
            return next((fen for least, fen in steps if least <= years), much.fen)
        return much.fen

    def amount(person: Person, occurrence: Occurrence) -> int:
        fen = full(person, occurrence.on)
        return _share(fen, person.hired_on, occurrence.on) if much.prorate and fen else fen

    return amount


def _share(fen: int, hired_on: date | None, on: date) -> int:
    """Who joins within the month gets the share of its days from joining on: rounded half up, at least one fen."""
    if hired_on is None or (hired_on.year, hired_on.month) != (on.year, on.month):
        return fen
    days = occasions.days_of_month(on)
    return max(1, (2 * fen * (days - hired_on.day + 1) + days) // (2 * days))


def _counted(rows: tuple[Row, ...], outside: int) -> Result:
    counts = Counter(row.reason for row in rows if row.reason)
    if outside:
        counts[NOT_IN_AUDIENCE] = outside
    return Result(rows, dict(sorted(counts.items())))
