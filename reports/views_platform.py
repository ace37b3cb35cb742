"""Finance pages of the platform: every company's invoices, and the run that issues a month's."""

from datetime import datetime
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from benefits import money
from reports import shown, tasks
from reports.invoices import billing, operations
from reports.invoices import queries as invoices
from reports.invoices.document import Document
from reports.invoices.models import Invoice
from reports.periods import Month, begun
from reports.views import attachment
from reports.writers import xlsx
from tenants.access import allow
from tenants.errors import DomainError
from tenants.identity.roles import Role
from tenants.models import Company
from tenants.tasks import PUBLIC

FINANCE = (Role.PLATFORM_FINANCE, Role.PLATFORM_ADMIN)
COMPANIES_A_PAGE = 50


@allow(*FINANCE)
@require_safe
def invoice_list(request: HttpRequest) -> HttpResponse:
    """All invoices, by company and month."""
    found = Invoice.objects.select_related("corrects")
    company, text = request.GET.get("company", "")[:63], request.GET.get("month", "")
    if company:
        found = found.filter(company=company)
    if text:
        found = found.filter(month_date=Month.parse(text).first_day)
    page = shown.page_of(found, request.GET.get("page", ""))
    context = {
        "section": "invoices",
        "rows": [shown.invoice(invoice) for invoice in page],
        "page": page,
        "company_filter": company,
        "month": text,
        "months": _months(timezone.now()),
        "companies": list(Company.objects.values_list("schema_name", "name")),
        "unfiled": invoices.unfiled().count(),
    }
    return render(request, "reports/platform_invoice_list.html", context)


@allow(*FINANCE)
@require_http_methods(["GET", "HEAD", "POST"])
def invoice_run(request: HttpRequest) -> HttpResponse:
    """What a month would bill, company by company; POST issues it for those chosen. Again issues nothing twice."""
    now = timezone.now()
    asked = request.POST if request.method == "POST" else request.GET
    month = begun(asked["month"], at=now) if asked.get("month") else Month.of(now).previous
    if request.method == "POST":
        return _issue(request, month, now)
    page = Paginator(
        Company.objects.exclude(status=Company.Status.OPENING).order_by("schema_name"), COMPANIES_A_PAGE
    ).get_page(request.GET.get("page", ""))
    rows = [_preview(company, month, now) for company in page]
    context = {
        "section": "invoices",
        "month": str(month),
        "months": _months(now),
        "is_running": month.ends_at > now,
        "rows": rows,
        "page": page,
        "to_bill": sum(row["can_issue"] for row in rows),
    }
    return render(request, "reports/platform_invoice_run.html", context)


def _issue(request: HttpRequest, month: Month, now: datetime) -> HttpResponse:
    actor: Any = request.user
    chosen = Company.objects.filter(schema_name__in=request.POST.getlist("company")[:COMPANIES_A_PAGE])
    issued = 0
    for company in chosen:
        try:
            issued += len(operations.issue(company=company, month=month, actor=actor, at=now))
        except DomainError as error:
            messages.error(request, f"{company.name}: {error}")
    tasks.file_invoices.ring(PUBLIC)
    if issued:
        text = ngettext("%(count)s document was issued.", "%(count)s documents were issued.", issued)
        messages.success(request, text % {"count": issued})
    else:
        messages.info(request, _("Nothing was left to issue."))
    return redirect(f"{reverse('platform_invoices')}?month={month}")


def _preview(company: Company, month: Month, now: datetime) -> dict[str, Any]:
    issued = Invoice.objects.filter(company=company.schema_name, month_date=month.first_day)
    row: dict[str, Any] = {
        "schema": company.schema_name,
        "name": company.name,
        "issued": [shown.invoice(invoice) for invoice in issued],
        "problem": "",
    }
    try:
        bills = billing.bills(company=company, before=min(month.ends_at, now))
    except DomainError as error:
        bills, row["problem"] = [], str(error)
    if bills and not company.credit_code:
        row["problem"] = _("The company has no unified social credit code.")
    row["bills"] = [
        {
            "corrects": bill.corrects.number if bill.corrects else "",
            "entries": f"{len(bill.entries):,}",
            "net": money.yuan_grouped(bill.net_fen),
            "tax": money.yuan_grouped(bill.tax_fen),
            "total": money.yuan_grouped(bill.total_fen),
        }
        for bill in bills
    ]
    row["can_issue"] = bool(bills) and not row["problem"]
    return row


def _months(now: datetime) -> list[dict[str, str]]:
    first = Company.objects.order_by("opened_at").values_list("opened_at", flat=True).first()
    return shown.months(since=first or now, until=now)


@allow(*FINANCE)
@require_safe
def invoice_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One invoice of any company, with the check against that company's ledger."""
    invoice, company = _find(number)
    context = {
        "section": "invoices",
        "invoice": shown.invoice(invoice),
        "document": shown.document(Document.from_json(invoice.snapshot)),
        "check": shown.check(invoice, invoices.reconcile(invoice=invoice, company=company)),
        "credit_notes": [shown.invoice(note) for note in invoice.credit_notes.all()],
    }
    return render(request, "reports/platform_invoice_detail.html", context)


@allow(*FINANCE)
@require_safe
def invoice_pdf(request: HttpRequest, number: str) -> HttpResponse:
    """The PDF as it was issued, byte for byte."""
    invoice, company = _find(number)
    data = invoices.read_pdf(invoice=invoice, company=company)
    return attachment(data, content_type="application/pdf", name=f"{number}-{invoice.company_name}.pdf")


@allow(*FINANCE)
@require_safe
def invoice_workbook(request: HttpRequest, number: str) -> HttpResponse:
    """The invoice's items as a workbook, as it was issued."""
    invoice, company = _find(number)
    data = invoices.read_workbook(invoice=invoice, company=company)
    return attachment(data, content_type=xlsx.CONTENT_TYPE, name=f"{number}-{invoice.company_name}.xlsx")


def _find(number: str) -> tuple[Invoice, Company]:
    invoice = invoices.find_any(number)
    return invoice, Company.objects.get(schema_name=invoice.company)
