"""Roster imports by way of the console, misused: every refusal is a page in the reader's language, never a 500."""

from collections.abc import Mapping
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from benefits.roster import operations
from benefits.roster.models import RosterImport
from benefits.roster.plan import Mode
from tenants.db import connection
from tenants.models import Company
from tests.db.company.conftest import Door

Status = RosterImport.Status
WRONG = "工号,姓名,手机号,部门\nB1,王伟,1380013800,研发部\nB2,李娜,1380013800,市场部\nB3,赵敏,13800138003,市场部\n"
PAGES = ("company_import", "company_import_columns", "company_import_confirm", "company_import_undo")
ACTIONS = (
    "company_import_cells",
    "company_import_hidden",
    "company_import_recheck",
    "company_import_cancel",
    "company_import_columns",
    "company_import_confirm",
    "company_import_undo",
)


def checked(lines: str = WRONG, mode: Mode = Mode.MERGE) -> RosterImport:
    """A CSV that a worker has checked."""
    found = operations.receive(
        file=SimpleUploadedFile("a.csv", lines.encode()),
        file_name="a.csv",
        mode=mode,
        actor=None,
        at=timezone.now(),
    )
    operations.check(roster_import=found, at=timezone.now())
    found.refresh_from_db()
    assert found.status == Status.PLANNED, found.reject
    return found


def answer(
    client: Client,
    name: str,
    found: RosterImport,
    data: Mapping[str, Any] | None = None,
    *,
    htmx: bool = False,
) -> Any:
    headers = {"HX-Request": "true"} if htmx else {}
    return client.post(reverse(name, args=[found.pk]), data or {}, headers=headers)


def upload(client: Client, name: str = "a.csv", data: bytes = b"x") -> Any:
    file = SimpleUploadedFile(name, data)
    return client.post(reverse("company_import_new"), {"mode": "merge", "file": file})


# --- who may, and in which company ------------------------------------------------------------------------------------


def test_the_import_of_another_company_is_not_there(acme: Company, globex: Company, signed_in: Door) -> None:
    connection.set_tenant(globex)
    theirs = checked()
    digest = theirs.plan_digest
    connection.set_tenant(acme)
    hr = signed_in("hr")
    for name in (*PAGES, "company_import_progress", "company_import_problems"):
        assert hr.get(reverse(name, args=[theirs.pk])).status_code == 404, name
    for name in ACTIONS:
        assert answer(hr, name, theirs, {"plan": digest, "cell-2-mobile": "1"}).status_code == 404, name
    assert hr.get(reverse("company_import_row", args=[theirs.pk, 2])).status_code == 404
    connection.set_tenant(globex)
    theirs.refresh_from_db()
    assert (theirs.status, theirs.plan_digest) == (Status.PLANNED, digest)


@pytest.mark.parametrize("role", ["employee", "approver", "editor", "finance"])
def test_others_than_hr_may_not(role: str, signed_in: Door) -> None:
    found, other = checked(), signed_in(role)
    assert upload(other).status_code == 403
    assert other.get(reverse("company_imports")).status_code == 403
    for name in PAGES:
        assert other.get(reverse(name, args=[found.pk])).status_code == 403, name
    for name in ACTIONS:
        assert answer(other, name, found).status_code == 403, name
    assert RosterImport.objects.count() == 1


def test_a_flood_of_uploads_is_slowed_for_this_company_alone(
    acme: Company, globex: Company, signed_in: Door, settings: Any
) -> None:
    settings.ROSTER_UPLOADS_A_MINUTE = 3
    hr = signed_in("hr")
    said = [upload(hr, data=WRONG.encode()) for _ in range(5)]
    assert [one.status_code for one in said] == [302] * 3 + [429] * 2
    assert int(said[-1]["Retry-After"]) > 0
    assert "Wait a minute" in said[-1].content.decode()
    hr.cookies["language"] = "zh-hans"
    assert "Wait a minute" not in upload(hr, data=WRONG.encode()).content.decode()
    assert RosterImport.objects.count() == 3
    connection.set_tenant(globex)
    theirs = signed_in("hr", host="globex.localhost")
    assert upload(theirs, data=WRONG.encode()).status_code == 302


# --- forms of another shape ------------------------------------------------------------------------------------------


