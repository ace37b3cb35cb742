"""Finance pages of a company: invoices, statements and reports, each to look at and to take away."""

from datetime import datetime
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from benefits import money
from reports import shown
from reports.invoices import queries as invoices
from reports.invoices.document import Document
from reports.periods import Month, begun
from reports.registry import REPORTS
from reports.report import FINANCE, Report
from reports.statement import Statement, statement, tables
from reports.tables import Table
from reports.writers import csv, xlsx
from tenants import audit
from tenants.access import allow
from tenants.db import transaction
from tenants.models import Company

PREVIEW_ROWS = 50


@allow(*FINANCE)
@require_safe
def invoice_list(request: HttpRequest) -> HttpResponse:
    """The company's invoices and credit notes, and what is delivered but not yet billed."""
    company = _company(request)
    now = timezone.now()
    unbilled_fen, unbilled_entries = invoices.unbilled(company, before=now)
    page = shown.page_of(invoices.of_company(company.schema_name), request.GET.get("page", ""))
    context = {
        "section": "invoices",
        "rows": [shown.invoice(invoice) for invoice in page],
        "page": page,
        "billed": money.yuan_grouped(invoices.total_fen(company.schema_name)),
        "unbilled": money.yuan_grouped(unbilled_fen),
        "unbilled_entries": unbilled_entries,
        "this_month": str(Month.of(now)),
    }
    return render(request, "reports/invoice_list.html", context)


@allow(*FINANCE)
@require_safe
def invoice_detail(request: HttpRequest, number: str) -> HttpResponse:
    """One invoice with its lines, departments and the check against the ledger."""
    company = _company(request)
    invoice = invoices.find(schema=company.schema_name, number=number)
    context = {
        "section": "invoices",
        "invoice": shown.invoice(invoice),
        "document": shown.document(Document.from_json(invoice.snapshot)),
        "check": shown.check(invoice, invoices.reconcile(invoice=invoice, company=company)),
        "departments": [
            {"name": path or _("Without a department"), "items": items, "amount": money.yuan_grouped(fen)}
            for path, items, fen in invoices.departments_of(invoice=invoice, company=company)
        ],
        "credit_notes": [shown.invoice(note) for note in invoice.credit_notes.all()],
    }
    return render(request, "reports/invoice_detail.html", context)


@allow(*FINANCE)
@require_safe
def invoice_pdf(request: HttpRequest, number: str) -> HttpResponse:
    """The PDF as it was issued, byte for byte."""
    company = _company(request)
    invoice = invoices.find(schema=company.schema_name, number=number)
    data = invoices.read_pdf(invoice=invoice, company=company)
    return attachment(data, content_type="application/pdf", name=f"{invoice.number}-{company.name}.pdf")


@allow(*FINANCE)
@require_safe
def invoice_workbook(request: HttpRequest, number: str) -> HttpResponse:
    """The invoice's items as a workbook, as it was issued."""
    company = _company(request)
    invoice = invoices.find(schema=company.schema_name, number=number)
    data = invoices.read_workbook(invoice=invoice, company=company)
    return attachment(data, content_type=xlsx.CONTENT_TYPE, name=f"{invoice.number}-{company.name}.xlsx")


@allow(*FINANCE)
@require_safe
def statement_page(request: HttpRequest) -> HttpResponse:
    """The statement of a month; the running month unless another is asked for."""
    company, now = _company(request), timezone.now()
    month = _month(request, now)
    context = {
        "section": "invoices",
        "statement": shown.statement(statement(company=company, month=month, at=now)),
        "months": shown.months(since=company.opened_at, until=now),
        "month": str(month),
        "is_running": month.ends_at > now,
    }
    return render(request, "reports/statement.html", context)


@allow(*FINANCE)
@require_safe
def statement_workbook(request: HttpRequest) -> HttpResponse:
    """The statement with the funds and the delivered items behind it, as a workbook."""
    company, now = _company(request), timezone.now()
    month = _month(request, now)
    report = statement(company=company, month=month, at=now)
    data = xlsx.write(
        *_statement_tables(report, company=company, month=month, facts=_facts(request, month, now))
    )
    _record(request, "statement", month, now)
    name = _("Statement %(month)s %(company)s") % {"month": month, "company": company.name}
    return attachment(data, content_type=xlsx.CONTENT_TYPE, name=f"{name}.xlsx")


