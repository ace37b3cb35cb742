"""Close a company's month: issue what is to be billed, then make and keep its files."""

import hashlib
import logging
from datetime import datetime

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django_tenants.utils import schema_context, tenant_context

from benefits import states
from reports.invoices import billing, pdf, queries, workbook
from reports.invoices.document import Document, Party, party
from reports.invoices.errors import BuyerUnknown, RenderingFailed
from reports.invoices.models import BilledEntry, Invoice, InvoiceLine, NumberSeries
from reports.periods import Month
from reports.tables import CHINA
from tenants import audit
from tenants.crash import crash_point
from tenants.db import connection, durable, transaction, transaction_required
from tenants.errors import IllegalTransition
from tenants.identity.models import User
from tenants.models import Company
from tenants.storage import SealedStorage

logger = logging.getLogger(__name__)


@durable
def close_month(*, company: Company, month: Month, actor: User | None, at: datetime) -> list[Invoice]:
    """Issue the month's invoice and credit notes and make every file still missing; again changes nothing.

    Raises BuyerUnknown, TaxRateMissing, RenderingFailed (the number stays; running again makes the file).
    """
    issue(company=company, month=month, actor=actor, at=at)
    documents = Invoice.objects.filter(company=company.schema_name, month_date=month.first_day).order_by("pk")
    return [file_documents(invoice=invoice, company=company, at=at) for invoice in documents]


@transaction
def issue(*, company: Company, month: Month, actor: User | None, at: datetime) -> list[Invoice]:
    """Bill every entry before the month's end that no invoice bills, whichever month it is of; none, no number used.

    Raises BuyerUnknown, TaxRateMissing.
    """
    # The company's row is the lock: two runs for one company happen one after another.
    company = Company.objects.select_for_update(no_key=True).get(pk=company.pk)
    bills = billing.bills(company=company, before=min(month.ends_at, at))
    if bills and not company.credit_code:
        raise BuyerUnknown(company=company.name)
    return [_issue_one(bill, company=company, month=month, actor=actor, at=at) for bill in bills]


@transaction_required
def _issue_one(
    bill: billing.Bill, *, company: Company, month: Month, actor: User | None, at: datetime
) -> Invoice:
    kind = Invoice.Kind.CREDIT_NOTE if bill.corrects else Invoice.Kind.INVOICE
    series = _next_number(code=Invoice.SERIES[kind], year=at.astimezone(CHINA).year)
    number = f"{series.code}{series.year}-{series.last_number:06d}"
    printed = Document(
        kind=kind.value,
        number=number,
        month=str(month),
        first_day=month.first_day,
        last_day=month.last_day,
        issued_on=at.astimezone(CHINA).date(),
        seller=_seller(),
        buyer=_buyer(company),
        lines=tuple(line.printed for line in bill.lines),
        corrects=bill.corrects.number if bill.corrects else "",
    )
    invoice = Invoice.objects.create(
        kind=kind,
        series=series,
        serial=series.last_number,
        number=number,
        company=company.schema_name,
        company_name=company.name,
        month_date=month.first_day,
        corrects=bill.corrects,
        snapshot=printed.to_json(),
        total_fen=bill.total_fen,
        net_fen=bill.net_fen,
        tax_fen=bill.tax_fen,
        line_count=len(bill.lines),
        entry_count=len(bill.entries),
        issued_at=at,
        issued_by=actor.username if actor else audit.SYSTEM,
    )
    _write_lines(invoice, bill)
    crash_point("in_invoice_number")
    _write_entries(invoice, bill)
    audit.record(
        f"{kind.value}.issued",
        invoice,
        actor=actor,
        at=at,
        number=number,
        company=company.schema_name,
        fen=bill.total_fen,
    )
    return invoice


