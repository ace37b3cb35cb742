"""What a rule says, as plain data: who, on which occasion, how much, valid until when. Pure; amounts in fen.

`Definition.of_json` is the one way in. It is strict: whatever it does not know or cannot mean is an InvalidRule that
names the field by its path.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

from benefits.campaigns import occasions
from benefits.campaigns.errors import InvalidRule

MOST_FEN_EACH = 1_000_000_00  # as for any other grant: a million yuan a person is a typing error
MOST_MONTHS = 1200
MOST_DAYS = 3660
MOST_NUMBERS = 200_000
STAGES = ("", "probation", "regular")
EXPIRIES = ("never", "date", "days", "months")


@dataclass(frozen=True)
class Audience:
    """Who: everyone, or those for whom every given condition holds (any value within one).

    Months are whole months of service on the day. `numbers` are employee numbers, each with its own fen or none.
    """

    everyone: bool = False
    departments: tuple[str, ...] = ()
    grades: tuple[str, ...] = ()
    cities: tuple[str, ...] = ()
    months_from: int | None = None
    months_to: int | None = None
    stage: str = ""
    numbers: tuple[tuple[str, int | None], ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Occasion:
    """When: a kind (see occasions.KINDS) and what that kind needs to know."""

    kind: str
    day: int = 1
    months: tuple[int, ...] = ()
    years: tuple[int, ...] = ()
    festival: str = ""
    days_before: int = 0


@dataclass(frozen=True)
class Amount:
    """How much: one's own of the list, else by grade or by whole years of service (the largest not above), else `fen`."""

    fen: int = 0
    by_grade: Mapping[str, int] = field(default_factory=dict)
    by_years: Mapping[int, int] = field(default_factory=dict)
    prorate: bool = False


@dataclass(frozen=True)
class Expiry:
    """Until when: never, to the end of a day, or so many days or months after the day it is given for."""

    kind: str = "never"
    day: date | None = None
    days: int = 0
    months: int = 0

    def last_day(self, given_for: date) -> date | None:
        """The last day on which points that are given for a day can be spent."""
        if self.kind == "days":
            return given_for + timedelta(days=self.days)
        if self.kind == "months":
            return months_after(given_for, self.months)
        return self.day


@dataclass(frozen=True)
class Definition:
    """The whole of a rule but its name and budget."""

    audience: Audience
    occasion: Occasion
    amount: Amount
    expiry: Expiry = Expiry()

    @classmethod
    def of_json(cls, data: Any) -> Definition:
        """Read what `as_json` wrote, or what a form made. Raises InvalidRule."""
        parts = _Reader("", data)
        found = cls(
            audience=_audience(parts.part("audience")),
            occasion=_occasion(parts.part("occasion")),
            amount=_amount(parts.part("amount")),
            expiry=_expiry(parts.part("expiry", needed=False)),
        )
        parts.nothing_else()
        _refuse_misfits(found)
        return found

    def as_json(self) -> dict[str, Any]:
        """Plain data that says the same; equal definitions give equal data."""
        who, when, much, until = self.audience, self.occasion, self.amount, self.expiry
        return {
            "audience": {
                "everyone": who.everyone,
                "departments": list(who.departments),
                "grades": list(who.grades),
                "cities": list(who.cities),
                "months_from": who.months_from,
                "months_to": who.months_to,
                "stage": who.stage,
                "numbers": [list(one) for one in who.numbers],
            },
            "occasion": {
                "kind": when.kind,
                "day": when.day,
                "months": list(when.months),
                "years": list(when.years),
                "festival": when.festival,
                "days_before": when.days_before,
            },
            "amount": {
                "fen": much.fen,
                "by_grade": dict(sorted(much.by_grade.items())),
                "by_years": {str(years): fen for years, fen in sorted(much.by_years.items())},
                "prorate": much.prorate,
            },
            "expiry": {
                "kind": until.kind,
                "day": until.day.isoformat() if until.day else None,
                "days": until.days,
                "months": until.months,
            },
        }


