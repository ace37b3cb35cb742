"""The staff list: who is found, in which order, and how the database goes about it."""

from collections.abc import Callable
from datetime import date

import pytest
from django.contrib.auth.models import Group

from benefits.people import listing
from benefits.people import operations as people
from benefits.people.listing import Wanted
from benefits.people.models import Employee
from benefits.points import operations as points
from tenants.db import connection, transaction
from tenants.identity.models import User
from tenants.models import Company
from tests.db.company.conftest import AT

PEOPLE = {
    "A001": {
        "name": "张三丰",
        "mobile": "13800000001",
        "department": "技术/后端",
        "grade": "P6",
        "hired_on": "2020-01-01",
    },
    "A002": {"name": "张伟", "department": "技术", "grade": "P7"},
    "A003": {"name": "曾莉", "department": "技术部", "hired_on": "2019-01-01"},
    "B001": {"name": "Anna Li", "grade": "P6"},
    "B002": {"name": "100%王"},
    "B003": {"name": "欧阳修", "department": "市场", "status": "left"},
}


@pytest.fixture
def staff(acme: Company) -> None:
    with transaction():
        joined = people.add_employees(
            people={no: {"status": "active", **v} for no, v in PEOPLE.items()}, at=AT
        )
        points.open_wallets(employees=joined)


def found(sort: str = "number", **wanted: str) -> list[str]:
    page = listing.page(Wanted(sort=sort, **wanted), 1, size=50)
    return [one.employee_no for one in listing.people(list(page.object_list))]


@pytest.mark.parametrize(
    ("q", "numbers"),
    [
        ("张", ["A001", "A002"]),
        ("三丰", ["A001"]),
        ("zhang", ["A001", "A002"]),
        ("Zhang San", ["A001"]),
        ("zs", ["A001"]),
        ("zw", ["A002"]),
        ("zengli", ["A003"]),
        ("li", ["A003", "B001"]),
        ("a00", ["A001", "A002", "A003"]),
        ("138 0000 0001", ["A001"]),
        ("+8613800000001", ["A001"]),
        ("0001", []),
        ("%", ["B002"]),
        ("_", []),
        ("\\", []),
        ("oy", []),
    ],
)
def test_a_search_finds_names_pinyin_numbers_and_whole_mobiles(
    staff: None, q: str, numbers: list[str]
) -> None:
    assert found(q=q) == numbers


def test_filters(staff: None) -> None:
    assert found(department="技术") == ["A001", "A002"]
    assert found(department=listing.WITHOUT) == ["B001", "B002"]
    assert found(state="left") == ["B003"]
    assert len(found(state="all")) == 6
    assert found(grade="P6") == ["A001", "B001"]
    assert found(grade="P6", q="zs") == ["A001"]
    User.objects.filter(username="A001").update(last_login=AT)
    Employee.objects.filter(employee_no="B001").update(user=None)
    assert found(access="activated") == ["A001"]
    assert found(access="none") == ["B001"]
    assert found(access="waiting") == ["A002", "A003", "B002"]
    User.objects.get(username="A002").groups.add(Group.objects.get(name="finance"))
    assert found(role="finance") == ["A002"]
    assert found(role="employee") == found(role="") == ["A001", "A002", "A003", "B001", "B002"]
    assert listing.counts() == {"all": 6, "active": 5, "waiting": 3, "left": 1}
    assert listing.grades() == ["P6", "P7"]


def test_orders_leave_no_doubt(staff: None) -> None:
    assert found("-number") == ["B002", "B001", "A003", "A002", "A001"]
    assert found("name") == [
        "B002",
        "B001",
        "A003",
        "A001",
        "A002",
    ]  # 100wang, annali, zengli, zhangsanfeng, …
    assert found("department") == ["A002", "A001", "A003", "B001", "B002"]
    assert found("joined") == ["A003", "A001", "A002", "B001", "B002"]
    assert found("-joined")[:2] == ["A001", "A003"]
    assert found("x") == found("number")


def test_a_page_is_a_few_statements_whatever_is_on_it(
    staff: None, django_assert_num_queries: Callable[..., object]
) -> None:
    wanted = Wanted(q="zhang", department="技术", grade="P6")
    with django_assert_num_queries(4):  # departments below, count, keys, rows
        page = listing.page(wanted, 1, size=50)
        for one in listing.people(list(page.object_list)):
            assert one.department
            assert one.user
            assert one.wallet  # type: ignore[attr-defined]


def plan(wanted: Wanted) -> str:
    page = listing.ordered(listing.find(wanted), wanted.sort).values_list("pk", flat=True)[:50]
    return str(page.explain())


def test_the_usual_orders_read_an_index_not_the_whole_list(acme: Company) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO people_employee (employee_no, name, pinyin, mobile, mobile_index, email, birthday, grade,"
            " status, hired_on, created_at, updated_at) SELECT 'N' || lpad(n::text, 6, '0'), '员工' || n,"
            " ' yuangong yg ' || n, '', '', '', '', 'P' || n %% 10, 'active', %s::date + n %% 3000, now(), now()"
            " FROM generate_series(1, 20000) n",
            [date(2015, 1, 1)],
        )
        cursor.execute("ANALYZE people_employee")
    for sort in ("number", "-number", "name", "-name", "joined"):
        assert "Index Scan" in plan(Wanted(sort=sort)), sort
        assert "Sort" not in plan(Wanted(sort=sort)).replace("Incremental Sort", ""), sort
