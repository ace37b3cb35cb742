"""Who gets what on a day, rule by rule, on the days on which rules go wrong."""

from datetime import date, timedelta
from typing import Any

import pytest

from benefits.campaigns.definition import Definition
from benefits.campaigns.occasions import festival_day
from benefits.campaigns.rehearse import Person, Result, forecast, rehearse

KEY = "rule:7"


def definition(occasion: dict[str, Any], amount: dict[str, Any] | None = None, **audience: Any) -> Definition:
    return Definition.of_json(
        {
            "audience": audience or {"everyone": True},
            "occasion": occasion,
            "amount": amount or {"fen": 1000},
        }
    )


def person(number: str = "E1", **facts: Any) -> Person:
    serial = int(number[1:])
    return Person(**{"employee_id": serial, "employee_no": number, "wallet_id": 100 + serial, **facts})


def on(rule: Definition, day: date, *people: Person, given: Any = frozenset()) -> Result:
    return rehearse(rule, rule_key=KEY, day=day, people=people or (person(),), given=given)


def days_of(rule: Definition, one: Person, first: date, last: date) -> list[tuple[str, str, int]]:
    """(day, occasion, fen) of each day on which somebody gets something."""
    found = []
    for ahead in range((last - first).days + 1):
        day = first + timedelta(days=ahead)
        found += [(day.isoformat(), row.occasion, row.fen) for row in on(rule, day, one).getting]
    return found


def reason(rule: Definition, day: date, **facts: Any) -> str:
    (row,) = on(rule, day, person(**facts)).rows
    return row.reason


def test_the_days_of_festivals() -> None:
    wanted = {
        "spring": ("2026-02-17", "2027-02-06", "2028-01-26"),
        "dragon_boat": ("2026-06-19", "2027-06-09", "2028-05-28"),
        "mid_autumn": ("2026-09-25", "2027-09-15", "2028-10-03"),
        "lantern": ("2026-03-03", "2027-02-20", "2028-02-09"),
        "qixi": ("2026-08-19", "2027-08-08", "2028-08-26"),
        "double_ninth": ("2026-10-18", "2027-10-08", "2028-10-26"),
        "new_year": ("2026-01-01", "2027-01-01", "2028-01-01"),
        "women": ("2026-03-08", "2027-03-08", "2028-03-08"),
        "labour": ("2026-05-01", "2027-05-01", "2028-05-01"),
        "national": ("2026-10-01", "2027-10-01", "2028-10-01"),
    }
    for slug, days in wanted.items():
        assert tuple(festival_day(slug, year).isoformat() for year in (2026, 2027, 2028)) == days


@pytest.mark.parametrize("year", range(2000, 2101))
def test_festivals_come_once_a_year_in_their_order(year: int) -> None:
    order = ["spring", "lantern", "dragon_boat", "qixi", "mid_autumn", "double_ninth"]
    days = [festival_day(slug, year) for slug in order]
    assert days == sorted(days)
    assert {day.year for day in days} == {year}
    assert (days[1] - days[0]).days == 14
    assert date(year, 1, 21) <= days[0] <= date(year, 2, 21)


def test_a_festival_is_given_some_days_before_even_in_the_year_before() -> None:
    rule = definition({"kind": "festival", "festival": "new_year", "days_before": 10})
    assert days_of(rule, person(), date(2026, 12, 1), date(2027, 12, 31)) == [
        ("2026-12-22", "rule:7:festival:new_year:2027", 1000),
        ("2027-12-22", "rule:7:festival:new_year:2028", 1000),
    ]
    rule = definition({"kind": "festival", "festival": "spring", "days_before": 30})
    assert days_of(rule, person(), date(2027, 1, 1), date(2028, 1, 31)) == [
        ("2027-01-07", "rule:7:festival:spring:2027", 1000),
        ("2027-12-27", "rule:7:festival:spring:2028", 1000),
    ]


