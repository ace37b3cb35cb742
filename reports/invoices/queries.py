"""Reads of invoices: whose, what the ledger says of them, and their files."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.files.storage import Storage, default_storage
from django.db.models import QuerySet, Sum
from django_tenants.utils import tenant_context

from benefits.points.queries import GOODWILL_PARTS
from reports.invoices.errors import DocumentDamaged, DocumentNotReady, InvoiceNotFound
from reports.invoices.models import BilledEntry, Invoice
from tenants.db import connection
from tenants.models import Company
from tenants.storage import SealedStorage

logger = logging.getLogger(__name__)

# What reached the delivered account, less what was taken back from it; `part` says whether of all of it, or of the
# company's own part or the platform's, and only entries with something of that part count. A delivery's reference and
# its reversal's both lead to the item that its debit names.
_DELIVERED = f"""
WITH entry AS (
    SELECT p.id, p.at, CASE WHEN d.kind = 'delivered' THEN 1 ELSE -1 END AS sign, p.fen,
        substr(coalesce(o.reference, p.reference), length('deliver:') + 1) AS item
    FROM points_posting p JOIN points_account s ON s.id = p.source_id JOIN points_account d ON d.id = p.destination_id
    LEFT JOIN points_posting o ON o.id = p.reverses_id
    WHERE 'delivered' IN (s.kind, d.kind)
), p AS (
    SELECT e.id, e.at, e.sign * e.fen AS whole, e.sign * (e.fen - coalesce(g.fen, 0)) AS company,
        e.sign * coalesce(g.fen, 0) AS platform
    FROM entry e LEFT JOIN {GOODWILL_PARTS} g ON g.item = e.item
)
SELECT coalesce(sum({{part}}), 0), count(*) FILTER (WHERE {{part}} <> 0) FROM p WHERE true
"""
_BILLED = "EXISTS (SELECT 1 FROM public.invoices_billedentry b WHERE b.company = %s AND b.posting_id = p.id)"
_OF_INVOICE = "p.id IN (SELECT b.posting_id FROM public.invoices_billedentry b WHERE b.invoice_id = %s)"
_DEPARTMENTS = """
SELECT coalesce(d.path, ''), count(*), sum(b.fen)
FROM public.invoices_billedentry b JOIN orders_item i ON i.id = b.item_id JOIN orders_order o ON o.id = i.order_id
JOIN people_employee e ON e.id = o.employee_id LEFT JOIN people_department d ON d.id = e.department_id
WHERE b.invoice_id = %s GROUP BY 1 ORDER BY 3 DESC, 1
"""


@dataclass(frozen=True)
class Reconciled:
    """What an invoice's total is made of, counted three ways."""

    total_fen: int
    lines_fen: int
    ledger_fen: int

    @property
    def agrees(self) -> bool:
        return self.total_fen == self.lines_fen == self.ledger_fen


def of_company(schema: str) -> QuerySet[Invoice]:
    """A company's invoices and credit notes, the newest first."""
    return Invoice.objects.filter(company=schema).select_related("corrects")


def find(*, schema: str, number: str) -> Invoice:
    """A company's own invoice, or InvoiceNotFound: also where it is another's."""
    invoice = of_company(schema).filter(number=number).first()
    if invoice is None:
        raise InvoiceNotFound(number=number[:20])
    return invoice


def find_any(number: str) -> Invoice:
    """Any company's invoice, for the platform. Raises InvoiceNotFound."""
    invoice = Invoice.objects.select_related("corrects").filter(number=number).first()
    if invoice is None:
        raise InvoiceNotFound(number=number[:20])
    return invoice


def unfiled() -> QuerySet[Invoice]:
    """Issued, but its files are not made yet."""
    return Invoice.objects.exclude(status=Invoice.Status.FILED).order_by("pk")


def reconcile(*, invoice: Invoice, company: Company) -> Reconciled:
    """The invoice's total, the sum of its lines, and the company's part of the ledger postings that it bills."""
    lines = invoice.lines.aggregate(fen=Sum("gross_fen"))["fen"] or 0
    return Reconciled(
        total_fen=invoice.total_fen,
        lines_fen=lines,
        ledger_fen=_delivered(company, "company", _OF_INVOICE, invoice.pk)[0],
    )


def departments_of(*, invoice: Invoice, company: Company) -> Sequence[tuple[str, int, int]]:
    """(department, items, fen) of an invoice, the largest first; an employee without one counts under ''."""
    with tenant_context(company), connection.cursor() as cursor:
        cursor.execute(_DEPARTMENTS, [invoice.pk])
        return [(str(path), int(items), int(fen)) for path, items, fen in cursor.fetchall()]


def unbilled(company: Company, *, before: datetime) -> tuple[int, int]:
    """(fen, entries) delivered before an instant that no invoice bills yet, and one will."""
    return _delivered(company, "company", f"p.at < %s AND NOT {_BILLED}", before, company.schema_name)


def delivered(company: Company, *, since: datetime, before: datetime) -> tuple[int, int]:
    """(fen, entries) delivered in a period, less what was taken back in it."""
    return _delivered(company, "whole", "p.at >= %s AND p.at < %s", since, before)


def by_platform(company: Company, *, since: datetime, before: datetime) -> tuple[int, int]:
    """The part of what was delivered in a period that was paid from the platform's goodwill, which is never billed."""
    return _delivered(company, "platform", "p.at >= %s AND p.at < %s", since, before)


def billed(company: Company, *, since: datetime, before: datetime) -> tuple[int, int]:
    """The part of what was delivered in a period that invoices and credit notes bill."""
    where = f"p.at >= %s AND p.at < %s AND {_BILLED}"
    return _delivered(company, "company", where, since, before, company.schema_name)


def _delivered(company: Company, part: str, where: str, *values: Any) -> tuple[int, int]:
    with tenant_context(company), connection.cursor() as cursor:
        cursor.execute(f"{_DELIVERED.format(part=part)} AND {where}", values)
        fen, entries = cursor.fetchone()
        return int(fen), int(entries)


def total_fen(schema: str) -> int:
    """All invoices less all credit notes of a company."""
    return BilledEntry.objects.filter(company=schema).aggregate(fen=Sum("fen"))["fen"] or 0


def read_pdf(*, invoice: Invoice, company: Company) -> bytes:
    """The PDF as it was issued, byte for byte. Raises DocumentNotReady, DocumentDamaged."""
    return _read(invoice, company, default_storage, path=invoice.pdf_path, digest=invoice.pdf_sha256)


def read_workbook(*, invoice: Invoice, company: Company) -> bytes:
    """The workbook as it was issued. Raises DocumentNotReady, DocumentDamaged."""
    return _read(
        invoice, company, SealedStorage(), path=invoice.workbook_path, digest=invoice.workbook_sha256
    )


def _read(invoice: Invoice, company: Company, storage: Storage, *, path: str, digest: str) -> bytes:
    if invoice.status != Invoice.Status.FILED:
        raise DocumentNotReady(number=invoice.number)
    with tenant_context(company):
        try:
            with storage.open(path) as stored:
                data: bytes = stored.read()
        except OSError:
            logger.exception("the file %s of %s cannot be read", path, invoice.number)
            raise DocumentDamaged(number=invoice.number) from None
    if hashlib.sha256(data).hexdigest() != digest:
        logger.critical("the file %s of %s is not the one that was issued", path, invoice.number)
        raise DocumentDamaged(number=invoice.number)
    return data