def _write_lines(invoice: Invoice, bill: billing.Bill) -> None:
    InvoiceLine.objects.bulk_create(
        InvoiceLine(
            invoice=invoice,
            position=position,
            sku_code=line.sku_code,
            product=line.printed.product,
            tax_category=line.printed.tax_category,
            quantity=line.printed.quantity,
            unit_fen=line.printed.unit_fen,
            gross_fen=line.printed.gross_fen,
            rate_bp=line.printed.rate_bp,
            net_fen=line.printed.net_fen,
            tax_fen=line.printed.tax_fen,
        )
        for position, line in enumerate(bill.lines, start=1)
    )


def _write_entries(invoice: Invoice, bill: billing.Bill) -> None:
    # One statement, so that the database can check that it makes up the total.
    BilledEntry.objects.bulk_create(
        BilledEntry(
            invoice=invoice,
            company=invoice.company,
            posting_id=entry.posting_id,
            item_id=entry.item_id,
            fen=entry.fen,
            rate_bp=entry.rate_bp,
        )
        for entry in bill.entries
    )


@transaction_required
def _next_number(*, code: str, year: int) -> NumberSeries:
    """The next number of a series: one statement that locks its row until the invoice has committed, or neither has."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO public.invoices_numberseries AS series (code, year, last_number) VALUES (%s, %s, 1)
               ON CONFLICT (code, year) DO UPDATE SET last_number = series.last_number + 1
               RETURNING id, last_number""",
            [code, year],
        )
        pk, last_number = cursor.fetchone()
    return NumberSeries(pk=pk, code=code, year=year, last_number=last_number)


@durable
def file_documents(*, invoice: Invoice, company: Company, at: datetime) -> Invoice:
    """Make and keep the PDF and the workbook of an invoice that has none yet. Safe to repeat, also at once.

    Raises RenderingFailed, which is recorded on the invoice.
    """
    if invoice.status == Invoice.Status.FILED:
        return invoice
    try:
        page = pdf.render(Document.from_json(invoice.snapshot))
    except RenderingFailed:
        with transaction():
            states.advance(invoice, Invoice.Status.FAILED)
        raise
    sheets = workbook.write(invoice=invoice, company=company)
    folder = f"invoices/{invoice.number}"
    with tenant_context(company):
        pdf_path = default_storage.save(f"{folder}.pdf", ContentFile(page))
        workbook_path = SealedStorage().save(f"{folder}.xlsx", ContentFile(sheets))
    try:
        with transaction():
            states.advance(
                invoice,
                Invoice.Status.FILED,
                pdf_path=pdf_path,
                pdf_sha256=hashlib.sha256(page).hexdigest(),
                workbook_path=workbook_path,
                workbook_sha256=hashlib.sha256(sheets).hexdigest(),
                filed_at=at,
            )
    except IllegalTransition:
        invoice.refresh_from_db()  # another run was first; its files are the ones that count
    return invoice


@durable
def file_pending(*, at: datetime) -> int:
    """Make the files that a stopped process or a failed rendering left unmade; returns how many were made."""
    made = 0
    for invoice in list(queries.unfiled()):
        company = Company.objects.get(schema_name=invoice.company)
        try:
            file_documents(invoice=invoice, company=company, at=at)
            made += 1
        except RenderingFailed as failure:
            logger.error("%s: %s", invoice.number, failure)
    return made


def location(invoice: Invoice) -> str:
    """Where the PDF lies on this machine, for whoever runs the product."""
    with schema_context(invoice.company):
        return default_storage.path(invoice.pdf_path)


def _seller() -> Party:
    seller = settings.SELLER
    return party(
        name=seller["name"],
        credit_code=seller["credit_code"],
        address=seller["address"],
        phone=seller["phone"],
        bank=seller["bank_name"],
        bank_account=seller["bank_account"],
    )


def _buyer(company: Company) -> Party:
    return party(
        name=company.name,
        credit_code=company.credit_code,
        address=company.address,
        phone=company.phone,
        bank=company.bank_name,
        bank_account=company.bank_account,
    )
