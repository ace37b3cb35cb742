"""Invoices equal the ledger, bill each entry once, are numbered without gaps and never change."""

import hashlib
from collections.abc import Callable
from io import BytesIO
from time import monotonic

import openpyxl
import pypdf
import pytest
from django.conf import settings
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection, transaction
from django.db.models import Sum
from django_tenants.utils import tenant_context

from benefits.catalogue.models import TaxRate
from reports.invoices import billing, errors, operations, pdf, workbook
from reports.invoices.document import Document
from reports.invoices.models import BilledEntry, Invoice, InvoiceLine, NumberSeries
from reports.periods import Month
from tenants.models import Company
from tenants.storage import SealedStorage
from tests.db.reports.bookkeeping import Books, china

JANUARY, FEBRUARY = Month(2026, 1), Month(2026, 2)
ISSUED_AT = china("2026-02-01 03:00")


def issue(books: Books, month: Month = JANUARY, at: str = "2026-02-01 03:00") -> list[Invoice]:
    return operations.issue(company=books.company, month=month, actor=None, at=china(at))


def close(books: Books, month: Month = JANUARY, at: str = "2026-02-01 03:00") -> list[Invoice]:
    return operations.close_month(company=books.company, month=month, actor=None, at=china(at))


def test_what_was_delivered_in_the_month_is_billed_to_the_fen(books: Books) -> None:
    books.deliver("cmcc-50", "cmcc-50", at=china("2026-01-01 00:00"))
    books.deliver("video-month", at=china("2026-01-15 12:00"))
    books.deliver("ecard-100", at=china("2026-01-31 23:59:59.999999"))
    books.deliver("ecard-100", at=china("2026-02-01 00:00"))
    (in_process,) = books.order("cmcc-50", at=china("2026-01-31 20:00"))
    books.settle(in_process, delivered=False, at=china("2026-01-31 21:00"))
    (invoice,) = issue(books)
    assert (invoice.number, invoice.company, invoice.total_fen) == (
        "ZD2026-000001",
        "acme",
        5000 * 2 + 3333 + 10000,
    )
    assert [(x.sku_code, x.quantity, x.gross_fen, x.rate_bp, x.net_fen) for x in invoice.lines.all()] == [
        ("cmcc-50", 2, 10000, 900, 9174),
        ("ecard-100", 1, 10000, 1300, 8850),
        ("video-month", 1, 3333, 600, 3144),
    ]
    assert invoice.entries.aggregate(fen=Sum("fen"))["fen"] == invoice.total_fen
    assert invoice.entry_count == 4
    printed = Document.from_json(invoice.snapshot)
    assert (printed.total_fen, printed.month, printed.buyer.credit_code) == (
        23333,
        "2026-01",
        "91440300708461136T",
    )
    assert printed.seller.name == settings.SELLER["name"]


def test_again_changes_nothing_and_nothing_uses_no_number(books: Books) -> None:
    assert issue(books) == []
    assert not NumberSeries.objects.exists()
    books.deliver("cmcc-50", at=china("2026-01-10 10:00"))
    assert len(issue(books)) == 1
    assert issue(books) == []
    assert issue(books, at="2026-02-03 10:00") == []
    assert Invoice.objects.count() == 1
    assert NumberSeries.objects.get().last_number == 1


def test_what_settles_late_is_billed_by_the_next_run(books: Books) -> None:
    books.deliver("cmcc-50", at=china("2026-01-10 10:00"))
    issue(books)
    books.deliver("cmcc-50", at=china("2026-01-31 23:59"))  # committed after the run
    books.deliver("ecard-100", at=china("2026-02-10 10:00"))
    (second,) = issue(books, FEBRUARY, "2026-03-01 03:00")
    assert second.total_fen == 15000
    assert BilledEntry.objects.count() == 3


