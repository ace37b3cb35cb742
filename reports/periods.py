"""Months as the books see them: in China's time, from the first instant to the first of the next."""

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils.translation import gettext_lazy as _

from reports.tables import CHINA
from tenants.errors import Invalid


class InvalidMonth(Invalid):
    """Not a month, or one that has not begun."""

    code = "invalid_month"
    message = _("“%(value)s” is not a month that has begun. Write it like 2026-01.")

    def __init__(self, *, value: str) -> None:
        super().__init__(value=value[:20])


@dataclass(frozen=True, order=True)
class Month:
    """A calendar month."""

    year: int
    number: int

    @classmethod
    def parse(cls, text: str) -> "Month":
        """'2026-01' → the month. Raises InvalidMonth."""
        match = re.fullmatch(r"(20[0-9]{2})-(0[1-9]|1[0-2])", text)
        if match is None:
            raise InvalidMonth(value=text)
        return cls(int(match[1]), int(match[2]))

    @classmethod
    def of(cls, at: datetime) -> "Month":
        """The month that an instant falls in, in China."""
        local = at.astimezone(CHINA)
        return cls(local.year, local.month)

    def __str__(self) -> str:
        return f"{self.year}-{self.number:02d}"

    @property
    def first_day(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def last_day(self) -> date:
        return self.next.first_day - timedelta(days=1)

    @property
    def next(self) -> "Month":
        return Month(self.year + self.number // 12, self.number % 12 + 1)

    @property
    def previous(self) -> "Month":
        return Month(self.year - (self.number == 1), (self.number - 2) % 12 + 1)

    @property
    def starts_at(self) -> datetime:
        return datetime(self.year, self.number, 1, tzinfo=CHINA)

    @property
    def ends_at(self) -> datetime:
        """The first instant that is no longer in the month."""
        return self.next.starts_at


def begun(text: str, *, at: datetime) -> Month:
    """The month, if it has begun by `at`. Raises InvalidMonth."""
    month = Month.parse(text)
    if month.starts_at > at:
        raise InvalidMonth(value=text)
    return month
