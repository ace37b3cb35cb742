"""Two years of rules at work, day by day, beside a slow model that knows nothing of how the product does it.

The roster changes, workers are away for days, days are run twice, a rule is revised and one rests for a month. Every
rehearsal's rows must be the lots that were made of it, and all lots together what the model says.
"""

import random
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest

from benefits.campaigns import operations as campaigns
from benefits.campaigns.models import GrantRule, Rehearsal
from reports import books
from tenants.models import Company
from tests.db.campaigns import stage
from tests.db.campaigns.stage import definition

FIRST, LAST = date(2027, 1, 1), date(2028, 12, 31)
SPRING = {2027: date(2027, 2, 6), 2028: date(2028, 1, 26), 2029: date(2029, 2, 13)}
AUTUMN = {2027: date(2027, 9, 15), 2028: date(2028, 10, 3)}
GRADES, CITIES, PATHS = ("P4", "P5", "P6"), ("上海", "北京"), ("研发", "研发/后端", "市场")
PEOPLE = 30


@dataclass
class Somebody:
    """A person of the model."""

    hired: date
    born: date | None
    grade: str
    city: str
    path: str
    regular: date | None
    active: bool = True
    given: dict[str, int] = field(default_factory=dict)


def same_day(born: date, day: date) -> bool:
    """Whether a day is the day of the year; 28 February stands in for the 29th."""
    if (born.month, born.day) == (day.month, day.day):
        return True
    tomorrow = day + timedelta(days=1)
    return (born.month, born.day) == (2, 29) and (day.month, day.day) == (2, 28) and tomorrow.month == 3


def full_months(start: date, day: date) -> int:
    """Counted one by one."""
    months = 0
    while True:
        year, month = divmod(start.month - 1 + months + 1, 12)
        last = (date(start.year + year + (month == 11), (month + 1) % 12 + 1, 1) - timedelta(days=1)).day
        if date(start.year + year, month + 1, min(start.day, last)) > day:
            return months
        months += 1


def is_last_of_month(day: date) -> bool:
    return (day + timedelta(days=1)).day == 1


def lunch(one: Somebody, day: date) -> tuple[str, int] | None:
    """On the 31st or a month's last day, a thousand for all."""
    return (f"month:{day:%Y-%m}", 1_000) if is_last_of_month(day) else None