def test_a_month_that_is_shorter_gives_on_its_last_day() -> None:
    rule = definition({"kind": "monthly", "day": 31})
    found = days_of(rule, person(), date(2028, 1, 1), date(2028, 6, 30))
    assert [day for day, _, _ in found] == [
        "2028-01-31",
        "2028-02-29",
        "2028-03-31",
        "2028-04-30",
        "2028-05-31",
        "2028-06-30",
    ]
    assert found[1][1] == "rule:7:month:2028-02"
    assert on(rule, date(2027, 2, 28)).getting


def test_only_in_some_months() -> None:
    rule = definition({"kind": "monthly", "day": 1, "months": [3, 9]})
    found = days_of(rule, person(), date(2027, 1, 1), date(2027, 12, 31))
    assert [day for day, _, _ in found] == ["2027-03-01", "2027-09-01"]


@pytest.mark.parametrize(
    ("hired", "day", "fen", "wanted"),
    [
        ("2027-02-01", 15, 1000, ("2027-02-15", 1000)),  # the whole month
        ("2027-02-15", 15, 1000, ("2027-02-15", 500)),  # 14 of 28 days
        ("2027-02-28", 31, 1000, ("2027-02-28", 36)),  # 1 of 28: 35.71
        ("2027-02-10", 1, 1000, ("2027-02-10", 679)),  # 19 of 28: 678.57, on joining
        ("2027-04-30", 1, 15, ("2027-04-30", 1)),  # 0.5 rounds up
        ("2027-04-30", 1, 1, ("2027-04-30", 1)),  # at least one fen
        ("2028-02-29", 10, 2900, ("2028-02-29", 100)),
    ],
)
def test_who_joins_within_the_month_gets_its_share(
    hired: str, day: int, fen: int, wanted: tuple[str, int]
) -> None:
    rule = definition({"kind": "monthly", "day": day}, {"fen": fen, "prorate": True})
    joined = date.fromisoformat(hired)
    one = person(hired_on=joined)
    found = days_of(
        rule,
        one,
        joined.replace(day=1),
        (joined.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1),
    )
    assert [(when, amount) for when, _, amount in found] == [wanted]


def test_without_shares_who_joins_after_the_day_waits_for_the_next() -> None:
    rule = definition({"kind": "monthly", "day": 5})
    one = person(hired_on=date(2027, 3, 6))
    found = days_of(rule, one, date(2027, 3, 1), date(2027, 4, 30))
    assert found == [("2027-04-05", "rule:7:month:2027-04", 1000)]


def test_a_birthday_on_29_february() -> None:
    rule = definition({"kind": "birthday"})
    one = person(birthday=date(1992, 2, 29))
    found = days_of(rule, one, date(2027, 1, 1), date(2028, 12, 31))
    assert found == [
        ("2027-02-28", "rule:7:birthday:2027", 1000),
        ("2028-02-29", "rule:7:birthday:2028", 1000),
    ]
    early = definition({"kind": "birthday", "days_before": 1})
    assert [day for day, _, _ in days_of(early, one, date(2027, 1, 1), date(2028, 12, 31))] == [
        "2027-02-27",
        "2028-02-28",
    ]


def test_a_birthday_in_january_given_before_is_of_the_next_year() -> None:
    rule = definition({"kind": "birthday", "days_before": 7})
    one = person(birthday=date(1990, 1, 3))
    assert days_of(rule, one, date(2027, 12, 1), date(2027, 12, 31)) == [
        ("2027-12-27", "rule:7:birthday:2028", 1000)
    ]


def test_anniversaries_of_some_years() -> None:
    rule = definition({"kind": "anniversary", "years": [1, 3]}, {"by_years": {1: 100, 2: 200}})
    one = person(hired_on=date(2024, 2, 29))
    assert days_of(rule, one, date(2024, 2, 29), date(2029, 3, 1)) == [
        ("2025-02-28", "rule:7:years:1", 100),
        ("2027-02-28", "rule:7:years:3", 200),
    ]
    every = definition({"kind": "anniversary"})
    assert [key for _, key, _ in days_of(every, one, date(2024, 2, 29), date(2028, 3, 1))] == [
        f"rule:7:years:{years}" for years in (1, 2, 3, 4)
    ]


