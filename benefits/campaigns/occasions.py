"""The occasions on which a rule gives: one entry of KINDS each. Pure.

An occurrence has a key that a person gets once, the day of the occasion, and the day on which it is due.
"""

from __future__ import annotations

import calendar
import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from benefits.campaigns import lunar

if TYPE_CHECKING:
    from benefits.campaigns.definition import Definition, Occasion
    from benefits.campaigns.rehearse import Person

MOST_DAYS_BEFORE = 90
MOST_YEARS = 80


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One occasion of one person: `key` is what is given once, `on` its day, `due` when the points are given."""

    key: str
    on: date
    due: date


# Which occurrences of a person are due from the first to the last day, both included.
Find = Callable[["Definition", "Person", date, date], Iterable[Occurrence]]


@dataclass(frozen=True)
class Kind:
    """A kind of occasion: how its occurrences are found, which fields it has, and which column of the roster it needs."""

    find: Find
    fields: frozenset[str] = frozenset()
    needs: str = ""


def in_year(day: date, year: int) -> date:
    """The same day of another year; 29 February falls on 28 February in common years."""
    if day.month == 2 and day.day == 29 and not calendar.isleap(year):
        return date(year, 2, 28)
    return day.replace(year=year)


def days_of_month(day: date) -> int:
    """How many days the month of a day has."""
    return calendar.monthrange(day.year, day.month)[1]


def years_between(start: date, day: date) -> int:
    """Whole years from a day on; -1 and less before it."""
    years = day.year - start.year
    return years if day >= in_year(start, day.year) else years - 1


def months_between(start: date, day: date) -> int:
    """Whole months from a day on; a month is full on the same day, or on its last where it is shorter."""
    months = (day.year - start.year) * 12 + day.month - start.month
    is_full = day.day >= min(start.day, days_of_month(day))
    return months if is_full else months - 1


# --- once, monthly, festivals: the calendar alone says when --------------------------------------------------------------


def _once(definition: Definition, person: Person, first: date, last: date) -> Iterable[Occurrence]:
    return (Occurrence("once", first, first),)


@functools.lru_cache(maxsize=1024)
def _months(occasion: Occasion, first: date, last: date) -> tuple[tuple[int, int, date], ...]:
    """The months that the days touch, each with its day, clamped to the month's last."""
    found = []
    for place in range(first.year * 12 + first.month - 1, last.year * 12 + last.month):
        year, month = place // 12, place % 12 + 1
        if not occasion.months or month in occasion.months:
            found.append(
                (year, month, date(year, month, min(occasion.day, calendar.monthrange(year, month)[1])))
            )
    return tuple(found)


def _monthly(definition: Definition, person: Person, first: date, last: date) -> Iterator[Occurrence]:
    """Who has a share of the month and joins after its day gets that share on joining."""
    for year, month, day in _months(definition.occasion, first, last):
        hired = person.hired_on
        if hired is not None and hired > day:
            if not definition.amount.prorate or (hired.year, hired.month) != (year, month):
                continue
            day = hired
        if first <= day <= last:
            yield Occurrence(f"month:{year}-{month:02d}", day, day)


# The same every year, in the civil calendar or in the lunar one (whose year is named after the civil one it begins in).
_CIVIL = {"new_year": (1, 1), "women": (3, 8), "labour": (5, 1), "national": (10, 1)}
_LUNAR = {
    "spring": (1, 1),
    "lantern": (1, 15),
    "dragon_boat": (5, 5),
    "qixi": (7, 7),
    "mid_autumn": (8, 15),
    "double_ninth": (9, 9),
}
FESTIVALS = (*_CIVIL, *_LUNAR)


def festival_day(slug: str, year: int) -> date:
    """The day of a festival in a year."""
    return date(year, *_CIVIL[slug]) if slug in _CIVIL else lunar.civil_day(year, *_LUNAR[slug])


@functools.lru_cache(maxsize=1024)
def _festivals(occasion: Occasion, first: date, last: date) -> tuple[Occurrence, ...]:
    before = timedelta(days=occasion.days_before)
    days = ((year, festival_day(occasion.festival, year)) for year in range(first.year, last.year + 2))
    return tuple(
        Occurrence(f"festival:{occasion.festival}:{year}", day, day - before)
        for year, day in days
        if first <= day - before <= last
    )


def _festival(definition: Definition, person: Person, first: date, last: date) -> Iterable[Occurrence]:
    return _festivals(definition.occasion, first, last)


# --- birthdays, anniversaries, joining, passing probation: the roster says when --------------------------------------------


def _yearly(occasion: Occasion, start: date, first: date, last: date) -> Iterator[tuple[int, date, date]]:
    """(year, its day, the day it is due) of a day that comes again each year."""
    before = timedelta(days=occasion.days_before)
    for year in range(first.year, last.year + 2):
        day = in_year(start, year)
        if first <= day - before <= last and (not occasion.months or day.month in occasion.months):
            yield year, day, day - before


def _birthday(definition: Definition, person: Person, first: date, last: date) -> Iterator[Occurrence]:
    if person.birthday is not None:
        for year, day, due in _yearly(definition.occasion, person.birthday, first, last):
            if year > person.birthday.year:
                yield Occurrence(f"birthday:{year}", day, due)


def _anniversary(definition: Definition, person: Person, first: date, last: date) -> Iterator[Occurrence]:
    if person.hired_on is not None:
        wanted = definition.occasion.years
        for year, day, due in _yearly(definition.occasion, person.hired_on, first, last):
            years = year - person.hired_on.year
            if years in wanted if wanted else years > 0:
                yield Occurrence(f"years:{years}", day, due)


def _joining(definition: Definition, person: Person, first: date, last: date) -> Iterator[Occurrence]:
    if person.hired_on is not None and first <= person.hired_on <= last:
        yield Occurrence("joining", person.hired_on, person.hired_on)


def _regular(definition: Definition, person: Person, first: date, last: date) -> Iterator[Occurrence]:
    if person.regular_on is not None and first <= person.regular_on <= last:
        yield Occurrence("regular", person.regular_on, person.regular_on)


_FROM_ROSTER = frozenset({"days_before", "months"})
KINDS: Mapping[str, Kind] = {
    "once": Kind(_once),
    "monthly": Kind(_monthly, frozenset({"day", "months"})),
    "birthday": Kind(_birthday, _FROM_ROSTER, needs="birthday"),
    "anniversary": Kind(_anniversary, _FROM_ROSTER | {"years"}, needs="hired_on"),
    "joining": Kind(_joining, needs="hired_on"),
    "regular": Kind(_regular, needs="regular_on"),
    "festival": Kind(_festival, frozenset({"festival", "days_before"})),
}