def test_a_month_that_runs_on_is_billed_up_to_now(books: Books) -> None:
    books.deliver("cmcc-50", at=china("2026-01-10 10:00"))
    books.deliver("cmcc-50", at=china("2026-01-20 10:00"))
    (first,) = issue(books, at="2026-01-15 10:00")
    (second,) = issue(books, at="2026-02-01 03:00")
    assert (first.total_fen, second.total_fen) == (5000, 5000)
    assert [i.number for i in (first, second)] == ["ZD2026-000001", "ZD2026-000002"]


def test_rates_are_those_of_the_day_of_delivery(books: Books) -> None:
    TaxRate.objects.create(category="telecom", from_date="2026-01-16", rate_bp=1000)
    books.deliver("cmcc-50", at=china("2026-01-15 23:59"))
    books.deliver("cmcc-50", at=china("2026-01-16 00:00"))
    (invoice,) = issue(books)
    assert [(x.rate_bp, x.net_fen) for x in invoice.lines.all()] == [(900, 4587), (1000, 4545)]


def test_a_reversal_in_the_same_run_is_netted(books: Books) -> None:
    kept, taken_back = books.deliver("cmcc-50", "video-month", at=china("2026-01-10 10:00"))
    books.reverse(taken_back, at=china("2026-01-11 10:00"))
    (invoice,) = issue(books)
    assert (invoice.total_fen, invoice.entry_count, invoice.line_count) == (kept.fen, 3, 1)
    assert issue(books) == []


def test_a_reversal_of_what_was_billed_is_a_credit_note(books: Books) -> None:
    (taken_back,) = books.deliver("cmcc-50", at=china("2026-01-31 23:59:59"))
    books.deliver("video-month", at=china("2026-01-20 00:00"))
    (billed,) = issue(books)
    books.reverse(taken_back, at=china("2026-02-01 00:00:01"))
    TaxRate.objects.create(
        category="telecom", from_date="2026-01-02", rate_bp=1000
    )  # changed since; not what was billed
    (credit,) = issue(books, FEBRUARY, "2026-03-01 03:00")
    assert (credit.number, credit.kind, credit.corrects, credit.total_fen) == (
        "HZ2026-000001",
        "credit_note",
        billed,
        -5000,
    )
    assert [(x.quantity, x.rate_bp, x.net_fen) for x in credit.lines.all()] == [(-1, 900, -4587)]
    assert issue(books, FEBRUARY, "2026-03-02 03:00") == []
    assert Document.from_json(credit.snapshot).corrects == billed.number


def test_all_reversed_bills_nothing(books: Books) -> None:
    (posting,) = books.deliver("cmcc-50", at=china("2026-01-10 10:00"))
    books.reverse(posting, at=china("2026-01-10 11:00"))
    assert issue(books) == []


def test_a_buyer_without_a_credit_code_is_not_billed(books: Books) -> None:
    Company.objects.update(credit_code="")
    assert issue(books) == []
    books.deliver("cmcc-50", at=china("2026-01-10 10:00"))
    with pytest.raises(errors.BuyerUnknown):
        issue(books)


def test_a_missing_tax_rate_is_said(books: Books) -> None:
    TaxRate.objects.filter(category="telecom").delete()
    books.deliver("cmcc-50", at=china("2026-01-10 10:00"))
    with pytest.raises(errors.TaxRateMissing):
        issue(books)
    assert not NumberSeries.objects.exists()


def test_a_ledger_that_does_not_fit_its_items_stops_the_run(books: Books) -> None:
    items = books.order("cmcc-50", at=china("2026-01-10 10:00"))
    posting = books.settle(items[0], delivered=True, at=china("2026-01-10 10:00"))
    with connection.cursor() as cursor:  # as if code had delivered value without an item
        cursor.execute(
            "INSERT INTO points_posting (kind, source_id, destination_id, fen, reference, at)"
            " SELECT kind, source_id, destination_id, 1, 'stray', at FROM points_posting WHERE id = %s",
            [posting.pk],
        )
    with pytest.raises(RuntimeError, match="5001 fen in the ledger, 5000 in its items"):
        issue(books)