def test_years_of_service_count_at_the_anniversary_that_is_given_before() -> None:
    rule = definition({"kind": "anniversary", "years": [5], "days_before": 3}, {"by_years": {4: 1, 5: 500}})
    one = person(hired_on=date(2022, 7, 1))
    assert days_of(rule, one, date(2027, 1, 1), date(2027, 12, 31)) == [("2027-06-28", "rule:7:years:5", 500)]


def test_joining_and_passing_probation() -> None:
    one = person(hired_on=date(2027, 3, 1), regular_on=date(2027, 6, 1))
    first, last = date(2027, 1, 1), date(2027, 12, 31)
    assert days_of(definition({"kind": "joining"}), one, first, last) == [
        ("2027-03-01", "rule:7:joining", 1000)
    ]
    assert days_of(definition({"kind": "regular"}), one, first, last) == [
        ("2027-06-01", "rule:7:regular", 1000)
    ]


def test_nobody_gets_anything_before_the_first_day_of_work() -> None:
    one = {"hired_on": date(2027, 5, 2), "birthday": date(1990, 5, 1)}
    assert reason(definition({"kind": "birthday"}), date(2027, 5, 1), **one) == "not_due"
    labour = definition({"kind": "festival", "festival": "labour"})
    assert reason(labour, date(2027, 5, 1), **one) == "not_due"
    assert reason(definition({"kind": "once"}), date(2027, 5, 1), **one) == ""


@pytest.mark.parametrize(
    ("day", "months"),
    [
        ("2027-02-27", 0),
        ("2027-02-28", 1),  # hired on the 31st: full on the last day
        ("2027-03-30", 1),
        ("2027-03-31", 2),
        ("2028-01-30", 11),
        ("2028-01-31", 12),
    ],
)
def test_seniority_is_of_whole_months(day: str, months: int) -> None:
    one = person(hired_on=date(2027, 1, 31))
    when = date.fromisoformat(day)
    for least, most in ((0, months - 1), (months + 1, 99), (0, months), (months, months), (months, 99)):
        if most < least:
            continue
        rule = definition({"kind": "once"}, months_from=least, months_to=most)
        assert bool(on(rule, when, one).getting) is (least <= months <= most)


def test_seniority_is_nobodys_whose_first_day_is_not_known() -> None:
    result = on(definition({"kind": "once"}, months_to=1200), date(2027, 1, 1), person())
    assert (result.rows, result.counts) == ((), {"not_in_audience": 1})


def test_probation_ends_with_the_day_of_becoming_regular() -> None:
    trial, firm = (definition({"kind": "once"}, stage=stage) for stage in ("probation", "regular"))
    one = person(regular_on=date(2027, 3, 1))
    assert on(trial, date(2027, 2, 28), one).getting and not on(firm, date(2027, 2, 28), one).getting
    assert not on(trial, date(2027, 3, 1), one).getting and on(firm, date(2027, 3, 1), one).getting
    assert on(firm, date(2027, 3, 1), person()).getting


def test_all_conditions_must_hold_and_any_value_within_one() -> None:
    rule = definition(
        {"kind": "once"}, departments=["研发", "市场/华东"], grades=["P5", "P6"], cities=["上海"]
    )
    fits = {"department": "研发/后端", "grade": "P6", "city": "上海"}
    people = [
        person("E1", **fits),
        person("E2", **{**fits, "department": "研发"}),
        person("E3", **{**fits, "department": "研发二部"}),
        person("E4", **{**fits, "department": "市场"}),
        person("E5", **{**fits, "department": "市场/华东/一组"}),
        person("E6", **{**fits, "grade": "P4"}),
        person("E7", **{**fits, "city": ""}),
    ]
    result = on(rule, date(2027, 1, 1), *people)
    assert [row.employee_no for row in result.getting] == ["E1", "E2", "E5"]
    assert result.counts == {"not_in_audience": 4}


