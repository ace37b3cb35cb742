"""The platform's finance pages: preview a month, issue it, look at any company's invoice."""

import hashlib
from collections.abc import Callable

import pytest
from django.conf import settings
from django.test import Client
from time_machine import travel

from reports.invoices import operations
from reports.invoices.models import Invoice
from reports.periods import Month
from tenants.identity.models import AuditEvent
from tenants.identity.roles import Role
from tenants.models import Company
from tests import people
from tests.db.reports.bookkeeping import Books, china

JANUARY = Month(2026, 1)
NOW = china("2026-02-02 09:00")


@pytest.fixture(autouse=True)
def setting() -> object:
    with travel(NOW, tick=False):
        yield


@pytest.fixture
def finance(books: Books) -> Client:
    return people.in_schema("public", [Role.PLATFORM_FINANCE])


def test_a_month_is_previewed_issued_and_not_issued_again(
    finance: Client, books: Books, globex: Company, make_books: Callable[[Company], Books]
) -> None:
    other = make_books(globex)
    books.deliver("cmcc-50", at=china("2026-01-10 10:00"))
    other.deliver("ecard-100", at=china("2026-01-11 10:00"))
    page = finance.get("/invoices/run/").content.decode()  # the month that ended
    assert "50.00" in page
    assert "100.00" in page
    assert not Invoice.objects.exists()
    answer = finance.post("/invoices/run/", {"month": "2026-01", "company": ["acme"]}, follow=True)
    assert "已开具 1 份单据" in answer.content.decode()
    assert [(i.number, i.company, i.total_fen) for i in Invoice.objects.all()] == [
        ("ZD2026-000001", "acme", 5000)
    ]
    assert AuditEvent.objects.filter(action="invoice.issued").get().actor.startswith("platform_finance")
    answer = finance.post("/invoices/run/", {"month": "2026-01", "company": ["acme"]}, follow=True)
    assert "没有需要开具的账单" in answer.content.decode()
    assert Invoice.objects.count() == 1
    assert "ZD2026-000001" in finance.get("/invoices/run/?month=2026-01").content.decode()


def test_any_companys_invoice_is_shown_and_served(finance: Client, books: Books) -> None:
    books.deliver("cmcc-50", at=china("2026-01-10 10:00"))
    (invoice,) = operations.close_month(company=books.company, month=JANUARY, actor=None, at=NOW)
    assert "ZD2026-000001" in finance.get("/invoices/?company=acme&month=2026-01").content.decode()
    assert "ZD2026-000001" not in finance.get("/invoices/?company=globex").content.decode()
    assert "与账本一致" in finance.get("/invoices/ZD2026-000001/").content.decode()
    answer = finance.get("/invoices/ZD2026-000001.pdf")
    assert hashlib.sha256(answer.content).hexdigest() == invoice.pdf_sha256
    assert finance.get("/invoices/ZD2026-000001.xlsx").content.startswith(b"PK")
    assert finance.get("/invoices/ZD2026-000009/").status_code == 404


def test_what_cannot_be_billed_is_said_before_and_after(finance: Client, books: Books) -> None:
    books.deliver("cmcc-50", at=china("2026-01-10 10:00"))
    Company.objects.filter(pk=books.company.pk).update(credit_code="")
    assert "还没有统一社会信用代码" in finance.get("/invoices/run/?month=2026-01").content.decode()
    answer = finance.post("/invoices/run/", {"month": "2026-01", "company": ["acme"]}, follow=True)
    assert "还没有统一社会信用代码" in answer.content.decode()
    assert not Invoice.objects.exists()


@pytest.mark.parametrize(
    "path", ["/invoices/", "/invoices/run/", "/invoices/ZD2026-000001/", "/invoices/ZD2026-000001.pdf"]
)
def test_operators_do_not_see_invoices(books: Books, path: str) -> None:
    assert people.in_schema("public", [Role.OPERATOR]).get(path).status_code == 403
    assert Client(headers={"host": settings.PLATFORM_DOMAIN}).get(path).status_code == 302


@pytest.mark.parametrize("month", ["2026-13", "x", "2026-03", ""])
def test_a_wrong_month_is_an_answer(finance: Client, books: Books, month: str) -> None:
    status = 200 if not month else 422
    assert finance.get("/invoices/run/", {"month": month}).status_code == status
    if month:
        assert finance.post("/invoices/run/", {"month": month, "company": "acme"}).status_code == 422
    if month in ("2026-13", "x"):
        assert finance.get("/invoices/", {"month": month}).status_code == 422