def test_another_company_is_not_touched(
    books: Books, globex: Company, make_books: Callable[[Company], Books]
) -> None:
    other = make_books(globex)
    books.deliver("cmcc-50", at=china("2026-01-10 10:00"))
    other.deliver("ecard-100", at=china("2026-01-10 10:00"))
    (ours,) = issue(books)
    (theirs,) = issue(other)
    assert (ours.total_fen, theirs.total_fen) == (5000, 10000)
    assert [i.company for i in Invoice.objects.order_by("pk")] == ["acme", "globex"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE invoices_invoice SET total_fen = total_fen + 1, net_fen = net_fen + 1",
        "UPDATE invoices_invoice SET snapshot = '{}'",
        "UPDATE invoices_invoice SET number = 'x'",
        "DELETE FROM invoices_invoice",
        "TRUNCATE invoices_invoice CASCADE",
        "UPDATE invoices_invoiceline SET product = 'x'",
        "DELETE FROM invoices_invoiceline",
        "UPDATE invoices_billedentry SET fen = 1",
        "DELETE FROM invoices_billedentry",
        "UPDATE invoices_numberseries SET last_number = last_number + 2",
        "UPDATE invoices_numberseries SET last_number = last_number - 1",
        "DELETE FROM invoices_numberseries",
        "INSERT INTO invoices_numberseries (code, year, last_number) VALUES ('ZD', 2030, 7)",
        (
            "INSERT INTO invoices_billedentry (invoice_id, company, posting_id, item_id, fen, rate_bp)"
            " SELECT id, company, 999999, 999999, 1, 900 FROM invoices_invoice"
        ),
        (
            "INSERT INTO invoices_invoiceline (invoice_id, position, sku_code, product, tax_category, quantity, unit_fen,"
            " gross_fen, rate_bp, net_fen, tax_fen) SELECT id, 9, 'x', 'x', 'x', 1, 1, 1, 0, 1, 0 FROM invoices_invoice"
        ),
        "UPDATE invoices_numberseries SET last_number = last_number + 1; SET CONSTRAINTS ALL IMMEDIATE",
    ],
)
def test_the_database_refuses_any_change_of_what_was_issued(books: Books, statement: str) -> None:
    books.deliver("cmcc-50", at=china("2026-01-10 10:00"))
    close(books)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_files_are_recorded_once(books: Books) -> None:
    books.deliver("cmcc-50", at=china("2026-01-10 10:00"))
    (invoice,) = close(books)
    with pytest.raises(DatabaseError, match="never changes"), transaction.atomic():
        Invoice.objects.filter(pk=invoice.pk).update(pdf_sha256="0" * 64)


def test_the_files_say_what_the_invoice_says(books: Books) -> None:
    hostile = '=HYPERLINK("http://127.0.0.1")<img src=x>'
    books.deliver("cmcc-50", "video-month", at=china("2026-01-10 10:00"))
    books.deliver("ecard-100", at=china("2026-01-10 10:00"), name=hostile)
    (invoice,) = close(books)
    assert invoice.status == Invoice.Status.FILED
    with tenant_context(books.company):
        page = default_storage.open(invoice.pdf_path).read()
        sheets = SealedStorage().open(invoice.workbook_path).read()
        sealed = default_storage.open(invoice.workbook_path).read()
    assert hashlib.sha256(page).hexdigest() == invoice.pdf_sha256
    assert hashlib.sha256(sheets).hexdigest() == invoice.workbook_sha256
    assert sealed != sheets
    text = "".join("".join(p.extract_text() for p in pypdf.PdfReader(BytesIO(page)).pages).split())
    assert "183.33" in text
    assert "壹佰捌拾叁元叁角叁分" in text
    assert "".join(hostile.split()) in text
    book = openpyxl.load_workbook(BytesIO(sheets), data_only=True)
    items = book["明细"]
    assert [items.cell(11, 10).value, items.cell(11, 11).value] == [183.33, 18333]
    rows = [[cell.value for cell in row] for row in items.iter_rows(min_row=8, max_row=9)]
    assert rows[0][0] == "R00000001"
    assert rows[0][4:8] == ["技术中心/后端组", "A001", "138****8000", "交付"]
    names = [cell for cell in items["D"] if cell.value == hostile]
    assert len(names) == 1
    assert names[0].data_type == "s"
    assert book["汇总"].cell(11, 9).value == 183.33


