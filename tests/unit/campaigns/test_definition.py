"""A definition is read strictly: what it cannot mean is refused by the path of its field."""

from datetime import date
from typing import Any

import pytest

from benefits.campaigns.definition import Definition, Expiry, months_after
from benefits.campaigns.errors import InvalidRule

PLAIN: dict[str, Any] = {
    "audience": {"everyone": True},
    "occasion": {"kind": "monthly", "day": 31},
    "amount": {"fen": 1000},
    "expiry": {"kind": "months", "months": 3},
}


def test_what_is_written_is_read_again() -> None:
    found = Definition.of_json(
        {
            "audience": {
                "departments": ["研发", "市场/华东"],
                "grades": ["P5", "P4"],
                "cities": ["上海"],
                "months_from": 0,
                "months_to": 12,
                "stage": "probation",
                "numbers": [["E2", None], ["E1", 500]],
            },
            "occasion": {"kind": "anniversary", "years": [5, 1, 3], "days_before": 2, "months": [12, 1]},
            "amount": {"fen": 0, "by_years": {"3": 300, "1": 100}},
            "expiry": {"kind": "date", "day": "2027-02-06"},
        }
    )
    assert found.audience.grades == ("P4", "P5")
    assert found.audience.numbers == (("E1", 500), ("E2", None))
    assert found.occasion.years == (1, 3, 5)
    assert found.amount.by_years == {1: 100, 3: 300}
    assert found.expiry.day == date(2027, 2, 6)
    assert Definition.of_json(found.as_json()) == found


@pytest.mark.parametrize(
    ("part", "value", "field", "problem"),
    [
        ("audience", {}, "audience.everyone", "audience"),
        ("audience", {"everyone": True, "cities": ["上海"]}, "audience.everyone", "audience"),
        ("audience", {"everyone": 1}, "audience.everyone", "shape"),
        ("audience", [], "audience", "shape"),
        ("audience", {"grades": "P5"}, "audience.grades", "shape"),
        ("audience", {"grades": ["P5", "P5"]}, "audience.grades", "repeated"),
        ("audience", {"grades": [""]}, "audience.grades", "shape"),
        ("audience", {"months_from": 13, "months_to": 12}, "audience.months_to", "order"),
        ("audience", {"months_from": -1}, "audience.months_from", "not_whole"),
        ("audience", {"months_from": True}, "audience.months_from", "not_whole"),
        ("audience", {"months_from": 1.0}, "audience.months_from", "not_whole"),
        ("audience", {"stage": "intern"}, "audience.stage", "unknown"),
        ("audience", {"numbers": [["E1"]]}, "audience.numbers", "shape"),
        ("audience", {"numbers": [["E1", 1], ["E1", 2]]}, "audience.numbers", "repeated"),
        ("audience", {"numbers": [["E1", 0]]}, "audience.numbers", "amount"),
        ("audience", {"everyone": True, "colour": "red"}, "audience.colour", "unknown"),
        ("occasion", {}, "occasion.kind", "missing"),
        ("occasion", {"kind": "weekly"}, "occasion.kind", "unknown"),
        ("occasion", {"kind": "monthly", "day": 0}, "occasion.day", "not_whole"),
        ("occasion", {"kind": "monthly", "day": 32}, "occasion.day", "not_whole"),
        ("occasion", {"kind": "monthly", "months": [13]}, "occasion.months", "not_whole"),
        ("occasion", {"kind": "monthly", "days_before": 1}, "occasion.days_before", "excess"),
        ("occasion", {"kind": "birthday", "days_before": 91}, "occasion.days_before", "not_whole"),
        ("occasion", {"kind": "birthday", "years": [1]}, "occasion.years", "excess"),
        ("occasion", {"kind": "anniversary", "years": [0]}, "occasion.years", "not_whole"),
        ("occasion", {"kind": "festival"}, "occasion.festival", "missing"),
        ("occasion", {"kind": "festival", "festival": "halloween"}, "occasion.festival", "unknown"),
        ("occasion", {"kind": "once", "festival": "spring"}, "occasion.festival", "excess"),
        ("amount", {}, "amount.fen", "missing"),
        ("amount", {"fen": 1.5}, "amount.fen", "amount"),
        ("amount", {"fen": True}, "amount.fen", "amount"),
        ("amount", {"fen": -1}, "amount.fen", "amount"),
        ("amount", {"fen": 100_000_001}, "amount.fen", "amount"),
        ("amount", {"by_grade": {"P5": 0}}, "amount.by_grade", "amount"),
        ("amount", {"by_grade": {"P5": 1}, "by_years": {"1": 1}}, "amount.by_years", "excess"),
        ("amount", {"by_years": {"1": 1, 1: 2}}, "amount.by_years", "repeated"),
        ("amount", {"by_years": {"x": 1}}, "amount.by_years", "not_whole"),
        ("expiry", {"kind": "date"}, "expiry.day", "missing"),
        ("expiry", {"kind": "date", "day": "2027-02-30"}, "expiry.day", "day"),
        ("expiry", {"kind": "date", "day": 20270206}, "expiry.day", "day"),
        ("expiry", {"kind": "days"}, "expiry.days", "missing"),
        ("expiry", {"kind": "never", "months": 1}, "expiry.months", "excess"),
    ],
)
def test_a_field_that_cannot_be_meant_is_named(part: str, value: Any, field: str, problem: str) -> None:
    with pytest.raises(InvalidRule) as error:
        Definition.of_json({**PLAIN, part: value})
    assert (error.value.field, error.value.problem) == (field, problem)
    assert "%(" not in str(error.value)


def test_the_whole_must_be_one() -> None:
    for data, field in (
        ([], "definition"),
        ({}, "audience"),
        ({**PLAIN, "name": "x"}, "name"),
        ({"audience": PLAIN["audience"], "occasion": PLAIN["occasion"]}, "amount"),
    ):
        with pytest.raises(InvalidRule) as error:
            Definition.of_json(data)
        assert error.value.field == field


def test_a_share_is_of_a_month_alone() -> None:
    with pytest.raises(InvalidRule) as error:
        Definition.of_json({**PLAIN, "occasion": {"kind": "birthday"}, "amount": {"fen": 1, "prorate": True}})
    assert error.value.field == "amount.prorate"


def test_points_end_with_a_day() -> None:
    assert Expiry().last_day(date(2027, 1, 31)) is None
    assert Expiry("days", days=30).last_day(date(2027, 1, 31)) == date(2027, 3, 2)
    assert Expiry("months", months=1).last_day(date(2027, 1, 31)) == date(2027, 2, 28)
    assert Expiry("months", months=13).last_day(date(2027, 1, 31)) == date(2028, 2, 29)
    assert Expiry("date", day=date(2027, 5, 1)).last_day(date(2027, 1, 31)) == date(2027, 5, 1)
    assert months_after(date(2027, 12, 31), 2) == date(2028, 2, 29)
