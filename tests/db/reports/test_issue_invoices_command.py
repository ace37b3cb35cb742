"""`issue_invoices` as scripts see it: one JSON object, its exit code, no traceback."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from time_machine import travel

from tenants.models import Company
from tests.db.reports.bookkeeping import Books, china


@pytest.fixture(autouse=True)
def setting() -> object:
    with travel(china("2026-02-02 09:00"), tick=False):
        yield


def run(*arguments: str) -> tuple[int, dict[str, Any]]:
    out, code = StringIO(), 0
    try:
        call_command("issue_invoices", *arguments, "--json", stdout=out)
    except SystemExit as ended:
        code = int(ended.code or 0)
    return code, json.loads(out.getvalue())


def test_a_month_is_closed_once(books: Books) -> None:
    books.deliver("cmcc-50", at=china("2026-01-10 10:00"))
    code, first = run("--month", "2026-01")
    (invoice,) = first["invoices"]
    assert code == 0
    assert (invoice["number"], invoice["company"], invoice["total_fen"]) == ("ZD2026-000001", "acme", 5000)
    assert Path(invoice["pdf"]).read_bytes().startswith(b"%PDF")
    assert run("--month", "2026-01", "--company", "acme") == (0, first)
    assert run("--month", "2026-01", "--company", "globex")[1]["invoices"] == []


def test_what_cannot_be_billed_is_told_and_the_rest_is_billed(books: Books) -> None:
    books.deliver("cmcc-50", at=china("2026-01-10 10:00"))
    Company.objects.filter(pk=books.company.pk).update(credit_code="")
    code, told = run("--month", "2026-01")
    assert code == 1
    assert [(error["company"], error["code"]) for error in told["errors"]] == [("acme", "buyer_unknown")]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--month", "2026-13"), "invalid_month"),
        (("--month", "2026-03"), "invalid_month"),
        (("--month", "2026-01", "--company", "nobody"), "company_not_found"),
    ],
)
def test_bad_input_is_an_answer(db: None, arguments: tuple[str, ...], error: str) -> None:
    code, told = run(*arguments)
    assert (code, told["error"]["code"]) == (2, error)