def desk(one: Somebody, day: date) -> tuple[str, int] | None:
    """On the first, for 研发 and below; who joins later in a month gets a share."""
    if not (one.path == "研发" or one.path.startswith("研发/")):
        return None
    key = f"month:{day:%Y-%m}"
    if one.hired == day and day.day > 1:
        length = (day.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
        left = length.day - day.day + 1
        return key, max(1, int(3_100 * left / length.day + 0.5))
    return (key, 3_100) if day.day == 1 else None


def birthday(one: Somebody, day: date) -> tuple[str, int] | None:
    """Three days before, by grade."""
    on = day + timedelta(days=3)
    if one.born is None or not same_day(one.born, on):
        return None
    fen = {"P5": 5_000, "P6": 6_000}.get(one.grade, 4_000)
    return f"birthday:{on.year}", fen


def years(one: Somebody, day: date) -> tuple[str, int] | None:
    """After one, three and five years, by years."""
    number = day.year - one.hired.year
    if number in (1, 3, 5) and same_day(one.hired, day):
        return f"years:{number}", {1: 100, 3: 300, 5: 300}[number]
    return None


def spring(one: Somebody, day: date) -> tuple[str, int] | None:
    """A week before, for those with half a year of service."""
    for year, on in SPRING.items():
        if on - timedelta(days=7) == day and full_months(one.hired, day) >= 6:
            return f"festival:spring:{year}", 8_800
    return None


def autumn(one: Somebody, day: date) -> tuple[str, int] | None:
    """On the day, in 上海, past probation."""
    if AUTUMN[day.year] == day and one.city == "上海" and (one.regular is None or one.regular <= day):
        return f"festival:mid_autumn:{day.year}", 1_500
    return None


def joining(one: Somebody, day: date) -> tuple[str, int] | None:
    return ("joining", 2_000) if one.hired == day else None


def regular(one: Somebody, day: date) -> tuple[str, int] | None:
    return ("regular", 2_500) if one.regular == day else None


RULES = {
    lunch: definition("monthly", 1_000, day=31),
    desk: definition("monthly", {"fen": 3_100, "prorate": True}, day=1, audience={"departments": ["研发"]}),
    birthday: definition("birthday", {"fen": 4_000, "by_grade": {"P5": 5_000, "P6": 6_000}}, days_before=3),
    years: definition("anniversary", {"by_years": {1: 100, 3: 300}}, years=[1, 3, 5]),
    spring: definition("festival", 8_800, festival="spring", days_before=7, audience={"months_from": 6}),
    autumn: definition(
        "festival", 1_500, festival="mid_autumn", audience={"cities": ["上海"], "stage": "regular"}
    ),
    joining: definition("joining", 2_000),
    regular: definition("regular", 2_500),
}


class World:
    """The roster in the product and in the model, changed together."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.people: dict[str, Somebody] = {}
        for _ in range(PEOPLE):
            hired = FIRST - timedelta(days=self.chance.randrange(1, 2_200))
            self.join(FIRST, hired, None)
        self.join(FIRST, date(2024, 2, 29), None, born=date(1992, 2, 29))

    def join(self, day: date, hired: date, regular_on: date | None, born: date | None = None) -> None:
        chance = self.chance
        number = f"N{len(self.people):03d}"
        born = born or date(1990, 1, 1) + timedelta(days=chance.randrange(3_000))
        one = Somebody(
            hired=hired,
            born=born if chance.random() < 0.9 else None,
            grade=chance.choice(GRADES),
            city=chance.choice(CITIES),
            path=chance.choice(PATHS),
            regular=regular_on,
        )
        self.people[number] = one
        stage.join(
            number,
            day=day,
            hired_on=hired.isoformat(),
            birthday=one.born.isoformat() if one.born else None,
            grade=one.grade,
            city=one.city,
            department=one.path,
            regular_on=regular_on.isoformat() if regular_on else None,
        )

    def change(self, day: date) -> None:
        """Now and then somebody joins, is entered late, leaves, comes back or moves."""
        chance = self.chance
        here = [number for number, one in self.people.items() if one.active]
        gone = [number for number, one in self.people.items() if not one.active]
        if chance.random() < 0.05:
            hired = day - timedelta(days=chance.choice((0, 0, 0, 2, 6)))
            self.join(day, hired, chance.choice((None, hired + timedelta(days=91))))
        if chance.random() < 0.03:
            number = chance.choice(here)
            self.people[number].active = False
            stage.change(number, day=day, status="left", left_on=day.isoformat())
        if gone and chance.random() < 0.02:
            number = chance.choice(gone)
            self.people[number].active, self.people[number].hired = True, day
            stage.change(number, day=day, status="active", left_on=None, hired_on=day.isoformat())
        if chance.random() < 0.05:
            number = chance.choice(here)
            one = self.people[number]
            one.grade, one.city, one.path = chance.choice(GRADES), chance.choice(CITIES), chance.choice(PATHS)
            stage.change(number, day=day, grade=one.grade, city=one.city, department=one.path)


def owed(world: World, rules: dict[object, GrantRule], since: dict[object, date | None], today: date) -> None:
    """What the model gives today: for today and the seven days before, nothing twice, nobody before their first day."""
    for says, rule in rules.items():
        first = since[says]
        if first is None:
            continue
        for back in range(7, -1, -1):
            day = today - timedelta(days=back)
            if day < first:
                continue
            for one in world.people.values():
                if not one.active or one.hired > day:
                    continue
                if (due := says(one, day)) is not None:  # type: ignore[operator]
                    one.given.setdefault(f"rule:{rule.pk}:{due[0]}", due[1])


@pytest.mark.parametrize("seed", [2027])
def test_rehearsals_are_executions_row_for_row_over_two_years(acme: Company, seed: int) -> None:
    budget = stage.a_budget(100_000_000, day=FIRST)
    world = World(seed)
    rules: dict[object, GrantRule] = {
        says: stage.a_rule(said, budget=budget, day=FIRST, name=says.__name__) for says, said in RULES.items()
    }
    since: dict[object, date | None] = dict.fromkeys(rules, FIRST)
    rest = (date(2027, 6, 20), date(2027, 8, 3))
    away = 0
    for ahead in range((LAST - FIRST).days + 1):
        today = FIRST + timedelta(days=ahead)
        world.change(today)
        if today == rest[0]:
            campaigns.pause_rule(rule=rules[birthday], actor=None, at=stage.at(today, 5))
            since[birthday] = None
        if today == rest[1]:
            campaigns.activate_rule(rule=rules[birthday], actor=None, at=stage.at(today, 5))
            since[birthday] = today
        if today == date(2028, 2, 29):
            # The day of leap years has a long absence before it, and is the last that can still be made up for.
            away = 8
        if away == 0 and world.chance.random() < 0.04:
            away = world.chance.randrange(1, 7)
        if away:
            away -= 1
            continue
        stage.run(today, wallets=7)
        owed(world, rules, since, today)
        if world.chance.random() < 0.1:
            assert stage.run(today, 9) == []

    wanted = {(number, key, fen) for number, one in world.people.items() for key, fen in one.given.items()}
    assert stage.given() == wanted
    kinds = {key.split(":")[2] for _, key, _ in wanted}
    assert kinds == {"month", "birthday", "years", "festival", "joining", "regular"}
    assert len(wanted) > 1_000
    made = list(Rehearsal.objects.all())
    assert {one.status for one in made} == {"done"}
    for rehearsal in made:
        assert stage.lots(rehearsal) == stage.rehearsed(rehearsal)
    assert books.verify([acme]) == []
