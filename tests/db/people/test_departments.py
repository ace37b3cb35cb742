"""The tree of departments: what is below follows, nothing comes below itself, two changes never mix."""

from collections.abc import Callable

import pytest

from benefits.people import departments
from benefits.people.departments import Node, flat, tree
from benefits.people.errors import (
    DepartmentExists,
    DepartmentInsideItself,
    DepartmentInUse,
    DepartmentNameUnusable,
    DepartmentNotFound,
    DepartmentPathTooLong,
)
from benefits.people.models import Department, Employee
from tenants.db import connection
from tenants.errors import DomainError
from tenants.identity.models import AuditEvent
from tenants.models import Company
from tests.db.company.conftest import AT, employ

BY = {"actor": None, "at": AT}


def paths() -> list[str]:
    return list(Department.objects.order_by("path").values_list("path", flat=True))


def where(number: str) -> str:
    department = Employee.objects.select_related("department").get(employee_no=number).department
    assert department is not None
    return department.path


def by_path() -> dict[str, Node]:
    return {node.path: node for _depth, node in flat(tree())}


@pytest.fixture
def staff(acme: Company) -> None:
    employ(2, department="技术/后端", first=1)
    employ(1, department="技术/前端", first=3)
    employ(1, department="市场", first=4)


def test_the_tree_counts_people_and_knows_departments_that_only_stand_above_others(staff: None) -> None:
    Employee.objects.filter(employee_no="A002").update(status="left")
    assert [(depth, node.path, node.own, node.total) for depth, node in flat(tree())] == [
        (0, "市场", 1, 1),
        (0, "技术", 0, 2),
        (1, "技术/前端", 1, 1),
        (1, "技术/后端", 1, 1),
    ]
    assert by_path()["技术/后端"].left == 1


def test_a_department_is_added_below_one_that_has_no_row_yet(staff: None) -> None:
    departments.add(name=" 平台   组 ", parent="技术", **BY)
    assert paths() == ["市场", "技术", "技术/前端", "技术/后端", "技术/平台 组"]
    with pytest.raises(DepartmentExists):
        departments.add(name="后端", parent="技术", **BY)
    with pytest.raises(DepartmentNotFound):
        departments.add(name="x", parent="没有", **BY)


@pytest.mark.parametrize("name", ["", "  ", "a/b", "a\\b", "a>b", "a\x00"])
def test_a_name_is_one_level(staff: None, name: str) -> None:
    with pytest.raises(DepartmentNameUnusable):
        departments.add(name=name, **BY)
    with pytest.raises(DepartmentNameUnusable):
        departments.rename(path="市场", name=name, **BY)


def test_renaming_takes_what_is_below_along_and_nothing_beside(staff: None) -> None:
    employ(1, department="技术部", first=9)
    assert departments.rename(path="技术", name="研发_%", **BY) == "研发_%"
    assert paths() == ["市场", "技术部", "研发_%", "研发_%/前端", "研发_%/后端"]
    assert where("A001") == "研发_%/后端"
    assert departments.rename(path="研发_%", name="技术", **BY) == "技术"
    assert where("A001") == "技术/后端"
    assert where("A009") == "技术部"
    event = AuditEvent.objects.filter(action="department.renamed").latest("id")
    assert event.facts == {"before": "研发_%", "after": "技术"}


def test_moving_takes_the_whole_branch(staff: None) -> None:
    assert departments.move(path="技术", parent="市场", **BY) == "市场/技术"
    assert where("A001") == "市场/技术/后端"
    assert departments.move(path="市场/技术/后端", parent="", **BY) == "后端"
    assert where("A001") == "后端"
    assert where("A003") == "市场/技术/前端"


def test_a_department_never_comes_below_itself(staff: None) -> None:
    for parent in ("技术", "技术/后端"):
        with pytest.raises(DepartmentInsideItself):
            departments.move(path="技术", parent=parent, **BY)
        with pytest.raises(DepartmentInsideItself):
            departments.merge(path="技术", into=parent, **BY)
    assert where("A001") == "技术/后端"


