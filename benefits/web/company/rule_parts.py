"""What a rule's form offers, and how what is typed becomes a definition and the other way round."""

import hashlib
from datetime import date
from typing import Any

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from benefits.campaigns import occasions
from benefits.campaigns.definition import Definition
from benefits.people.models import Employee
from benefits.web.company.shown import Amounts

ALL, SOME, LIST = "all", "some", "list"
SAME, BY_GRADE, BY_YEARS = "same", "grade", "years"
NEVER, DATE, DAYS, MONTHS = "never", "date", "days", "months"
MOST_CHOICES = 200  # grades or cities offered to tick
DATE_INPUT = {"type": "date"}
STEPS = 6  # rows for amounts by years of seniority

KINDS = (
    ("once", _("once, when I say so")),
    ("monthly", _("every month")),
    ("birthday", _("on birthdays")),
    ("anniversary", _("on work anniversaries")),
    ("joining", _("when someone joins")),
    ("regular", _("when probation is passed")),
    ("festival", _("for a festival")),
)
FESTIVALS = (
    ("new_year", pgettext_lazy("festival", "New Year’s Day")),
    ("spring", pgettext_lazy("festival", "Spring Festival")),
    ("lantern", pgettext_lazy("festival", "Lantern Festival")),
    ("women", pgettext_lazy("festival", "Women’s Day")),
    ("labour", pgettext_lazy("festival", "Labour Day")),
    ("dragon_boat", pgettext_lazy("festival", "Dragon Boat Festival")),
    ("qixi", pgettext_lazy("festival", "Qixi Festival")),
    ("mid_autumn", pgettext_lazy("festival", "Mid-Autumn Festival")),
    ("national", pgettext_lazy("festival", "National Day")),
    ("double_ninth", pgettext_lazy("festival", "Double Ninth Festival")),
)
# Where the form shows what a definition is refused for.
FIELD_OF_PATH = {
    "audience.everyone": "whom",
    "audience.numbers": "listing",
    "amount.fen": "points",
    "amount.by_grade": "how",
    "amount.by_years": "how",
    "expiry.kind": "until",
    "expiry.day": "until_date",
    "expiry.days": "until_days",
    "expiry.months": "until_months",
}
STAGES = (
    ("", _("whether on probation or not")),
    ("probation", _("on probation")),
    ("regular", _("past probation")),
)


def grade_field(grade: str) -> str:
    """The name of a grade's amount in the form: of the grade itself, whichever others come to be or go meanwhile."""
    return f"grade_{hashlib.sha256(grade.encode()).hexdigest()[:12]}"


def festivals_ahead(today: date) -> list[tuple[str, str]]:
    """The festivals in the order in which they come, each with its next day."""
    coming = [(next_festival(slug, today), slug, name) for slug, name in FESTIVALS]
    return [
        (slug, _("%(festival)s, next on %(day)s") % {"festival": name, "day": day.isoformat()})
        for day, slug, name in sorted(coming)
    ]


def occasion_of(data: dict[str, Any]) -> dict[str, Any]:
    """The fields that the chosen kind has, as they were typed; the others are left alone."""
    fields = occasions.KINDS[data["kind"]].fields
    found: dict[str, Any] = {"kind": data["kind"]}
    for name in sorted(fields):
        found[name] = data.get(name) or (0 if name == "days_before" else None)
    return found


def expiry_of(data: dict[str, Any]) -> dict[str, Any]:
    """How long, with the one field that this way has."""
    until = data["until"]
    field = {DATE: "day", DAYS: "days", MONTHS: "months"}.get(until)
    return {"kind": until, **({field: data[f"until_{until}"]} if field else {})}


def initial_of(meaning: Definition, show: Amounts) -> dict[str, Any]:
    """A definition as the form shows it again."""
    who, when, much, until = meaning.audience, meaning.occasion, meaning.amount, meaning.expiry
    found: dict[str, Any] = {
        "whom": LIST if who.numbers else ALL if who.everyone else SOME,
        "departments": who.departments,
        "grades": who.grades,
        "cities": who.cities,
        "months_from": who.months_from,
        "months_to": who.months_to,
        "stage": who.stage,
        "listing": "\n".join(
            number if fen is None else f"{number}\t{show.field(fen)}" for number, fen in who.numbers
        ),
        "kind": when.kind,
        "day": when.day if when.kind == "monthly" else None,
        "months": when.months,
        "years": ", ".join(str(year) for year in when.years),
        "festival": when.festival,
        "days_before": when.days_before or None,
        "how": BY_GRADE if much.by_grade else BY_YEARS if much.by_years else SAME,
        "points": show.field(much.fen) if much.fen else "",
        "prorate": much.prorate,
        "until": until.kind,
        "until_date": until.day,
        "until_days": until.days or None,
        "until_months": until.months or None,
        **{grade_field(grade): show.field(fen) for grade, fen in much.by_grade.items()},
    }
    for place, (years, fen) in enumerate(sorted(much.by_years.items())):
        found |= {f"from_{place}": years, f"points_{place}": show.field(fen)}
    return found


def next_festival(slug: str, today: date) -> date:
    """The next day of a festival, today included."""
    days = (occasions.festival_day(slug, year) for year in range(today.year, today.year + 3))
    return next(day for day in days if day >= today)


def distinct(column: str, known: tuple[str, ...]) -> list[str]:
    """The values that active employees have in a column, and those that the rule names already."""
    found = (
        Employee.objects.filter(status=Employee.Status.ACTIVE)
        .exclude(**{column: ""})
        .order_by(column)
        .values_list(column, flat=True)
        .distinct()[:MOST_CHOICES]
    )
    return sorted({*found, *known})


def unknown_numbers(numbers: list[str]) -> list[str]:
    known = set(
        Employee.objects.filter(status=Employee.Status.ACTIVE, employee_no__in=numbers).values_list(
            "employee_no", flat=True
        )
    )
    return [number for number in numbers if number not in known]
