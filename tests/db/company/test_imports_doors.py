"""Who may import, how often, and what a door says to uploads of another shape."""

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from benefits.people.models import Employee
from benefits.roster import operations
from benefits.roster.models import RosterImport
from benefits.roster.plan import Mode
from tenants.db import connection
from tenants.models import Company
from tests.db.company.conftest import Door
from tests.db.company.test_imports import upload

NEW = "company_import_new"
ONE = [
    "company_import",
    "company_import_columns",
    "company_import_confirm",
    "company_import_undo",
    "company_import_progress",
    "company_import_problems",
]
ACTS = [
    "company_import_cells",
    "company_import_hidden",
    "company_import_recheck",
    "company_import_confirm",
    "company_import_cancel",
    "company_import_undo",
    "company_import_columns",
]


def a_file(name: str = "a.csv") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, "工号,姓名\nB1,王伟\n".encode())


def test_r85_confirmed_twenty_times_at_once_is_applied_once(
    race_company: Company, signed_in_to_race: Client, at_once: Callable[..., list[object]]
) -> None:
    found = upload(signed_in_to_race, "工号,姓名\nB1,王伟\nB2,李娜\n")
    found.refresh_from_db()
    address = reverse("company_import_confirm", args=[found.pk])
    cookies = signed_in_to_race.cookies

    def press() -> int:
        client = Client(HTTP_HOST="acme.localhost", headers={"accept-language": "en"})
        client.cookies = cookies
        return client.post(address, {"plan": found.plan_digest}).status_code

    answers = at_once(*[press] * 20)
    assert sorted(answers, key=str) == [302, *[409] * 19]
    operations.apply(roster_import=found, at=timezone.now())
    operations.apply(roster_import=found, at=timezone.now())
    assert Employee.objects.count() == 2


@pytest.mark.parametrize("name", ONE)
def test_r90_an_import_of_another_company_is_not_there(
    name: str, hr: Client, acme: Company, globex: Company
) -> None:
    connection.set_tenant(globex)
    theirs = operations.receive(
        file=a_file(), file_name="a.csv", mode=Mode.MERGE, actor=None, at=timezone.now()
    )
    connection.set_tenant(acme)
    assert not RosterImport.objects.exists()
    assert hr.get(reverse(name, args=[theirs.pk])).status_code == 404


@pytest.mark.parametrize("name", ACTS)
def test_r90_nor_can_anything_be_done_with_it(name: str, hr: Client) -> None:
    assert hr.post(reverse(name, args=[424242])).status_code == 404


def test_r91_an_employee_does_not_upload(signed_in: Door) -> None:
    employee = signed_in("employee")
    assert employee.post(reverse(NEW), {"file": a_file(), "mode": "merge"}).status_code == 403
    assert employee.get(reverse("company_import_template")).status_code == 403
    assert employee.post(reverse("company_import_cells", args=[1])).status_code == 403
    assert signed_in().post(reverse(NEW), {"file": a_file(), "mode": "merge"}).status_code == 302  # sign in
    assert not RosterImport.objects.exists()


def test_r92_a_hundred_uploads_a_minute_are_too_many(hr: Client, acme: Company, globex: Company) -> None:
    answers = [hr.post(reverse(NEW), {"file": a_file(), "mode": "merge"}) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [302] * 10 + [429] * 2
    assert b"Wait a minute" in answers[-1].content
    assert RosterImport.objects.count() == 10
    connection.set_tenant(globex)
    assert operations.receive(
        file=a_file(), file_name="a.csv", mode=Mode.MERGE, actor=None, at=timezone.now()
    ).pk
    connection.set_tenant(acme)


def test_r94_an_upload_of_another_shape_is_unreadable(hr: Client) -> None:
    two = {"file": [a_file(), a_file("b.csv")], "mode": "merge"}
    assert hr.post(reverse(NEW), two).status_code == 400
    no_name = (
        b'--x\r\nContent-Disposition: form-data; name="mode"\r\n\r\nmerge\r\n'
        b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\nB1\r\n--x--\r\n'
    )
    for kind in ("multipart/form-data; boundary=x", "multipart/form-data; boundary=y"):
        answer = hr.generic("POST", reverse(NEW), no_name, content_type=kind)
        assert answer.status_code in (400, 422)
    assert hr.generic("POST", reverse(NEW), b"{}", content_type="application/json").status_code == 400
    assert hr.generic("POST", reverse(NEW), b"a=1", content_type="text/csv").status_code == 400
    many = "&".join(f"cell-{n}-name=x" for n in range(10_000))
    form = "application/x-www-form-urlencoded"
    found = upload(hr, "工号,姓名\nB1,王伟\n")
    for name in ("company_import_cells", "company_import_confirm", "company_import_columns"):
        address = reverse(name, args=[found.pk])
        assert hr.generic("POST", address, many.encode(), content_type=form).status_code == 400
    assert RosterImport.objects.count() == 1


def test_an_upload_by_htmx_is_told_where_to_go(hr: Client) -> None:
    answer = hr.post(reverse(NEW), {"file": a_file(), "mode": "merge"}, headers={"HX-Request": "true"})
    found = RosterImport.objects.get()
    assert (answer.status_code, answer["HX-Redirect"]) == (204, reverse("company_import", args=[found.pk]))


def test_what_is_done_with_get_changes_nothing(hr: Client) -> None:
    found = upload(hr, "工号,姓名\nB1,王伟\n")
    for name in (
        "company_import_cells",
        "company_import_hidden",
        "company_import_recheck",
        "company_import_cancel",
    ):
        assert hr.get(reverse(name, args=[found.pk])).status_code == 405


@pytest.fixture
def signed_in_to_race(race_company: Company) -> Client:
    """HR of a company whose changes are committed."""
    from django.contrib.auth.models import Group

    from tenants.identity.models import User

    client = Client(HTTP_HOST="acme.localhost", headers={"accept-language": "en"})
    user = User.objects.create_user("race-hr", password="x", name="Hana")
    user.groups.set(Group.objects.filter(name="hr"))
    client.force_login(user)
    return client
