"""Whatever the people and the rule, and on whichever days it runs: an occasion is given once, in any order the same."""

from datetime import date, timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from benefits.campaigns.definition import Definition
from benefits.campaigns.errors import InvalidRule
from benefits.campaigns.occasions import FESTIVALS, KINDS
from benefits.campaigns.rehearse import Person, forecast, rehearse

FIRST = date(2027, 1, 1)
SPAN = 800
GRADES, CITIES, PATHS = ["P4", "P5", ""], ["上海", "北京", ""], ["研发", "研发/后端", "市场", ""]
KEY = "rule:1"

near = st.dates(FIRST - timedelta(days=400), FIRST + timedelta(days=SPAN))
edges = st.sampled_from([date(2024, 2, 29), date(2027, 2, 28), date(2027, 12, 31), date(2028, 2, 29)])
days = st.one_of(near, edges, st.dates(date(1960, 1, 1), date(2028, 12, 31)))
fen = st.integers(1, 1_000_000)


@st.composite
def people(draw: st.DrawFn) -> list[Person]:
    """Some people with unlike dates; numbers are theirs alone."""
    count = draw(st.integers(1, 8))
    return [
        Person(
            employee_id=place,
            employee_no=f"E{place}",
            wallet_id=draw(st.sampled_from([100 + place, 100 + place, 100 + place, None])),
            department=draw(st.sampled_from(PATHS)),
            grade=draw(st.sampled_from(GRADES)),
            city=draw(st.sampled_from(CITIES)),
            hired_on=draw(st.none() | days),
            regular_on=draw(st.none() | days),
            birthday=draw(st.none() | days),
            is_active=draw(st.integers(0, 5)) > 0,
        )
        for place in range(count)
    ]


@st.composite
def definitions(draw: st.DrawFn, kinds: tuple[str, ...] = tuple(KINDS)) -> Definition:
    """Any definition that can be meant."""
    kind = draw(st.sampled_from(kinds))
    fields = KINDS[kind].fields
    occasion: dict[str, Any] = {"kind": kind}
    choices: dict[str, st.SearchStrategy[Any]] = {
        "day": st.integers(1, 31),
        "months": st.just([]) | st.lists(st.integers(1, 12), unique=True, max_size=11),
        "years": st.just([]) | st.lists(st.integers(1, 10), unique=True),
        "festival": st.sampled_from(FESTIVALS),
        "days_before": st.integers(0, 30),
    }
    occasion |= {name: draw(choices[name]) for name in sorted(fields)}
    limits: dict[str, Any] = {
        "departments": draw(st.lists(st.sampled_from(PATHS[:3]), unique=True)),
        "grades": draw(st.lists(st.sampled_from(GRADES[:2]), unique=True)),
        "cities": draw(st.lists(st.sampled_from(CITIES[:2]), unique=True)),
        "stage": draw(st.sampled_from(["", "probation", "regular"])),
        "months_from": draw(st.none() | st.integers(0, 40)),
    }
    limits = {name: value for name, value in limits.items() if value or value == 0}
    is_limited = bool(limits) and draw(st.booleans())
    amount: dict[str, Any] = draw(
        st.one_of(
            st.fixed_dictionaries({"fen": fen}),
            st.fixed_dictionaries({"by_grade": st.fixed_dictionaries({"P5": fen})}),
            st.fixed_dictionaries({"fen": fen, "by_years": st.dictionaries(st.integers(0, 5), fen)}),
        )
    )
    if kind == "monthly":
        amount["prorate"] = draw(st.booleans())
    return Definition.of_json(
        {
            "audience": limits if is_limited else {"everyone": True},
            "occasion": occasion,
            "amount": amount,
            "expiry": {"kind": "months", "months": draw(st.integers(1, 24))},
        }
    )


@given(definitions())
def test_a_definition_is_read_as_it_was_written(definition: Definition) -> None:
    assert Definition.of_json(definition.as_json()) == definition


@settings(deadline=None)
@given(definitions(), people(), st.lists(st.integers(0, SPAN), max_size=40))
def test_over_any_days_each_gets_an_occasion_at_most_once(
    definition: Definition, everyone: list[Person], when: list[int]
) -> None:
    given_before: set[tuple[int, str]] = set()
    for ahead in when:
        day = FIRST + timedelta(days=ahead)
        result = rehearse(definition, rule_key=KEY, day=day, people=everyone, given=given_before)
        assert [row.employee_no for row in result.rows] == sorted(row.employee_no for row in result.rows)
        assert sum(result.counts.values()) + len(result.getting) == len(everyone)
        assert len({row.wallet_id for row in result.getting}) == len(result.getting)
        for row in result.getting:
            assert row.wallet_id is not None
            assert row.fen > 0
            assert (row.wallet_id, row.occasion) not in given_before
            assert len(row.occasion) <= 60
            given_before.add((row.wallet_id, row.occasion))
        again = rehearse(definition, rule_key=KEY, day=day, people=everyone, given=given_before)
        assert again.getting == []


@settings(deadline=None)
@given(definitions(), people(), st.integers(0, SPAN), st.randoms(use_true_random=False))
def test_the_order_of_people_does_not_matter(
    definition: Definition, everyone: list[Person], ahead: int, chance: Any
) -> None:
    day = FIRST + timedelta(days=ahead)
    mixed = list(everyone)
    chance.shuffle(mixed)
    one, other = (rehearse(definition, rule_key=KEY, day=day, people=some) for some in (everyone, mixed))
    assert one == other
    facts: dict[str, Any] = {"rule_key": KEY, "version": 1, "day": day, "expires_on": None}
    assert one.digest(**facts) == other.digest(**facts)


@settings(deadline=None, max_examples=40)
@given(definitions(tuple(kind for kind in KINDS if kind != "once")), people(), st.integers(0, SPAN - 120))
def test_a_forecast_is_the_sum_of_its_days(
    definition: Definition, everyone: list[Person], ahead: int
) -> None:
    first = FIRST + timedelta(days=ahead)
    days = [first + timedelta(days=more) for more in range(120)]
    results = {day: rehearse(definition, rule_key=KEY, day=day, people=everyone) for day in days}
    wanted = {day: (len(one.getting), one.total_fen) for day, one in results.items() if one.getting}
    assert forecast(definition, people=everyone, first=days[0], last=days[-1]) == wanted


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(definitions(), st.sampled_from(["audience", "occasion", "amount", "expiry"]), st.data())
def test_any_other_data_is_refused_by_its_field_or_can_be_meant(
    definition: Definition, part: str, data: st.DataObject
) -> None:
    said = definition.as_json()
    name = data.draw(st.sampled_from(sorted(said[part])))
    said[part] = data.draw(json) if data.draw(st.booleans()) else {**said[part], name: data.draw(json)}
    refused = ""
    try:
        Definition.of_json(said)
    except InvalidRule as error:
        refused = error.field
    assert not refused or refused.startswith((part, "amount"))