def months_after(day: date, months: int) -> date:
    """The same day so many months later, or the last of a month that is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


# --- reading, strictly -----------------------------------------------------------------------------------------------


class _Reader:
    """The fields of one part; each is taken once, and what is left over is refused."""

    def __init__(self, path: str, data: Any) -> None:
        if not isinstance(data, Mapping) or not all(isinstance(key, str) for key in data):
            raise InvalidRule(field=path or "definition", problem="shape")
        self._path, self._left = path, dict(data)

    def name(self, field: str) -> str:
        return f"{self._path}.{field}" if self._path else field

    def part(self, field: str, *, needed: bool = True) -> _Reader:
        if needed and field not in self._left:
            raise InvalidRule(field=self.name(field), problem="missing")
        return _Reader(self.name(field), self._left.pop(field, {}))

    def take(self, field: str, default: Any, read: Callable[[str, Any], Any]) -> Any:
        value = self._left.pop(field, None)
        return default if value is None else read(self.name(field), value)

    def nothing_else(self) -> None:
        for name in self._left:
            raise InvalidRule(field=self.name(name), problem="unknown")


def _whole(least: int, most: int) -> Callable[[str, Any], int]:
    def read(name: str, value: Any) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise InvalidRule(field=name, problem="not_whole")
        return value

    return read


def _fen(name: str, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= MOST_FEN_EACH:
        raise InvalidRule(field=name, problem="amount")
    return value


def _fen_or_none(name: str, value: Any) -> int:
    return 0 if value == 0 and not isinstance(value, bool) else _fen(name, value)


def _flag(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise InvalidRule(field=name, problem="shape")
    return value


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or not value or value != value.strip() or len(value) > 200:
        raise InvalidRule(field=name, problem="shape")
    return value


def _one_of(choices: tuple[str, ...]) -> Callable[[str, Any], str]:
    def read(name: str, value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise InvalidRule(field=name, problem="unknown")
        return value

    return read


def _list_of(read: Callable[[str, Any], Any]) -> Callable[[str, Any], tuple[Any, ...]]:
    def read_all(name: str, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, (list, tuple)):
            raise InvalidRule(field=name, problem="shape")
        found = tuple(read(name, one) for one in value)
        if len(set(found)) < len(found):
            raise InvalidRule(field=name, problem="repeated")
        return tuple(sorted(found))

    return read_all


def _numbers(name: str, value: Any) -> tuple[tuple[str, int | None], ...]:
    if not isinstance(value, (list, tuple)) or len(value) > MOST_NUMBERS:
        raise InvalidRule(field=name, problem="shape")
    found: dict[str, int | None] = {}
    for one in value:
        if not isinstance(one, (list, tuple)) or len(one) != 2:
            raise InvalidRule(field=name, problem="shape")
        number = _text(name, one[0])
        if number in found:
            raise InvalidRule(field=name, problem="repeated")
        found[number] = None if one[1] is None else _fen(name, one[1])
    return tuple(sorted(found.items()))


def _by_grade(name: str, value: Any) -> dict[str, int]:
    if not isinstance(value, Mapping):
        raise InvalidRule(field=name, problem="shape")
    return {_text(name, grade): _fen(name, fen) for grade, fen in sorted(value.items())}


def _by_years(name: str, value: Any) -> dict[int, int]:
    if not isinstance(value, Mapping):
        raise InvalidRule(field=name, problem="shape")
    found: dict[int, int] = {}
    for key, fen in value.items():
        if isinstance(key, str) and key.isascii() and key.isdecimal():
            key = int(key[:9])
        years = _whole(0, occasions.MOST_YEARS)(name, key)
        if years in found:
            raise InvalidRule(field=name, problem="repeated")
        found[years] = _fen(name, fen)
    return dict(sorted(found.items()))


def _day(name: str, value: Any) -> date:
    if isinstance(value, date):
        return value
    try:
        day = date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise InvalidRule(field=name, problem="day") from error
    if not 2000 <= day.year < 2200:
        raise InvalidRule(field=name, problem="day")
    return day


def _audience(part: _Reader) -> Audience:
    texts = _list_of(_text)
    found = Audience(
        everyone=part.take("everyone", False, _flag),
        departments=part.take("departments", (), texts),
        grades=part.take("grades", (), texts),
        cities=part.take("cities", (), texts),
        months_from=part.take("months_from", None, _whole(0, MOST_MONTHS)),
        months_to=part.take("months_to", None, _whole(0, MOST_MONTHS)),
        stage=part.take("stage", "", _one_of(STAGES)),
        numbers=part.take("numbers", (), _numbers),
    )
    part.nothing_else()
    least, most = found.months_from, found.months_to
    if least is not None and most is not None and most < least:
        raise InvalidRule(field=part.name("months_to"), problem="order")
    is_limited = found != Audience(everyone=found.everyone)
    if found.everyone == is_limited:
        raise InvalidRule(field=part.name("everyone"), problem="audience")
    return found


def _occasion(part: _Reader) -> Occasion:
    kind = part.take("kind", "", _one_of(tuple(occasions.KINDS)))
    if not kind:
        raise InvalidRule(field=part.name("kind"), problem="missing")
    found = Occasion(
        kind=kind,
        day=part.take("day", 1, _whole(1, 31)),
        months=part.take("months", (), _list_of(_whole(1, 12))),
        years=part.take("years", (), _list_of(_whole(1, occasions.MOST_YEARS))),
        festival=part.take("festival", "", _one_of(("", *occasions.FESTIVALS))),
        days_before=part.take("days_before", 0, _whole(0, occasions.MOST_DAYS_BEFORE)),
    )
    part.nothing_else()
    fields, blank = occasions.KINDS[kind].fields, Occasion(kind)
    for name in ("day", "months", "years", "festival", "days_before"):
        if name not in fields and getattr(found, name) != getattr(blank, name):
            raise InvalidRule(field=part.name(name), problem="excess")
    if "festival" in fields and not found.festival:
        raise InvalidRule(field=part.name("festival"), problem="missing")
    return found


def _amount(part: _Reader) -> Amount:
    found = Amount(
        fen=part.take("fen", 0, _fen_or_none),
        by_grade=part.take("by_grade", {}, _by_grade),
        by_years=part.take("by_years", {}, _by_years),
        prorate=part.take("prorate", False, _flag),
    )
    part.nothing_else()
    if found.by_grade and found.by_years:
        raise InvalidRule(field=part.name("by_years"), problem="excess")
    return found


def _expiry(part: _Reader) -> Expiry:
    kind = part.take("kind", "never", _one_of(EXPIRIES))
    found = Expiry(
        kind=kind,
        day=part.take("day", None, _day),
        days=part.take("days", 0, _whole(0, MOST_DAYS)),
        months=part.take("months", 0, _whole(0, MOST_MONTHS)),
    )
    part.nothing_else()
    for name, owner in (("day", "date"), ("days", "days"), ("months", "months")):
        if kind == owner and not getattr(found, name):
            raise InvalidRule(field=part.name(name), problem="missing")
        if kind != owner and getattr(found, name):
            raise InvalidRule(field=part.name(name), problem="excess")
    return found


def _refuse_misfits(found: Definition) -> None:
    """What one part alone cannot see."""
    much, listed = found.amount, found.audience.numbers
    has_own = bool(listed) and all(fen for _, fen in listed)
    if not (much.fen or much.by_grade or much.by_years or has_own):
        raise InvalidRule(field="amount.fen", problem="missing")
    if much.prorate and found.occasion.kind != "monthly":
        raise InvalidRule(field="amount.prorate", problem="excess")