def test_a_crash_between_number_and_file_is_repaired(books: Books) -> None:
    books.deliver("cmcc-50", at=china("2026-01-10 10:00"))
    (invoice,) = issue(books)  # and then the process died
    assert (invoice.status, invoice.pdf_path) == (Invoice.Status.ISSUED, "")
    (repaired,) = close(books, at="2026-02-02 10:00")
    assert (repaired.pk, repaired.status, repaired.issued_at) == (
        invoice.pk,
        Invoice.Status.FILED,
        invoice.issued_at,
    )
    assert close(books, at="2026-02-03 10:00")[0].filed_at == repaired.filed_at
    assert NumberSeries.objects.get().last_number == 1


def test_a_page_that_cannot_be_made_keeps_its_number(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    books.deliver("cmcc-50", at=china("2026-01-10 10:00"))
    with monkeypatch.context() as broken:
        broken.setattr(pdf, "SECONDS", 0.01)
        with pytest.raises(errors.RenderingFailed):
            close(books)
    assert Invoice.objects.get().status == Invoice.Status.FAILED
    (repaired,) = close(books)
    assert (repaired.number, repaired.status) == ("ZD2026-000001", Invoice.Status.FILED)


def test_what_is_printed_is_what_was_billed(books: Books) -> None:
    books.deliver("cmcc-50", at=china("2026-01-10 10:00"))
    (invoice,) = issue(books)
    Company.objects.update(name="Renamed")
    assert Document.from_json(Invoice.objects.get().snapshot).buyer.name == "Acme"
    assert workbook.write(invoice=invoice, company=books.company).startswith(b"PK")
    assert billing.bills(company=books.company, before=ISSUED_AT) == []
    assert InvoiceLine.objects.count() == 1


def test_a_month_of_many_items_is_one_invoice(books: Books) -> None:
    posting = books.deliver("cmcc-50", at=china("2026-01-10 10:00"))[0]
    with connection.cursor() as cursor:  # copies of one delivery, each with its own posting, order and item
        cursor.execute(
            """
            WITH numbered AS (SELECT n FROM generate_series(1, 30000) n),
            posted AS (INSERT INTO points_posting (kind, source_id, destination_id, fen, reference, at)
                SELECT p.kind, p.source_id, p.destination_id, p.fen, 'copy:' || n, p.at
                FROM points_posting p, numbered WHERE p.id = %(posting)s RETURNING id)
            INSERT INTO orders_item (order_id, position, sku_code, kind, name_zh, name_en, tax_category, face_fen,
                price_fen, status, settlement_id, reason, settled_at)
            SELECT i.order_id, 1 + row_number() OVER (), i.sku_code, i.kind, i.name_zh, i.name_en, i.tax_category,
                i.face_fen, i.price_fen, i.status, posted.id, '', i.settled_at
            FROM orders_item i, posted WHERE i.settlement_id = %(posting)s
            """,
            {"posting": posting.pk},
        )
    began = monotonic()
    (invoice,) = issue(books)
    assert monotonic() - began < 60  # seconds on a busy machine; minutes where rows are joined one by one
    assert (invoice.total_fen, invoice.entry_count, invoice.line_count) == (30_001 * 5000, 30_001, 1)
    assert invoice.entries.count() == 30_001
