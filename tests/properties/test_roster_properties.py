"""Any sheet parses to people or issues: nothing is lost, nothing crashes."""

import datetime as dt
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from benefits.roster import check, rows
from benefits.roster.fields import FIELDS
from benefits.roster.plan import Action, Mode, Present, plan
from benefits.roster.shapes import CellError, Details, Header, NoValue, Person, Sheet, Table

WORDS = [
    "",
    "-",
    "A1",
    "A2",
    "001",
    "王伟",
    "李娜",
    "13800138000",
    "13900139000",
    "在职",
    "离职",
    "#N/A",
    "2024-03-05",
    "工号",
]
CELLS = st.one_of(
    st.sampled_from(WORDS),
    st.text(max_size=60),
    st.floats(),
    st.integers(-(10**18), 10**18),
    st.booleans(),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.timedeltas(),
    st.just(CellError("#REF!")),
    st.just(NoValue()),
)
SHEETS = st.lists(st.lists(CELLS, max_size=len(FIELDS)), max_size=12)
PEOPLE = st.builds(
    Present,
    employee_no=st.sampled_from(["A1", "A2", "1", "7"]),
    name=st.sampled_from(["王伟", "李娜"]),
    mobile=st.sampled_from([None, "13800138000", "13900139000"]),
    status=st.sampled_from(["active", "left"]),
)
HEADER = Header(last_row=0, columns={field.name: (place,) for place, field in enumerate(FIELDS)})


def checked(sheet: list[list[Any]]) -> tuple[list[Person], list[Person], list[Any], list[int]]:
    table = Table(sheet=Sheet(name="S", rows=sheet), header=HEADER)
    found = list(rows.people_rows(table, Details()))
    accepted, held, issues = check.check(found, HEADER, date1904=False)
    return accepted, held, issues, [number for number, _ in found]


@settings(max_examples=300, deadline=None)
@given(SHEETS)
def test_any_sheet_becomes_people_or_issues(sheet: list[list[Any]]) -> None:
    accepted, held, issues, numbers = checked(sheet)

    errors = {issue.row for issue in issues if issue.severity == "error"}
    doubles = {issue.row for issue in issues if issue.code == "identical_duplicate"}
    assert {person.row for person in held} == errors
    assert {person.row for person in accepted}.isdisjoint(errors | doubles)
    assert {person.row for person in accepted} | errors | doubles <= set(numbers)
    assert len({person.employee_no for person in accepted}) == len(accepted)
    assert all(person.name and person.status in ("active", "left") for person in accepted)
    mobiles = [person.mobile for person in accepted if person.mobile]
    assert len(set(mobiles)) == len(mobiles)


@settings(max_examples=300, deadline=None)
@given(SHEETS, st.lists(PEOPLE, max_size=4, unique_by=lambda p: p.employee_no), st.sampled_from(list(Mode)))
def test_a_plan_ends_in_a_roster_that_may_exist(
    sheet: list[list[Any]], present: list[Present], mode: Mode
) -> None:
    accepted, held, _, _ = checked(sheet)
    active = [p for p in present if p.status == "active" and p.mobile]
    if len({p.mobile for p in active}) != len(active):
        return

    found = plan(accepted, held, present, mode)

    now = {p.employee_no: {"mobile": p.mobile, "status": p.status, "name": p.name} for p in present}
    for step in found.steps:
        now.setdefault(step.employee_no, {}).update(step.after)
    taken = [p["mobile"] for p in now.values() if p["status"] == "active" and p.get("mobile")]
    assert len(set(taken)) == len(taken)
    again = plan(accepted, held, [_present(no, values) for no, values in now.items()], mode)
    moved = {step.employee_no for step in found.steps}
    repeated = [s for s in again.steps if s.employee_no in moved and s.action is not Action.UNCHANGED]
    assert repeated == []


def _present(number: str, values: dict[str, Any]) -> Present:
    dated = {
        key: dt.date.fromisoformat(values[key])
        for key in ("hired_on", "birthday", "left_on")
        if values.get(key)
    }
    return Present(number, **{key: value for key, value in values.items() if key not in dated}, **dated)
