"""Ids, files and words of another company in what is sent, logged and exported: nothing is found and nothing told."""

import io
import logging
import zipfile
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django_tenants.utils import schema_context

from benefits.orders.models import Order
from benefits.points.models import Budget, Grant
from reports.registry import REPORTS
from tenants.identity.roles import COMPANY_ROLES, Role
from tenants.logs import Line
from tests import factories
from tests.addresses import addresses
from tests.db.identity.test_matrix import _digests
from tests.people import client_of, somebody

CANARY = "CANARY"
PRICE = 4_950


def _people_and_money(word: str, number: int) -> dict[str, Any]:
    """Budgets, departments, people and orders of the current company; the values by which the last are named."""
    for place in range(number):
        budget = factories.a_budget(100_000, name=f"{word}-budget-{place}")
        employee = factories.an_employee(
            f"{word}-name", number=f"{word}-{place}", department=f"{word}-department-{place}"
        )
        grant = factories.grant(budget, {employee: 20_000})
        order = factories.redeem(employee)
        user = somebody(Role.EMPLOYEE, name=f"{word}-user-{place}")
        employee.user = user
        employee.save()
    factories.deliver(order)
    factories.settle()
    return {
        "budget": budget.pk,
        "employee": employee.pk,
        "user": user.pk,
        "grant": grant.pk,
        "order": order.number,
        "item": order.items.get().pk,
        "department": f"{word}-department-{place}",
        "number": f"{word}-{place}",
        "request_key": str(order.request_key),
    }


def _count_on_from_acme() -> None:
    """Let Globex's next ids be above Acme's, whatever tests have used up before."""
    with connection.cursor() as cursor:
        for table in ("points_budget", "people_employee", "identity_user", "points_grant"):
            cursor.execute(
                f"SELECT setval('globex.{table}_id_seq', greatest(a.last_value, g.last_value))"
                f" FROM acme.{table}_id_seq a, globex.{table}_id_seq g"
            )


@pytest.fixture
def theirs(db: None) -> Iterator[dict[str, Any]]:
    """What Globex has; Acme has the lower ids and none of these."""
    connection.set_schema_to_public()
    factories.a_catalogue()
    with schema_context("acme"):
        ours = _people_and_money("OURS", 1)
    _count_on_from_acme()
    with schema_context("globex"):
        found = _people_and_money(CANARY, 3)
    assert all(ours[name] < found[name] for name in ("budget", "employee", "user", "grant"))
    yield found
    connection.set_schema_to_public()


@pytest.fixture
def everyone(theirs: dict[str, Any]) -> Client:
    """Somebody of Acme with every role of a company, who is an employee too."""
    with schema_context("acme"):
        user = somebody(*COMPANY_ROLES, name="everyone")
        employee = factories.an_employee("Every", with_fen=50_000)
        employee.user = user
        employee.save()
        client = client_of(user, host="acme.localhost", raise_request_exception=False)
    client.cookies["language"] = "en"
    return client


def test_t09_foreign_ids_in_the_body_of_any_post_find_nothing(
    everyone: Client, theirs: dict[str, Any]
) -> None:
    """Every address that takes a POST gets every id of the other company, under every name that a form uses."""
    body = {
        "budget": theirs["budget"], "employee": theirs["employee"], "user": theirs["user"], "person": theirs["user"],
        "grant": theirs["grant"], "order": theirs["order"], "item": theirs["item"], "department": theirs["department"],
        "departments": [theirs["department"]], "no": [theirs["number"]], "number": theirs["number"],
        "listing": f"{theirs['number']},5", "whom": "list", "points": "5", "reason": "x", "import": 1,
        "account": "13800138000", "choice": f"topup-mobile-50:{PRICE}", "request_key": theirs["request_key"],
        "id": theirs["employee"], "pk": theirs["employee"], "plan_digest": "0" * 64, "schema": "globex",
        "company": "globex", "wallet": theirs["employee"], "employee_id": theirs["employee"],
        "load-amount": "1", "return-amount": "1", "amount": "1",
    }  # fmt: skip
    before = _digests("globex")
    wrong, posted = [], 0
    for one in addresses("config.urls"):
        if one.is_library or one.name in ("account_change_password", "account_login"):
            continue
        answer = everyone.post(one.path, body)
        posted += answer.status_code != 405
        shown = answer.content.decode(errors="replace") if not answer.streaming else ""
        for value in (theirs["department"], theirs["number"]):  # what the page repeats of the form is no leak
            shown = shown.replace(value, "")
        if answer.status_code >= 500 or CANARY in shown:
            wrong.append(f"{one} → {answer.status_code}")
    assert wrong == []
    assert posted > 20
    assert _digests("globex") == before