def test_two_departments_of_one_name_are_merged_not_moved(staff: None) -> None:
    employ(1, department="市场/后端", first=5)
    with pytest.raises(DepartmentExists):
        departments.move(path="市场/后端", parent="技术", **BY)
    with pytest.raises(DepartmentExists):
        departments.rename(path="技术/前端", name="后端", **BY)
    assert departments.merge(path="市场/后端", into="技术/后端", **BY) == 1
    assert where("A005") == "技术/后端"
    assert "市场/后端" not in paths()


def test_merging_brings_those_below_to_the_same_place(staff: None) -> None:
    employ(1, department="研究", first=5)
    employ(1, department="研究/后端/算法", first=6)
    Employee.objects.filter(employee_no="A005").update(status="left")
    assert departments.merge(path="研究", into="技术", **BY) == 2
    assert where("A005") == "技术"
    assert where("A006") == "技术/后端/算法"
    assert where("A001") == "技术/后端"
    assert not [path for path in paths() if path.startswith("研究")]
    assert AuditEvent.objects.get(action="department.merged").facts["employees"] == 2
    pk = Employee.objects.get(employee_no="A006").pk
    own = AuditEvent.objects.get(action="employee.changed", subject=f"people.employee:{pk}")
    assert own.facts["changes"] == {"department": ["研究/后端/算法", "技术/后端/算法"]}


def test_merging_upwards_leaves_the_parent(staff: None) -> None:
    assert departments.merge(path="技术/后端", into="技术", **BY) == 2
    assert where("A001") == "技术"
    assert paths() == ["市场", "技术", "技术/前端"]


def test_only_an_empty_department_is_deleted(staff: None) -> None:
    departments.add(name="空", **BY)
    departments.delete(path="空", **BY)
    assert "空" not in paths()
    Employee.objects.filter(employee_no="A004").update(status="left")
    for path in ("技术", "市场"):
        with pytest.raises(DepartmentInUse):
            departments.delete(path=path, **BY)
    with pytest.raises(DepartmentNotFound):
        departments.delete(path="没有", **BY)


def test_a_path_that_would_grow_too_long_changes_nothing(staff: None) -> None:
    departments.add(name="x" * 199, parent="", **BY)
    before = paths()
    with pytest.raises(DepartmentPathTooLong):
        departments.move(path="技术", parent="x" * 199, **BY)
    with pytest.raises(DepartmentPathTooLong):
        departments.add(name="y" * 201, **BY)
    with pytest.raises(DepartmentPathTooLong):
        departments.merge(path="技术", into="x" * 199, **BY)
    assert paths() == before


def test_a_rename_is_one_statement_however_much_is_below(
    staff: None, django_assert_max_num_queries: Callable[..., object]
) -> None:
    Department.objects.bulk_create(Department(path=f"技术/后端/{n}") for n in range(500))
    with django_assert_max_num_queries(20):
        departments.rename(path="技术", name="研发", **BY)
    assert Department.objects.filter(path__startswith="研发/后端/").count() == 500


def test_of_two_moves_into_each_other_one_is_refused(
    race_company: Company, at_once: Callable[..., list[object]]
) -> None:
    departments.add(name="甲", **BY)
    departments.add(name="乙", **BY)

    def moving(path: str, parent: str) -> Callable[[], object]:
        def run() -> object:
            connection.set_tenant(race_company)
            try:
                return departments.move(path=path, parent=parent, **BY)
            except DomainError as error:
                return error.code

        return run

    done = sorted(map(str, at_once(moving("甲", "乙"), moving("乙", "甲"))))
    assert done in (["department_not_found", "乙/甲"], ["department_not_found", "甲/乙"])
    assert paths() in (["乙", "乙/甲"], ["甲", "甲/乙"])
