"""The movements of a company's funds at the platform in a month."""

from collections.abc import Iterable, Sequence

from django.utils.translation import gettext_lazy as _

from benefits.funds.models import FundsEntry
from reports.periods import Month
from reports.report import Report
from reports.tables import Column, Kind
from tenants.models import Company


def rows(company: Company, month: Month) -> Iterable[Sequence[object]]:
    """One row an entry, with the sign that it has for the company."""
    entries = FundsEntry.objects.filter(
        account__company=company.schema_name, at__gte=month.starts_at, at__lt=month.ends_at
    ).order_by("at", "pk")
    for entry in entries:
        yield entry.at, entry.get_kind_display(), entry.fen, entry.reference


REPORT = Report(
    slug="funds",
    title=_("Funds movements"),
    about=_("Deposits, loads into budgets and returns from them."),
    columns=(
        Column(_("Booked at"), Kind.TIME, 20),
        Column(_("Movement"), width=22),
        Column(_("Amount (yuan)"), Kind.FEN, 16, total=True),
        Column(_("Ledger reference"), width=44),
    ),
    rows=rows,
)