def test_t09_a_grant_takes_neither_budget_nor_people_of_another_company(
    everyone: Client, theirs: dict[str, Any]
) -> None:
    with schema_context("acme"):
        ours = Budget.objects.get(name="OURS-budget-0")
    good = {
        "budget": ours.pk, "whom": "list", "listing": "OURS-0", "points": "5", "reason": "x",
        "request_key": str(uuid4()),
    }  # fmt: skip
    assert everyone.post("/company/grants/new/", good).status_code == 200
    for change in (
        {"budget": theirs["budget"]},
        {"listing": theirs["number"]},
        {"listing": f"OURS-0\n{theirs['number']}"},
        {"whom": "departments", "departments": [theirs["department"]]},
    ):
        for confirm in ({}, {"confirm": "1:500"}, {"confirm": "2:1000"}):
            answer = everyone.post("/company/grants/new/", good | change | confirm)
            assert answer.status_code == 422, change
    with schema_context("acme"):
        assert Grant.objects.count() == 2  # those of the stage
    with schema_context("globex"):
        assert Grant.objects.count() == 3


def test_t09_another_companys_request_key_is_a_new_order(everyone: Client, theirs: dict[str, Any]) -> None:
    answer = everyone.post(
        "/benefits/mobile-top-up/confirm/",
        {
            "account": "13800138000",
            "choice": f"topup-mobile-50:{PRICE}",
            "request_key": theirs["request_key"],
            "wallet": "1",
            "employee_id": theirs["employee"],
        },
    )
    assert answer.status_code == 302
    assert theirs["order"] not in answer.headers["Location"]
    with schema_context("acme"):
        assert Order.objects.filter(employee__name="Every").count() == 1
    with schema_context("globex"):
        assert Order.objects.filter(request_key=theirs["request_key"]).count() == 1


def test_t18_what_one_company_does_logs_no_word_of_another(everyone: Client, theirs: dict[str, Any]) -> None:
    """Walk all of Acme's pages and make it fail in every way; the lines name Acme and nothing of Globex."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(Line())
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        for one in addresses("config.urls"):
            if not one.is_library:
                everyone.get(one.path)
        everyone.get(f"/orders/{theirs['order']}/")
        everyone.get(f"/company/employees/{theirs['employee']}/")
        with schema_context("acme"):
            logging.getLogger("mall").warning("number 13800138000\nforged line")
    finally:
        root.removeHandler(handler)
        root.setLevel(before)
    lines = stream.getvalue().splitlines()
    assert len(lines) > 10
    assert [line for line in lines if CANARY in line or "globex" in line.casefold()] == []
    assert any(" acme django.request " in line for line in lines)
    assert lines[-1].endswith("number 138****8000\\nforged line")


def test_t24_an_export_of_everything_holds_ones_own_alone(everyone: Client, theirs: dict[str, Any]) -> None:
    month = factories.AT.strftime("%Y-%m")
    files = {f"/company/reports/{report.slug}.xlsx?month={month}" for report in REPORTS.values()}
    files.add(f"/company/statements.xlsx?month={month}")
    words = ""
    for path in sorted(files):
        answer = everyone.get(path)
        assert answer.status_code == 200, path
        assert answer.headers["Content-Disposition"].startswith("attachment")
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; sandbox"
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            raw = b"".join(book.read(name) for name in book.namelist())
        assert CANARY.encode() not in raw, path
        assert b"lobex" not in raw, path
        for sheet in openpyxl.load_workbook(io.BytesIO(content), read_only=True):
            words += " ".join(str(cell) for row in sheet.iter_rows(values_only=True) for cell in row)
    assert "OURS-0" in words, "the exports are not empty"