def test_a_list_with_amounts_of_its_own() -> None:
    rule = definition({"kind": "once"}, {"fen": 5}, numbers=[["E2", 700], ["E1", None], ["E9", 1]])
    result = on(rule, date(2027, 1, 1), person("E1"), person("E2"), person("E3"))
    assert [(row.employee_no, row.fen) for row in result.rows] == [("E1", 5), ("E2", 700)]


def test_amounts_by_grade_and_by_years() -> None:
    day = date(2027, 6, 1)
    by_grade = definition({"kind": "once"}, {"fen": 10, "by_grade": {"P5": 50}})
    people = [person("E1", grade="P5"), person("E2", grade="P4")]
    assert [row.fen for row in on(by_grade, day, *people).rows] == [50, 10]
    by_years = definition({"kind": "once"}, {"by_years": {1: 100, 3: 300}})
    people = [
        person("E1", hired_on=date(2026, 6, 1)),
        person("E2", hired_on=date(2026, 6, 2)),
        person("E3", hired_on=date(2024, 6, 1)),
        person("E4", hired_on=date(1990, 1, 1)),
        person("E5"),
    ]
    assert [(row.fen, row.reason) for row in on(by_years, day, *people).rows] == [
        (100, ""),
        (0, "no_amount"),
        (300, ""),
        (300, ""),
        (0, "no_amount"),
    ]


def test_reasons() -> None:
    day = date(2027, 5, 1)
    birthday = definition({"kind": "birthday"})
    its_day = {"birthday": date(1990, 5, 1)}
    assert reason(birthday, day, **its_day) == ""
    assert reason(birthday, day, birthday=date(1990, 5, 2)) == "not_due"
    assert reason(birthday, day) == "no_day"
    assert reason(birthday, day, is_active=False, **its_day) == "left"
    assert reason(birthday, day, wallet_id=None, **its_day) == "no_wallet"
    again = on(birthday, day, person(**its_day), given={(101, "rule:7:birthday:2027")})
    assert [(row.reason, row.fen) for row in again.rows] == [("already_given", 0)]
    other = on(birthday, day, person(**its_day), given={(101, "rule:8:birthday:2027")})
    assert other.getting


def test_a_forecast_is_what_the_days_give() -> None:
    people = [
        person("E1", birthday=date(1990, 2, 28), hired_on=date(2020, 1, 1)),
        person("E2", birthday=date(1992, 2, 29), hired_on=date(2026, 12, 1)),
        person("E3", birthday=date(1992, 2, 29), is_active=False),
    ]
    rule = definition({"kind": "birthday"}, {"by_years": {0: 5, 7: 70}})
    found = forecast(rule, people=people, first=date(2027, 1, 1), last=date(2028, 12, 31))
    assert found == {
        date(2027, 2, 28): (2, 75),
        date(2028, 2, 28): (1, 70),
        date(2028, 2, 29): (1, 5),
    }


def test_a_digest_is_of_what_is_given() -> None:
    rule = definition({"kind": "once"})
    day = date(2027, 1, 1)

    def digest(*people: Person, **more: Any) -> str:
        facts: dict[str, Any] = {"rule_key": KEY, "version": 1, "day": day, "expires_on": None, **more}
        return on(rule, day, *people).digest(**facts)

    both = digest(person("E1"), person("E2"))
    assert both == digest(person("E2"), person("E1"))
    assert both == digest(person("E2"), person("E1"), person("E3", is_active=False))
    others = [
        digest(person("E1")),
        digest(person("E1"), person("E3")),
        digest(person("E1"), person("E2", department="研发")),
        digest(person("E1"), person("E2"), version=2),
        digest(person("E1"), person("E2"), day=date(2027, 1, 2)),
        digest(person("E1"), person("E2"), expires_on=day),
    ]
    assert len({both, *others}) == 7