def test_an_upload_of_another_shape_is_refused(hr: Client) -> None:
    address = reverse("company_import_new")
    two = [SimpleUploadedFile("a.csv", b"x"), SimpleUploadedFile("b.csv", b"y")]
    assert hr.post(address, {"mode": "merge", "file": two}).status_code == 400
    assert hr.post(address, {"mode": "merge", "file": "a.csv"}).status_code == 400
    assert (
        hr.post(address, b"mode=merge", content_type="application/x-www-form-urlencoded").status_code == 400
    )
    assert hr.post(address, b"{}", content_type="application/json").status_code == 400
    assert hr.post(address, b"--x", content_type="multipart/form-data").status_code == 400
    nameless = b'--x\r\nContent-Disposition: form-data; name="file"; filename=""\r\n\r\na\r\n--x--\r\n'
    assert hr.post(address, nameless, content_type="multipart/form-data; boundary=x").status_code in (
        400,
        422,
    )
    many = {f"f{n}": "1" for n in range(10_000)}
    file = SimpleUploadedFile("a.csv", b"x")
    assert hr.post(address, {**many, "mode": "merge", "file": file}).status_code == 400
    assert not RosterImport.objects.exists()


NAMES = ["../../etc/passwd", '=cmd|"/c calc"!A1.csv', "<script>alert(1)</script>.csv", "名" * 300 + ".csv"]


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_a_file_is_only_shown(name: str, hr: Client) -> None:
    assert upload(hr, name, WRONG.encode()).status_code == 302
    found = RosterImport.objects.get()
    assert len(found.file_name) <= 200
    assert "/" not in found.file_name
    assert name not in found.file.name
    operations.check(roster_import=found, at=timezone.now())
    for address in (reverse("company_imports"), reverse("company_import", args=[found.pk])):
        shown = hr.get(address)
        assert shown.status_code == 200
        assert "<script>alert" not in shown.content.decode()


ODD = [
    {"skip": "9" * 5_000},
    {"unskip": "9" * 5_000},
    {"skip": "99999999999999999999"},
    {"skip": "²"},
    {"row": "²", "skip": "2"},
    {"row": "9" * 5_000, "skip": "2"},
    {"group": "²", "group-²": "13800138001"},
    {"group": "9" * 5_000},
    {"same": "99-mobile"},
    {"same": "2-nothing"},
    {"cell-99-mobile": "13800138001"},
    {"cell-2-nothing": "13800138001"},
    {"cell-2-mobile": "1" * 501},
    {"cell-2-mobile": "\x00\ud7ff￾"},
    {"cell-2-id_number": "x", "cell-2-points": "9" * 400},
    {"back": "\x00%00&show=all"},
    {},
]


@pytest.mark.parametrize("data", ODD, ids=[str(place) for place in range(len(ODD))])
@pytest.mark.parametrize("htmx", [False, True], ids=["page", "htmx"])
def test_odd_corrections_are_refused_or_kept(data: dict[str, str], htmx: bool, hr: Client) -> None:
    found = checked()
    said = answer(hr, "company_import_cells", found, data, htmx=htmx)
    assert said.status_code in (200, 302, 400, 409, 422), said.status_code
    assert hr.get(reverse("company_import", args=[found.pk])).status_code == 200
    if said.status_code == 302:
        assert hr.get(said["Location"]).status_code in (200, 302)


QUERIES = [
    "?kind=%00:%00",
    "?kind=mobile:%00",
    "?kind=:x",
    "?kind=mobile:invalid_mobile&q=%00",
    "?show=%00&page=-1",
    "?show=all&page=99999999999999999999",
    "?show=leave&kind=:x",
    "?q=%25_%5C&show=all",
    "?q=" + "9" * 5_000,
    "?page=%C2%B2",
]


@pytest.mark.parametrize("query", QUERIES)
def test_odd_filters_find_little(query: str, hr: Client) -> None:
    found = checked()
    assert hr.get(reverse("company_import", args=[found.pk]) + query).status_code == 200


COLUMNS = [
    {"pick": "99:1"},
    {"pick": "0:99"},
    {"pick": "²:²"},
    {"column-A": "name", "column-B": "name"},
    {"column-A": "nothing"},
    {"column-A": "", "column-B": "", "column-C": "", "column-D": ""},
    {"column-ZZ": "name"},
]


@pytest.mark.parametrize("data", COLUMNS, ids=[str(place) for place in range(len(COLUMNS))])
def test_odd_choices_of_columns_are_refused_in_place(data: dict[str, str], hr: Client) -> None:
    found = checked()
    said = answer(hr, "company_import_columns", found, data)
    assert said.status_code == 422
    assert "Read it this way" in said.content.decode()
    found.refresh_from_db()
    assert found.status == Status.PLANNED


