"""One employee by hand: the form, its refusals, and what stands on the page afterwards; and the pages of departments."""

from urllib.parse import urlencode

import pytest
from django.test import Client
from django.urls import reverse

from benefits.people.models import Department, Employee
from tests.db.company.conftest import Door, employ
from tests.db.company.test_employees_list import body

NEW = {"employee_no": "B001", "name": "张三"}


def form_of(client: Client, pk: int) -> dict[str, str]:
    """The edit form's fields as the page fills them."""
    form = client.get(reverse("company_employee_edit", args=[pk])).context["form"]
    return {name: form[name].value() or "" for name in form.fields}


def test_somebody_is_added_by_the_rules_of_an_import(hr: Client) -> None:
    url = reverse("company_employee_new")
    assert hr.get(url).status_code == 200
    done = hr.post(
        url,
        {
            **NEW,
            "mobile": "+86 139-1234-5678",
            "department": "技术 > 后端",
            "email": "Zhang@Example.com",
            "hired_on": "2024-03-05",
        },
    )
    one = Employee.objects.get(employee_no="B001")
    assert done.headers["Location"] == reverse("company_employee", args=[one.pk])
    assert (one.mobile, one.department.path, one.email) == ("13912345678", "技术/后端", "zhang@example.com")  # type: ignore[union-attr]
    page = body(hr.get(done.headers["Location"]))
    assert "张*" in page
    assert "13912345678" not in page


@pytest.mark.parametrize(
    ("field", "text", "says"),
    [
        ("mobile", "1391234567", "1 digit short"),
        ("mobile", "13800000001", "A001"),
        ("employee_no", "A001", "already"),
        ("employee_no", "", "必需"),
        ("name", "-", "必需"),
        ("name", "字" * 51, "51 characters"),
        ("email", "x@", "not complete"),
        ("birthday", "1990-02-30", "does not exist"),
        ("hired_on", "1820-01-01", "1900 to 2100"),
        ("department", "a" * 201, "longer than 200"),
        ("name", "a\x07b", "control"),
    ],
)
def test_a_refusal_stands_at_its_field(hr: Client, field: str, text: str, says: str) -> None:
    employ(1)
    answer = hr.post(reverse("company_employee_new"), {**NEW, field: text})
    assert answer.status_code == 422
    assert says in " ".join(answer.context["form"].errors.get(field, [])), answer.context["form"].errors
    assert Employee.objects.count() == 1


def test_stars_keep_what_they_hide_and_an_empty_field_removes_it(hr: Client) -> None:
    one = employ(1)[0]
    fields = form_of(hr, one.pk)
    assert fields["mobile"] == "138 **** 0001"
    hr.post(reverse("company_employee_edit", args=[one.pk]), {**fields, "grade": "P6"})
    one = Employee.objects.get()
    assert (one.mobile, one.grade) == ("13800000001", "P6")
    hr.post(reverse("company_employee_edit", args=[one.pk]), {**form_of(hr, one.pk), "mobile": ""})
    assert Employee.objects.get().mobile == ""


def test_stars_that_are_not_those_shown_are_refused_not_forgotten(hr: Client) -> None:
    one = employ(1)[0]
    url = reverse("company_employee_edit", args=[one.pk])
    for name, text in (("mobile", "139 **** 0009"), ("mobile", "138****0001"), ("birthday", "1990-**-**")):
        answer = hr.post(url, {**form_of(hr, one.pk), "grade": "P6", name: text})
        assert answer.status_code == 422, text
        assert name in answer.context["form"].errors
    one.refresh_from_db()
    assert (one.mobile, one.grade) == ("13800000001", "")


