"""The finance pages: what they show, to whom, and the files that they hand out."""

import hashlib
from collections.abc import Callable
from io import BytesIO
from urllib.parse import quote

import openpyxl
import pytest
from django.contrib.auth.models import Group
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.test import Client
from django_tenants.utils import tenant_context
from time_machine import travel

from reports.invoices import operations
from reports.invoices.models import Invoice
from reports.periods import Month
from reports.registry import REPORTS
from tenants.identity.models import AuditEvent, User
from tenants.models import Company
from tests.db.reports.bookkeeping import Books, china

JANUARY = Month(2026, 1)
NOW = china("2026-02-02 09:00")
PAGES = ["/company/invoices/", "/company/statements/", "/company/reports/", "/company/reports/deliveries/"]


@pytest.fixture(autouse=True)
def setting() -> object:
    with travel(NOW, tick=False):
        yield


def user(company: Company | None, *roles: str) -> User:
    made = User.objects.create_user("-".join(roles) or "nobody", password=None, name="财务 李")
    made.groups.set([Group.objects.get_or_create(name=role)[0] for role in roles])
    return made


def client_of(company: Company, *roles: str) -> Client:
    with tenant_context(company):
        client = Client(headers={"host": f"{company.schema_name}.localhost"})
        client.force_login(user(company, *roles))
    return client


@pytest.fixture
def finance(books: Books) -> Client:
    return client_of(books.company, "finance")


@pytest.fixture
def invoice(books: Books) -> Invoice:
    books.deliver("cmcc-50", "video-month", at=china("2026-01-10 10:00"))
    (made,) = operations.issue(company=books.company, month=JANUARY, actor=None, at=NOW)
    return made


@pytest.fixture
def filed(invoice: Invoice, books: Books) -> Invoice:
    """The same with its files, whose making takes a second."""
    return operations.file_documents(invoice=invoice, company=books.company, at=NOW)


def test_pages_show_figures_that_equal_the_ledger(finance: Client, invoice: Invoice, books: Books) -> None:
    books.deliver("ecard-100", at=china("2026-02-01 10:00"))
    page = finance.get("/company/invoices/").content.decode()
    assert "ZD2026-000001" in page
    assert "83.33" in page
    assert "100.00" in page  # delivered, not yet invoiced
    page = finance.get("/company/invoices/ZD2026-000001/").content.decode()
    assert "与账本一致" in page
    assert "捌拾叁元叁角叁分" in page
    assert "技术中心/后端组" in page
    page = finance.get("/company/statements/?month=2026-01").content.decode()
    for words in ("平台资金", "员工钱包", "2,000.00", "与账本一致"):
        assert words in page


def test_the_pdf_is_served_byte_for_byte(finance: Client, filed: Invoice, books: Books) -> None:
    Company.objects.filter(pk=books.company.pk).update(name='华云 "科技"/\r\nX')
    answer = finance.get("/company/invoices/ZD2026-000001.pdf")
    assert answer.status_code == 200
    assert hashlib.sha256(answer.content).hexdigest() == filed.pdf_sha256
    assert answer["Content-Type"] == "application/pdf"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Disposition"].startswith("attachment; filename")
    assert "\n" not in answer["Content-Disposition"]
    workbook = finance.get("/company/invoices/ZD2026-000001.xlsx")
    assert hashlib.sha256(workbook.content).hexdigest() == filed.workbook_sha256
    assert openpyxl.load_workbook(BytesIO(workbook.content)).sheetnames == ["汇总", "明细"]


def test_names_in_any_script_travel_as_rfc_6266_says(finance: Client, invoice: Invoice) -> None:
    from reports.views import attachment

    answer = attachment(b"", content_type="x/y", name='账单 "1"/2\r\nSet-Cookie: a=b.pdf')
    assert answer["Content-Disposition"] == (
        "attachment; filename*=utf-8''" + quote("账单  1  2  Set-Cookie  a=b.pdf")
    )


def test_another_companys_invoice_is_not_found(invoice: Invoice, globex: Company) -> None:
    stranger = client_of(globex, "finance", "hr")
    for path in ("/", ".pdf", ".xlsx"):
        assert stranger.get(f"/company/invoices/{invoice.number}{path}").status_code == 404
    assert invoice.number not in stranger.get("/company/invoices/").content.decode()
    assert stranger.get("/company/invoices/ZD2026-999999.pdf").status_code == 404