def test_rows_and_imports_that_are_not_there(hr: Client) -> None:
    found = checked()
    for number in (0, 1, 99, 10**30):
        address = reverse("company_import_row", args=[found.pk, number])
        assert hr.get(address).status_code in (302, 404), number
    assert hr.get(reverse("company_import", args=[10**30])).status_code == 404


def test_what_comes_too_late_is_a_conflict(hr: Client) -> None:
    found = checked()
    operations.cancel(roster_import=found, actor=None, at=timezone.now())
    for name in ("company_import_hidden", "company_import_cancel", "company_import_undo"):
        said = answer(hr, name, found)
        assert said.status_code == 409, name
        assert "<html" in said.content.decode(), name
    for name in ("company_import_columns", "company_import_recheck"):
        assert answer(hr, name, found).status_code in (302, 409), name
    assert answer(hr, "company_import_confirm", found, {"plan": "0" * 64}).status_code == 409
    assert answer(hr, "company_import_cells", found, {"skip": "2"}, htmx=True).status_code == 409


# --- corrections ------------------------------------------------------------------------------------------------------


def test_cells_that_nobody_touched_are_not_corrections(hr: Client) -> None:
    """A browser sends every input of the form, without the line breaks and the white space that a file may hold."""
    found = checked('工号,姓名,手机号\nB1,王伟," 1380013800 "\nB2,李娜,"13800\n1380"\nB3,赵敏,1380013801\n')
    shown = hr.get(reverse("company_import", args=[found.pk]) + "?show=problem").content.decode()
    inputs = {
        part.split('"')[0]: part.split(' value="')[1].split('"')[0]
        for part in shown.split('name="')[1:]
        if part.startswith("cell-")
    }
    assert len(inputs) == 3
    as_browsers_send = {name: value.replace("\n", "").replace("\r", "") for name, value in inputs.items()}
    answer(hr, "company_import_cells", found, as_browsers_send)
    found.refresh_from_db()
    assert found.choices.repairs == {}
    assert not found.needs_check


def test_a_correction_can_be_taken_back(hr: Client) -> None:
    found = checked()
    answer(hr, "company_import_cells", found, {"cell-2-mobile": "13800138001"}, htmx=True)
    answer(hr, "company_import_cells", found, {"cell-2-mobile": "1380013800"}, htmx=True)
    found.refresh_from_db()
    assert found.choices.repairs in ({}, {(2, "mobile"): "1380013800"})
    page = hr.get(reverse("company_import", args=[found.pk])).content.decode()
    assert "1 digit short" in page


# --- what is shown ----------------------------------------------------------------------------------------------------


def test_other_peoples_numbers_are_masked(hr: Client) -> None:
    found = checked(
        "工号,姓名,手机号,身份证号,生日\n"
        "B1,王伟,13800138001,11010519491231002X,1949-12-31\n"
        "B2,李娜,13800138001,11010519900307002X,1990-03-07\n"
        "B3,赵敏,1380013800,11010519900307002X,1990-03-08\n"
        "B4,孙悦,138-0013-8004,,\n"
    )
    for query in ("?show=all", "?show=join", "?show=problem"):
        shown = hr.get(reverse("company_import", args=[found.pk]) + query).content.decode()
        assert "11010519491231002X" not in shown, query
        assert "1949-12-31" not in shown, query
    joining = hr.get(reverse("company_import", args=[found.pk]) + "?show=join").content.decode()
    assert "13800138001" not in joining
    columns = hr.get(reverse("company_import_columns", args=[found.pk])).content.decode()
    assert "11010519491231002X" not in columns
    assert "13800138001" not in columns
    assert "138-0013-8004" not in columns


def test_a_page_of_many_corrections_is_not_more_fields_than_a_form_may_send(
    hr: Client, settings: Any
) -> None:
    heads = ("工号", "姓名", "手机号", "邮箱", "入职日期", "生日", "积分", "状态", "离职日期", "身份证号")
    lines = "".join(f"E{n},员工{n},1,x,y,z,w,q,r,s\n" for n in range(300))
    found = checked(",".join(heads) + "\n" + lines)
    page = hr.get(reverse("company_import", args=[found.pk]) + "?show=problem").content.decode()
    assert 100 < page.count("data-cell") < settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