def test_whoever_saves_second_sees_both_values_and_may_save_again(hr: Client) -> None:
    one = employ(1)[0]
    url = reverse("company_employee_edit", args=[one.pk])
    mine, theirs = form_of(hr, one.pk), form_of(hr, one.pk)
    assert hr.post(url, {**theirs, "grade": "P6", "mobile": "13900000009"}).status_code == 302
    clash = hr.post(url, {**mine, "grade": "P7"})
    assert clash.status_code == 409
    page = body(clash)
    assert "P6" in page
    assert "P7" in page
    assert Employee.objects.get().grade == "P6"
    assert not clash.context["form"].errors
    again = {name: clash.context["form"][name].value() or "" for name in clash.context["form"].fields}
    assert hr.post(url, again).status_code == 302
    one = Employee.objects.get()
    assert (one.grade, one.mobile) == ("P7", "13900000009"), "the stars still kept the mobile"
    for seen in ("", "x", "2026-99-99T00:00:00+00:00"):
        assert hr.post(url, {**again, "seen": seen, "grade": "P9"}).status_code == 409


def test_only_hr_and_administrators_edit(signed_in: Door) -> None:
    one = employ(1)[0]
    for role in ("approver", "finance", "editor", "employee"):
        client = signed_in(role)
        assert client.get(reverse("company_employee_edit", args=[one.pk])).status_code == 403
        assert client.post(reverse("company_employee_new"), NEW).status_code == 403
        assert client.get(reverse("company_departments")).status_code == 403


def test_the_page_of_an_employee_lists_changes_by_hand(hr: Client) -> None:
    one = employ(1)[0]
    hr.post(
        reverse("company_employee_edit", args=[one.pk]),
        {**form_of(hr, one.pk), "grade": "P6", "mobile": "13900000009"},
    )
    page = body(hr.get(reverse("company_employee", args=[one.pk])))
    assert "138 **** 0001" in page
    assert "139 **** 0009" in page
    assert "P6" in page
    assert "13900000009" not in page


# --- departments -----------------------------------------------------------------------------------------------------


def at(path: str, **more: str) -> str:
    return f"{reverse('company_department')}?{urlencode({'path': path, **more})}"


def test_departments_are_kept_on_their_pages(hr: Client) -> None:
    employ(2)
    tree = body(hr.get(reverse("company_departments")))
    assert "技术中心" in tree
    assert hr.post(reverse("company_department_add"), {"name": "市场"}).status_code == 302
    assert hr.post(reverse("company_department_add"), {"name": "市场"}).status_code == 409
    assert hr.post(reverse("company_department_add"), {"name": "a/b"}).status_code == 422
    moved = hr.post(at("技术中心/后端组"), {"action": "move", "parent": "市场"})
    assert moved.headers["Location"] == at("市场/后端组")
    renamed = hr.post(at("市场/后端组"), {"action": "rename", "name": "北方"})
    assert renamed.headers["Location"] == at("市场/北方")
    assert hr.post(at("市场"), {"action": "move", "parent": "市场/北方"}).status_code == 409
    assert hr.post(at("市场"), {"action": "delete"}).status_code == 409
    hr.post(at("市场/北方"), {"action": "merge", "into": "市场"})
    assert set(Employee.objects.values_list("department__path", flat=True)) == {"市场"}
    assert Department.objects.filter(path="技术中心").exists()
    hr.post(at("技术中心"), {"action": "delete"})
    assert list(Department.objects.values_list("path", flat=True)) == ["市场"]


def test_a_department_that_is_gone_is_said_to_be_gone(hr: Client) -> None:
    assert hr.get(at("没有")).status_code == 404
    assert hr.get(reverse("company_department")).status_code == 404
    assert hr.post(at("没有"), {"action": "delete"}).headers["Location"] == reverse("company_departments")
    assert hr.post(at("没有"), {"action": "erase"}).status_code == 404


def test_dragging_only_fills_in_the_form(hr: Client) -> None:
    employ(1)
    employ(1, department="市场", first=2)
    page = body(hr.get(at("市场", to="技术中心")))
    assert "<option selected>技术中心</option>" in page
    assert Department.objects.filter(path="市场").exists()