@pytest.mark.parametrize(
    "path", [*PAGES, "/company/invoices/ZD2026-000001/", "/company/reports/deliveries.csv"]
)
def test_only_finance_sees_them(books: Books, invoice: Invoice, path: str) -> None:
    for role, status in (
        ("finance", 200),
        ("hr", 200),
        ("employee", 403),
        ("approver", 403),
        ("editor", 403),
    ):
        assert client_of(books.company, role).get(path).status_code == status, role
    nobody = Client(headers={"host": "acme.localhost"}).get(path)
    assert nobody.status_code == 302


def test_a_changed_file_is_not_served(finance: Client, filed: Invoice, books: Books) -> None:
    with tenant_context(books.company):
        default_storage.delete(filed.pdf_path)
    assert finance.get("/company/invoices/ZD2026-000001.pdf").status_code == 500
    with tenant_context(books.company):
        assert default_storage.save(filed.pdf_path, ContentFile(b"%PDF forged")) == filed.pdf_path
    answer = finance.get("/company/invoices/ZD2026-000001.pdf", headers={"accept": "application/json"})
    assert answer.json()["error"]["code"] == "document_damaged"


def test_an_invoice_whose_file_is_not_made_says_so(finance: Client, books: Books) -> None:
    books.deliver("cmcc-50", at=china("2026-01-10 10:00"))
    operations.issue(company=books.company, month=JANUARY, actor=None, at=NOW)
    assert "文件生成中" in finance.get("/company/invoices/").content.decode()
    assert finance.get("/company/invoices/ZD2026-000001.pdf").status_code == 409
    assert operations.file_pending(at=NOW) == 1
    assert finance.get("/company/invoices/ZD2026-000001.pdf").status_code == 200


@pytest.mark.parametrize("slug", list(REPORTS))
def test_every_report_shows_and_exports(finance: Client, invoice: Invoice, books: Books, slug: str) -> None:
    books.grant(1000, at=china("2026-01-05 10:00"))
    month = "2025-12" if slug == "funds" else "2026-01"
    page = finance.get(f"/company/reports/{slug}/?month={month}")
    assert page.status_code == 200
    assert "本月没有记录" not in page.content.decode()
    book = openpyxl.load_workbook(BytesIO(finance.get(f"/company/reports/{slug}.xlsx?month={month}").content))
    rows = list(book.worksheets[0].iter_rows(values_only=True))
    assert rows[3][:2] == ("生成人", "财务 李")
    assert len(rows) > 7
    text = finance.get(f"/company/reports/{slug}.csv?month={month}").content.decode("utf-8-sig")
    assert text.count("\r\n") == len(rows) - 6  # without the facts above and the sums below
    with tenant_context(books.company):
        assert AuditEvent.objects.filter(action="report.exported", subject=f"report:{slug}").count() == 2


def test_the_statement_workbook_opens(finance: Client, invoice: Invoice) -> None:
    answer = finance.get("/company/statements.xlsx?month=2026-01")
    book = openpyxl.load_workbook(BytesIO(answer.content), data_only=True)
    assert book.sheetnames == ["对账单", "资金流水", "交付明细"]
    rows = {(row[0], row[1]): row[2] for row in book["对账单"].iter_rows(min_row=7, values_only=True)}
    assert rows[("员工钱包", "期初余额")] == 5000
    assert rows[("员工钱包", "员工兑换")] == -83.33
    assert rows[("账单与发票", "其中已开账单")] == 83.33


@pytest.mark.parametrize("month", ["2026-13", "x", "2026-03", "1999-01", "2026-1", "'", "２０２６-01"])
def test_a_wrong_month_is_an_answer_not_a_crash(finance: Client, month: str) -> None:
    for path in ("/company/statements/", "/company/statements.xlsx", "/company/reports/deliveries/"):
        assert finance.get(path, {"month": month}).status_code == 422


def test_pages_ask_the_database_little(
    finance: Client, books: Books, django_assert_max_num_queries: Callable
) -> None:
    for day in range(1, 20):
        books.deliver("cmcc-50", at=china(f"2026-01-{day:02d} 10:00"))
        operations.issue(
            company=books.company, month=JANUARY, actor=None, at=china(f"2026-01-{day:02d} 12:00")
        )
    with django_assert_max_num_queries(24):
        finance.get("/company/invoices/")


def test_pages_are_in_english_too(finance: Client, invoice: Invoice) -> None:
    finance.cookies["language"] = "en"
    page = finance.get("/company/invoices/ZD2026-000001/").content.decode()
    assert "Equal to the ledger" in page
    assert "基础电信服务" in page  # the document is Chinese in any language