def _statement_tables(
    report: Statement, *, company: Company, month: Month, facts: list[tuple[str, str]]
) -> list[Table]:
    parts = [REPORTS["funds"], REPORTS["deliveries"]]
    return [*tables(report, facts=facts), *(_table(part, company, month, facts) for part in parts)]


@allow(*FINANCE)
@require_safe
def report_list(request: HttpRequest) -> HttpResponse:
    """What reports there are."""
    rows = [{"slug": one.slug, "title": one.title, "about": one.about} for one in _offered(request).values()]
    return render(request, "reports/report_list.html", {"section": "reports", "reports": rows})


@allow(*FINANCE)
@require_safe
def report_page(request: HttpRequest, slug: str) -> HttpResponse:
    """The first rows of a report, and the whole of it to take away."""
    company, now = _company(request), timezone.now()
    report, month = _report(request, slug), _month(request, now)
    rows = list(report.rows(company, month))
    context = {
        "section": "reports",
        "report": {"slug": report.slug, "title": report.title, "about": report.about},
        "columns": shown.columns(report.columns),
        "rows": shown.rows(report.columns, rows[:PREVIEW_ROWS]),
        "sums": shown.sums(report.columns, rows),
        "count": len(rows),
        "cut": len(rows) > PREVIEW_ROWS,
        "months": shown.months(since=company.opened_at, until=now),
        "month": str(month),
    }
    return render(request, "reports/report.html", context)


@allow(*FINANCE)
@require_safe
def report_file(request: HttpRequest, slug: str, kind: str) -> HttpResponse:
    """A report as a workbook or CSV."""
    company, now = _company(request), timezone.now()
    report, month = _report(request, slug), _month(request, now)
    table = _table(report, company, month, _facts(request, month, now))
    _record(request, slug, month, now)
    name = f"{report.title} {month} {company.name}.{kind}"
    if kind == "csv":
        return attachment(csv.write(table), content_type=csv.CONTENT_TYPE, name=name)
    return attachment(xlsx.write(table), content_type=xlsx.CONTENT_TYPE, name=name)


def attachment(data: bytes, *, content_type: str, name: str) -> HttpResponse:
    """A file to keep, under a name in any script (RFC 6266), that no browser shows in place or guesses about."""
    response = HttpResponse(data, content_type=content_type)
    safe_name = "".join(" " if ord(c) < 32 or c in '/\\:*?"<>|' else c for c in name)
    response["Content-Disposition"] = content_disposition_header(True, safe_name)
    response["X-Content-Type-Options"] = "nosniff"
    response["Cache-Control"] = "private, no-store"
    return response


def _company(request: HttpRequest) -> Company:
    company: Company | None = getattr(request, "company", None)
    if company is None:
        raise Http404
    return company


def _month(request: HttpRequest, now: datetime) -> Month:
    text = request.GET.get("month", "")
    return begun(text, at=now) if text else Month.of(now)


def _offered(request: HttpRequest) -> dict[str, Report]:
    roles: frozenset[str] = getattr(request.user, "roles", frozenset())
    return {slug: one for slug, one in REPORTS.items() if roles & {str(role) for role in one.roles}}


def _report(request: HttpRequest, slug: str) -> Report:
    report = _offered(request).get(slug)
    if report is None:
        raise Http404
    return report


def _table(report: Report, company: Company, month: Month, facts: list[tuple[str, str]]) -> Table:
    return Table(
        title=str(report.title),
        columns=report.columns,
        rows=report.rows(company, month),
        facts=facts,
        total_label=_("Total"),
    )


def _facts(request: HttpRequest, month: Month, now: datetime) -> list[tuple[str, str]]:
    """What stands above every table that leaves the house: whose it is, and who took it when."""
    return [
        (_("Company"), _company(request).name),
        (_("Month"), str(month)),
        (_("Made at"), shown.instant(now)),
        (_("Made by"), str(request.user)),
    ]


def _record(request: HttpRequest, slug: str, month: Month, now: datetime) -> None:
    actor: Any = request.user
    with transaction():
        audit.record("report.exported", f"report:{slug}", actor=actor, at=now, month=str(month))
